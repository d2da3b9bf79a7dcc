//! A failure as it is told: its kind, what is said, and what to do about it.

pub(crate) mod denied;
pub(crate) mod hint;

use regq::error::{Error, Kind};
use regq::reference::Reference;

/// What failed, in words. Whoever shows it escapes what does not print.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// What failed and why, in one line.
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// Whether the message says which reference it is about.
    names_reference: bool,
}

impl Failure {
    /// An error of the library's, with all that led to it.
    pub(crate) fn new(error: &Error, reference: Option<&Reference>) -> Failure {
        Failure {
            kind: error.kind(),
            message: chain(error),
            hint: hint::hint(error, reference),
            names_reference: matches!(error, Error::Reference(_)),
        }
    }

    /// A failure on this machine.
    pub(crate) fn local(message: String) -> Failure {
        Failure { kind: Kind::Local, message, hint: None, names_reference: false }
    }

    /// Something that the user wrote where no flag or reference can be named.
    pub(crate) fn usage(message: String) -> Failure {
        Failure { kind: Kind::Usage, message, hint: None, names_reference: false }
    }

    /// A reference that is not even text.
    pub(crate) fn unreadable(message: &str) -> Failure {
        Failure {
            kind: Kind::Usage,
            message: message.to_owned(),
            hint: None,
            names_reference: false,
        }
    }

    /// The message for people, about a reference as it was typed.
    pub(crate) fn about(&self, typed: &str) -> String {
        if self.names_reference {
            self.message.clone()
        } else {
            format!("{typed}: {}", self.message)
        }
    }
}

/// An error and its sources, from the outermost to the innermost.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
