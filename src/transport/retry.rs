//! Sends requests, and retries them after transient failures.
//!
//! Connection failures, truncated bodies and some statuses are transient. A request is retried at most `retries` times,
//! with growing waits. `Retry-After` is obeyed up to `max_wait` (RFC 9110 section 10.2.3).
//!
//! If the server closes a pooled connection just when it is used, the request is sent again at once on a new connection.
//! That does not count as a retry.

use std::thread;
use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::error::{ConnectionFault, Error, Result, is_transient_status};
use crate::event::Event;
use crate::http::Head;
use crate::transport::agent::Transport;
use crate::transport::deadline::Deadline;
use crate::transport::request::{Method, Request};
use crate::transport::resolver::Progress;
use crate::transport::response::{Fetched, Limit, Response, announced_wait};
use crate::transport::send::{Attempt, Call};
use crate::transport::settings::Settings;

/// Longest wait before the first retry. It doubles with every retry.
const FIRST_BACKOFF: Duration = Duration::from_millis(200);

/// Longest wait unless the server announces a longer one.
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// An announced wait is extended by a random time up to this, or an eighth of it, whichever is less.
const MAX_JITTER: Duration = Duration::from_secs(2);

impl Transport {
    /// Sends a request, and reads its response. Every status is a response.
    ///
    /// # Errors
    /// If no response arrives after all retries, or it is not HTTP, or its body exceeds the limit.
    pub(crate) fn fetch(
        &self,
        request: Request<'_>,
        limit: Limit,
        deadline: &mut Deadline,
        call: Call<'_>,
    ) -> Result<Fetched> {
        if request.method == Method::Head {
            return self.open(request, deadline, call).map(Response::without_body);
        }
        self.with_retries(request, deadline, call, |response| response.read(limit))
    }

    /// Sends a request, and returns its response with the body unread. Once this returns, nothing is retried.
    fn open(
        &self,
        request: Request<'_>,
        deadline: &mut Deadline,
        call: Call<'_>,
    ) -> Result<Response> {
        self.with_retries(request, deadline, call, Ok)
    }

    fn with_retries<T>(
        &self,
        request: Request<'_>,
        deadline: &mut Deadline,
        call: Call<'_>,
        read: impl Fn(Response) -> Result<T>,
    ) -> Result<T> {
        let mut retry = Retry::new(&self.settings, request);
        loop {
            let Attempt { outcome, progress } = self.send_once(request, deadline, call);
            let by_status =
                outcome.as_ref().ok().and_then(|response| Failure::of_status(&response.head));
            let mut outcome = outcome.and_then(&read);
            if let Err(Error::Connection(connection)) = &mut outcome {
                connection.attempts = retry.retries + 1;
            }
            let failure = match &outcome {
                Ok(_) => by_status,
                Err(error) => Failure::of_error(error, progress, request.method),
            };
            let Some(Failure { reason, kind }) = failure else { return outcome };
            match retry.next(kind, deadline.left()) {
                None => return outcome,
                Some(Next::Reconnect) => {}
                Some(Next::Wait { time, announced }) => {
                    if announced {
                        deadline.extend(time);
                    }
                    let host = &request.url.origin().authority();
                    let event = Event::Retrying { host, reason: &reason, wait: time, announced };
                    call.observer.emit(&event);
                    thread::sleep(time);
                }
            }
        }
    }
}

/// A failure after which the request may be sent again.
#[derive(Debug)]
struct Failure {
    /// A description for messages.
    reason: String,
    kind: FailureKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FailureKind {
    /// A connection failure, or a status without `Retry-After`.
    Transient,
    /// A status with `Retry-After`.
    Announced(Duration),
    /// The server closed a pooled connection just when it was used.
    StaleConnection,
}

impl Failure {
    /// Returns `None` for success and for permanent failures.
    fn of_status(head: &Head) -> Option<Failure> {
        let status = head.status();
        is_transient_status(status).then(|| Failure {
            reason: format!("status {status}"),
            kind: announced_wait(head).map_or(FailureKind::Transient, FailureKind::Announced),
        })
    }

    /// Returns `None` for permanent failures, and if it is not safe to send the request again.
    ///
    /// A `POST` carries a refresh token, and some servers accept each only once. So a `POST` is sent again only if it
    /// failed before any of it was sent.
    fn of_error(error: &Error, progress: Option<Progress>, method: Method) -> Option<Failure> {
        let Error::Connection(connection) = error else { return None };
        let may_have_arrived = progress != Some(Progress::Connecting);
        if !error.is_transient() || (method == Method::Post && may_have_arrived) {
            return None;
        }
        let broken = matches!(connection.fault, ConnectionFault::Broken(_));
        let kind = if broken && progress == Some(Progress::Pooled) {
            FailureKind::StaleConnection
        } else {
            FailureKind::Transient
        };
        Some(Failure { reason: error.to_string(), kind })
    }
}

/// Decides whether and when a request is sent again.
#[derive(Debug)]
struct Retry {
    /// How many retries there have been.
    retries: u32,
    max_retries: u32,
    max_wait: Duration,
    /// Whether a stale connection may be replaced without counting a retry.
    may_reconnect: bool,
}

/// When a request is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// At once, on a new connection.
    Reconnect,
    /// After a wait.
    Wait {
        time: Duration,
        /// Whether the server announced it.
        announced: bool,
    },
}

impl Retry {
    fn new(settings: &Settings, request: Request<'_>) -> Retry {
        Retry {
            retries: 0,
            max_retries: if request.retried { settings.retries } else { 0 },
            max_wait: settings.max_wait,
            may_reconnect: request.retried,
        }
    }

    /// Returns when the request is sent again; `None` if the failure is final. `left` is the time until the deadline,
    /// which announced waits extend.
    fn next(&mut self, failure: FailureKind, left: Option<Duration>) -> Option<Next> {
        if failure == FailureKind::StaleConnection && self.may_reconnect {
            self.may_reconnect = false;
            return Some(Next::Reconnect);
        }
        if self.retries >= self.max_retries {
            return None;
        }
        let (left, backoff) = (left?, backoff(self.retries));
        let next = match failure {
            FailureKind::Announced(wait) if wait > self.max_wait => return None,
            // A shorter wait, such as 0, does not shorten the backoff.
            FailureKind::Announced(wait) if wait >= backoff => {
                Next::Wait { time: wait + jitter((wait / 8).min(MAX_JITTER)), announced: true }
            }
            FailureKind::Announced(_) | FailureKind::Transient | FailureKind::StaleConnection => {
                if backoff >= left {
                    return None;
                }
                Next::Wait { time: backoff, announced: false }
            }
        };
        self.retries += 1;
        Some(next)
    }
}

/// Returns the wait before a retry: 0.2 s, doubled with every retry, at most 10 s; of that, half to all at random, so
/// that clients that failed together do not return together.
fn backoff(retries: u32) -> Duration {
    let full = FIRST_BACKOFF.saturating_mul(1 << retries.min(8)).min(MAX_BACKOFF);
    full / 2 + jitter(full / 2)
}

/// Returns a random time up to `max`.
fn jitter(max: Duration) -> Duration {
    let mut random = [0; 2];
    // Without random numbers, wait longest.
    let share = match SystemRandom::new().fill(&mut random) {
        Ok(()) => u32::from(u16::from_be_bytes(random)),
        Err(_) => u32::from(u16::MAX),
    };
    max * share / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{
        ConnectionFault, Duration, Error, Failure, FailureKind, Method, Next, Progress, Retry,
        backoff,
    };
    use crate::error::ConnectionError;

    const LONG: Option<Duration> = Some(Duration::from_secs(3600));

    fn retry(max_retries: u32) -> Retry {
        Retry { retries: 0, max_retries, max_wait: Duration::from_secs(60), may_reconnect: true }
    }

    #[test]
    fn backoff_grows_and_stays_in_bounds() {
        for (retries, low, high) in
            [(0, 100, 200), (1, 200, 400), (2, 400, 800), (40, 5_000, 10_000)]
        {
            let wait = backoff(retries);
            assert!(wait >= Duration::from_millis(low), "{retries}: {wait:?}");
            assert!(wait <= Duration::from_millis(high), "{retries}: {wait:?}");
        }
    }

    fn announced_wait(seconds: u64, left: Option<Duration>) -> Option<(Duration, bool)> {
        let announced = FailureKind::Announced(Duration::from_secs(seconds));
        match retry(1).next(announced, left)? {
            Next::Wait { time, announced } => Some((time, announced)),
            Next::Reconnect => None,
        }
    }

    #[test]
    fn announced_waits_are_obeyed_with_jitter_and_not_counted() {
        // Longer than the time that is left.
        let left = Some(Duration::from_secs(1));
        let waits: Vec<_> = (0..20).filter_map(|_| announced_wait(20, left)).collect();
        assert_eq!(waits.len(), 20);
        for (wait, announced) in &waits {
            assert!(*announced && (20..=22).contains(&wait.as_secs()), "{wait:?}");
        }
        assert!(waits.iter().any(|wait| Some(wait) != waits.first()), "in step: {waits:?}");
    }

    #[test]
    fn announced_waits_shorter_than_the_backoff_are_the_backoff() {
        let waits: Vec<_> = (0..20).filter_map(|_| announced_wait(0, LONG)).collect();
        assert_eq!(waits.len(), 20);
        for (wait, announced) in waits {
            assert!(wait >= Duration::from_millis(100) && !announced, "{wait:?}");
        }
    }

    #[test]
    fn announced_waits_that_are_too_long_or_too_late_are_final() {
        assert!(announced_wait(60, LONG).is_some());
        assert_eq!(announced_wait(61, LONG), None);
        assert_eq!(announced_wait(1, None), None);
    }

    #[test]
    fn retries_end_at_their_limit_and_at_the_deadline() {
        let mut two = retry(2);
        assert!(two.next(FailureKind::Transient, LONG).is_some());
        assert!(two.next(FailureKind::Transient, LONG).is_some());
        assert_eq!(two.next(FailureKind::Transient, LONG), None);
        assert_eq!(retry(2).next(FailureKind::Transient, Some(Duration::from_millis(99))), None);
        assert_eq!(retry(2).next(FailureKind::Transient, None), None);
    }

    #[test]
    fn a_stale_connection_is_replaced_once_and_not_counted() {
        let mut retry = retry(1);
        assert_eq!(retry.next(FailureKind::StaleConnection, LONG), Some(Next::Reconnect));
        assert!(
            retry
                .next(FailureKind::StaleConnection, LONG)
                .is_some_and(|next| { matches!(next, Next::Wait { announced: false, .. }) })
        );
        assert_eq!(retry.next(FailureKind::StaleConnection, LONG), None);
    }

    #[test]
    fn post_is_retried_only_if_nothing_was_sent() {
        let error = |fault| {
            let host = "h".to_owned();
            Error::Connection(Box::new(ConnectionError::new(host, fault)))
        };
        let broken = || error(ConnectionFault::Broken(io::Error::other("reset").into()));
        let silent = || error(ConnectionFault::IdleTimeout(Duration::from_secs(1)));
        let kind = |error: &Error, progress, method| {
            Failure::of_error(error, Some(progress), method).map(|failure| failure.kind)
        };
        for progress in [Progress::Pooled, Progress::Connected] {
            assert!(kind(&broken(), progress, Method::Get).is_some());
            assert!(kind(&silent(), progress, Method::Head).is_some());
            assert_eq!(kind(&broken(), progress, Method::Post), None);
            assert_eq!(kind(&silent(), progress, Method::Post), None);
        }
        let transient = Some(FailureKind::Transient);
        assert_eq!(kind(&broken(), Progress::Connecting, Method::Post), transient);
        let stale = Some(FailureKind::StaleConnection);
        assert_eq!(kind(&broken(), Progress::Pooled, Method::Get), stale);
    }
}
