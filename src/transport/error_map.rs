//! From the HTTP library's errors to ours.

use std::io;
use std::time::Duration;

use ureq::Timeout;

use crate::error::{ConnectionError, ConnectionFault, Error};
use crate::transport::connector::Stage;
use crate::transport::tls::certificate_fault;

/// What a failure is held against to name it.
pub(super) struct Limits {
    pub(super) host: String,
    pub(super) connect: Duration,
    pub(super) idle: Duration,
    pub(super) whole: Duration,
}

impl Limits {
    /// Names a failure.
    pub(super) fn error(&self, error: ureq::Error) -> Error {
        match self.fault(error) {
            Some(fault) => self.connection(fault),
            None => Error::Deadline { limit: self.whole },
        }
    }

    /// A failure that is known already.
    pub(super) fn connection(&self, fault: ConnectionFault) -> Error {
        Error::Connection(Box::new(ConnectionError { host: self.host.clone(), fault, tries: 1 }))
    }

    /// `None` when the whole time is over.
    #[expect(clippy::wildcard_enum_match_arm, reason = "ureq's errors may become more")]
    fn fault(&self, error: ureq::Error) -> Option<ConnectionFault> {
        Some(match error {
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
                ConnectionFault::ConnectTimeout(self.connect)
            }
            ureq::Error::Timeout(Timeout::PerRead | Timeout::PerWrite) => {
                ConnectionFault::Silent(self.idle)
            }
            ureq::Error::Timeout(_) => return None,
            ureq::Error::Io(error) => broken(error),
            ureq::Error::Other(other) => match other.downcast::<Stage>() {
                Ok(stage) => staged(*stage),
                Err(other) => ConnectionFault::Broken(io::Error::other(other)),
            },
            ureq::Error::Protocol(error) => ConnectionFault::NotHttp(error.to_string()),
            ureq::Error::LargeResponseHeader(_, most) => ConnectionFault::NotHttp(format!(
                "the head of its answer is larger than {most} bytes"
            )),
            other => ConnectionFault::Broken(io::Error::other(other)),
        })
    }
}

fn staged(stage: Stage) -> ConnectionFault {
    match stage {
        Stage::Connect(error) => ConnectionFault::Connect(error),
        Stage::Handshake(error) => broken(error),
        Stage::NotTls => ConnectionFault::NotTls,
    }
}

/// In TLS 1.3 a peer refuses after the handshake, so TLS errors come while reading, too.
fn broken(error: io::Error) -> ConnectionFault {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(refused)) => {
            ConnectionFault::Certificate(certificate_fault(refused))
        }
        Some(_) => ConnectionFault::Tls(Box::new(error)),
        None => ConnectionFault::Broken(error),
    }
}

/// True when a connection broke before its answer was complete.
pub(super) fn is_broken<T>(outcome: &Result<T, Error>) -> bool {
    let Err(Error::Connection(connection)) = outcome else { return false };
    matches!(connection.fault, ConnectionFault::Broken(_))
}

/// True for failures that another try may not meet again.
pub(super) fn worth_retrying(error: &Error) -> bool {
    let Error::Connection(connection) = error else { return false };
    match connection.fault {
        ConnectionFault::Connect(_)
        | ConnectionFault::ConnectTimeout(_)
        | ConnectionFault::Broken(_)
        | ConnectionFault::Silent(_) => true,
        ConnectionFault::Name(_)
        | ConnectionFault::Certificate(_)
        | ConnectionFault::Tls(_)
        | ConnectionFault::NotTls
        | ConnectionFault::NotHttp(_) => false,
    }
}
