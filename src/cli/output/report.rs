//! Prints the answers for a list of items and determines the exit code.

use std::io;

use regq::error::Kind;
use serde::Serialize;

use super::json_path::lookup;
use super::messages::Messages;
use super::stdout::{Stdout, StdoutError};
use crate::cli::args::flags::Format;
use crate::cli::failure::Failure;

/// Prints answers and failures, and keeps the kind of the first failure.
pub(crate) struct Report<'a> {
    stdout: &'a mut Stdout,
    messages: &'a Messages,
    format: Format<'a>,
    key: ItemKey,
    first_failure: Option<Kind>,
}

/// The key of the item in the JSON object of a failure.
#[derive(Clone, Copy)]
pub(crate) enum ItemKey {
    Reference,
    Input,
}

/// The JSON object of a failure.
#[derive(Serialize)]
struct FailedItem<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a str>,
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    kind: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(
        stdout: &'a mut Stdout,
        messages: &'a Messages,
        format: Format<'a>,
        key: ItemKey,
    ) -> Report<'a> {
        Report { stdout, messages, format, key, first_failure: None }
    }

    /// Prints one answer: the object, or the same as lines of text.
    pub(crate) fn answer(
        &mut self,
        object: &impl Serialize,
        lines: &[String],
    ) -> Result<(), StdoutError> {
        match self.format {
            Format::Text => self.stdout.lines(lines.iter().map(String::as_str)),
            Format::Json => self.stdout.json(object),
            Format::Get(path) => {
                if !self.value(object, path)? {
                    self.first_failure.get_or_insert(Kind::No);
                }
                Ok(())
            }
        }
    }

    /// Prints a failure: always on stderr, and also on stdout if objects are printed.
    pub(crate) fn failed(&mut self, typed: &str, failure: &Failure) -> Result<(), StdoutError> {
        self.first_failure.get_or_insert(failure.kind);
        self.messages.error(&failure.about(typed), failure.hint.as_deref());
        let (reference, input) = match self.key {
            ItemKey::Reference => (Some(typed), None),
            ItemKey::Input => (None, Some(typed)),
        };
        let error = ErrorObject {
            kind: failure.kind.as_str(),
            message: &failure.message,
            hint: failure.hint.as_deref(),
        };
        let object = FailedItem { reference, input, error };
        match self.format {
            Format::Text => Ok(()),
            Format::Json => self.stdout.json(&object),
            Format::Get(path) => self.value(&object, path).map(|_| ()),
        }
    }

    /// Returns the exit code: that of the first failure in input order.
    pub(crate) fn code(&self) -> u8 {
        self.first_failure.map_or(0, Kind::exit_code)
    }

    /// Prints one value of an object. Returns false if it is null or missing.
    fn value(&mut self, object: &impl Serialize, path: &str) -> Result<bool, StdoutError> {
        let text = serde_json::to_string(object).map_err(io::Error::from)?;
        let Some(value) = lookup(&text, path).filter(|value| *value != "null") else {
            return Ok(false);
        };
        match serde_json::from_slice::<String>(value.as_bytes()) {
            Ok(text) => self.stdout.lines(std::iter::once(text.as_str()))?,
            Err(_) => self.stdout.json_text(value)?,
        }
        Ok(true)
    }
}
