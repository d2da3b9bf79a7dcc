//! The README's command lines, word for word: each is run by `sh` where the registries that it
//! names are played by real ones, and its answer has to be the one that is due.
//!
//! The lines are read from the README of this moment. What a `console` block shows is what has to
//! come, on stdout and stderr, the digits of digests and sizes aside; those, and what the lines of
//! `sh` blocks print, are worked out from the words of a line. A line with a word that has no
//! meaning here fails, and so does a block of another language, so that nothing passes unjudged.
//! The recipes are judged in `recipes.rs`.

use std::fs;
use std::path::Path;

use ring::digest::{SHA256, digest};

use crate::Outcome;
use crate::blocks::{self, Block, RECIPES};
use crate::images::{Document, Image};
use crate::peers::{RUNTIME, Surroundings};
use crate::report::Report;
use crate::servers::{Program, Registry, Settings};
use crate::stage::Stage;
use crate::token_server::{ISSUER, MEMBER, TokenServer};

/// Every registry that the README names: where it listens, and the realm that it gives.
const REGISTRIES: [(&str, &str); 3] = [
    ("192.0.2.1:443", "https://auth.docker.io/token"),
    ("192.0.2.2:443", "https://auth.quay.io/token"),
    ("192.0.2.3:443", "https://auth.example.com/token"),
];

/// The names of registries that a login line may use.
const LOGINS: [&str; 2] = ["docker.io", "registry.example.com"];

/// The file of references that the reader has, comment and all.
const LIST: (&str, &str) = ("images.txt", "# what we run\nalpine:3.20\nquay.io/podman/hello\n");

/// The file with the password of the README's user.
const PASSWORD_FILE: &str = "password.txt";

/// Where the README's user is at home.
const HOME: &str = "/home/ada";

/// A command line of a `console` block, and what is shown below it.
#[derive(Debug)]
struct Typed {
    line: String,
    shown: String,
}

/// What a line has to print.
#[derive(Debug)]
enum Due {
    /// This and nothing else.
    Exactly(String),
    /// How this name is read.
    Reading(String),
    /// That the login worked, and the command that asks for this name.
    Worked(String),
}

/// The registries that the README names, and their token server. They end with this value.
pub(crate) struct World {
    _tokens: TokenServer,
    _registries: Vec<Registry>,
}

impl World {
    /// Starts them, with what was pushed before.
    pub(crate) fn open(stage: &Stage, program: &Program) -> Outcome<Self> {
        let tokens = TokenServer::start("198.51.100.1:443", &stage.certificates)?;
        let start = |(address, realm): &(&str, &str)| {
            let settings = Settings {
                folder: program.folder(&stage.folder),
                address,
                realm,
                service: "a registry of the README",
                issuer: ISSUER,
                certificates: &stage.certificates,
                tls: true,
            };
            Registry::start(program, &settings)
        };
        let registries = REGISTRIES.iter().map(start).collect::<Outcome<_>>()?;
        Ok(Self { _tokens: tokens, _registries: registries })
    }
}

/// Runs them all, in their order and in one home, as a reader would.
pub(crate) fn check(stage: &Stage, program: &Program, report: &mut Report) -> Outcome<()> {
    let _world = World::open(stage, program)?;
    let around = make_reader(stage, program)?;
    let blocks = blocks::read()?;
    let is = |language: &'static str| move |block: &&Block| block.language == language;
    if blocks.iter().filter(is("console")).count() < 10 {
        return Err("the README has lost its examples".to_owned());
    }
    // The story alone is held by `tests/it/cli/story.rs`, which needs no network.
    let mut stories = blocks.iter().filter(is("text"));
    let story = stories.next().map(|block| block.section.as_str());
    let outcome = match (story, stories.next()) {
        (Some(""), None) => Ok(()),
        other => Err(format!("a `text` block that nobody judges: {other:?}")),
    };
    report.check("the story comes first", outcome);
    for block in blocks.iter().filter(|block| block.section != RECIPES) {
        match block.language.as_str() {
            "text" => {}
            "sh" => {
                // A line of nothing but a comment goes on with the one before it.
                let says = |line: &&str| {
                    !line.starts_with('#') && !without_comment(line).trim().is_empty()
                };
                for line in block.text.lines().filter(says) {
                    report.check(without_comment(line), judge(stage, &around, line));
                }
            }
            "console" => session(stage, &around, block, report)?,
            other => return Err(format!("nobody here can judge a block of {other:?}")),
        }
    }
    Ok(())
}

/// A command line without the comment at its end.
fn without_comment(line: &str) -> &str {
    line.split_once(" #").map_or(line, |(command, _)| command).trim_end()
}

/// A home and a working folder with the files that the README takes for granted.
fn make_reader(stage: &Stage, program: &Program) -> Outcome<Surroundings> {
    let folder = program.folder(&stage.folder).join("reader");
    let home = folder.join("home");
    let files = [LIST, (PASSWORD_FILE, &format!("{}\n", MEMBER.1))];
    fs::create_dir_all(home.join(RUNTIME)).map_err(|error| error.to_string())?;
    for (name, text) in files {
        fs::write(folder.join(name), text).map_err(|error| error.to_string())?;
    }
    let around = Surroundings::new(&home).trusting(&stage.certificates.authority());
    Ok(around.with_program(Path::new(crate::REGQ)).within(&folder))
}

/// Has one shell run the lines of a `console` block, and holds each answer against what is shown.
fn session(
    stage: &Stage,
    around: &Surroundings,
    block: &Block,
    report: &mut Report,
) -> Outcome<()> {
    let lines = typed(block)?;
    // Both outputs arrive as one, as on a terminal, with the exit code between two marks at their end.
    let run = |typed: &Typed| {
        format!("{}\ncode=$?; printf '\\001%s\\001' $code; (exit $code)\n", typed.line)
    };
    let script: String = lines.iter().map(run).collect();
    let script = format!("exec 2>&1\n{script}exit 0\n");
    let answer = around.run(Path::new("/bin/sh"), &["-c", &script], "")?;
    let text = String::from_utf8(answer.bytes()?).map_err(|error| error.to_string())?;
    let text = text.replace(&around.home().display().to_string(), HOME);
    let mut parts = text.split('\u{1}');
    for typed in &lines {
        let (Some(text), Some(code)) = (parts.next(), parts.next()) else {
            return Err(format!("the shell ended before {typed:?}"));
        };
        report.check(&typed.line, hold(stage, typed, text, code));
    }
    Ok(())
}

/// The lines of a `console` block: behind a prompt what is typed, below it what is shown.
fn typed(block: &Block) -> Outcome<Vec<Typed>> {
    let mut found: Vec<Typed> = Vec::new();
    let mut open = false;
    for line in block.text.lines() {
        match (line.strip_prefix("$ "), found.last_mut()) {
            // A line that ends in a backslash goes on in the next.
            (None, Some(typed)) if open => {
                typed.line.push('\n');
                typed.line.push_str(line);
            }
            (None, Some(typed)) => {
                typed.shown.push_str(line);
                typed.shown.push('\n');
            }
            (Some(line), _) => found.push(Typed { line: line.to_owned(), shown: String::new() }),
            (None, None) => return Err(format!("who has shown this? {line}")),
        }
        open = line.ends_with('\\') && (open || line.starts_with("$ "));
    }
    Ok(found)
}

/// Holds what came against what is shown, and what cannot be shown against what is due.
fn hold(stage: &Stage, typed: &Typed, text: &str, code: &str) -> Outcome<()> {
    let Typed { line, shown } = typed;
    let (due, came) = (masked(shown), masked(text));
    if due != came {
        return Err(format!("shown:\n{shown}\ncame:\n{text}"));
    }
    let fails = |line: &str| line.starts_with("regq: ") || line.starts_with("This decided");
    if shown.lines().any(fails) == (code == "0") {
        return Err(format!("exit code {code}, which is not what this looks like:\n{text}"));
    }
    if came == text {
        return Ok(());
    }
    match what_is_due(stage, line)? {
        Due::Exactly(due) if text == due => Ok(()),
        due @ (Due::Exactly(_) | Due::Reading(_) | Due::Worked(_)) => {
            Err(format!("due: {due:?}\ncame: {text}"))
        }
    }
}

/// Runs one line of a `sh` block, and holds its answer against what is due.
fn judge(stage: &Stage, around: &Surroundings, line: &str) -> Outcome<()> {
    let shell = Path::new("/bin/sh");
    if let Some(words) = line.strip_prefix("make ") {
        // What is made is tried elsewhere; here, that there is such a thing, and no mere file of that name.
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let makefile = fs::read_to_string(folder.join("Makefile"));
        let makefile = makefile.map_err(|error| error.to_string())?;
        let target = words.split_whitespace().next().unwrap_or_default();
        if !makefile.lines().any(|line| line.starts_with(&format!("{target}:"))) {
            return Err(format!("the Makefile has no {target:?}"));
        }
        let there = around.within(folder);
        return there.run(shell, &["-c", &format!("make -n {words}")], "")?.bytes().map(drop);
    }
    let due = what_is_due(stage, line)?;
    let answer = around.run(shell, &["-c", line], "")?;
    let described = answer.describe();
    let text = String::from_utf8(answer.bytes()?).map_err(|error| error.to_string())?;
    let wrong = |why: &str| Err(format!("{why}\n{described}"));
    match &due {
        Due::Exactly(due) if text != *due => wrong(&format!("due: {due}")),
        Due::Reading(name) if !reads(name, &text) => wrong("not how a name is read"),
        Due::Worked(name)
            if !text.contains("\nThe login worked: ")
                || !text.contains(&format!("\n  regq digest {name}\n")) =>
        {
            wrong("not how a login that works is explained")
        }
        Due::Exactly(_) | Due::Reading(_) | Due::Worked(_) => Ok(()),
    }
}

/// What a line has to print, from its words; an error when they are not understood.
fn what_is_due(stage: &Stage, line: &str) -> Outcome<Due> {
    let mut words = without_comment(line).split_whitespace();
    if words.next() != Some("regq") {
        return Err("nobody here can judge this".to_owned());
    }
    let name = words.next().unwrap_or_default();
    let mut asked = Asked::read(words)?;
    match name {
        "digest" => asked.digests(stage).map(Due::Exactly),
        "manifest" => asked.manifest(stage).map(Due::Exactly),
        "explain" => asked.only_operand().map(Due::Worked),
        "parse" => asked.only_operand().map(Due::Reading),
        "login" | "logout" => asked.silence(name).map(Due::Exactly),
        other => Err(format!("nobody here can judge `regq {other}`")),
    }
}

/// The words of a command line behind its command.
#[derive(Debug, Default)]
struct Asked<'a> {
    operands: Vec<&'a str>,
    platform: Option<&'a str>,
    full: bool,
    json: bool,
    user: Option<&'a str>,
    /// Where the password is: `-` for stdin.
    password: Option<&'a str>,
    input: Option<&'a str>,
    filter: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn read(mut words: impl Iterator<Item = &'a str>) -> Outcome<Self> {
        let mut asked = Self::default();
        while let Some(word) = words.next() {
            match word {
                "--platform" => asked.platform = words.next(),
                "--full-ref" => asked.full = true,
                "--json" => asked.json = true,
                // It changes how an answer is found, and not the answer.
                "--verify" => {}
                "--user" => asked.user = words.next(),
                "--password-stdin" => asked.password = Some("-"),
                "--password-file" => asked.password = words.next(),
                "<" => asked.input = words.next(),
                "|" => asked.filter = words.next(),
                "-" => asked.operands.push(word),
                word if is_plain(word) => asked.operands.push(word),
                word => return Err(format!("nobody here can judge `{word}`")),
            }
        }
        asked.check_password()?;
        Ok(asked)
    }

    /// The README's user with the file of the password, or neither.
    fn check_password(&mut self) -> Outcome<()> {
        let file = match self.password {
            Some("-") => self.input.take(),
            other => other,
        };
        match (self.user, file) {
            (None, None) => Ok(()),
            (Some(user), Some(PASSWORD_FILE)) if user == MEMBER.0 => Ok(()),
            other => Err(format!("not the README's user and password: {other:?}")),
        }
    }

    fn digests(&mut self, stage: &Stage) -> Outcome<String> {
        let list = || LIST.1.lines().filter(|line| !line.starts_with('#'));
        let names: Vec<_> = match (self.operands.as_slice(), self.input.take()) {
            (["-"], Some(file)) if file == LIST.0 => list().collect(),
            (names, None) if !names.is_empty() && !names.contains(&"-") => names.to_vec(),
            other => return Err(format!("nobody here can judge {other:?}")),
        };
        self.nothing_is_left()?;
        let answers = names.iter().map(|name| {
            let (full, image) = known(stage, name)?;
            let document = self.chosen(image)?;
            let digest = &document.digest;
            if self.json {
                let (media_type, size) = (document.media_type(), document.bytes.len());
                return Ok(format!(
                    "{{\"reference\":\"{name}\",\"digest\":\"{digest}\",\
                     \"mediaType\":\"{media_type}\",\"size\":{size}}}\n"
                ));
            }
            let answer = if self.full { format!("{full}@{digest}") } else { digest.clone() };
            let alone = names.len() == 1;
            Ok(if alone { format!("{answer}\n") } else { format!("{answer}  {name}\n") })
        });
        answers.collect()
    }

    fn manifest(&mut self, stage: &Stage) -> Outcome<String> {
        let filter = self.filter.take();
        let (_, image) = known(stage, &self.only_operand()?)?;
        let bytes = &self.chosen(image)?.bytes;
        match filter {
            None => String::from_utf8(bytes.clone()).map_err(|error| error.to_string()),
            Some("sha256sum") => {
                let hash = digest(&SHA256, bytes);
                let digits = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
                Ok(format!("{}  -\n", digits.collect::<String>()))
            }
            Some(other) => Err(format!("nobody here can judge what {other} makes of it")),
        }
    }

    /// Logins answer on stderr only.
    fn silence(&mut self, command: &str) -> Outcome<String> {
        let registry = self.only_operand()?;
        if !LOGINS.contains(&registry.as_str()) || (command == "login") != self.user.is_some() {
            return Err(format!("nobody here can judge a {command} like this"));
        }
        Ok(String::new())
    }

    fn only_operand(&self) -> Outcome<String> {
        self.nothing_is_left()?;
        match self.operands.as_slice() {
            [name] if *name != "-" => Ok((*name).to_owned()),
            other => Err(format!("nobody here can judge {other:?}")),
        }
    }

    /// Every part of the line that is not words of regq has been looked at.
    fn nothing_is_left(&self) -> Outcome<()> {
        match self.input.or(self.filter) {
            None => Ok(()),
            Some(word) => Err(format!("nobody here can judge `{word}`")),
        }
    }

    /// The document of an image, or of its part for the platform.
    fn chosen<'i>(&self, image: &'i Image) -> Outcome<&'i Document> {
        let Some(platform) = self.platform else { return Ok(&image.top) };
        let matches = |name: &str| {
            name.strip_prefix(platform).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let child = image.children.iter().find(|child| matches(&child.platform));
        child.ok_or_else(|| format!("no {platform} in what was pushed"))
    }
}

/// A word without meaning to a shell, and no flag.
fn is_plain(word: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"./:@-_".contains(&b);
    !word.starts_with('-') && word.bytes().all(plain)
}

/// An image by the name that the README gives it, and its full name.
fn known<'a>(stage: &'a Stage, name: &str) -> Outcome<(&'static str, &'a Image)> {
    let images = &stage.images;
    match name {
        "alpine" | "alpine:3.20" => Ok(("docker.io/library/alpine", &images.index)),
        "quay.io/podman/hello" => Ok(("quay.io/podman/hello", &images.single)),
        "registry.example.com/team/app" => Ok(("registry.example.com/team/app", &images.private)),
        _ => Err(format!("{name} was not pushed")),
    }
}

/// Whether a text is how `regq parse` shows the reading of a name.
fn reads(name: &str, text: &str) -> bool {
    let values = |key: &str| {
        let prefix = format!("{key}: ");
        text.lines().filter_map(|line| line.strip_prefix(&prefix)).collect::<Vec<_>>()
    };
    let (input, endpoint) = (values("input"), values("endpoint"));
    let named = ["registry", "repository"].iter().all(|key| values(key).len() == 1);
    input == [name] && named && endpoint.len() == 1 && endpoint.concat().starts_with("https://")
}

/// A text with what a README cannot know made alike: the digits of digests and sizes.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_hexdigit()).len();
        let size = masked.ends_with("\"size\":");
        let (part, after) = rest.split_at(digits.max(first.len_utf8()));
        masked.push_str(if digits == 64 || (size && digits > 0) { "<digits>" } else { part });
        rest = after;
    }
    masked
}
