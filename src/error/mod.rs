//! What can go wrong, as one type.
//!
//! A variant exists where a caller, the exit code or the advice treats it differently. `Display` says this
//! level only; `source()` has the next. Nothing here names a flag of the command line: advice is given there.

mod connection;
mod display;
mod kind;
mod local;
mod policy;
mod status;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use self::connection::{CertificateFault, ConnectionError, ConnectionFault};
pub(crate) use self::display::Shown;
use self::display::list;
pub use self::kind::Kind;
pub use self::local::{CredentialFault, HelperFault, LocalFault};
pub use self::policy::Refusal;
pub use self::status::{
    ChallengeFault, CredentialForm, Identity, Party, StatusError, TokenFault, UnusableChallenge,
};

use crate::digest::{Digest, DigestError};
use crate::oci::ManifestFault;
use crate::platform::Platform;
use crate::reference::ReferenceError;
use crate::url::shown;

/// A result whose error is regq's.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong with a question.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a reference.
    Reference(ReferenceError),
    /// The registry or its token server answered with a status that is no answer to the question.
    Status(Box<StatusError>),
    /// The image has no such platform.
    PlatformNotFound {
        /// The platform asked for.
        wanted: Platform,
        /// Those the image has.
        available: Vec<Platform>,
    },
    /// The registry answered 401 and nothing in its challenges can be acted upon.
    Challenge(Box<UnusableChallenge>),
    /// A safety rule of regq's own forbids to go on.
    Refused(Box<Refusal>),
    /// No answer came: the name, the connection, TLS, or the answer's bytes failed.
    Connection(Box<ConnectionError>),
    /// A request cannot be written: something in it is longer than HTTP carries.
    Request {
        /// The host that was to be asked.
        host: String,
        /// What stands against it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The time for the question was over.
    Deadline {
        /// The time that it had.
        limit: Duration,
    },
    /// The hash of the body is another than the digest that was asked for or announced.
    DigestMismatch {
        /// The digest that the body should have.
        expected: Digest,
        /// Who says so.
        from: DigestSource,
        /// The digest that the body has.
        computed: Digest,
    },
    /// The `Docker-Content-Digest` header holds no digest.
    DigestHeader {
        /// The header's value.
        value: String,
        /// What is wrong with it.
        source: DigestError,
    },
    /// The registry announces another digest than the one asked for.
    DigestHeaderDiffers {
        /// The digest in the reference.
        pinned: Digest,
        /// The digest in the header.
        announced: Digest,
    },
    /// The answer is not a manifest, or one that two readers would read differently.
    Manifest(ManifestFault),
    /// A document that a manifest points at, or one inside it, is not readable.
    Document {
        /// What it is: `index`, `config`.
        what: &'static str,
        /// Why it cannot be read.
        source: serde_json::Error,
    },
    /// The body came encoded although identity was asked, and matches no known digest.
    Encoded {
        /// The `Content-Encoding`.
        encoding: String,
    },
    /// A body is larger than regq reads.
    TooLarge {
        /// What it is: `manifest`, `config`, `token answer`.
        what: &'static str,
        /// The limit in bytes.
        limit: u64,
    },
    /// The token server's answer holds no usable token.
    Token {
        /// The token server's host.
        host: String,
        /// What is wrong with the answer.
        fault: TokenFault,
    },
    /// A credential helper failed where it was the only one to ask.
    Helper {
        /// The program.
        program: String,
        /// What went wrong.
        fault: HelperFault,
    },
    /// Credentials could not be had, and without them the registry refused.
    CredentialsUnavailable {
        /// Why they could not be had.
        trouble: CredentialFault,
        /// What the registry then said.
        refused: Box<Error>,
    },
    /// TLS cannot be set up on this machine.
    TlsSetup(Box<dyn std::error::Error + Send + Sync>),
    /// A file of this machine.
    Local {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: LocalFault,
    },
}

/// Who announced a digest that the body does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigestSource {
    /// The reference pins it.
    Pinned,
    /// The registry's `Docker-Content-Digest` header.
    Header,
    /// A descriptor in the manifest above.
    Descriptor,
}

impl Error {
    /// The kind of failure.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Reference(_) => Kind::Usage,
            Error::Status(answer) => answer.kind(),
            Error::PlatformNotFound { .. } => Kind::NotFound,
            Error::Challenge(challenge) => challenge.kind(),
            Error::Connection(connection) => match connection.fault {
                ConnectionFault::NotHttp(_) => Kind::Invalid,
                ConnectionFault::Name(_)
                | ConnectionFault::Connect(_)
                | ConnectionFault::ConnectTimeout(_)
                | ConnectionFault::Certificate(_)
                | ConnectionFault::Tls(_)
                | ConnectionFault::NotTls
                | ConnectionFault::Broken(_)
                | ConnectionFault::Silent(_) => Kind::Unavailable,
            },
            Error::Deadline { .. } => Kind::Unavailable,
            Error::Refused(_)
            | Error::Request { .. }
            | Error::DigestMismatch { .. }
            | Error::DigestHeader { .. }
            | Error::DigestHeaderDiffers { .. }
            | Error::Manifest(_)
            | Error::Document { .. }
            | Error::Encoded { .. }
            | Error::TooLarge { .. }
            | Error::Token { .. } => Kind::Invalid,
            Error::CredentialsUnavailable { trouble, refused } => match trouble {
                CredentialFault::Helper { .. } => refused.kind(),
                CredentialFault::Place { .. } => Kind::Local,
            },
            Error::TlsSetup(_) | Error::Local { .. } | Error::Helper { .. } => Kind::Local,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Reference(error) => write!(f, "{error}"),
            Error::Status(answer) => write!(f, "{answer}"),
            Error::PlatformNotFound { wanted, available } => {
                write!(f, "the image is not for {wanted}")?;
                match available.as_slice() {
                    [] => write!(f, "; it names no platform"),
                    platforms => write!(f, "; it is for {}", list(platforms)),
                }
            }
            Error::Challenge(challenge) => write!(f, "{challenge}"),
            Error::Refused(refusal) => write!(f, "{refusal}"),
            Error::Connection(connection) => write!(f, "{connection}"),
            Error::Request { host, .. } => write!(f, "the request to {host} cannot be written"),
            Error::Deadline { limit } => write!(f, "no answer within {}", Shown(*limit)),
            Error::DigestMismatch { expected, from, computed } => {
                let who = match from {
                    DigestSource::Pinned => "the reference asks for",
                    DigestSource::Header => "the registry announced",
                    DigestSource::Descriptor => "the manifest names",
                };
                write!(
                    f,
                    "the content is not what it should be: {who} {expected}, its hash is {computed}"
                )
            }
            Error::DigestHeader { value, .. } => {
                let value = shown(value);
                write!(f, "the registry's Docker-Content-Digest header is no digest: {value:?}")
            }
            Error::DigestHeaderDiffers { pinned, announced } => write!(
                f,
                "the registry answers with other content: asked for {pinned}, it announced {announced}"
            ),
            Error::Manifest(fault) => write!(f, "{fault}"),
            Error::Document { what, .. } => write!(f, "the {what} is not readable"),
            Error::Encoded { encoding } => write!(
                f,
                "the answer came encoded ({:?}) although that was not asked for, and matches no known digest",
                shown(encoding)
            ),
            Error::TooLarge { what, limit } => {
                write!(f, "the {what} is larger than the {limit} bytes that are read of one")
            }
            Error::Token { host, fault } => write!(f, "the token server {host} {fault}"),
            Error::Helper { program, fault } => write!(f, "{program} {fault}"),
            Error::CredentialsUnavailable { trouble, .. } => write!(f, "{trouble}"),
            Error::TlsSetup(_) => write!(f, "TLS cannot be set up"),
            Error::Local { path, fault } => write!(f, "{}: {fault}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Reference(error) => error.source(),
            Error::Connection(connection) => connection.fault.source(),
            Error::DigestHeader { source, .. } => Some(source),
            Error::Manifest(fault) => fault.source(),
            Error::Document { source, .. } => Some(source),
            Error::TlsSetup(error) => Some(error.as_ref()),
            Error::Request { source, .. } => Some(source.as_ref()),
            Error::Local { fault, .. } => fault.source(),
            Error::Helper { fault, .. } => fault.source(),
            Error::CredentialsUnavailable { refused, .. } => Some(refused.as_ref()),
            Error::Status(_)
            | Error::PlatformNotFound { .. }
            | Error::Challenge(_)
            | Error::Refused(_)
            | Error::Deadline { .. }
            | Error::DigestMismatch { .. }
            | Error::DigestHeaderDiffers { .. }
            | Error::Encoded { .. }
            | Error::TooLarge { .. }
            | Error::Token { .. } => None,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        Error::Refused(Box::new(refusal))
    }
}

impl From<ReferenceError> for Error {
    fn from(error: ReferenceError) -> Error {
        Error::Reference(error)
    }
}
