//! Help, made from the tables, at most 80 columns wide.

use crate::cli::args::commands::{COMMANDS, Command, Operands};
use crate::cli::args::flags::{FLAGS, Flag, Group, Take};
use crate::cli::args::parser::Detail;

/// How wide help is at most.
const WIDTH: usize = 80;
/// Where the explanation of a command or flag begins.
const COLUMN: usize = 30;

/// `regq VERSION`.
pub(crate) fn version() -> String {
    format!("regq {}\n", env!("CARGO_PKG_VERSION"))
}

/// Help for regq as a whole, or for one command.
pub(crate) fn help(command: Option<&Command>, detail: Detail) -> String {
    match command {
        Some(command) => of_command(command, detail),
        None => overview(detail),
    }
}

pub(crate) const ABOUT: &[&str] =
    &["Asks container registries questions and gets trustworthy answers. Nothing is pulled, no \
     daemon is needed."];

/// What a script wants to know about every command.
pub(crate) const STREAMS: &[&str] =
    &["Answers go to standard output, everything else to standard error. When several references \
     are given, all are tried, and the exit code is that of the first that failed."];

/// The exit codes, as they are for every command.
pub(crate) const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "done"),
    ("1", "asked and answered no; with --get, there is no such value"),
    ("2", "wrong command line, or a reference that cannot be read"),
    ("3", "no such repository, tag or platform"),
    ("4", "refused: no credentials, wrong ones, or not enough rights"),
    ("5", "the registry's limit is reached, after the retries"),
    ("6", "no answer: name, connection, TLS, time, or the registry failed"),
    ("7", "the answer is not what was asked for, or not safe to act upon"),
    ("8", "this machine: a file that cannot be read, a full disk"),
];

/// The variables of the environment that mean something.
pub(crate) const ENVIRONMENT: &[(&str, &str)] = &[
    ("SSL_CERT_FILE", "a PEM file with authorities to trust, beside the built-in ones"),
    ("REGQ_TRUST_REALM", "hosts of token servers, separated by commas, as for --trust-realm"),
    ("REGISTRY_AUTH_FILE", "a credential file, used as that of --authfile"),
    ("DOCKER_AUTH_CONFIG", "the text of a credential file"),
    ("DOCKER_CONFIG", "the folder of docker's config.json, else ~/.docker"),
    ("XDG_RUNTIME_DIR", "where podman's credentials are, else /run/containers/UID"),
    ("XDG_CONFIG_HOME", "where podman's lasting credentials are, else ~/.config"),
    ("HOME", "the folder that ~ stands for"),
    ("PATH", "where docker-credential-NAME helpers are found"),
    ("NO_COLOR", "when set, explain shows no colours on a terminal"),
];

fn overview(detail: Detail) -> String {
    let mut out = Page::default();
    out.line("Usage: regq COMMAND [FLAGS] [REF...]");
    out.paragraphs(ABOUT);
    out.heading("Commands");
    for command in COMMANDS {
        out.entry(&format!("  {} {}", command.name, operands(command)), command.summary, "");
    }
    match detail {
        Detail::Short => {
            out.empty();
            out.line("regq help COMMAND explains one of them, regq --help more of regq.");
        }
        Detail::Long => {
            out.heading("Flags of every command");
            for flag in FLAGS.iter().filter(|flag| flag.group == Group::General) {
                out.flag(flag, detail);
            }
            out.heading(Group::Alone.heading());
            for flag in FLAGS.iter().filter(|flag| flag.group == Group::Alone) {
                out.flag(flag, detail);
            }
            out.heading("Examples");
            for (line, what) in COMMANDS.iter().filter_map(|command| command.examples.first()) {
                out.example(line, what);
            }
            out.paragraphs(STREAMS);
            out.heading("Exit codes");
            for (code, meaning) in EXIT_CODES {
                out.line(&format!("  {code}  {meaning}"));
            }
            out.heading("Environment");
            for (variable, meaning) in ENVIRONMENT {
                out.entry(&format!("  {variable}"), meaning, "");
            }
        }
    }
    out.text
}

fn of_command(command: &Command, detail: Detail) -> String {
    let mut out = Page::default();
    out.line(&format!("Usage: regq {} {}", command.name, synopsis(command)));
    if !command.aliases.is_empty() {
        out.line(&format!("Also:  {}", command.aliases.join(", ")));
    }
    match detail {
        Detail::Short => {
            out.empty();
            out.line(&format!("{}.", command.summary));
        }
        Detail::Long => out.paragraphs(command.about),
    }
    for group in Group::ALL {
        let mut flags =
            FLAGS.iter().filter(|flag| flag.group == group && command.takes(flag)).peekable();
        if flags.peek().is_some() {
            out.heading(group.heading());
        }
        flags.for_each(|flag| out.flag(flag, detail));
    }
    if detail == Detail::Long {
        out.heading("Examples");
        for (line, what) in command.examples {
            out.example(line, what);
        }
    }
    out.text
}

/// What stands behind the command's name.
pub(crate) fn synopsis(command: &Command) -> String {
    let flags = if matches!(command.operands, Operands::Maybe(_)) { "" } else { "[FLAGS] " };
    format!("{flags}{}", operands(command))
}

fn operands(command: &Command) -> String {
    match command.operands {
        Operands::One(name) | Operands::OneUnlessOffline(name) => name.to_owned(),
        Operands::Many(name) => format!("{name}..."),
        Operands::Maybe(name) => format!("[{name}]"),
    }
}

/// A text under way.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn empty(&mut self) {
        self.text.push('\n');
    }

    fn heading(&mut self, heading: &str) {
        self.empty();
        self.line(&format!("{heading}:"));
    }

    fn paragraphs(&mut self, paragraphs: &[&str]) {
        for paragraph in paragraphs {
            self.empty();
            for line in wrap(paragraph, WIDTH) {
                self.line(&line);
            }
        }
    }

    fn flag(&mut self, flag: &Flag, detail: Detail) {
        let short = flag.short.map_or("    ".to_owned(), |short| format!("-{short}, "));
        let value = match flag.take {
            Take::Value(name, _) => format!(" {name}"),
            Take::Switch(_) | Take::Help | Take::Version => String::new(),
        };
        let more = if detail == Detail::Long { flag.more } else { "" };
        self.entry(&format!("  {short}--{}{value}", flag.long), flag.help, more);
    }

    /// A term and its explanation beside it, or under it where the term is too long.
    fn entry(&mut self, term: &str, help: &str, more: &str) {
        let mut term = term.to_owned();
        if term.chars().count() + 2 > COLUMN {
            self.line(&term);
            term.clear();
        }
        for line in wrap(help, WIDTH - COLUMN).into_iter().chain(wrap(more, WIDTH - COLUMN)) {
            self.line(&format!("{term:COLUMN$}{line}"));
            term.clear();
        }
    }

    fn example(&mut self, line: &str, what: &str) {
        self.line(&format!("  {line}"));
        self.line(&format!("      {what}"));
    }
}

/// Breaks a text at spaces into lines of at most `width` characters, longer words aside.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}
