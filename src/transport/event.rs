//! What happens on the way to an answer, for those who want to watch.
//!
//! Events carry nothing secret: URLs are redacted, headers are names only. The one exception is
//! [`Exchanged`], which is the conversation itself, for those who explain it; its `Debug` shows nothing of it.
//! Text that came from a server is as it came; whoever shows it escapes it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::credentials::{LookupResult, Secret};
use crate::error::{Identity, Party};
use crate::transport::response::Answer;
use crate::url::Url;

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The addresses of a host were found, before any of them is connected to.
    Resolved {
        /// The host, brackets kept for IPv6.
        host: &'a str,
        /// Its addresses, in the order in which they are tried.
        addresses: &'a [SocketAddr],
    },
    /// A connection was made.
    Connected {
        /// The host.
        host: &'a str,
        /// The addresses of the name, in the order in which they were tried.
        addresses: &'a [SocketAddr],
        /// What TLS agreed upon; `None` for plain http.
        tls: Option<TlsFacts<'a>>,
    },
    /// A request is being sent.
    Sending {
        /// `GET`, `HEAD`, or `POST` where a token is exchanged.
        method: &'a str,
        /// The URL, redacted.
        url: &'a str,
        /// The names of its headers.
        headers: &'a [&'a str],
    },
    /// The head of an answer came.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The names of its headers, each once.
        headers: &'a [&'a str],
        /// From sending to here.
        elapsed: Duration,
    },
    /// A request failed and is sent again.
    Retrying {
        /// The host.
        host: &'a str,
        /// What failed.
        reason: &'a str,
        /// The time until then.
        wait: Duration,
        /// True when the server asked for this time.
        announced: bool,
    },
    /// The registry sent a `Warning: 299` header with this text.
    Warning {
        /// The host.
        host: &'a str,
        /// Its text.
        text: &'a str,
    },
    /// A place was looked at for credentials.
    Looked {
        /// A file, or a variable of the environment; empty where the caller gave a credential.
        place: &'a str,
        /// What was seen there; never a secret.
        look: &'a LookupResult,
    },
    /// Credentials could not be had, and the question goes on without.
    CredentialProblem {
        /// Why.
        text: &'a str,
    },
    /// A loopback registry does not speak TLS and is asked in plain http.
    PlainHttp {
        /// The host.
        host: &'a str,
    },
    /// A request came to its end, after all repetitions of it.
    Exchanged(Exchanged<'a>),
}

/// A request and its answer, secrets and all.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Exchanged<'a> {
    /// Who was asked.
    pub party: Party,
    /// `GET`, `HEAD` or `POST`.
    pub method: &'a str,
    /// Where.
    pub url: &'a Url,
    /// Who asked.
    pub identity: &'a Identity,
    /// The `Authorization` header's value.
    pub authorization: Option<&'a Secret>,
    /// What was sent along that may not be shown.
    pub secrets: &'a [Secret],
    /// The answer; `None` when none came.
    pub answer: Option<&'a Answer>,
    /// When it was over, by this machine's clock.
    pub at: SystemTime,
}

impl fmt::Debug for Exchanged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchanged(..)")
    }
}

/// What a TLS handshake agreed upon.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct TlsFacts<'a> {
    /// Such as `TLSv1_3`.
    pub version: &'a str,
    /// Such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher: &'a str,
    /// False when the certificate was not checked, because the caller said so.
    pub verified: bool,
}

/// Who is told of events. Called on the thread that asks.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Event<'_>) + Send + Sync>);

impl Observer {
    /// Wraps a function.
    pub fn new(tell: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Observer {
        Observer(Arc::new(tell))
    }

    pub(crate) fn tell(&self, event: &Event<'_>) {
        (self.0)(event);
    }
}

impl Default for Observer {
    fn default() -> Observer {
        Observer::new(|_| {})
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer(..)")
    }
}
