//! Failures below HTTP: name resolution, connections, TLS and certificates. Also bytes that are not HTTP.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::error::format::{HumanDuration, list};

/// A request that got no complete HTTP response.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConnectionError {
    /// The host, with its port unless that is the scheme's default.
    pub host: String,
    /// What failed.
    pub fault: ConnectionFault,
    /// How many times the request was attempted. All attempts failed; `fault` is from the last one.
    pub attempts: u32,
}

/// What failed below HTTP, or while reading a response.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ConnectionFault {
    /// The host name did not resolve.
    Name(Arc<io::Error>),
    /// The connection failed.
    Connect(Arc<io::Error>),
    /// The connection, including the TLS handshake, took longer than this.
    ConnectTimeout(Duration),
    /// The server's certificate was rejected.
    Certificate(CertificateFault),
    /// TLS failed for another reason.
    Tls(Arc<dyn std::error::Error + Send + Sync>),
    /// The server does not use TLS.
    NotTls,
    /// The connection was lost before the response was complete.
    Broken(Arc<io::Error>),
    /// No data arrived for this long.
    IdleTimeout(Duration),
    /// The server does not speak HTTP; the text says what is wrong.
    NotHttp(String),
}

/// Why a certificate was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateFault {
    /// No trusted certificate authority signed it.
    UnknownIssuer,
    /// It has expired, at this time in seconds since 1970 if known.
    Expired(Option<u64>),
    /// It is not valid yet, until this time in seconds since 1970 if known.
    NotYetValid(Option<u64>),
    /// It is for other names.
    Name {
        /// The requested name.
        expected: String,
        /// The names in the certificate.
        presented: Vec<String>,
    },
    /// It is a certificate authority's own certificate, used as a server certificate.
    AuthorityAsServer,
    /// Any other reason, as the TLS library puts it.
    Other(String),
}

impl ConnectionError {
    /// An error of the first attempt.
    pub fn new(host: impl Into<String>, fault: ConnectionFault) -> ConnectionError {
        ConnectionError { host: host.into(), fault, attempts: 1 }
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        match &self.fault {
            ConnectionFault::Name(_) => write!(f, "cannot resolve {host}"),
            ConnectionFault::Connect(_) => write!(f, "cannot connect to {host}"),
            ConnectionFault::ConnectTimeout(limit) => {
                write!(f, "connecting to {host} timed out after {}", HumanDuration(*limit))
            }
            ConnectionFault::Certificate(fault) => write!(f, "the certificate of {host} {fault}"),
            ConnectionFault::Tls(_) => write!(f, "the TLS connection to {host} failed"),
            ConnectionFault::NotTls => write!(f, "{host} does not use TLS"),
            ConnectionFault::Broken(_) => write!(f, "the connection to {host} was lost"),
            ConnectionFault::IdleTimeout(limit) => {
                write!(f, "no data from {host} for {}", HumanDuration(*limit))
            }
            ConnectionFault::NotHttp(what) => write!(f, "{host} does not speak HTTP: {what}"),
        }?;
        if self.attempts > 1 { write!(f, " ({} attempts)", self.attempts) } else { Ok(()) }
    }
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CertificateFault::UnknownIssuer => write!(f, "is not signed by a trusted CA"),
            CertificateFault::Expired(_) => write!(f, "has expired"),
            CertificateFault::NotYetValid(_) => {
                write!(f, "is not valid yet (or this machine's clock is behind)")
            }
            CertificateFault::Name { expected, presented } if presented.is_empty() => {
                write!(f, "is valid for no host name (wanted {expected})")
            }
            CertificateFault::Name { expected, presented } => {
                write!(f, "is not valid for {expected}, only for {}", list(presented))
            }
            CertificateFault::AuthorityAsServer => {
                write!(f, "is a CA certificate used as a server certificate")
            }
            CertificateFault::Other(reason) => write!(f, "was rejected: {reason}"),
        }
    }
}

impl ConnectionFault {
    /// Whether another attempt may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            ConnectionFault::Connect(_)
            | ConnectionFault::ConnectTimeout(_)
            | ConnectionFault::Broken(_)
            | ConnectionFault::IdleTimeout(_) => true,
            ConnectionFault::Name(_)
            | ConnectionFault::Certificate(_)
            | ConnectionFault::Tls(_)
            | ConnectionFault::NotTls
            | ConnectionFault::NotHttp(_) => false,
        }
    }

    /// Whether no connection was made: the name did not resolve, or connecting failed or timed out.
    pub(crate) fn is_before_connection(&self) -> bool {
        match self {
            ConnectionFault::Name(_)
            | ConnectionFault::Connect(_)
            | ConnectionFault::ConnectTimeout(_) => true,
            ConnectionFault::Certificate(_)
            | ConnectionFault::Tls(_)
            | ConnectionFault::NotTls
            | ConnectionFault::Broken(_)
            | ConnectionFault::IdleTimeout(_)
            | ConnectionFault::NotHttp(_) => false,
        }
    }

    pub(super) fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ConnectionFault::Name(error)
            | ConnectionFault::Connect(error)
            | ConnectionFault::Broken(error) => Some(error.as_ref()),
            ConnectionFault::Tls(error) => Some(error.as_ref()),
            ConnectionFault::ConnectTimeout(_)
            | ConnectionFault::Certificate(_)
            | ConnectionFault::NotTls
            | ConnectionFault::IdleTimeout(_)
            | ConnectionFault::NotHttp(_) => None,
        }
    }
}
