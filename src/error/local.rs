//! What fails on this machine: files, and the programs that keep credentials.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::error::display::Shown;

/// What is wrong with a file.
#[derive(Debug)]
#[non_exhaustive]
pub enum LocalFault {
    /// It cannot be read.
    Io(io::Error),
    /// It cannot be written.
    Write(io::Error),
    /// It is larger than so many bytes.
    TooLarge(u64),
    /// It holds no certificate in PEM form.
    NoCertificate,
    /// Its PEM is damaged, or a certificate in it is.
    Certificate(Box<dyn Error + Send + Sync>),
    /// It is not JSON, or not as docker and podman write it. What stands there may be a secret and is not kept.
    Json {
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
        /// True when it is not JSON at all.
        syntax: bool,
    },
    /// The entry under this key holds nothing that can be sent.
    Entry(String),
    /// It holds no token.
    NoToken,
}

/// What is wrong with a credential helper.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum HelperFault {
    /// There is no such program, or its name is none.
    Missing,
    /// It cannot be started.
    Start(Arc<io::Error>),
    /// It failed, and said this; empty when it said nothing that can be shown.
    Failed(String),
    /// It did not answer in time.
    TimedOut(Duration),
    /// It answered more than so many bytes.
    TooMuch(u64),
    /// Its answer is not what a helper answers.
    Answer,
}

/// What kept a search for credentials from going on.
#[derive(Debug)]
#[non_exhaustive]
pub enum CredentialFault {
    /// A helper that a file names.
    Helper {
        /// The program.
        program: String,
        /// What is wrong with it.
        fault: HelperFault,
    },
    /// A file, or a variable of the environment.
    Place {
        /// Its name.
        place: String,
        /// True for a place where tools keep credentials, false for one that the user named.
        usual: bool,
        /// What is wrong with it.
        fault: LocalFault,
    },
}

impl fmt::Display for LocalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LocalFault::Io(_) => write!(f, "cannot be read"),
            LocalFault::Write(_) => write!(f, "cannot be written"),
            LocalFault::TooLarge(limit) => write!(f, "larger than the {limit} bytes that are read"),
            LocalFault::NoCertificate => write!(f, "there is no certificate in PEM form in it"),
            LocalFault::Certificate(_) => write!(f, "a certificate in it is damaged"),
            LocalFault::Json { line, column, syntax: true } => {
                write!(f, "line {line}, column {column}: not JSON")
            }
            LocalFault::Json { line, column, syntax: false } => {
                write!(f, "line {line}, column {column}: not as credential files are written")
            }
            LocalFault::Entry(key) => {
                write!(f, "the entry {key:?} holds no user name and password that can be sent")
            }
            LocalFault::NoToken => write!(f, "there is no token in it, one word of visible ASCII"),
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
            HelperFault::Start(_) => write!(f, "cannot be started"),
            HelperFault::Failed(said) if said.is_empty() => write!(f, "failed and gave no reason"),
            HelperFault::Failed(said) => write!(f, "failed; it says {said:?}"),
            HelperFault::TimedOut(limit) => write!(f, "did not answer within {}", Shown(*limit)),
            HelperFault::TooMuch(limit) => write!(f, "answered more than {limit} bytes"),
            HelperFault::Answer => write!(f, "answered something that is no credential"),
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
            | HelperFault::TooMuch(_)
            | HelperFault::Answer => None,
        }
    }
}

impl fmt::Display for CredentialFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CredentialFault::Helper { program, fault } => write!(f, "{program} {fault}")?,
            CredentialFault::Place { place, fault, .. } => write!(f, "{place}: {fault}")?,
        }
        // Whoever shows an error shows what it comes from; this one stands in a line of its own.
        let source = match self {
            CredentialFault::Helper { fault, .. } => fault.source(),
            CredentialFault::Place { fault, .. } => fault.source(),
        };
        source.map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}
