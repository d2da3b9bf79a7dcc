//! Builds the response to a request (RFC 9112, sections 4 and 6). A response is correct unless a method adds a fault.

use super::request::Request;
use super::wire::Wire;
use std::io;

/// A response to send.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    framing: Framing,
    ending: Ending,
    /// Bytes to send before everything else.
    before: Vec<u8>,
    /// Bytes to send instead of everything else.
    raw: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length,
    Chunked,
    UntilClose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    KeepAlive,
    Close,
    CloseBefore,
    Reset,
    Silent,
    CutAfter(usize),
    StallAfter(usize),
}

/// What happens to the connection after a response.
pub(crate) enum After {
    /// Reads the next request.
    Next,
    /// Closes it in order.
    Close,
    /// Drops it, without TLS `close_notify`.
    Cut,
    /// Waits until the client closes it.
    Silence,
}

impl Reply {
    /// A response with this status, without headers and body.
    pub(crate) fn new(status: u16) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            framing: Framing::Length,
            ending: Ending::KeepAlive,
            before: Vec::new(),
            raw: None,
        }
    }

    /// Adds a header, even a repeated one. The value may be any bytes. A `Content-Length` replaces the computed one, even if
    /// it is wrong; the connection then closes after the response.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Reply {
        self.headers.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Sets the body. A HEAD request gets only its headers.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Reply {
        self.body = body.into();
        self
    }

    /// Sends the body in two chunks, without `Content-Length`.
    pub(crate) fn chunked(mut self) -> Reply {
        self.framing = Framing::Chunked;
        self
    }

    /// Sends the body without a length, up to the end of the connection.
    pub(crate) fn until_close(mut self) -> Reply {
        self.framing = Framing::UntilClose;
        self
    }

    /// Sends an informational response (1xx) with one header first.
    pub(crate) fn informational(mut self, status: u16, name: &str, value: &str) -> Reply {
        let early = format!("HTTP/1.1 {status} {}\r\n{name}: {value}\r\n\r\n", reason(status));
        self.before.extend(early.into_bytes());
        self
    }

    /// Closes the connection after the response, without announcing it.
    pub(crate) fn then_close(mut self) -> Reply {
        self.ending = Ending::Close;
        self
    }

    /// Drops the connection after `count` bytes of the body.
    pub(crate) fn cut_after(mut self, count: usize) -> Reply {
        self.ending = Ending::CutAfter(count);
        self
    }

    /// Stops after `count` bytes of the body, and keeps the connection open until the client closes it.
    pub(crate) fn stall_after(mut self, count: usize) -> Reply {
        self.ending = Ending::StallAfter(count);
        self
    }

    /// Closes the connection without a response.
    pub(crate) fn close() -> Reply {
        Reply { ending: Ending::CloseBefore, ..Reply::new(0) }
    }

    /// Resets the connection without a response. Only without TLS.
    pub(crate) fn reset() -> Reply {
        Reply { ending: Ending::Reset, ..Reply::new(0) }
    }

    /// Sends no response, until the client closes the connection.
    pub(crate) fn silent() -> Reply {
        Reply { ending: Ending::Silent, ..Reply::new(0) }
    }

    /// Sends these bytes instead of a response, then closes the connection.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Reply {
        Reply { raw: Some(bytes.into()), ending: Ending::Close, ..Reply::new(0) }
    }

    /// The status; 0 if none is sent.
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    pub(super) fn is_reset(&self) -> bool {
        self.ending == Ending::Reset
    }

    /// Sends the response, or the part of it that is to be sent.
    pub(super) fn write(&self, wire: &mut dyn Wire, request: &Request) -> io::Result<After> {
        match self.ending {
            Ending::CloseBefore | Ending::Reset => return Ok(After::Close),
            Ending::Silent => return Ok(After::Silence),
            Ending::KeepAlive | Ending::Close | Ending::CutAfter(_) | Ending::StallAfter(_) => {}
        }
        let mut bytes = self.before.clone();
        match &self.raw {
            Some(raw) => bytes.extend(raw),
            None => {
                bytes.extend(self.head());
                if request.method != "HEAD" {
                    bytes.extend(self.framed_body());
                }
            }
        }
        // A single write, so that the client does not see additional boundaries.
        wire.write_all(&bytes)?;
        wire.flush()?;
        Ok(match self.ending {
            Ending::CutAfter(_) => After::Cut,
            Ending::StallAfter(_) => After::Silence,
            Ending::KeepAlive
                if self.framing != Framing::UntilClose && !self.has_wrong_length() =>
            {
                After::Next
            }
            Ending::KeepAlive
            | Ending::Close
            | Ending::CloseBefore
            | Ending::Reset
            | Ending::Silent => After::Close,
        })
    }

    fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status)).into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            head.extend(name.as_bytes());
            head.extend(b": ");
            head.extend(value);
            head.extend(b"\r\n");
        };
        for (name, value) in &self.headers {
            line(name, value);
        }
        // RFC 9110, section 8.6: these have neither a body nor a length.
        let bodiless = self.status < 200 || matches!(self.status, 204 | 304);
        match self.framing {
            _ if bodiless => {}
            Framing::Length if self.content_length().is_some() => {}
            Framing::Length => line("Content-Length", self.body.len().to_string().as_bytes()),
            Framing::Chunked => line("Transfer-Encoding", b"chunked"),
            Framing::UntilClose => line("Connection", b"close"),
        }
        head.extend(b"\r\n");
        head
    }

    /// The body with its framing, up to the position where it is cut.
    fn framed_body(&self) -> Vec<u8> {
        let (end, cut) = match self.ending {
            Ending::CutAfter(count) | Ending::StallAfter(count) => (count, true),
            Ending::KeepAlive
            | Ending::Close
            | Ending::CloseBefore
            | Ending::Reset
            | Ending::Silent => (self.body.len(), false),
        };
        let body = self.body.get(..end).expect("a position inside the body");
        if self.framing != Framing::Chunked {
            return body.to_owned();
        }
        let mut framed = Vec::new();
        let (first, second) = body.split_at(body.len() / 2);
        for chunk in [first, second].into_iter().filter(|chunk| !chunk.is_empty()) {
            framed.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            framed.extend(chunk);
            framed.extend(b"\r\n");
        }
        if !cut {
            framed.extend(b"0\r\n\r\n");
        }
        framed
    }

    fn content_length(&self) -> Option<&[u8]> {
        let header =
            self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        header.map(|(_, value)| value.as_slice())
    }

    fn has_wrong_length(&self) -> bool {
        let length = self.body.len().to_string();
        self.content_length().is_some_and(|value| value != length.as_bytes())
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        103 => "Early Hints",
        200 => "OK",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        // A reason may be empty, but the space before it is required.
        _ => "",
    }
}
