//! Failures on this machine: files, and the helper programs that keep credentials.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::error::format::HumanDuration;

/// What is wrong with a file.
#[derive(Debug)]
#[non_exhaustive]
pub enum LocalFault {
    /// It cannot be read.
    Io(io::Error),
    /// It cannot be written.
    Write(io::Error),
    /// It is larger than this many bytes.
    TooLarge(u64),
    /// It contains no PEM certificate.
    NoCertificate,
    /// Its PEM text, or a certificate in it, is invalid.
    Certificate(Box<dyn Error + Send + Sync>),
    /// It is not JSON, or not a credential file. The text itself is not kept: it may be a secret.
    Json {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
        /// True for invalid JSON, false for valid JSON of the wrong shape.
        syntax: bool,
    },
    /// The entry under this key has no credential that can be sent.
    Entry(String),
    /// It does not contain a token.
    NoToken,
}

/// What is wrong with a credential helper.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum HelperFault {
    /// The program does not exist, or its name is invalid.
    Missing,
    /// It could not be run.
    Start(Arc<io::Error>),
    /// It failed with this message; empty if it printed nothing that may be shown.
    Failed(String),
    /// It did not finish within this time.
    TimedOut(Duration),
    /// It wrote more than this many bytes.
    TooLarge(u64),
    /// Its output is not a credential.
    Malformed,
}

/// Why a credential lookup stopped.
#[derive(Debug)]
#[non_exhaustive]
pub enum CredentialFault {
    /// A credential helper failed.
    Helper {
        /// The program.
        program: String,
        /// What is wrong with it.
        fault: HelperFault,
    },
    /// A file or an environment variable is unusable.
    Source {
        /// The path of the file or the name of the variable.
        name: String,
        /// True for a default location, false for a source that the user named.
        default: bool,
        /// What is wrong with it.
        fault: LocalFault,
    },
}

impl fmt::Display for LocalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LocalFault::Io(_) => write!(f, "cannot be read"),
            LocalFault::Write(_) => write!(f, "cannot be written"),
            LocalFault::TooLarge(limit) => write!(f, "larger than the limit of {limit} bytes"),
            LocalFault::NoCertificate => write!(f, "contains no PEM certificate"),
            LocalFault::Certificate(_) => write!(f, "contains an invalid certificate"),
            LocalFault::Json { line, column, syntax: true } => {
                write!(f, "line {line}, column {column}: invalid JSON")
            }
            LocalFault::Json { line, column, syntax: false } => {
                write!(f, "line {line}, column {column}: not valid in a credential file")
            }
            LocalFault::Entry(key) => write!(f, "the entry {key:?} has no usable credential"),
            LocalFault::NoToken => {
                write!(f, "does not contain a token (one word of visible ASCII)")
            }
        }
    }
}

impl LocalFault {
    pub(super) fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            LocalFault::Io(error) | LocalFault::Write(error) => Some(error),
            LocalFault::Certificate(error) => Some(error.as_ref()),
            LocalFault::TooLarge(_)
            | LocalFault::NoCertificate
            | LocalFault::Json { .. }
            | LocalFault::Entry(_)
            | LocalFault::NoToken => None,
        }
    }
}

impl fmt::Display for HelperFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HelperFault::Missing => write!(f, "is not on PATH"),
            HelperFault::Start(_) => write!(f, "cannot be run"),
            HelperFault::Failed(message) if message.is_empty() => {
                write!(f, "failed without a message")
            }
            HelperFault::Failed(message) => write!(f, "failed with the message {message:?}"),
            HelperFault::TimedOut(limit) => write!(f, "timed out after {}", HumanDuration(*limit)),
            HelperFault::TooLarge(limit) => write!(f, "wrote more than {limit} bytes"),
            HelperFault::Malformed => write!(f, "returned an invalid response"),
        }
    }
}

impl HelperFault {
    pub(super) fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            HelperFault::Start(error) => Some(error.as_ref()),
            HelperFault::Missing
            | HelperFault::Failed(_)
            | HelperFault::TimedOut(_)
            | HelperFault::TooLarge(_)
            | HelperFault::Malformed => None,
        }
    }
}

impl fmt::Display for CredentialFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CredentialFault::Helper { program, fault } => write!(f, "{program} {fault}")?,
            CredentialFault::Source { name, fault, .. } => write!(f, "{name}: {fault}")?,
        }
        // Included here because it is not in the source chain: `Error::CredentialsUnavailable` has the response there.
        let source = match self {
            CredentialFault::Helper { fault, .. } => fault.source(),
            CredentialFault::Source { fault, .. } => fault.source(),
        };
        source.map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}
