//! A response: a head, and a body that is read from the connection while it arrives.

use std::fmt;
use std::io::{self, Read};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ureq::BodyReader;

use crate::error::{Error, Result};
use crate::http::{Head, retry_after};
use crate::transport::address_scope::AddressScope;
use crate::transport::error_map::ErrorContext;

/// How much of an error response's body is read, in bytes.
const MAX_ERROR_BODY: u64 = 64 * 1024;

/// The kind of a document, and its maximum size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// For error messages, such as `manifest`.
    pub(crate) what: &'static str,
    /// In bytes.
    pub(crate) bytes: u64,
}

/// A response whose body has not been read yet.
pub(super) struct Response {
    pub(super) head: Head,
    body: Body,
    /// The most public of the addresses that the host resolved to.
    scope: AddressScope,
}

/// A response whose body has been read. A token server's body is a secret, so `Debug` does not show it.
pub(crate) struct Fetched {
    pub(crate) head: Head,
    /// The whole body if the status is 2xx, else the first 64 KiB of it. Empty after a `HEAD`.
    pub(crate) body: Vec<u8>,
    /// The most public of the addresses that the host resolved to.
    pub(crate) scope: AddressScope,
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fetched({})", self.head.status())
    }
}

impl Fetched {
    /// Returns the HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.head.status()
    }

    /// Returns the wait that the response announces, if any.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        announced_wait(&self.head)
    }
}

/// Returns the wait that a response announces, if any.
pub(super) fn announced_wait(head: &Head) -> Option<Duration> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    retry_after::parse(head, now.as_secs())
}

/// Copies the head of ureq's response.
pub(super) fn head<B>(response: &ureq::http::Response<B>) -> Head {
    let fields = response.headers().iter();
    let fields = fields.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
    Head::new(response.status().as_u16(), fields)
}

impl Response {
    pub(super) fn new(
        head: Head,
        body: ureq::Body,
        scope: AddressScope,
        context: ErrorContext,
    ) -> Response {
        Response { head, body: Body { reader: body.into_reader(), context }, scope }
    }

    /// Reads the body: whole if the status is 2xx, else a prefix of it.
    ///
    /// # Errors
    /// If the status is 2xx, and the body exceeds the limit or the connection breaks before its end.
    pub(super) fn read(mut self, limit: Limit) -> Result<Fetched> {
        let body = if (200..300).contains(&self.head.status()) {
            self.body.read_whole(limit)?
        } else {
            self.body.read_prefix(MAX_ERROR_BODY)
        };
        Ok(Fetched { head: self.head, body, scope: self.scope })
    }

    /// Drops the body, for a `HEAD`, which has none.
    pub(super) fn without_body(self) -> Fetched {
        Fetched { head: self.head, body: Vec::new(), scope: self.scope }
    }
}

/// A body that has not been read yet. Reading fails with an [`io::Error`] that wraps our own [`Error`].
pub(super) struct Body {
    reader: BodyReader<'static>,
    context: ErrorContext,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer);
        read.map_err(|error| io::Error::other(self.context.error(ureq::Error::from(error))))
    }
}

impl Body {
    /// Reads the body to its end. Allocates for what arrives, never for the length that the server declares.
    ///
    /// # Errors
    /// If the body exceeds the limit or the connection breaks before its end.
    fn read_whole(&mut self, limit: Limit) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.take(limit.bytes.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| self.unwrap(error))?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit.bytes) {
            Ok(bytes)
        } else {
            Err(Error::TooLarge { what: limit.what, limit: limit.bytes })
        }
    }

    /// Reads at most `max` bytes, fewer if the connection breaks before.
    fn read_prefix(&mut self, max: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        // The prefix of an error page is useful even if the rest is lost.
        let _ = self.take(max).read_to_end(&mut bytes);
        bytes
    }

    /// Returns the error inside an error of [`Read`].
    fn unwrap(&self, error: io::Error) -> Error {
        match error.downcast::<Error>() {
            Ok(error) => error,
            Err(error) => self.context.error(ureq::Error::Io(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        AddressScope, Duration, Error, ErrorContext, Fetched, Head, Limit, MAX_ERROR_BODY, Read,
        Response, io,
    };
    use crate::error::ConnectionFault;

    const LIMIT: Limit = Limit { what: "manifest", bytes: 4 };

    /// A response with this body. After it, the connection breaks if `breaks`.
    fn response(status: u16, body: &'static [u8], breaks: bool) -> Response {
        let context = ErrorContext {
            host: "h.example".to_owned(),
            connect_timeout: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(1),
            time_limit: Duration::from_secs(1),
        };
        let body = ureq::Body::builder().reader(body.chain(Breaking(breaks)));
        Response::new(Head::new(status, []), body, AddressScope::Public, context)
    }

    struct Breaking(bool);

    impl Read for Breaking {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            if self.0 { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(0) }
        }
    }

    fn body(fetched: crate::error::Result<Fetched>) -> Option<Vec<u8>> {
        fetched.ok().map(|fetched| fetched.body)
    }

    #[test]
    fn a_body_may_have_the_limit_and_no_more() {
        assert_eq!(body(response(200, b"1234", false).read(LIMIT)).as_deref(), Some(&b"1234"[..]));
        let outcome = response(200, b"12345", false).read(LIMIT);
        assert!(matches!(outcome, Err(Error::TooLarge { what: "manifest", limit: 4 })));
    }

    #[test]
    fn an_error_body_is_read_as_far_as_possible() {
        for breaks in [false, true] {
            let read = body(response(403, b"forbidden", breaks).read(LIMIT));
            assert_eq!(read.as_deref(), Some(&b"forbidden"[..]));
        }
        let long = body(response(403, &[b'x'; 70_000], false).read(LIMIT));
        assert_eq!(long.and_then(|body| u64::try_from(body.len()).ok()), Some(MAX_ERROR_BODY));
    }

    #[test]
    fn a_broken_connection_is_our_own_error_even_through_read() {
        let is_broken = |error: &Error| {
            let Error::Connection(connection) = error else { return false };
            let broken = matches!(connection.fault, ConnectionFault::Broken(_));
            broken && connection.host == "h.example"
        };
        let outcome = response(200, b"12", true).read(LIMIT);
        assert!(outcome.is_err_and(|error| is_broken(&error)));
        let mut bytes = Vec::new();
        let outcome = response(200, b"12", true).body.read_to_end(&mut bytes);
        let error = outcome.err().and_then(|error| error.downcast::<Error>().ok());
        assert!(error.is_some_and(|error| is_broken(&error)));
        assert_eq!(bytes, b"12");
    }

    #[test]
    fn debug_hides_the_body() {
        let shown = response(200, b"1234", false).read(LIMIT).map(|fetched| format!("{fetched:?}"));
        assert_eq!(shown.ok().as_deref(), Some("Fetched(200)"));
    }
}
