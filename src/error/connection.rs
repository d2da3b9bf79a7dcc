//! What fails below HTTP: names, connections, TLS, certificates, and bytes that are no HTTP.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::error::display::{Shown, list};

/// No answer, and why.
#[derive(Debug)]
pub struct ConnectionError {
    /// The host that was asked, with its port where it is not the scheme's own.
    pub host: String,
    /// What failed.
    pub fault: ConnectionFault,
    /// How many times the request was sent, this failure the last.
    pub tries: u32,
}

/// What failed below HTTP, or in reading it.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectionFault {
    /// The name has no address.
    Name(io::Error),
    /// The connection could not be made.
    Connect(io::Error),
    /// The connection was not made in time.
    ConnectTimeout(Duration),
    /// The peer's certificate is refused.
    Certificate(CertificateFault),
    /// TLS failed otherwise.
    Tls(Box<dyn std::error::Error + Send + Sync>),
    /// The peer does not speak TLS.
    NotTls,
    /// The connection broke before the answer was complete.
    Broken(io::Error),
    /// Nothing came for too long.
    Silent(Duration),
    /// What came is not HTTP.
    NotHttp(String),
}

/// Why a certificate is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateFault {
    /// No trusted authority signed it.
    UnknownIssuer,
    /// It is not valid any more, since so many seconds since 1970 where that is known.
    Expired(Option<u64>),
    /// It is not valid yet, until so many seconds since 1970 where that is known.
    NotYetValid(Option<u64>),
    /// It is for other names.
    Name {
        /// The name that was asked.
        expected: String,
        /// The names in it.
        presented: Vec<String>,
    },
    /// It is an authority's certificate, used as a server's.
    AuthorityAsServer,
    /// Something else, in the TLS library's words.
    Other(String),
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        match &self.fault {
            ConnectionFault::Name(_) => write!(f, "the name {host} cannot be resolved"),
            ConnectionFault::Connect(_) => write!(f, "no connection to {host}"),
            ConnectionFault::ConnectTimeout(limit) => {
                write!(f, "{host} did not take a connection, or no TLS, within {}", Shown(*limit))
            }
            ConnectionFault::Certificate(fault) => write!(f, "the certificate of {host} {fault}"),
            ConnectionFault::Tls(_) => write!(f, "TLS with {host} failed"),
            ConnectionFault::NotTls => write!(f, "{host} does not speak TLS"),
            ConnectionFault::Broken(_) => write!(f, "the connection to {host} broke"),
            ConnectionFault::Silent(limit) => {
                write!(f, "nothing came from {host} for {}", Shown(*limit))
            }
            ConnectionFault::NotHttp(what) => write!(f, "{host} does not speak HTTP: {what}"),
        }?;
        if self.tries > 1 { write!(f, " (tried {} times)", self.tries) } else { Ok(()) }
    }
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CertificateFault::UnknownIssuer => {
                write!(f, "is signed by no authority that is trusted here")
            }
            CertificateFault::Expired(_) => write!(f, "has expired"),
            CertificateFault::NotYetValid(_) => {
                write!(f, "is not valid yet (or this machine's clock is behind)")
            }
            CertificateFault::Name { expected, presented } if presented.is_empty() => {
                write!(f, "names no host, so not {expected}")
            }
            CertificateFault::Name { expected, presented } => {
                write!(f, "is not for {expected} but for {}", list(presented))
            }
            CertificateFault::AuthorityAsServer => {
                write!(f, "is an authority's own and is not trusted here")
            }
            CertificateFault::Other(what) => write!(f, "is refused: {what}"),
        }
    }
}

impl ConnectionFault {
    pub(super) fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ConnectionFault::Name(error)
            | ConnectionFault::Connect(error)
            | ConnectionFault::Broken(error) => Some(error),
            ConnectionFault::Tls(error) => Some(error.as_ref()),
            ConnectionFault::ConnectTimeout(_)
            | ConnectionFault::Certificate(_)
            | ConnectionFault::NotTls
            | ConnectionFault::Silent(_)
            | ConnectionFault::NotHttp(_) => None,
        }
    }
}
