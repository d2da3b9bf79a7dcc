//! Everything that can go wrong, as one type.
//!
//! `status` has the messages of error statuses and decides which kind of failure each is; `kind` has the exit code of each
//! kind; `format` only formats durations and lists.
//!
//! A variant exists where the caller, the exit code or the hint treats it differently. `Display` describes one level;
//! `source()` returns the next. Messages name no command-line flags: hints are the program's job (`cli/failure`).

mod connection;
mod format;
mod kind;
mod local;
mod policy;
mod status;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use self::connection::{CertificateFault, ConnectionError, ConnectionFault};
use self::format::list;
pub use self::format::{HumanDuration, with_sources};
pub use self::kind::Kind;
pub use self::local::{CredentialFault, HelperFault, LocalFault};
pub use self::policy::Refusal;
pub use self::status::{
    ChallengeFault, CredentialForm, Identity, Party, StatusError, TokenFault, UnusableChallenge,
};
pub(crate) use self::status::{is_transient as is_transient_status, kind_of_status};

use crate::digest::{Digest, DigestError};
use crate::oci::{JsonError, ManifestFault};
use crate::platform::Platform;
use crate::reference::ReferenceError;
use crate::url::excerpt;

/// A result with regq's error type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a valid reference.
    Reference(ReferenceError),
    /// The registry or its token server responded with an error status.
    Status(Box<StatusError>),
    /// The image is not available for the requested platform.
    PlatformNotFound {
        /// The requested platform.
        wanted: Platform,
        /// The image's platforms.
        available: Vec<Platform>,
    },
    /// The registry responded with 401 and none of its challenges is usable.
    Challenge(Box<UnusableChallenge>),
    /// One of regq's safety rules forbids the next request.
    Refused(Box<Refusal>),
    /// No complete response arrived: DNS, the connection, TLS or HTTP failed.
    Connection(Box<ConnectionError>),
    /// The request could not be built, for example because a header is too long.
    Request {
        /// The host that it was for.
        host: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The overall time limit was reached.
    Deadline {
        /// The limit.
        limit: Duration,
    },
    /// The content does not have the digest that was requested or announced.
    DigestMismatch {
        /// The digest that the content should have.
        expected: Digest,
        /// Where the expected digest is from.
        from: DigestSource,
        /// The digest of the content.
        computed: Digest,
    },
    /// The `Docker-Content-Digest` header is not a digest.
    DigestHeader {
        /// The header's value.
        value: String,
        /// What is wrong with it.
        source: DigestError,
    },
    /// The registry announced another digest than the requested one.
    DigestHeaderDiffers {
        /// The digest in the reference.
        pinned: Digest,
        /// The digest in the header.
        announced: Digest,
    },
    /// The response is not a manifest, or an ambiguous one.
    Manifest(ManifestFault),
    /// A document that a manifest points to, or one inside it, cannot be parsed.
    Document {
        /// The document: `index`, `config`.
        what: &'static str,
        /// Where parsing failed, and why.
        source: JsonError,
    },
    /// The body is encoded, which was not requested, and does not match a known digest.
    Encoded {
        /// The value of the `Content-Encoding` header.
        encoding: String,
    },
    /// A body exceeds the size limit.
    TooLarge {
        /// The body: `manifest`, `config`, `token response`.
        what: &'static str,
        /// The limit in bytes.
        limit: u64,
    },
    /// The token server's response contains no usable token.
    Token {
        /// The token server's host.
        host: String,
        /// What is wrong with the response.
        fault: TokenFault,
    },
    /// A credential helper failed while a credential was stored or erased.
    Helper {
        /// The program.
        program: String,
        /// What is wrong with it.
        fault: HelperFault,
    },
    /// Credential lookup failed, and the registry refused anonymous access.
    CredentialsUnavailable {
        /// Why the lookup failed.
        cause: CredentialFault,
        /// How the registry responded to the anonymous request.
        response: Box<Error>,
    },
    /// TLS could not be set up on this machine.
    TlsSetup(Box<dyn std::error::Error + Send + Sync>),
    /// A local file is unusable.
    Local {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: LocalFault,
    },
}

/// Where the expected digest of some content is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigestSource {
    /// The reference.
    Pinned,
    /// The registry's `Docker-Content-Digest` header.
    Header,
    /// A descriptor in a manifest or index.
    Descriptor,
}

impl Error {
    /// The kind of failure, which decides the exit code.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Reference(_) => Kind::Usage,
            Error::Status(error) => error.kind(),
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
                | ConnectionFault::IdleTimeout(_) => Kind::Unavailable,
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
            Error::CredentialsUnavailable { cause, response } => match cause {
                CredentialFault::Helper { .. } => response.kind(),
                CredentialFault::Source { .. } => Kind::Local,
            },
            Error::TlsSetup(_) | Error::Local { .. } | Error::Helper { .. } => Kind::Local,
        }
    }

    /// Whether the same request may succeed later although nothing changes on this side.
    ///
    /// True for what the client itself retries: connections that failed, timed out or were lost, and the statuses
    /// 408, 429, 500, 502, 503 and 504. The client has used up its retries when it returns such an error, so wait
    /// before the next attempt: for [`Error::retry_after`] if the server announced it. Also true for
    /// [`Error::Deadline`].
    ///
    /// False for everything else, including a host name that does not resolve, a rejected certificate and a credential
    /// helper that fails: these usually need a person to change something.
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Status(error) => status::is_transient(error.status),
            Error::Connection(connection) => connection.fault.is_transient(),
            Error::Deadline { .. } => true,
            Error::CredentialsUnavailable { response, .. } => response.is_transient(),
            Error::Reference(_)
            | Error::PlatformNotFound { .. }
            | Error::Challenge(_)
            | Error::Refused(_)
            | Error::Request { .. }
            | Error::DigestMismatch { .. }
            | Error::DigestHeader { .. }
            | Error::DigestHeaderDiffers { .. }
            | Error::Manifest(_)
            | Error::Document { .. }
            | Error::Encoded { .. }
            | Error::TooLarge { .. }
            | Error::Token { .. }
            | Error::Helper { .. }
            | Error::TlsSetup(_)
            | Error::Local { .. } => false,
        }
    }

    /// How long the server asks clients to wait before the next request: its `Retry-After` header, counted from the
    /// response. `None` if it did not ask.
    ///
    /// The value comes from the server and is not limited in any way.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::Status(error) => error.retry_after,
            Error::CredentialsUnavailable { response, .. } => response.retry_after(),
            Error::Reference(_)
            | Error::PlatformNotFound { .. }
            | Error::Challenge(_)
            | Error::Refused(_)
            | Error::Connection(_)
            | Error::Request { .. }
            | Error::Deadline { .. }
            | Error::DigestMismatch { .. }
            | Error::DigestHeader { .. }
            | Error::DigestHeaderDiffers { .. }
            | Error::Manifest(_)
            | Error::Document { .. }
            | Error::Encoded { .. }
            | Error::TooLarge { .. }
            | Error::Token { .. }
            | Error::Helper { .. }
            | Error::TlsSetup(_)
            | Error::Local { .. } => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Reference(error) => write!(f, "{error}"),
            Error::Status(error) => write!(f, "{error}"),
            Error::PlatformNotFound { wanted, available } => {
                write!(f, "the image is not available for {wanted}")?;
                match available.as_slice() {
                    [] => write!(f, "; it names no platform"),
                    platforms => write!(f, ", only for {}", list(platforms)),
                }
            }
            Error::Challenge(challenge) => write!(f, "{challenge}"),
            Error::Refused(refusal) => write!(f, "{refusal}"),
            Error::Connection(connection) => write!(f, "{connection}"),
            Error::Request { host, .. } => write!(f, "cannot build the request to {host}"),
            Error::Deadline { limit } => write!(f, "timed out after {}", HumanDuration(*limit)),
            Error::DigestMismatch { expected, from, computed } => {
                let from = match from {
                    DigestSource::Pinned => "in the reference",
                    DigestSource::Header => "in the Docker-Content-Digest header",
                    DigestSource::Descriptor => "in the manifest",
                };
                write!(
                    f,
                    "digest mismatch: {expected} {from}, but the content's digest is {computed}"
                )
            }
            Error::DigestHeader { value, .. } => {
                write!(f, "invalid Docker-Content-Digest header {:?}", excerpt(value))
            }
            Error::DigestHeaderDiffers { pinned, announced } => write!(
                f,
                "digest mismatch: {pinned} in the reference, but {announced} in the Docker-Content-Digest header"
            ),
            Error::Manifest(fault) => write!(f, "{fault}"),
            Error::Document { what, .. } => write!(f, "cannot parse the {what}"),
            Error::Encoded { encoding } => write!(
                f,
                "unexpected Content-Encoding {:?}, and the encoded body matches no known digest",
                excerpt(encoding)
            ),
            Error::TooLarge { what, limit } => {
                write!(f, "the {what} exceeds the limit of {limit} bytes")
            }
            Error::Token { host, fault } => write!(f, "token server {host}: {fault}"),
            Error::Helper { program, fault } => write!(f, "{program} {fault}"),
            Error::CredentialsUnavailable { cause, .. } => {
                write!(f, "{cause}; anonymous access failed")
            }
            Error::TlsSetup(_) => write!(f, "cannot set up TLS"),
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
            Error::CredentialsUnavailable { response, .. } => Some(response.as_ref()),
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
