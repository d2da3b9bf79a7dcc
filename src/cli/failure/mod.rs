//! Defines a reported failure: kind, message and hint.

pub(crate) mod denied;
pub(crate) mod hint;

use regq::error::{Error, Kind, with_sources};
use regq::reference::Reference;

use crate::cli::output::stdout::StdoutError;

/// A failure. Its texts may contain anything that a server sent; they are escaped when they are printed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// What failed and why, in one line.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// Whether the message already names the reference.
    names_reference: bool,
}

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// The command as a whole failed, not only one of its items.
    Failed(Failure),
    Stdout(StdoutError),
}

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> CommandError {
        CommandError::Failed(failure)
    }
}

impl From<StdoutError> for CommandError {
    fn from(error: StdoutError) -> CommandError {
        CommandError::Stdout(error)
    }
}

impl Failure {
    /// Describes an error of the library. The hint may depend on the reference that led to it.
    pub(crate) fn new(error: &Error, reference: Option<&Reference>) -> Failure {
        Failure {
            kind: error.kind(),
            message: with_sources(error),
            hint: hint::hint(error, reference),
            names_reference: matches!(error, Error::Reference(_)),
        }
    }

    /// A failure on this machine.
    pub(crate) fn local(message: String) -> Failure {
        Failure { kind: Kind::Local, message, hint: None, names_reference: false }
    }

    /// Invalid input.
    pub(crate) fn usage(message: String) -> Failure {
        Failure { kind: Kind::Usage, message, hint: None, names_reference: false }
    }

    /// Returns the message with the reference that it is about, in the form that the user typed.
    pub(crate) fn about(&self, typed: &str) -> String {
        if self.names_reference {
            self.message.clone()
        } else {
            format!("{typed}: {}", self.message)
        }
    }
}
