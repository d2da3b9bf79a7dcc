//! The only place that turns values into text on stdout and stderr.
//!
//! Much of what is shown was sent by a registry and is not trusted: characters that control a
//! terminal or hide text are escaped in everything on stderr, and on stdout when it is a terminal.
//! Exact bytes are never touched. Every answer is flushed as it is written, so that a pipe's other
//! end sees it at once and no error is lost at the end.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use regq::error::Kind;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::cli::args::values::{Form, Verbosity};
use crate::cli::failure::Failure;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Something that every question needs failed.
    Failed(Failure),
    Stdout(StdoutError),
}

/// Why an answer could not be written.
#[derive(Debug)]
pub(crate) enum StdoutError {
    /// The reader has gone away, which is its right.
    Closed,
    Failed(io::Error),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failed(failure)
    }
}

impl From<StdoutError> for Stop {
    fn from(error: StdoutError) -> Stop {
        Stop::Stdout(error)
    }
}

impl From<io::Error> for StdoutError {
    fn from(error: io::Error) -> StdoutError {
        if error.kind() == io::ErrorKind::BrokenPipe {
            StdoutError::Closed
        } else {
            StdoutError::Failed(error)
        }
    }
}

/// Where answers go.
pub(crate) struct Stdout {
    sink: Box<dyn Write>,
    terminal: bool,
}

impl Stdout {
    pub(crate) fn new(sink: Box<dyn Write>, terminal: bool) -> Stdout {
        Stdout { sink, terminal }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), StdoutError> {
        self.sink.write_all(bytes)?;
        self.sink.flush()?;
        Ok(())
    }

    /// Writes lines of text, each of which is ended.
    fn lines<'a>(&mut self, lines: impl Iterator<Item = &'a str>) -> Result<(), StdoutError> {
        let mut text = String::new();
        for line in lines {
            if self.terminal {
                escape_into(&mut text, line, Escape::Text);
            } else {
                text.push_str(line);
            }
            text.push('\n');
        }
        self.bytes(text.as_bytes())
    }

    fn json(&mut self, value: &impl Serialize) -> Result<(), StdoutError> {
        self.json_text(&serde_json::to_string(value).map_err(io::Error::from)?)
    }

    fn json_text(&mut self, text: &str) -> Result<(), StdoutError> {
        let mut line = String::with_capacity(text.len() + 1);
        if self.terminal {
            // Outside of strings JSON has none of these characters, and in them the escape means
            // the character.
            escape_into(&mut line, text, Escape::Json);
        } else {
            line.push_str(text);
        }
        line.push('\n');
        self.bytes(line.as_bytes())
    }
}

/// Where everything else that is said goes. What cannot be said there is lost: there is no place
/// left to say so.
pub(crate) struct Messages {
    inner: Mutex<Said>,
    verbosity: Verbosity,
}

struct Said {
    sink: Box<dyn Write + Send>,
    /// What is said once only, bounded since registries send it.
    once: Vec<String>,
}

/// How many different messages are kept from being said twice.
const ONCE_LIMIT: usize = 64;

impl Messages {
    pub(crate) fn new(sink: Box<dyn Write + Send>, verbosity: Verbosity) -> Messages {
        Messages { inner: Mutex::new(Said { sink, once: Vec::new() }), verbosity }
    }

    /// Says what failed, and what to do where there is something to do.
    pub(crate) fn error(&self, message: &str, hint: Option<&str>) {
        let mut text = "regq: ".to_owned();
        escape_into(&mut text, message, Escape::Text);
        text.push('\n');
        if let Some(hint) = hint {
            text.push_str("hint: ");
            escape_into(&mut text, hint, Escape::Text);
            text.push('\n');
        }
        self.write(&text);
    }

    /// Says something that is worth knowing and no error.
    pub(crate) fn note(&self, text: &str) {
        self.say(Verbosity::Normal, &format!("note: {text}"));
    }

    /// Says one line, unless that is more than was asked for.
    pub(crate) fn say(&self, from: Verbosity, line: &str) {
        if self.verbosity >= from {
            let mut text = String::new();
            escape_into(&mut text, line, Escape::Text);
            text.push('\n');
            self.write(&text);
        }
    }

    /// Says one line the first time.
    pub(crate) fn say_once(&self, from: Verbosity, line: &str) {
        let mut said = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if said.once.len() >= ONCE_LIMIT || said.once.iter().any(|known| known == line) {
            return;
        }
        said.once.push(line.to_owned());
        drop(said);
        self.say(from, line);
    }

    /// Writes text as it is: help, which is ours.
    pub(crate) fn write(&self, text: &str) {
        let mut said = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let written = said.sink.write_all(text.as_bytes()).and_then(|()| said.sink.flush());
        drop(written);
    }
}

/// What an item is called in the object of one that failed.
#[derive(Clone, Copy)]
pub(crate) enum Item {
    Reference,
    Input,
}

/// Writes the answers to several questions and keeps the exit code.
pub(crate) struct Report<'a> {
    stdout: &'a mut Stdout,
    messages: &'a Messages,
    form: Form<'a>,
    item: Item,
    first: Option<Kind>,
}

#[derive(Serialize)]
struct FailedItem<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a str>,
    error: FailedObject<'a>,
}

#[derive(Serialize)]
struct FailedObject<'a> {
    kind: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(
        stdout: &'a mut Stdout,
        messages: &'a Messages,
        form: Form<'a>,
        item: Item,
    ) -> Report<'a> {
        Report { stdout, messages, form, item, first: None }
    }

    /// Writes one answer: the object, or the lines of text that say the same.
    pub(crate) fn answer(
        &mut self,
        object: &impl Serialize,
        lines: &[String],
    ) -> Result<(), StdoutError> {
        match self.form {
            Form::Text => self.stdout.lines(lines.iter().map(String::as_str)),
            Form::Json => self.stdout.json(object),
            Form::Get(key) => {
                if !self.value(object, key)? {
                    self.first.get_or_insert(Kind::No);
                }
                Ok(())
            }
        }
    }

    /// Says that an item failed, on stderr always and as an object where objects are wanted.
    pub(crate) fn failed(&mut self, typed: &str, failure: &Failure) -> Result<(), StdoutError> {
        self.first.get_or_insert(failure.kind);
        self.messages.error(&failure.about(typed), failure.hint.as_deref());
        let (reference, input) = match self.item {
            Item::Reference => (Some(typed), None),
            Item::Input => (None, Some(typed)),
        };
        let object = FailedItem {
            reference,
            input,
            error: FailedObject {
                kind: failure.kind.as_str(),
                message: &failure.message,
                hint: failure.hint.as_deref(),
            },
        };
        match self.form {
            Form::Text => Ok(()),
            Form::Json => self.stdout.json(&object),
            Form::Get(key) => self.value(&object, key).map(|_| ()),
        }
    }

    /// The exit code: that of the first failure in input order.
    pub(crate) fn code(&self) -> u8 {
        self.first.map_or(0, Kind::exit_code)
    }

    /// Writes one value of an object, and tells whether it has it.
    fn value(&mut self, object: &impl Serialize, key: &str) -> Result<bool, StdoutError> {
        let text = serde_json::to_string(object).map_err(io::Error::from)?;
        let Some(found) = lookup(&text, key).filter(|found| *found != "null") else {
            return Ok(false);
        };
        match serde_json::from_slice::<String>(found.as_bytes()) {
            Ok(text) => self.stdout.lines(std::iter::once(text.as_str()))?,
            Err(_) => self.stdout.json_text(found)?,
        }
        Ok(true)
    }
}

/// Finds a value in the text of JSON by a dotted path, and gives its text. Keys may hold dots
/// themselves, so the longest is tried first; in an array a key is a position from 0.
fn lookup<'a>(text: &'a str, path: &str) -> Option<&'a str> {
    if let Some(found) = member(text, path) {
        return Some(found);
    }
    path.rmatch_indices('.').find_map(|(dot, _)| {
        let (key, rest) = path.split_at_checked(dot)?;
        lookup(member(text, key)?, rest.strip_prefix('.')?)
    })
}

/// What stands under a key. Bytes are read and not the text, as in the rest of regq: serde_json has
/// a reader for each.
fn member<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let bytes = text.as_bytes();
    let found = if text.starts_with('[') {
        let elements = serde_json::from_slice::<Vec<&RawValue>>(bytes).ok()?;
        elements.into_iter().nth(key.parse().ok()?)
    } else {
        let mut members = serde_json::from_slice::<HashMap<String, &RawValue>>(bytes).ok()?;
        members.remove(key)
    };
    found.map(RawValue::get)
}

/// A text without what misleads.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape_into(&mut out, text, Escape::Text);
    out
}

#[derive(Clone, Copy)]
enum Escape {
    /// `\n`, `\u{202e}`.
    Text,
    /// `\u202e`, in UTF-16 units.
    Json,
}

fn escape_into(out: &mut String, text: &str, how: Escape) {
    for character in text.chars() {
        match (how, character) {
            (_, plain) if !misleads(plain) => out.push(plain),
            (Escape::Text, _) => out.extend(character.escape_default()),
            (Escape::Json, _) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a String does not fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
}

/// Whether a character controls a terminal, changes the direction of text, or cannot be seen.
fn misleads(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test that fails should fail loudly")]
mod tests {
    use super::{Escape, Stdout, StdoutError, escape_into, lookup};
    use serde_json::json;
    use std::io::{self, Read};

    /// What arrives of what is written.
    fn written(
        terminal: bool,
        write: impl FnOnce(&mut Stdout) -> Result<(), StdoutError>,
    ) -> String {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let mut stdout = Stdout::new(Box::new(writer), terminal);
        write(&mut stdout).expect("the pipe is open");
        drop(stdout);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("text");
        text
    }

    #[test]
    fn a_terminal_is_spared_what_misleads_and_a_pipe_is_not() {
        let evil = "a\u{1b}\u{202e}";
        let lines = |out: &mut Stdout| out.lines([evil, ""].into_iter());
        assert_eq!(written(true, lines), "a\\u{1b}\\u{202e}\n\n");
        assert_eq!(written(false, lines), "a\u{1b}\u{202e}\n\n");
        let object = |out: &mut Stdout| out.json(&json!([evil]));
        assert_eq!(written(true, object), "[\"a\\u001b\\u202e\"]\n");
        assert_eq!(written(false, object), "[\"a\\u001b\u{202e}\"]\n");
        // Exact bytes stay what they are everywhere.
        assert_eq!(written(true, |out| out.bytes(evil.as_bytes())), evil);
    }

    fn escaped_for(text: &str, how: Escape) -> String {
        let mut out = String::new();
        escape_into(&mut out, text, how);
        out
    }

    #[test]
    fn what_misleads_is_escaped_for() {
        assert_eq!(escaped_for("a\n\t\r\u{1b}[31mb", Escape::Text), r"a\n\t\r\u{1b}[31mb");
        assert_eq!(escaped_for("\u{9b}\u{7f}", Escape::Text), r"\u{9b}\u{7f}");
        assert_eq!(
            escaped_for("\u{202e}\u{2066}\u{200b}\u{feff}", Escape::Text),
            r"\u{202e}\u{2066}\u{200b}\u{feff}"
        );
        assert_eq!(escaped_for("größe 大 \u{1f600} \"\\", Escape::Text), "größe 大 \u{1f600} \"\\");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = json!({"a\u{202e}": "\u{9b}\u{e0001}\u{7f}"});
        let text = escaped_for(&value.to_string(), Escape::Json);
        assert!(text.is_ascii(), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).ok(), Some(value));
    }

    #[test]
    fn the_longest_key_is_tried_first() {
        let value = json!({
            "a.b": 1, "a": {"b": 2, "c.d": 3, "": 4}, "a.b.c": null, "l": [{"x": 5}], "a.b.d": {"e": 6}
        });
        let value = value.to_string();
        assert_eq!(lookup(&value, "a.b"), Some("1"));
        assert_eq!(lookup(&value, "a.c.d"), Some("3"));
        assert_eq!(lookup(&value, "a."), Some("4"));
        assert_eq!(lookup(&value, "a.b.c"), Some("null"));
        assert_eq!(lookup(&value, "a.b.d.e"), Some("6"));
        assert_eq!(lookup(&value, "l.0.x"), Some("5"));
        for absent in ["", ".", "a.x", "b", "l.1.x", "a.b.x", "l.x"] {
            assert_eq!(lookup(&value, absent), None, "{absent}");
        }
    }
}
