//! Runs the examples of the README and of the pages in `docs/` word for word, against real registries that play those
//! they name.
//!
//! A `console` block shows its output: stdout and stderr must equal it, apart from the digits of digests and sizes. Those,
//! and the output of `sh` lines, are computed from the words of the command line. A command line with an unknown word
//! fails, and so does a block in another language, so that no example passes unchecked. The recipes are in `recipes.rs`.
//!
//! `UPDATE=1 make e2e` writes changed output into the pages.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ring::digest::{SHA256, digest};

use crate::Outcome;
use crate::images::{Document, Image};
use crate::peers::{RUNTIME, Surroundings};
use crate::report::Report;
use crate::servers::{Program, Registry, Settings};
use crate::stage::Stage;
use crate::support::documents::{self, Block, Example, RECIPES};
use crate::token_server::{ISSUER, MEMBER, TokenServer};

/// The registries that the examples name: the address of each, and its realm.
const REGISTRIES: [(&str, &str); 3] = [
    ("192.0.2.1:443", "https://auth.docker.io/token"),
    ("192.0.2.2:443", "https://auth.quay.io/token"),
    ("192.0.2.3:443", "https://auth.example.com/token"),
];

/// The registries that a `login` line may name.
const LOGINS: [&str; 2] = ["docker.io", "registry.example.com"];

/// The reader's list of references.
const LIST: (&str, &str) = ("images.txt", "# what we run\nalpine:3.20\nquay.io/podman/hello\n");

/// The file with the password of the reader.
const PASSWORD_FILE: &str = "password.txt";

/// The token of the story, where the examples expect it.
const TOKEN_FILE: &str = "tests/vectors/story-token.txt";

/// How `explain` reports a login that worked.
pub(crate) const LOGIN_WORKED: &str = "\nSuccess: ";

/// The home folder that the examples show.
const HOME: &str = "/home/ada";

/// The output that a command line must have.
#[derive(Debug)]
enum Expected {
    /// Exactly this text.
    Exactly(String),
    /// This name as `regq parse` shows it.
    Parsed(String),
    /// A successful login, and the command `regq digest NAME`.
    LoginWorked(String),
}

/// The registries that the examples name, and their token server. They stop when this is dropped.
pub(crate) struct World {
    _tokens: TokenServer,
    _registries: Vec<Registry>,
}

impl World {
    /// Starts them with the images that were pushed before.
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

/// Runs all examples in their order and in one home folder, as a reader would.
pub(crate) fn check(stage: &Stage, program: &Program, report: &mut Report) -> Outcome<()> {
    let _world = World::open(stage, program)?;
    let around = prepare_reader(stage, program)?;
    let blocks = documents::blocks()?;
    if blocks.iter().filter(|block| block.language == "console").count() < 10 {
        return Err("examples are missing from the pages".to_owned());
    }
    for block in blocks.iter().filter(|block| block.page != RECIPES) {
        match block.language.as_str() {
            "sh" => {
                // A line that is only a comment continues the one before it.
                let is_command = |line: &&str| {
                    !line.starts_with('#') && !without_comment(line).trim().is_empty()
                };
                for line in block.text.lines().filter(is_command) {
                    report.check(without_comment(line), check_line(stage, &around, line));
                }
            }
            "console" => check_session(stage, &around, block, report)?,
            other => return Err(format!("{}: blocks of {other:?} are not checked", block.page)),
        }
    }
    Ok(())
}

/// Returns a command line without the comment at its end.
fn without_comment(line: &str) -> &str {
    line.split_once(" #").map_or(line, |(command, _)| command).trim_end()
}

/// Creates the reader's home and working folder with the files that the examples use.
fn prepare_reader(stage: &Stage, program: &Program) -> Outcome<Surroundings> {
    let folder = program.folder(&stage.folder).join("reader");
    let home = folder.join("home");
    let token = documents::read(TOKEN_FILE)?;
    let password = format!("{}\n", MEMBER.1);
    let files = [LIST, (PASSWORD_FILE, &password), (TOKEN_FILE, &token)];
    fs::create_dir_all(home.join(RUNTIME)).map_err(|error| error.to_string())?;
    for (name, text) in files {
        let file = folder.join(name);
        let parent = file.parent().unwrap_or(&folder);
        fs::create_dir_all(parent).map_err(|error| error.to_string())?;
        fs::write(&file, text).map_err(|error| error.to_string())?;
    }
    let around = Surroundings::new(&home).trusting(&stage.certificates.authority());
    Ok(around.with_program(Path::new(crate::REGQ)).within(&folder))
}

/// Runs a `console` block in one shell, and compares what it prints with what the block shows.
fn check_session(
    stage: &Stage,
    around: &Surroundings,
    block: &Block,
    report: &mut Report,
) -> Outcome<()> {
    let examples = block.examples()?;
    // Stdout and stderr arrive as one, as on a terminal. After each command comes its exit code between two marks.
    let script: String = examples
        .iter()
        .map(|one| format!("{}\ncode=$?; printf '\\001%s\\001' $code; (exit $code)\n", one.command))
        .collect();
    let script = format!("exec 2>&1\n{script}exit 0\n");
    let result = around.run(Path::new("/bin/sh"), &["-c", &script], "")?;
    let text = String::from_utf8(result.bytes()?).map_err(|error| error.to_string())?;
    let text = text.replace(&around.home().display().to_string(), HOME);
    let mut parts = text.split('\u{1}');
    let mut updated = examples.clone();
    for example in &mut updated {
        let (Some(output), Some(code)) = (parts.next(), parts.next()) else {
            return Err(format!("the shell ended before {example:?}"));
        };
        if documents::updating() {
            *example = update(example, output);
        }
        report.check(&one_line(&example.command), compare(stage, example, output, code));
    }
    if updated == examples { Ok(()) } else { block.rewrite(&updated) }
}

/// A continued command line as one line.
fn one_line(command: &str) -> String {
    command.split("\\\n").map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Returns the example with this output. Digests and sizes that it shows are kept where only they differ.
fn update(example: &Example, output: &str) -> Example {
    if masked_example(example).shows(&masked(output)) {
        return example.clone();
    }
    let shown: BTreeMap<String, &str> =
        example.output.lines().map(|line| (masked(line), line)).collect();
    let lines = output.lines().map(|line| shown.get(&masked(line)).map_or(line, |shown| shown));
    let output: String = lines.map(|line| format!("{line}\n")).collect();
    example.updated(&output)
}

/// Compares the output of a command with what its example shows, and with what is computed from its words.
fn compare(stage: &Stage, example: &Example, output: &str, code: &str) -> Outcome<()> {
    if !masked_example(example).shows(&masked(output)) {
        return Err(format!("shown:\n{}\nprinted:\n{output}", example.output));
    }
    let command = &example.command;
    let fails = command.starts_with("regq explain --offline")
        || example.output.lines().any(|line| line.starts_with("regq: "));
    if fails == (code == "0") {
        return Err(format!("exit code {code} does not fit:\n{output}"));
    }
    if masked(output) == output {
        return Ok(());
    }
    match expected(stage, command)? {
        Expected::Exactly(expected) if output == expected => Ok(()),
        expected @ (Expected::Exactly(_) | Expected::Parsed(_) | Expected::LoginWorked(_)) => {
            Err(format!("expected: {expected:?}\nprinted: {output}"))
        }
    }
}

/// The example with its digests and sizes masked.
fn masked_example(example: &Example) -> Example {
    Example { output: masked(&example.output), ..example.clone() }
}

/// Runs one line of a `sh` block and checks its output.
fn check_line(stage: &Stage, around: &Surroundings, line: &str) -> Outcome<()> {
    let shell = Path::new("/bin/sh");
    let command = without_comment(line).trim_start_matches("sudo ");
    if let Some(arguments) = command.strip_prefix("make") {
        return check_make(around, arguments.trim());
    }
    let expected = expected(stage, line)?;
    let result = around.run(shell, &["-c", line], "")?;
    let description = result.describe();
    let text = String::from_utf8(result.bytes()?).map_err(|error| error.to_string())?;
    let matches = match &expected {
        Expected::Exactly(exact) => text == *exact,
        Expected::Parsed(name) => is_parsed_name(name, &text),
        Expected::LoginWorked(name) => login_worked(name, &text),
    };
    if matches { Ok(()) } else { Err(format!("expected: {expected:?}\n{description}")) }
}

/// Checks that `make` has a rule for these words. What it makes is tested elsewhere.
fn check_make(around: &Surroundings, arguments: &str) -> Outcome<()> {
    let makefile = documents::read("Makefile")?;
    let target = arguments.split_whitespace().next();
    // A file of that name would satisfy `make -n`.
    let has_rule =
        |target: &str| makefile.lines().any(|line| line.starts_with(&format!("{target}:")));
    if target.is_some_and(|target| !has_rule(target)) {
        return Err(format!("the Makefile has no target {target:?}"));
    }
    let around = around.within(&documents::path(""));
    let script = format!("make -n {arguments}");
    around.run(Path::new("/bin/sh"), &["-c", &script], "")?.bytes().map(drop)
}

/// Whether `explain` reports a login that worked, and suggests `regq digest NAME`.
fn login_worked(name: &str, text: &str) -> bool {
    text.contains(LOGIN_WORKED) && text.contains(&format!("\n  regq digest {name}\n"))
}

/// Computes what a command line prints from its words. An unknown word is an error.
fn expected(stage: &Stage, line: &str) -> Outcome<Expected> {
    let mut words = without_comment(line).split_whitespace();
    if words.next() != Some("regq") {
        return Err("only regq and make are checked here".to_owned());
    }
    let command = words.next().unwrap_or_default();
    let mut arguments = Arguments::parse(words)?;
    match command {
        "digest" => arguments.digests(stage).map(Expected::Exactly),
        "manifest" => arguments.manifest(stage).map(Expected::Exactly),
        "explain" => arguments.only_operand().map(Expected::LoginWorked),
        "parse" => arguments.only_operand().map(Expected::Parsed),
        "login" | "logout" => arguments.login(command).map(Expected::Exactly),
        other => Err(format!("`regq {other}` is not checked here")),
    }
}

/// The words of a command line after its command.
#[derive(Debug, Default)]
struct Arguments<'a> {
    operands: Vec<&'a str>,
    platform: Option<&'a str>,
    full_ref: bool,
    json: bool,
    user: Option<&'a str>,
    /// The file with the password, `-` for stdin.
    password: Option<&'a str>,
    /// The file that stdin is redirected from.
    input: Option<&'a str>,
    /// The command that stdout is piped into.
    filter: Option<&'a str>,
}

impl<'a> Arguments<'a> {
    fn parse(mut words: impl Iterator<Item = &'a str>) -> Outcome<Self> {
        let mut arguments = Self::default();
        while let Some(word) = words.next() {
            match word {
                "--platform" => arguments.platform = words.next(),
                "--full-ref" => arguments.full_ref = true,
                "--json" => arguments.json = true,
                // Changes how regq finds the digest, not what it prints.
                "--verify" => {}
                "--user" => arguments.user = words.next(),
                "--password-stdin" => arguments.password = Some("-"),
                "--password-file" => arguments.password = words.next(),
                "<" => arguments.input = words.next(),
                "|" => arguments.filter = words.next(),
                "-" => arguments.operands.push(word),
                word if is_plain(word) => arguments.operands.push(word),
                word => return Err(format!("`{word}` is not checked here")),
            }
        }
        arguments.check_password()?;
        Ok(arguments)
    }

    /// Checks that user and password are the reader's, or both missing.
    fn check_password(&mut self) -> Outcome<()> {
        let file = match self.password {
            Some("-") => self.input.take(),
            other => other,
        };
        match (self.user, file) {
            (None, None) => Ok(()),
            (Some(user), Some(PASSWORD_FILE)) if user == MEMBER.0 => Ok(()),
            other => Err(format!("not the reader's user and password: {other:?}")),
        }
    }

    /// The output of `digest`.
    fn digests(&mut self, stage: &Stage) -> Outcome<String> {
        let list = || LIST.1.lines().filter(|line| !line.starts_with('#'));
        let names: Vec<_> = match (self.operands.as_slice(), self.input.take()) {
            (["-"], Some(file)) if file == LIST.0 => list().collect(),
            (names, None) if !names.is_empty() && !names.contains(&"-") => names.to_vec(),
            other => return Err(format!("{other:?} is not checked here")),
        };
        self.check_all_used()?;
        let is_list = names.len() > 1 || self.operands == ["-"];
        let lines = names.iter().map(|name| {
            let (full_name, image) = image(stage, name)?;
            let document = self.document(image)?;
            let digest = &document.digest;
            if self.json {
                let (media_type, size) = (document.media_type(), document.bytes.len());
                return Ok(format!(
                    "{{\"reference\":\"{name}\",\"digest\":\"{digest}\",\
                     \"mediaType\":\"{media_type}\",\"size\":{size}}}\n"
                ));
            }
            let result =
                if self.full_ref { format!("{full_name}@{digest}") } else { digest.clone() };
            Ok(if is_list { format!("{result}  {name}\n") } else { format!("{result}\n") })
        });
        lines.collect()
    }

    /// The output of `manifest`.
    fn manifest(&mut self, stage: &Stage) -> Outcome<String> {
        let filter = self.filter.take();
        let (_, image) = image(stage, &self.only_operand()?)?;
        let bytes = &self.document(image)?.bytes;
        match filter {
            None => String::from_utf8(bytes.clone()).map_err(|error| error.to_string()),
            Some("sha256sum") => {
                let hash = digest(&SHA256, bytes);
                let digits = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
                Ok(format!("{}  -\n", digits.collect::<String>()))
            }
            Some(other) => Err(format!("a pipe into {other} is not checked here")),
        }
    }

    /// The output of `login` and `logout` on stdout: nothing.
    fn login(&mut self, command: &str) -> Outcome<String> {
        let registry = self.only_operand()?;
        if !LOGINS.contains(&registry.as_str()) || (command == "login") != self.user.is_some() {
            return Err(format!("such a {command} is not checked here"));
        }
        Ok(String::new())
    }

    fn only_operand(&self) -> Outcome<String> {
        self.check_all_used()?;
        match self.operands.as_slice() {
            [name] if *name != "-" => Ok((*name).to_owned()),
            other => Err(format!("{other:?} is not checked here")),
        }
    }

    /// Fails if a redirection or pipe was not taken into account.
    fn check_all_used(&self) -> Outcome<()> {
        match self.input.or(self.filter) {
            None => Ok(()),
            Some(word) => Err(format!("`{word}` is not checked here")),
        }
    }

    /// The document of an image, or of its child for the platform.
    fn document<'i>(&self, image: &'i Image) -> Outcome<&'i Document> {
        let Some(platform) = self.platform else { return Ok(&image.top) };
        let matches = |name: &str| {
            name.strip_prefix(platform).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let child = image.children.iter().find(|child| matches(&child.platform));
        child.ok_or_else(|| format!("no image for {platform} was pushed"))
    }
}

/// Whether a word is neither a flag nor special to a shell.
fn is_plain(word: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"./:@-_".contains(&b);
    !word.starts_with('-') && word.bytes().all(plain)
}

/// Returns the full name and the image of a name in the examples.
fn image<'a>(stage: &'a Stage, name: &str) -> Outcome<(&'static str, &'a Image)> {
    let images = &stage.images;
    match name {
        "alpine" | "alpine:3.20" => Ok(("docker.io/library/alpine", &images.index)),
        "quay.io/podman/hello" => Ok(("quay.io/podman/hello", &images.single)),
        "registry.example.com/team/app" => Ok(("registry.example.com/team/app", &images.private)),
        _ => Err(format!("{name} was not pushed")),
    }
}

/// Whether a text is what `regq parse` prints for a name.
fn is_parsed_name(name: &str, text: &str) -> bool {
    let values = |key: &str| {
        let prefix = format!("{key}: ");
        text.lines().filter_map(|line| line.strip_prefix(&prefix)).collect::<Vec<_>>()
    };
    let (input, endpoint) = (values("input"), values("endpoint"));
    let has_names = ["registry", "repository"].iter().all(|key| values(key).len() == 1);
    input == [name] && has_names && endpoint.len() == 1 && endpoint.concat().starts_with("https://")
}

/// Replaces the digits of digests and sizes, which differ from run to run.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_hexdigit()).len();
        let is_size = masked.ends_with("\"size\":");
        let (part, after) = rest.split_at(digits.max(first.len_utf8()));
        masked.push_str(if digits == 64 || (is_size && digits > 0) { "<digits>" } else { part });
        rest = after;
    }
    masked
}
