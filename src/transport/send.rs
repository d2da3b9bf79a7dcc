//! Sending: one request, again where that may help, and its whole answer.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{Connector as _, TcpConnector};
use ureq::{Agent, AsSendBody, http};

use crate::credentials::Secret;
use crate::error::{ConnectionFault, Error, Refusal, Result, Shown};
use crate::transport::address_scope::AddressScope;
use crate::transport::connector;
use crate::transport::error_map::{self, Limits};
use crate::transport::event::{Event, Observer};
use crate::transport::resolver::{NameFault, Names};
use crate::transport::response::Answer;
use crate::transport::retry::{self, Deadline};
use crate::transport::settings::Settings;
use crate::transport::tls;
use crate::url::{Origin, Url};

/// regq only reads; it posts where a token is exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Post,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
        }
    }
}

/// What a body is and how much of it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// For messages: `manifest`.
    pub(crate) what: &'static str,
    /// In bytes.
    pub(crate) bytes: u64,
}

/// Bodies of errors are read so far and cut there.
const ERROR_BODY: u64 = 64 * 1024;

/// One request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    pub(crate) accept: &'a str,
    pub(crate) authorization: Option<&'a Secret>,
    /// What was sent so far that may not be shown: this and earlier servers may repeat it.
    pub(crate) secrets: &'a [Secret],
    /// The fields of a form, encoded, for `POST`.
    pub(crate) form: Option<&'a Secret>,
    pub(crate) limit: Limit,
    /// The most private address that may be connected to; `None` where the user named the host.
    pub(crate) reach: Option<AddressScope>,
    /// False for a request that is sent once, whatever comes.
    pub(crate) retried: bool,
}

/// What one sending may take.
#[derive(Debug, Clone, Copy)]
struct Times {
    connect: Duration,
    idle: Duration,
    whole: Duration,
}

/// Sends requests over one pool of connections.
#[derive(Debug)]
pub(crate) struct Transport {
    agent: Agent,
    names: Names,
    settings: Settings,
    warned: Mutex<Vec<String>>,
}

impl Transport {
    /// # Errors
    /// When a file with certificates cannot be used.
    pub(crate) fn new(settings: Settings) -> Result<Transport> {
        let names = Names::default();
        let config = tls::client_config(&settings)?;
        let connector = ().chain(connector::Tcp(TcpConnector::default())).chain(connector::Tls {
            config,
            observer: settings.observer.clone(),
            verified: !settings.insecure,
            names: names.clone(),
        });
        let agent = Agent::with_parts(agent_config(), connector, names.clone());
        Ok(Transport { agent, names, settings, warned: Mutex::default() })
    }

    /// Who is told of events.
    pub(crate) fn observer(&self) -> &Observer {
        &self.settings.observer
    }

    /// The most public address of a host that was asked before.
    pub(crate) fn reach(&self, origin: &Origin) -> Option<AddressScope> {
        self.names.reach(origin)
    }

    /// Sends a request, again where that may help, and reads the whole answer.
    ///
    /// # Errors
    /// When no answer came, it is no HTTP, or it is too large. Every status is an answer.
    pub(crate) fn send(&self, request: Request<'_>, deadline: &mut Deadline) -> Result<Answer> {
        let mut tries = 0;
        let mut renewed = false;
        loop {
            let mut outcome = self.attempt(request, deadline);
            let reused = !self.names.take_back();
            // A connection that was kept may be closed by the peer just then. That is no failure of the request,
            // so it is sent again at once, on one of its own.
            if reused && request.retried && !renewed && error_map::is_broken(&outcome) {
                renewed = true;
                continue;
            }
            if let Err(Error::Connection(connection)) = &mut outcome {
                connection.tries = tries + 1;
            }
            let again = match &outcome {
                Ok(answer) => retry::worth_retrying(answer.status()),
                Err(error) => error_map::worth_retrying(error),
            };
            if !again || !request.retried || tries >= self.settings.retries {
                return outcome;
            }
            let announced = outcome.as_ref().ok().and_then(Answer::retry_after);
            let wait = match announced {
                Some(wait) if wait > self.settings.max_wait => return outcome,
                Some(wait) => {
                    deadline.extend(wait);
                    wait
                }
                None => retry::backoff(tries),
            };
            if deadline.left().is_none_or(|left| left <= wait && announced.is_none()) {
                return outcome;
            }
            self.say_retrying(request, &outcome, wait, announced.is_some());
            thread::sleep(wait);
            tries += 1;
        }
    }

    fn say_retrying(
        &self,
        request: Request<'_>,
        outcome: &Result<Answer>,
        wait: Duration,
        announced: bool,
    ) {
        let reason = match outcome {
            Ok(answer) => format!("status {}", answer.status()),
            Err(error) => error.to_string(),
        };
        let host = &request.url.origin().authority();
        self.observer().tell(&Event::Retrying { host, reason: &reason, wait, announced });
    }

    fn attempt(&self, request: Request<'_>, deadline: &Deadline) -> Result<Answer> {
        let Settings { connect_timeout, idle_timeout, .. } = self.settings;
        let origin = request.url.origin();
        let limits = Limits {
            host: origin.authority(),
            connect: connect_timeout,
            idle: idle_timeout,
            whole: deadline.limit(),
        };
        let over = || Error::Deadline { limit: deadline.limit() };
        let begun = Instant::now();
        let connect = deadline.left().ok_or_else(over)?.min(connect_timeout);
        self.resolve(request, connect, &limits)?;
        let whole = deadline.left().ok_or_else(over)?;
        let connect = connect.saturating_sub(begun.elapsed()).max(Duration::from_millis(1));
        let sent = self.prepare(request).map_err(|source| Error::Request {
            host: origin.authority(),
            source: Box::new(source),
        })?;
        let times = Times { connect, idle: idle_timeout, whole };
        let begun = Instant::now();
        // A request without a form has no body, not an empty one.
        let outcome = match request.form {
            Some(form) => self.run(sent.map(|()| form.expose().as_bytes().to_vec()), times),
            None => self.run(sent, times),
        };
        let mut response = outcome.map_err(|error| {
            let connecting = matches!(error, ureq::Error::Timeout(ureq::Timeout::Connect));
            // The budget for connecting was cut by the whole time.
            if connecting && whole <= connect_timeout { over() } else { limits.error(error) }
        })?;
        let mut answer = Answer::new(response.status().as_u16(), response.headers());
        self.say_answered(request, &answer, begun.elapsed());
        if request.method == Method::Head {
            return Ok(answer);
        }
        let good = (200..300).contains(&answer.status());
        let most = if good { request.limit.bytes } else { ERROR_BODY };
        match answer.read_body(response.body_mut(), most) {
            Ok(false) => Ok(answer),
            Ok(true) if good => {
                Err(Error::TooLarge { what: request.limit.what, limit: request.limit.bytes })
            }
            Err(error) if good => Err(limits.error(error)),
            // The words of a refusal are welcome as far as they came.
            Ok(true) | Err(_) => Ok(answer),
        }
    }

    fn run<B: AsSendBody>(
        &self,
        sent: http::Request<B>,
        times: Times,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let sent = self
            .agent
            .configure_request(sent)
            .timeout_connect(Some(times.connect))
            .timeout_per_read(Some(times.idle))
            .timeout_per_write(Some(times.idle))
            .timeout_global(Some(times.whole))
            .build();
        self.agent.run(sent)
    }

    /// Resolves the host, holds its addresses against the rule of reach, and hands them to the connection. Any
    /// address too private refuses: the connection could go to it.
    fn resolve(&self, request: Request<'_>, within: Duration, limits: &Limits) -> Result<()> {
        let origin = request.url.origin();
        let tell = |addresses: &[SocketAddr]| {
            self.observer().tell(&Event::Resolved { host: origin.host(), addresses });
        };
        let addresses = self.names.resolve(origin, within, tell).map_err(|fault| match fault {
            NameFault::Unknown(error) => limits.connection(ConnectionFault::Name(error)),
            // The budget for connecting was cut by the whole time.
            NameFault::TimedOut if within < limits.connect => {
                Error::Deadline { limit: limits.whole }
            }
            NameFault::TimedOut => {
                let why = format!("no answer within {}", Shown(within));
                let error = io::Error::new(io::ErrorKind::TimedOut, why);
                limits.connection(ConnectionFault::Name(error))
            }
        })?;
        let judged = self.judge(request, &addresses);
        self.names.hand(addresses);
        judged
    }

    fn judge(&self, request: Request<'_>, addresses: &[SocketAddr]) -> Result<()> {
        let Some(reach) = request.reach else { return Ok(()) };
        match addresses.iter().map(|address| address.ip()).find(|ip| AddressScope::of(*ip) > reach)
        {
            Some(address) => {
                Err(Refusal::PrivateAddress { host: request.url.host().to_owned(), address }.into())
            }
            None => Ok(()),
        }
    }

    fn prepare(&self, request: Request<'_>) -> Result<http::Request<()>, http::Error> {
        let mut names = vec!["accept", "accept-encoding", "user-agent"];
        let mut sent = http::Request::builder()
            .method(request.method.as_str())
            .uri(request.url.to_string())
            .header("accept", request.accept)
            .header("accept-encoding", "identity")
            .header("user-agent", USER_AGENT);
        if let Some(authorization) = request.authorization {
            let mut value = http::HeaderValue::from_str(authorization.expose())?;
            value.set_sensitive(true);
            sent = sent.header("authorization", value);
            names.push("authorization");
        }
        if request.form.is_some() {
            sent = sent.header("content-type", "application/x-www-form-urlencoded");
            names.push("content-type");
        }
        // A redirect may have what was sent in its path.
        let url = &Secret::forms(request.secrets).redact(&request.url.redacted());
        let method = request.method.as_str();
        self.observer().tell(&Event::Sending { method, url, headers: &names });
        sent.body(())
    }

    fn say_answered(&self, request: Request<'_>, answer: &Answer, elapsed: Duration) {
        let names = answer.header_names();
        let status = answer.status();
        self.observer().tell(&Event::Answered { status, headers: &names, elapsed });
        let warnings = answer.warnings();
        if warnings.is_empty() {
            return;
        }
        let host = &request.url.origin().authority();
        let redactor = Secret::forms(request.secrets);
        for text in warnings {
            let text = redactor.redact(&text);
            if self.is_new(format!("{host} {text}")) {
                self.observer().tell(&Event::Warning { host, text: &text });
            }
        }
    }

    /// True for a warning that was not told yet. A registry that makes up new ones is not listened to for ever.
    fn is_new(&self, warning: String) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let new = warned.len() < MAX_WARNINGS && !warned.contains(&warning);
        if new {
            warned.push(warning);
        }
        new
    }
}

const USER_AGENT: &str = concat!("regq/", env!("CARGO_PKG_VERSION"));

const MAX_WARNINGS: usize = 16;

fn agent_config() -> ureq::config::Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        // ureq reads the environment by itself where it is not told otherwise.
        .proxy(None)
        .user_agent("")
        .accept("")
        // A header that is too large must fit into the buffer, else its error is misleading.
        .max_response_header_size(64 * 1024)
        .input_buffer_size(80 * 1024)
        // The head of a request is written in one piece, and a token may have 64 KiB.
        .output_buffer_size(96 * 1024)
        .max_idle_connections(32)
        .max_idle_connections_per_host(16)
        .build()
}
