//! Renders help from the tables of commands and flags, at most 80 columns wide.

use crate::cli::args::commands::{COMMANDS, Command};
use crate::cli::args::flags::{self, Flag, Group};
use crate::cli::args::parser::Detail;
use crate::cli::docs::wrap::{columns, wrap};

/// The maximum width of a line.
const WIDTH: usize = 80;
/// The column where the text for a command or flag begins.
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

/// What regq is, for the help and the man page.
pub(crate) const ABOUT: &[&str] = &[
    "Asks container registries questions: which digest a tag has, what a manifest contains, why \
     a registry refuses access. It pulls no images and needs no daemon.",
];

/// What scripts rely on, for every command.
pub(crate) const STREAMS: &[&str] =
    &["Results go to standard output, everything else to standard error. If several references \
     are given, all are tried, and the exit code is that of the first failure."];

/// The exit codes, the same for every command.
pub(crate) const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "success"),
    ("1", "with --get: the value is null or missing"),
    ("2", "invalid command line or reference"),
    ("3", "repository, tag or platform not found"),
    ("4", "access denied: credentials missing, wrong or insufficient"),
    ("5", "rate limit exceeded"),
    ("6", "registry unavailable: DNS, connection, TLS, timeout or server error"),
    ("7", "invalid or unsafe response"),
    ("8", "local error, such as an unreadable file or a full disk"),
];

/// The environment variables that regq reads.
pub(crate) const ENVIRONMENT: &[(&str, &str)] = &[
    ("SSL_CERT_FILE", "PEM file with CA certificates to trust in addition to the built-in ones"),
    ("REGQ_TRUST_REALM", "comma-separated hosts of token servers, same as --trust-realm"),
    ("REGISTRY_AUTH_FILE", "credential file, same as --authfile"),
    ("DOCKER_AUTH_CONFIG", "contents of a credential file"),
    ("DOCKER_CONFIG", "directory of docker's config.json; if unset, ~/.docker"),
    (
        "XDG_RUNTIME_DIR",
        "directory of podman's containers/auth.json; if unset, /run/containers/UID/auth.json",
    ),
    (
        "XDG_CONFIG_HOME",
        "directory of podman's permanent containers/auth.json; if unset, ~/.config",
    ),
    ("HOME", "home directory, written ~ here"),
    ("PATH", "directories with docker-credential-NAME helpers"),
    ("NO_COLOR", "if set, explain prints no colors on a terminal"),
];

fn overview(detail: Detail) -> String {
    let mut out = Page::default();
    out.line("Usage: regq COMMAND [FLAGS] [ARG...]");
    out.paragraphs(ABOUT);
    if detail == Detail::Long {
        out.heading("Examples");
        for (line, purpose) in COMMANDS.iter().filter_map(|command| command.examples.first()) {
            out.example(line, purpose);
        }
    }
    out.heading("Commands");
    for command in COMMANDS {
        out.entry(&format!("  {} {}", command.name, command.operands.usage), command.summary, "");
    }
    match detail {
        Detail::Short => {
            out.empty();
            out.line("regq help COMMAND shows help for a command, regq --help shows more.");
        }
        Detail::Long => {
            for group in [Group::General, Group::Alone] {
                out.heading(group.heading());
                flags::all()
                    .filter(|flag| flag.group == group)
                    .for_each(|flag| out.flag(flag, detail));
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
    out.line(&format!("Usage: regq {} {}", command.name, command.synopsis()));
    if !command.aliases.is_empty() {
        out.line(&format!("Also:  {}", command.aliases.join(", ")));
    }
    match detail {
        Detail::Short => {
            out.empty();
            out.line(&format!("{}.", command.summary));
        }
        Detail::Long => {
            out.heading("Examples");
            for (line, purpose) in command.examples {
                out.example(line, purpose);
            }
            out.paragraphs(command.about);
        }
    }
    for group in Group::ALL {
        let mut flags =
            flags::all().filter(|flag| flag.group == group && command.takes(flag)).peekable();
        if flags.peek().is_some() {
            out.heading(group.heading());
        }
        flags.for_each(|flag| out.flag(flag, detail));
    }
    if detail == Detail::Short {
        out.empty();
        out.line(&format!("regq {} --help shows examples and details.", command.name));
    }
    out.text
}

/// The text written so far.
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
        let value = flag.value_name().map(|name| format!(" {name}")).unwrap_or_default();
        let details = if detail == Detail::Long { flag.details() } else { String::new() };
        let term = format!("  {short}--{}{value}", flag.long);
        self.entry(&term, &flag.help_with_default(), &details);
    }

    /// Adds a term and its text, on the next line if the term is too long.
    fn entry(&mut self, term: &str, help: &str, details: &str) {
        let mut term = term.to_owned();
        if columns(&term) + 2 > COLUMN {
            self.line(&term);
            term.clear();
        }
        for line in wrap(help, WIDTH - COLUMN).into_iter().chain(wrap(details, WIDTH - COLUMN)) {
            self.line(&format!("{term:COLUMN$}{line}"));
            term.clear();
        }
    }

    fn example(&mut self, line: &str, purpose: &str) {
        self.line(&format!("  {line}"));
        self.line(&format!("      {purpose}"));
    }
}
