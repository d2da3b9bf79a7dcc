//! The README's command lines, word for word: each is run by `sh -c` where the registries that it
//! names are played by real ones, and its answer has to be the one that is due.
//!
//! The lines are read from the README of this moment. What is due is worked out from the words of
//! a line; a line with a word that has no meaning here fails, so that nothing passes unjudged.

use std::fs;
use std::path::Path;

use ring::digest::{SHA256, digest};

use crate::Outcome;
use crate::images::Image;
use crate::peers::{RUNTIME, Surroundings};
use crate::report::Report;
use crate::servers::{Program, Registry, Settings};
use crate::stage::Stage;
use crate::token_server::{ISSUER, MEMBER, TokenServer};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

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

/// A command line as it stands in the README.
#[derive(Debug)]
struct Typed {
    line: String,
    /// What is shown below it as its answer, where something is.
    shown: Option<String>,
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

/// Runs them all, in their order and in one home, as a reader would.
pub(crate) fn check(stage: &Stage, program: &Program, report: &mut Report) -> Outcome<()> {
    let _tokens = TokenServer::start("198.51.100.1:443", &stage.certificates)?;
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
    let _registries: Vec<_> = REGISTRIES.iter().map(start).collect::<Outcome<_>>()?;
    let around = make_reader(stage, program)?;
    let text = fs::read_to_string(README).map_err(|error| format!("{README}: {error}"))?;
    let lines = command_lines(&text);
    if !lines.iter().any(|typed| typed.shown.is_some()) || lines.len() < 2 {
        return Err(format!("{README} has no command lines left: {lines:?}"));
    }
    for typed in &lines {
        let name = typed.line.split_once(" #").map_or(typed.line.as_str(), |(name, _)| name);
        report.check(name.trim_end(), judge(stage, &around, typed));
    }
    Ok(())
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

/// The lines of `sh` and `console` blocks that run regq, with what is shown below those of the latter.
fn command_lines(text: &str) -> Vec<Typed> {
    let mut found: Vec<Typed> = Vec::new();
    let mut block = None;
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            block = if block.is_some() { None } else { Some(language) };
            continue;
        }
        let console = match block {
            Some("sh") => false,
            Some("console") => true,
            _ => continue,
        };
        let command = line.strip_prefix("$ ").unwrap_or(line);
        if command.starts_with("regq ") && (!console || command != line) {
            let shown = console.then(String::new);
            found.push(Typed { line: command.to_owned(), shown });
        } else if let Some(Typed { shown: Some(shown), .. }) = found.last_mut().filter(|_| console)
        {
            shown.push_str(line);
            shown.push('\n');
        }
    }
    found
}

/// Runs one line, and holds its answer against what is due and what is shown.
fn judge(stage: &Stage, around: &Surroundings, typed: &Typed) -> Outcome<()> {
    let due = what_is_due(stage, &typed.line)?;
    let shell = Path::new("/bin/sh");
    let answer = around.run(shell, &["-c", &typed.line], "")?;
    let described = answer.describe();
    let text = String::from_utf8(answer.bytes()?).map_err(|error| error.to_string())?;
    let wrong = |why: &str| Err(format!("{why}\n{described}"));
    match &due {
        Due::Exactly(due) if text != *due => return wrong(&format!("due: {due}")),
        Due::Reading(name) if !reads(name, &text) => return wrong("not how a name is read"),
        Due::Worked(name)
            if !text.contains("\nThe login worked: ")
                || !text.contains(&format!("\n  regq digest {name}\n")) =>
        {
            return wrong("not how a login that works is explained");
        }
        Due::Exactly(_) | Due::Reading(_) | Due::Worked(_) => {}
    }
    match &typed.shown {
        Some(shown) if masked(shown) != masked(&text) => wrong(&format!("shown: {shown}")),
        _ => Ok(()),
    }
}

/// What a line has to print, from its words; an error when they are not understood.
fn what_is_due(stage: &Stage, line: &str) -> Outcome<Due> {
    let command = line.split_once(" #").map_or(line, |(command, _)| command);
    let mut words = command.split_whitespace();
    let (_, name) = (words.next(), words.next().unwrap_or_default());
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
            let (digest, _) = self.chosen(image)?;
            let answer = if self.full { format!("{full}@{digest}") } else { digest.to_owned() };
            let alone = names.len() == 1;
            Ok(if alone { format!("{answer}\n") } else { format!("{answer}  {name}\n") })
        });
        answers.collect()
    }

    fn manifest(&mut self, stage: &Stage) -> Outcome<String> {
        let filter = self.filter.take();
        let (_, image) = known(stage, &self.only_operand()?)?;
        let (_, bytes) = self.chosen(image)?;
        match filter {
            None => String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string()),
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

    /// The digest and the bytes of an image, or of its part for the platform.
    fn chosen<'i>(&self, image: &'i Image) -> Outcome<(&'i str, &'i [u8])> {
        let Some(platform) = self.platform else {
            return Ok((&image.top.digest, &image.top.bytes));
        };
        let matches = |name: &str| {
            name.strip_prefix(platform).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let child = image.children.iter().find(|child| matches(&child.platform));
        let child = child.ok_or_else(|| format!("no {platform} in what was pushed"))?;
        Ok((&child.digest, &child.bytes))
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

/// A text with every digest's digits made alike: a README cannot know them.
fn masked(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |masked, part| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        let digits = part.len() - rest.len();
        format!("{masked}sha256:<{digits}>{rest}")
    })
}
