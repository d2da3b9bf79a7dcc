//! Sends a request once, and returns its response.
//!
//! Before a request is sent, its host is resolved and the addresses are checked. `retry.rs` decides whether a failed
//! request is sent again.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ureq::{AsSendBody, Timeout, http};

use crate::credentials::Secret;
use crate::error::{ConnectionFault, Error, HumanDuration, Refusal, Result};
use crate::event::{Event, Observer};
use crate::http::{Head, warning};
use crate::lock::lock;
use crate::redact::Redactor;
use crate::transport::address_scope::AddressScope;
use crate::transport::agent::Transport;
use crate::transport::deadline::Deadline;
use crate::transport::error_map::ErrorContext;
use crate::transport::request::Request;
use crate::transport::resolver::{Progress, ResolveError};
use crate::transport::response::{self, Response};

/// How many different warnings are reported, so that a registry cannot make up new ones without end.
const MAX_WARNINGS: usize = 16;

/// What belongs to the question for which a request is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) observer: &'a Observer,
    /// All secrets that were sent for this question. Servers may repeat them, so they are redacted in events.
    pub(crate) secrets: &'a [Secret],
}

/// The outcome of sending a request once.
pub(super) struct Attempt {
    pub(super) outcome: Result<Response>,
    /// `None` if the request failed before connecting.
    pub(super) progress: Option<Progress>,
}

/// Time limits for sending a request once.
#[derive(Debug, Clone, Copy)]
struct Timeouts {
    connect: Duration,
    idle: Duration,
    /// Up to the end of the body.
    whole: Duration,
}

impl Transport {
    /// Sends a request once, and returns when the head of its response has arrived. Every status is a response.
    pub(super) fn send_once(
        &self,
        request: Request<'_>,
        deadline: &Deadline,
        call: Call<'_>,
    ) -> Attempt {
        let context = ErrorContext {
            host: request.url.origin().authority(),
            connect_timeout: self.settings.connect_timeout,
            idle_timeout: self.settings.idle_timeout,
            time_limit: deadline.limit(),
        };
        let resolved = self.resolve(request, deadline, call, &context);
        let (addresses, timeouts) = match resolved {
            Ok(resolved) => resolved,
            Err(error) => return Attempt { outcome: Err(error), progress: None },
        };
        let scopes = addresses.iter().map(|address| AddressScope::of(address.ip()));
        let scope = scopes.min().unwrap_or(AddressScope::Public);
        let flight = self.resolver.begin(addresses, call.observer);
        let outcome = self
            .send(request, timeouts, &flight.tag(), call, &context)
            .map(|(head, body)| Response::new(head, body, scope, context));
        Attempt { outcome, progress: Some(flight.progress()) }
    }

    /// Resolves the host, and returns its addresses with the time limits for the rest.
    ///
    /// # Errors
    /// If the lookup fails or takes too long, or an address is more private than the request allows.
    fn resolve(
        &self,
        request: Request<'_>,
        deadline: &Deadline,
        call: Call<'_>,
        context: &ErrorContext,
    ) -> Result<(Vec<SocketAddr>, Timeouts)> {
        let start = Instant::now();
        let left = deadline.left().ok_or_else(|| context.deadline())?;
        let connect = left.min(self.settings.connect_timeout);
        let origin = request.url.origin();
        let on_lookup = |addresses: &[SocketAddr]| {
            call.observer.emit(&Event::Resolved { host: origin.host(), addresses });
        };
        let addresses = self.resolver.resolve(origin, connect, on_lookup);
        let addresses = addresses.map_err(|error| match error {
            ResolveError::Failed(error) => context.connection(ConnectionFault::Name(error.into())),
            ResolveError::TimedOut if left < self.settings.connect_timeout => context.deadline(),
            ResolveError::TimedOut => {
                let message = format!("no answer within {}", HumanDuration(connect));
                let error = io::Error::new(io::ErrorKind::TimedOut, message);
                context.connection(ConnectionFault::Name(error.into()))
            }
        })?;
        check_scope(request, &addresses)?;
        let timeouts = Timeouts {
            connect: connect.saturating_sub(start.elapsed()).max(Duration::from_millis(1)),
            idle: self.settings.idle_timeout,
            whole: deadline.left().ok_or_else(|| context.deadline())?,
        };
        Ok((addresses, timeouts))
    }

    fn send(
        &self,
        request: Request<'_>,
        timeouts: Timeouts,
        tag: &str,
        call: Call<'_>,
        context: &ErrorContext,
    ) -> Result<(Head, ureq::Body)> {
        let http = request.to_http().map_err(|source| Error::Request {
            host: context.host.clone(),
            source: Box::new(source),
        })?;
        let redactor = Secret::redactor(call.secrets);
        let names: Vec<_> = http.headers().keys().map(http::HeaderName::as_str).collect();
        call.observer.emit(&Event::Sending {
            method: request.method.as_str(),
            // The path of a redirect's target may repeat a secret.
            url: &redactor.redact(&request.url.redacted()),
            headers: &names,
        });
        let start = Instant::now();
        // Without a form the request has no body. An empty body would be something else.
        let outcome = match request.form {
            Some(form) => self.run(http.map(|()| form.expose().as_bytes().to_vec()), timeouts, tag),
            None => self.run(http, timeouts, tag),
        };
        let response = outcome.map_err(|error| {
            let connecting = matches!(error, ureq::Error::Timeout(Timeout::Connect));
            if connecting && timeouts.whole <= context.connect_timeout {
                context.deadline()
            } else {
                context.error(error)
            }
        })?;
        let (status, elapsed) = (response.status().as_u16(), start.elapsed());
        let head = response::head(&response);
        call.observer.emit(&Event::Received { status, headers: &head.header_names(), elapsed });
        self.report_warnings(&head, &context.host, call.observer, &redactor);
        Ok((head, response.into_body()))
    }

    fn run<B: AsSendBody>(
        &self,
        request: http::Request<B>,
        timeouts: Timeouts,
        tag: &str,
    ) -> std::result::Result<http::Response<ureq::Body>, ureq::Error> {
        let request = self
            .agent
            .configure_request(request)
            .accept(tag)
            .timeout_connect(Some(timeouts.connect))
            .timeout_per_read(Some(timeouts.idle))
            .timeout_per_write(Some(timeouts.idle))
            .timeout_global(Some(timeouts.whole))
            .build();
        self.agent.run(request)
    }

    fn report_warnings(&self, head: &Head, host: &str, observer: &Observer, redactor: &Redactor) {
        for text in head.lines("warning").filter_map(warning::parse) {
            let text = redactor.redact(&text);
            if self.is_new_warning(format!("{host} {text}")) {
                observer.emit(&Event::Warning { host, text: &text });
            }
        }
    }

    /// Whether a warning has not been reported yet, and may be.
    fn is_new_warning(&self, warning: String) -> bool {
        let mut warnings = lock(&self.warnings);
        warnings.len() < MAX_WARNINGS && warnings.insert(warning)
    }
}

/// Checks that all addresses are in the request's scope: the connection may go to any of them.
///
/// # Errors
/// If an address is more private than the request allows.
fn check_scope(request: Request<'_>, addresses: &[SocketAddr]) -> Result<()> {
    let Some(max_scope) = request.max_scope else { return Ok(()) };
    let mut addresses = addresses.iter().map(|address| address.ip());
    match addresses.find(|address| AddressScope::of(*address) > max_scope) {
        Some(address) => {
            Err(Refusal::PrivateAddress { host: request.url.host().to_owned(), address }.into())
        }
        None => Ok(()),
    }
}
