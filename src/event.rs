//! Events: what a client reports while it works on a question.
//!
//! An [`Event`] never contains a secret: URLs are redacted, and headers are names only. An [`Exchanged`] is a request
//! with its response, secrets included, for code that explains a conversation. An [`Observer`] receives exchanges
//! only if it is made by [`Observer::with_conversation`].
//!
//! Text in events may come from a server. Escape it before you print it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::credentials::{LookupResult, Secret};
use crate::error::{Identity, Party};
use crate::http::Head;
use crate::url::Url;

/// A step of a question. Contains no secrets.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A host name was resolved. No address has been connected to yet.
    Resolved {
        /// The host, with brackets if it is an IPv6 address.
        host: &'a str,
        /// Its addresses, in the order in which they will be tried.
        addresses: &'a [SocketAddr],
    },
    /// A connection was made.
    Connected {
        /// The host, with brackets if it is an IPv6 address.
        host: &'a str,
        /// The addresses of the host, in the order in which they were tried.
        addresses: &'a [SocketAddr],
        /// The outcome of the TLS handshake; `None` for plain http.
        tls: Option<TlsFacts>,
    },
    /// A request is about to be sent.
    Sending {
        /// `GET`, `HEAD` or `POST`.
        method: &'a str,
        /// The URL, redacted.
        url: &'a str,
        /// The names of the request's headers.
        headers: &'a [&'a str],
    },
    /// The head of a response arrived.
    Received {
        /// The HTTP status.
        status: u16,
        /// The names of the response's headers, each once.
        headers: &'a [&'a str],
        /// Time from sending the request, including any connecting, to the end of the head.
        elapsed: Duration,
    },
    /// A request failed and will be sent again.
    Retrying {
        /// The host, with its port unless it is the scheme's default.
        host: &'a str,
        /// What failed.
        reason: &'a str,
        /// Time until the request is sent again.
        wait: Duration,
        /// Whether the server announced this wait (`Retry-After`).
        announced: bool,
    },
    /// The registry sent a `Warning` header with code 299.
    Warning {
        /// The host, with its port unless it is the scheme's default.
        host: &'a str,
        /// The text of the warning.
        text: &'a str,
    },
    /// A source was searched for credentials.
    CredentialLookup {
        /// A file or an environment variable; empty for a credential that the caller passed.
        source: &'a str,
        /// What was found there, without the secret.
        result: &'a LookupResult,
    },
    /// Credential lookup failed, and the question goes on without credentials.
    CredentialProblem {
        /// Why it failed.
        text: &'a str,
    },
    /// A loopback registry does not speak TLS, so plain http is used.
    PlainHttp {
        /// The host, with its port unless it is the scheme's default.
        host: &'a str,
    },
}

/// A request and its response, with all secrets in them. Reported once per request, after its last retry.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Exchanged<'a> {
    /// Whether this was sent to the registry or to a token server.
    pub party: Party,
    /// `GET`, `HEAD` or `POST`.
    pub method: &'a str,
    /// The URL of the request.
    pub url: &'a Url,
    /// The identity that the request was sent with.
    pub identity: &'a Identity,
    /// The value of the `Authorization` header.
    pub authorization: Option<&'a Secret>,
    /// All secrets in the request.
    pub secrets: &'a [Secret],
    /// The head of the response; `None` if there was no response.
    pub head: Option<&'a Head>,
    /// The body of the response as far as it was read; empty after a `HEAD`.
    pub body: &'a [u8],
    /// When the exchange ended, by this machine's clock.
    pub at: SystemTime,
}

impl fmt::Debug for Exchanged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchanged(..)")
    }
}

/// The parameters that a TLS handshake negotiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsFacts {
    /// The protocol version: `TLS 1.2` or `TLS 1.3`.
    pub version: &'static str,
    /// The cipher suite's name in the IANA registry, such as `TLS_AES_128_GCM_SHA256`.
    pub cipher: &'static str,
    /// Whether the certificate was verified. False only with [`Config::insecure`](crate::registry::Config).
    pub verified: bool,
}

type OnEvent = dyn Fn(&Event<'_>) + Send + Sync;
type OnExchange = dyn Fn(&Exchanged<'_>) + Send + Sync;

/// Receives events, on the thread that called the client. Clones share the same functions.
#[derive(Clone, Default)]
pub struct Observer {
    on_event: Option<Arc<OnEvent>>,
    on_exchange: Option<Arc<OnExchange>>,
}

impl Observer {
    /// Calls a function for every event. It never sees a secret.
    pub fn new(on_event: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Observer {
        Observer { on_event: Some(Arc::new(on_event)), on_exchange: None }
    }

    /// Calls one function for every event, and another one for every request with its response. The second one
    /// receives passwords and tokens: keep them, but do not print them.
    pub fn with_conversation(
        on_event: impl Fn(&Event<'_>) + Send + Sync + 'static,
        on_exchange: impl Fn(&Exchanged<'_>) + Send + Sync + 'static,
    ) -> Observer {
        Observer { on_event: Some(Arc::new(on_event)), on_exchange: Some(Arc::new(on_exchange)) }
    }

    /// Returns an observer that passes everything to both, to this one first.
    #[must_use]
    pub fn and(&self, other: &Observer) -> Observer {
        let (first, second) = (self.clone(), other.clone());
        let (first_exchange, second_exchange) = (self.clone(), other.clone());
        Observer::with_conversation(
            move |event| {
                first.emit(event);
                second.emit(event);
            },
            move |exchange| {
                first_exchange.emit_exchange(exchange);
                second_exchange.emit_exchange(exchange);
            },
        )
    }

    pub(crate) fn emit(&self, event: &Event<'_>) {
        if let Some(on_event) = &self.on_event {
            on_event(event);
        }
    }

    pub(crate) fn emit_exchange(&self, exchange: &Exchanged<'_>) {
        if let Some(on_exchange) = &self.on_exchange {
            on_exchange(exchange);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{Event, Observer};

    #[test]
    fn a_combined_observer_passes_events_to_both() {
        let count = Arc::new(AtomicUsize::new(0));
        let adding = |amount| {
            let count = Arc::clone(&count);
            Observer::new(move |_| {
                count.fetch_add(amount, Ordering::SeqCst);
            })
        };
        let both = adding(1).and(&adding(10));
        both.emit(&Event::PlainHttp { host: "localhost" });
        assert_eq!(count.load(Ordering::SeqCst), 11);
    }
}
