//! Extracts the message from the body of an error response.
//!
//! Registries send the `errors` of distribution-spec ("Error Codes"); proxies, gateways and token servers send other
//! JSON, HTML or plain text. Whatever it is, it is untrusted: secrets that the server repeats are redacted, lengths are
//! limited, and `Display` quotes and escapes the text.

use std::fmt;

use crate::json::Json;
use crate::redact::{Redactor, without_tokens};

/// The maximum length of each text, in characters.
const MAX_TEXT: usize = 200;
/// The maximum number of entries of `errors`.
const MAX_ERRORS: usize = 5;

/// The message in the body of an error response. Untrusted; its `Display` quotes and escapes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorBody {
    /// The entries of `errors` in the JSON of a registry.
    pub errors: Vec<RegistryError>,
    /// Without `errors`: the message of other JSON, or the beginning of the body, on one line.
    pub text: String,
}

/// An entry of `errors` in a registry's error response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryError {
    /// The code, such as `MANIFEST_UNKNOWN`; empty if missing.
    pub code: String,
    /// The message or, if that is missing, the detail; empty if both are.
    pub message: String,
}

impl ErrorBody {
    /// Reads a body of any format, including an empty one.
    pub(crate) fn read(body: &[u8]) -> Self {
        Self::read_redacted(body, &Redactor::default())
    }

    /// Reads a body and redacts these secrets and everything that looks like a token.
    ///
    /// Redaction comes before truncation, because a truncated secret would not be found.
    pub(crate) fn read_redacted(body: &[u8], secrets: &Redactor) -> Self {
        let redact = |text: &str| without_tokens(&secrets.redact(text));
        let clean = |text: &str| one_line(&redact(text));
        let json = Json::read(body).unwrap_or(Json::Other);
        let errors: Vec<_> = json
            .get("errors")
            .map_or(&[][..], Json::elements)
            .iter()
            .filter_map(|entry| RegistryError::read(entry, clean))
            .take(MAX_ERRORS)
            .collect();
        if !errors.is_empty() {
            return Self { errors, text: String::new() };
        }
        let message = ["details", "message", "error_description", "error"]
            .iter()
            .find_map(|key| json.text(key));
        let text = match message {
            Some(message) => clean(message),
            // Redaction comes first: a secret may contain what looks like a tag.
            None => one_line(&without_tags(&redact(&String::from_utf8_lossy(body)))),
        };
        Self { errors, text }
    }

    /// Whether the body contains no message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty() && self.text.is_empty()
    }

    /// Whether one of the errors has this code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.errors.iter().any(|error| error.code == code)
    }
}

impl RegistryError {
    /// Reads an entry of `errors`; `None` if it has neither a code nor a message.
    fn read(entry: &Json, clean: impl Fn(&str) -> String) -> Option<Self> {
        let text = |key: &str| entry.text(key).map(&clean);
        let code = text("code").unwrap_or_default();
        let message = text("message").or_else(|| text("detail")).unwrap_or_default();
        (!code.is_empty() || !message.is_empty()).then_some(Self { code, message })
    }
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.errors.is_empty() {
            return write!(f, "{:?}", self.text);
        }
        for (index, error) in self.errors.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            match (error.code.as_str(), error.message.as_str()) {
                ("", message) => write!(f, "{separator}{message:?}")?,
                (code, "") => write!(f, "{separator}{code:?}")?,
                (code, message) => write!(f, "{separator}{:?}", format!("{code}: {message}"))?,
            }
        }
        Ok(())
    }
}

/// Joins the words of a text on one line of at most [`MAX_TEXT`] characters.
pub(super) fn one_line(text: &str) -> String {
    let is_blank = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<_> = text.split(is_blank).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// Removes the tags of an HTML page, roughly: everything between `<` and `>`.
fn without_tags(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    let mut in_tag = false;
    let keep = |c: char| match (c, in_tag) {
        ('<', _) => {
            in_tag = true;
            Some(' ')
        }
        ('>', true) => {
            in_tag = false;
            None
        }
        (c, false) => Some(c),
        (_, true) => None,
    };
    text.chars().filter_map(keep).collect()
}
