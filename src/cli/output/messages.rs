//! Prints messages for people to standard error.

use std::collections::HashSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use super::escape::{Escape, escape_into};
use crate::cli::args::flags::Verbosity;

/// The number of different messages that are remembered in order to print each once. Bounded, since registries send them.
const MAX_ONCE: usize = 64;

/// Standard error. Write errors are ignored: there is nowhere to report them.
pub(crate) struct Messages {
    inner: Mutex<Inner>,
    verbosity: Verbosity,
}

struct Inner {
    sink: Box<dyn Write + Send>,
    /// The messages that were printed and are not to be printed again.
    once: HashSet<String>,
}

impl Messages {
    pub(crate) fn new(sink: Box<dyn Write + Send>, verbosity: Verbosity) -> Messages {
        Messages { inner: Mutex::new(Inner { sink, once: HashSet::new() }), verbosity }
    }

    /// Prints what failed and a hint, if any.
    pub(crate) fn error(&self, message: &str, hint: Option<&str>) {
        let mut text = String::new();
        append_line(&mut text, "regq: ", message);
        if let Some(hint) = hint {
            append_line(&mut text, "hint: ", hint);
        }
        self.write(&text);
    }

    /// Prints a note, unless `--quiet` is given.
    pub(crate) fn note(&self, text: &str) {
        self.print(Verbosity::Normal, &format!("note: {text}"));
    }

    /// Prints a line if the verbosity is at least `min`.
    pub(crate) fn print(&self, min: Verbosity, line: &str) {
        if self.verbosity >= min {
            let mut text = String::new();
            append_line(&mut text, "", line);
            self.write(&text);
        }
    }

    /// Prints a line, but only the first time.
    pub(crate) fn print_once(&self, min: Verbosity, line: &str) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.once.len() >= MAX_ONCE || !inner.once.insert(line.to_owned()) {
            return;
        }
        drop(inner);
        self.print(min, line);
    }

    /// Writes regq's own text, such as help, unescaped.
    pub(crate) fn write(&self, text: &str) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let written = inner.sink.write_all(text.as_bytes()).and_then(|()| inner.sink.flush());
        drop(written);
    }
}

fn append_line(out: &mut String, label: &str, line: &str) {
    out.push_str(label);
    escape_into(out, line, Escape::Text);
    out.push('\n');
}
