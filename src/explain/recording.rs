//! Records the events of a client for [`explain`](crate::explain::explain).
//!
//! A [`Recorder`] receives events and exchanges, and returns them as a [`Recording`]. It keeps only what findings and
//! steps need: the body of a successful response is cut, unless it contains a token.

use std::mem::discriminant;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::UNIX_EPOCH;

use crate::credentials::{LookupResult, Secret};
use crate::dates;
use crate::error::{Identity, Party};
use crate::event::{Event, Exchanged, Observer};
use crate::explain::supplied::TokenBody;
use crate::http::Head;
use crate::lock::lock;
use crate::url::Url;

/// Records what a client reports. Clones share one recording.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<Recording>>);

/// Everything that was recorded for one question. It contains secrets, so `Debug` shows only its length.
#[derive(Default)]
pub struct Recording {
    pub(super) records: Vec<Record>,
}

/// One event or exchange.
#[derive(Debug)]
pub(super) enum Record {
    Resolved { host: String, addresses: Vec<SocketAddr> },
    Connected { host: String, addresses: Vec<SocketAddr>, tls: Option<String> },
    PlainHttp { host: String },
    CredentialLookup { source: String, result: LookupResult },
    CredentialProblem { text: String },
    Exchange(Box<RecordedExchange>),
}

/// A request and its response.
#[derive(Debug)]
pub(super) struct RecordedExchange {
    pub(super) party: Party,
    pub(super) method: String,
    pub(super) url: Url,
    pub(super) identity: Identity,
    pub(super) authorization: Authorization,
    pub(super) secrets: Vec<Secret>,
    /// `None` if no response arrived.
    pub(super) response: Option<RecordedResponse>,
    /// When the exchange ended: seconds since 1970, by this machine's clock.
    pub(super) at: i64,
}

/// The kind of `Authorization` header in a request.
#[derive(Debug, Clone)]
pub(super) enum Authorization {
    None,
    Basic,
    Bearer(Secret),
}

/// The parts of a response that are needed. A token server's body is a secret.
#[derive(Clone, Default)]
pub(super) struct RecordedResponse {
    pub(super) status: u16,
    pub(super) challenges: Vec<Vec<u8>>,
    pub(super) content_type: Option<String>,
    /// `Date`, in seconds since 1970.
    pub(super) date: Option<i64>,
    /// Whether it has the API version header that registries send.
    pub(super) has_api_version: bool,
    /// The headers about rate limits, as `name: value`.
    pub(super) limits: Vec<String>,
    pub(super) location: Option<String>,
    pub(super) body: Vec<u8>,
}

/// The number of records to keep. One question takes about twenty requests at most.
const MAX_RECORDS: usize = 200;
/// The number of bytes to keep of a successful response without a token: enough to recognize its format.
const MAX_BODY_START: usize = 512;
/// Headers about rate limits.
const LIMIT_HEADERS: [&str; 5] = [
    "retry-after",
    "ratelimit-limit",
    "ratelimit-remaining",
    "docker-ratelimit-source",
    "x-ratelimit-remaining",
];

impl Recorder {
    /// An observer that records everything: events, and requests with their responses, secrets included.
    #[must_use]
    pub fn observer(&self) -> Observer {
        let (events, exchanges) = (self.clone(), self.clone());
        Observer::with_conversation(
            move |event| events.record(event),
            move |exchange| exchanges.record_exchange(exchange),
        )
    }

    fn record(&self, event: &Event<'_>) {
        let record = match event {
            Event::Resolved { host, addresses } => {
                Record::Resolved { host: (*host).to_owned(), addresses: addresses.to_vec() }
            }
            Event::Connected { host, addresses, tls } => Record::Connected {
                host: (*host).to_owned(),
                addresses: addresses.to_vec(),
                tls: tls.map(|tls| {
                    let checked = if tls.verified { "verified" } else { "not checked" };
                    format!("{}, certificate {checked}", tls.version)
                }),
            },
            Event::PlainHttp { host } => Record::PlainHttp { host: (*host).to_owned() },
            Event::CredentialLookup { source, result } => {
                Record::CredentialLookup { source: (*source).to_owned(), result: (*result).clone() }
            }
            Event::CredentialProblem { text } => {
                Record::CredentialProblem { text: (*text).to_owned() }
            }
            Event::Sending { .. }
            | Event::Received { .. }
            | Event::Retrying { .. }
            | Event::Warning { .. } => return,
        };
        self.push(record);
    }

    fn record_exchange(&self, exchanged: &Exchanged<'_>) {
        self.push(Record::Exchange(Box::new(RecordedExchange::of(exchanged))));
    }

    fn push(&self, record: Record) {
        let mut recording = lock(&self.0);
        if recording.records.len() < MAX_RECORDS {
            recording.records.push(record);
        }
    }

    /// Returns the recording and starts a new one.
    pub fn take(&self) -> Recording {
        std::mem::take(&mut lock(&self.0))
    }
}

impl Recording {
    /// Whether credentials were found for any registry that required a login.
    #[must_use]
    pub fn found_credentials(&self) -> bool {
        self.records.iter().any(|record| {
            let Record::CredentialLookup { result, .. } = record else { return false };
            matches!(result, LookupResult::Given { .. } | LookupResult::Entry { .. })
        })
    }

    /// The exchanges, in order.
    pub(super) fn exchanges(&self) -> impl DoubleEndedIterator<Item = &RecordedExchange> {
        self.records.iter().filter_map(|record| match record {
            Record::Exchange(exchange) => Some(exchange.as_ref()),
            Record::Resolved { .. }
            | Record::Connected { .. }
            | Record::PlainHttp { .. }
            | Record::CredentialLookup { .. }
            | Record::CredentialProblem { .. } => None,
        })
    }

    /// All secrets that were sent or received.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let mut secrets: Vec<_> =
            self.exchanges().flat_map(|exchange| exchange.secrets.clone()).collect();
        for exchange in self.exchanges() {
            if let Authorization::Bearer(token) = &exchange.authorization {
                secrets.push(token.clone());
            }
            if let (Party::TokenServer, Some(response)) = (exchange.party, &exchange.response) {
                secrets.extend(TokenBody::read(&response.body).secrets());
            }
        }
        secrets
    }

    /// Whether a connection to these addresses of a host was made.
    pub(super) fn has_connected(&self, host: &str, addresses: &[SocketAddr]) -> bool {
        self.records.iter().any(|record| match record {
            Record::Connected { host: name, addresses: tried, .. } => {
                name == host && tried == addresses
            }
            _ => false,
        })
    }

    /// The addresses of a host that was connected to.
    pub(super) fn addresses(&self, host: &str) -> Vec<IpAddr> {
        let found = self.records.iter().find_map(|record| match record {
            Record::Connected { host: name, addresses, .. } if name == host => Some(addresses),
            _ => None,
        });
        found.into_iter().flatten().map(SocketAddr::ip).collect()
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recording({} records)", self.records.len())
    }
}

impl Authorization {
    pub(super) fn is_bearer(&self) -> bool {
        matches!(self, Authorization::Bearer(_))
    }

    /// Whether both are of the same kind, whatever their secrets.
    pub(super) fn same_kind(&self, other: &Authorization) -> bool {
        discriminant(self) == discriminant(other)
    }
}

impl RecordedExchange {
    fn of(exchanged: &Exchanged<'_>) -> RecordedExchange {
        let token =
            exchanged.authorization.and_then(|value| value.expose().strip_prefix("Bearer "));
        let authorization = match (token, exchanged.authorization) {
            (Some(token), _) => Authorization::Bearer(Secret::new(token)),
            (None, Some(_)) => Authorization::Basic,
            (None, None) => Authorization::None,
        };
        let at = exchanged.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        RecordedExchange {
            party: exchanged.party,
            method: exchanged.method.to_owned(),
            url: exchanged.url.clone(),
            identity: exchanged.identity.clone(),
            authorization,
            secrets: exchanged.secrets.to_vec(),
            response: exchanged
                .head
                .map(|head| RecordedResponse::of(head, exchanged.body, exchanged.party)),
            at: i64::try_from(at).unwrap_or_default(),
        }
    }

    /// The status of the response.
    pub(super) fn status(&self) -> Option<u16> {
        self.response.as_ref().map(|response| response.status)
    }

    /// Whether the request carried credentials.
    pub(super) fn has_credentials(&self) -> bool {
        matches!(self.identity, Identity::Credential { .. })
    }
}

impl RecordedResponse {
    fn of(head: &Head, body: &[u8], party: Party) -> RecordedResponse {
        let status = head.status();
        let text = |name| head.header(name).map(str::to_owned);
        let limits =
            LIMIT_HEADERS.iter().filter_map(|name| Some(format!("{name}: {}", text(name)?)));
        let whole = party == Party::TokenServer || !(200..300).contains(&status);
        let kept = if whole { usize::MAX } else { MAX_BODY_START };
        let date = head.header("date").and_then(dates::parse_http);
        RecordedResponse {
            status,
            challenges: head.lines("www-authenticate").map(<[u8]>::to_vec).collect(),
            content_type: text("content-type"),
            date: date.and_then(|date| i64::try_from(date).ok()),
            has_api_version: head.header("docker-distribution-api-version").is_some(),
            limits: limits.collect(),
            location: text("location"),
            body: body.iter().take(kept).copied().collect(),
        }
    }

    /// Whether it is an HTML page, by its media type or its beginning.
    pub(super) fn is_page(&self) -> bool {
        let typed = self.content_type.as_deref().is_some_and(|kind| {
            kind.trim_start().get(..9).is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"))
        });
        typed || is_page(&self.body)
    }
}

/// Whether a body begins like an HTML page.
pub(super) fn is_page(body: &[u8]) -> bool {
    let start = body.trim_ascii_start().iter().take(14).map(u8::to_ascii_lowercase);
    let start: Vec<u8> = start.collect();
    start.starts_with(b"<html") || start.starts_with(b"<!doctype html")
}

impl std::fmt::Debug for RecordedResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecordedResponse({})", self.status)
    }
}
