//! What happened while regq asked: the client's events, kept.
//!
//! A [`Recorder`] is told of events and hands out the [`Recording`] that they make. It keeps what findings and
//! steps are made of and no more: bodies are cut, and what came in a manifest's body is not kept at all.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use crate::credentials::{LookupResult, Secret};
use crate::dates;
use crate::error::{Identity, Party};
use crate::event::{Event, Exchanged};
use crate::explain::supplied::TokenAnswer;
use crate::http::Head;
use crate::url::Url;

/// Keeps what a client tells. Clones keep into the same record.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<Recording>>);

/// What happened from one question to its answer. It holds secrets, so `Debug` shows only how much there is.
#[derive(Default)]
pub struct Recording {
    pub(super) seen: Vec<Seen>,
}

/// Something that happened.
#[derive(Debug)]
pub(super) enum Seen {
    Resolved { host: String, addresses: Vec<SocketAddr> },
    Connected { host: String, addresses: Vec<SocketAddr>, tls: Option<String> },
    PlainHttp { host: String },
    Looked { place: String, look: LookupResult },
    CredentialFault { text: String },
    Hop(Box<Hop>),
}

/// A request and its answer.
#[derive(Debug)]
pub(super) struct Hop {
    pub(super) party: Party,
    pub(super) method: String,
    pub(super) url: Url,
    pub(super) identity: Identity,
    pub(super) sent: Sent,
    pub(super) secrets: Vec<Secret>,
    /// `None` when none came.
    pub(super) reply: Option<Reply>,
    /// This machine's clock, in seconds since 1970.
    pub(super) at: i64,
}

/// What went along.
#[derive(Debug, Clone)]
pub(super) enum Sent {
    Nothing,
    Basic,
    Bearer(Secret),
}

/// An answer, as far as anything is said of it. A token server's body is a secret.
#[derive(Clone, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) challenges: Vec<Vec<u8>>,
    pub(super) content_type: Option<String>,
    /// `Date`, in seconds since 1970.
    pub(super) date: Option<i64>,
    /// True where it says which version of the API it speaks.
    pub(super) says_version: bool,
    /// The headers that tell of limits, as `name: value`.
    pub(super) limits: Vec<String>,
    pub(super) location: Option<String>,
    pub(super) body: Vec<u8>,
}

/// So much of what happened is kept: a walk has at most some twenty requests.
const MOST: usize = 200;
/// So much of the body of a good answer that is no token is kept: enough to see what kind of thing it is.
const BEGINNING: usize = 512;
/// Headers that tell of limits.
const LIMITS: [&str; 5] = [
    "retry-after",
    "ratelimit-limit",
    "ratelimit-remaining",
    "docker-ratelimit-source",
    "x-ratelimit-remaining",
];

impl Recorder {
    /// Keeps an event: for a client's [`Observer`](crate::event::Observer).
    pub fn record(&self, event: &Event<'_>) {
        let seen = match event {
            Event::Resolved { host, addresses } => {
                Seen::Resolved { host: (*host).to_owned(), addresses: addresses.to_vec() }
            }
            Event::Connected { host, addresses, tls } => Seen::Connected {
                host: (*host).to_owned(),
                addresses: addresses.to_vec(),
                tls: tls.map(|tls| {
                    let checked = if tls.verified { "verified" } else { "not checked" };
                    format!("{}, certificate {checked}", tls.version)
                }),
            },
            Event::PlainHttp { host } => Seen::PlainHttp { host: (*host).to_owned() },
            Event::CredentialLookup { source, result } => {
                Seen::Looked { place: (*source).to_owned(), look: (*result).clone() }
            }
            Event::CredentialProblem { text } => Seen::CredentialFault { text: (*text).to_owned() },
            Event::Sending { .. }
            | Event::Received { .. }
            | Event::Retrying { .. }
            | Event::Warning { .. } => return,
        };
        self.keep(seen);
    }

    /// Keeps a request and its response, secrets included.
    pub fn record_exchange(&self, exchanged: &Exchanged<'_>) {
        self.keep(Seen::Hop(Box::new(Hop::of(exchanged))));
    }

    fn keep(&self, seen: Seen) {
        let mut walk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if walk.seen.len() < MOST {
            walk.seen.push(seen);
        }
    }

    /// What was kept since it was last taken.
    pub fn take(&self) -> Recording {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Recording {
    /// The requests with their answers, in order.
    pub(super) fn hops(&self) -> impl DoubleEndedIterator<Item = &Hop> {
        self.seen.iter().filter_map(|seen| match seen {
            Seen::Hop(hop) => Some(hop.as_ref()),
            Seen::Resolved { .. }
            | Seen::Connected { .. }
            | Seen::PlainHttp { .. }
            | Seen::Looked { .. }
            | Seen::CredentialFault { .. } => None,
        })
    }

    /// What was sent or got that may not be shown.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let mut secrets: Vec<_> = self.hops().flat_map(|hop| hop.secrets.clone()).collect();
        for hop in self.hops() {
            if let Sent::Bearer(token) = &hop.sent {
                secrets.push(token.clone());
            }
            if let (Party::TokenServer, Some(reply)) = (hop.party, &hop.reply) {
                secrets.extend(TokenAnswer::read(&reply.body).secrets());
            }
        }
        secrets
    }

    /// True when these addresses of a host led to a connection.
    pub(super) fn has_connected(&self, host: &str, addresses: &[SocketAddr]) -> bool {
        self.seen.iter().any(|seen| match seen {
            Seen::Connected { host: name, addresses: tried, .. } => {
                name == host && tried == addresses
            }
            _ => false,
        })
    }

    /// The addresses that a host was found to have.
    pub(super) fn addresses(&self, host: &str) -> Vec<IpAddr> {
        let found = self.seen.iter().find_map(|seen| match seen {
            Seen::Connected { host: name, addresses, .. } if name == host => Some(addresses),
            _ => None,
        });
        found.into_iter().flatten().map(SocketAddr::ip).collect()
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recording({} steps)", self.seen.len())
    }
}

impl Hop {
    fn of(exchanged: &Exchanged<'_>) -> Hop {
        let token =
            exchanged.authorization.and_then(|value| value.expose().strip_prefix("Bearer "));
        let sent = match (token, exchanged.authorization) {
            (Some(token), _) => Sent::Bearer(Secret::new(token)),
            (None, Some(_)) => Sent::Basic,
            (None, None) => Sent::Nothing,
        };
        let at = exchanged.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Hop {
            party: exchanged.party,
            method: exchanged.method.to_owned(),
            url: exchanged.url.clone(),
            identity: exchanged.identity.clone(),
            sent,
            secrets: exchanged.secrets.to_vec(),
            reply: exchanged.head.map(|head| Reply::of(head, exchanged.body, exchanged.party)),
            at: i64::try_from(at).unwrap_or_default(),
        }
    }

    /// True when it was asked with something that proves who asks.
    pub(super) fn has_credentials(&self) -> bool {
        matches!(self.identity, Identity::Credential { .. })
    }
}

impl Reply {
    fn of(head: &Head, body: &[u8], party: Party) -> Reply {
        let status = head.status();
        let text = |name| head.header(name).map(str::to_owned);
        let limits = LIMITS.iter().filter_map(|name| Some(format!("{name}: {}", text(name)?)));
        let whole = party == Party::TokenServer || !(200..300).contains(&status);
        let kept = if whole { usize::MAX } else { BEGINNING };
        let date = head.header("date").and_then(dates::parse_http);
        Reply {
            status,
            challenges: head.lines("www-authenticate").map(<[u8]>::to_vec).collect(),
            content_type: text("content-type"),
            date: date.and_then(|date| i64::try_from(date).ok()),
            says_version: head.header("docker-distribution-api-version").is_some(),
            limits: limits.collect(),
            location: text("location"),
            body: body.iter().take(kept).copied().collect(),
        }
    }

    /// True when its type or its beginning says that it is a page for browsers.
    pub(super) fn is_page(&self) -> bool {
        let typed = self.content_type.as_deref().is_some_and(|kind| {
            kind.trim_start().get(..9).is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"))
        });
        typed || is_page(&self.body)
    }
}

/// True for a body that begins as pages for browsers do.
pub(super) fn is_page(body: &[u8]) -> bool {
    let start = body.trim_ascii_start().iter().take(14).map(u8::to_ascii_lowercase);
    let start: Vec<u8> = start.collect();
    start.starts_with(b"<html") || start.starts_with(b"<!doctype html")
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reply({})", self.status)
    }
}
