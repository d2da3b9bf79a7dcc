//! Converts ureq's errors to regq's.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ureq::Timeout;

use crate::error::{ConnectionError, ConnectionFault, Error};
use crate::transport::connector::Stage;
use crate::transport::tls::certificate_fault;

/// What errors of a request report: its host, and the limits it was sent with.
#[derive(Debug, Clone)]
pub(super) struct ErrorContext {
    pub(super) host: String,
    pub(super) connect_timeout: Duration,
    pub(super) idle_timeout: Duration,
    /// The limit for the whole question.
    pub(super) time_limit: Duration,
}

impl ErrorContext {
    /// Converts an error from ureq.
    pub(super) fn error(&self, error: ureq::Error) -> Error {
        match self.fault(error) {
            Some(fault) => self.connection(fault),
            None => self.deadline(),
        }
    }

    /// Converts a fault to an error.
    pub(super) fn connection(&self, fault: ConnectionFault) -> Error {
        Error::Connection(Box::new(ConnectionError::new(self.host.clone(), fault)))
    }

    /// Returns the error for a question that exceeds its time limit.
    pub(super) fn deadline(&self) -> Error {
        Error::Deadline { limit: self.time_limit }
    }

    /// Returns the fault; `None` if the question exceeded its time limit.
    #[expect(clippy::wildcard_enum_match_arm, reason = "ureq::Error is non-exhaustive")]
    fn fault(&self, error: ureq::Error) -> Option<ConnectionFault> {
        Some(match error {
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
                ConnectionFault::ConnectTimeout(self.connect_timeout)
            }
            ureq::Error::Timeout(Timeout::PerRead | Timeout::PerWrite) => {
                ConnectionFault::IdleTimeout(self.idle_timeout)
            }
            ureq::Error::Timeout(_) => return None,
            ureq::Error::Io(error) => io_fault(error),
            ureq::Error::Other(other) => match other.downcast::<Stage>() {
                Ok(stage) => stage_fault(*stage),
                Err(other) => ConnectionFault::Broken(io::Error::other(other).into()),
            },
            ureq::Error::Protocol(error) => ConnectionFault::NotHttp(error.to_string()),
            ureq::Error::LargeResponseHeader(_, max) => {
                ConnectionFault::NotHttp(format!("the response header exceeds {max} bytes"))
            }
            other => ConnectionFault::Broken(io::Error::other(other).into()),
        })
    }
}

fn stage_fault(stage: Stage) -> ConnectionFault {
    match stage {
        Stage::Connect(error) => ConnectionFault::Connect(error.into()),
        Stage::Handshake(error) => io_fault(error),
        Stage::NotTls => ConnectionFault::NotTls,
    }
}

/// TLS errors may come after the handshake too: a TLS 1.3 server reports a refusal when the client first reads.
fn io_fault(error: io::Error) -> ConnectionFault {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(refused)) => {
            ConnectionFault::Certificate(certificate_fault(refused))
        }
        Some(_) => ConnectionFault::Tls(Arc::new(error)),
        None => ConnectionFault::Broken(error.into()),
    }
}
