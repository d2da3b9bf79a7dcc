//! The answer to one request (RFC 9112, sections 4 and 6), right or wrong: what
//! is not told otherwise is right, and every fault is asked for by name.

use super::request::Request;
use super::wire::Wire;
use std::io;

/// An answer under construction.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    framing: Framing,
    ending: Ending,
    /// Sent before everything else, as it is.
    before: Vec<u8>,
    /// Sent in place of everything else, as it is.
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

/// What the connection is for once an answer is written.
pub(crate) enum After {
    /// The next request.
    Next,
    /// An orderly end.
    Close,
    /// An end without a word, of TLS neither.
    Cut,
    /// Nothing but waiting until the client goes away.
    Silence,
}

impl Reply {
    /// An answer with this status, no header and no body.
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

    /// Adds a field line; a name may come again. The value may be any bytes. A
    /// `Content-Length` given here stands, also where it is a lie, and the
    /// connection ends after it.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Reply {
        self.headers.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// The body. HEAD gets the headers that belong to it and no byte of it.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Reply {
        self.body = body.into();
        self
    }

    /// The body in two chunks, without `Content-Length`.
    pub(crate) fn chunked(mut self) -> Reply {
        self.framing = Framing::Chunked;
        self
    }

    /// The body without a length, ended by the connection's end.
    pub(crate) fn until_close(mut self) -> Reply {
        self.framing = Framing::UntilClose;
        self
    }

    /// An informational answer (103) with one field line goes first.
    pub(crate) fn informational(mut self, status: u16, name: &str, value: &str) -> Reply {
        let early = format!("HTTP/1.1 {status} {}\r\n{name}: {value}\r\n\r\n", reason(status));
        self.before.extend(early.into_bytes());
        self
    }

    /// The answer is whole and promises nothing, then the connection ends.
    pub(crate) fn then_close(mut self) -> Reply {
        self.ending = Ending::Close;
        self
    }

    /// The connection ends without a word after `count` bytes of the body.
    pub(crate) fn cut_after(mut self, count: usize) -> Reply {
        self.ending = Ending::CutAfter(count);
        self
    }

    /// Nothing more comes after `count` bytes of the body, and the connection
    /// stays open until the client ends it.
    pub(crate) fn stall_after(mut self, count: usize) -> Reply {
        self.ending = Ending::StallAfter(count);
        self
    }

    /// No answer: the connection ends in order.
    pub(crate) fn close() -> Reply {
        Reply { ending: Ending::CloseBefore, ..Reply::new(0) }
    }

    /// No answer: the connection is reset. Only without TLS.
    pub(crate) fn reset() -> Reply {
        Reply { ending: Ending::Reset, ..Reply::new(0) }
    }

    /// No answer, until the client goes away.
    pub(crate) fn silent() -> Reply {
        Reply { ending: Ending::Silent, ..Reply::new(0) }
    }

    /// These bytes in place of an answer, then the connection ends.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Reply {
        Reply { raw: Some(bytes.into()), ending: Ending::Close, ..Reply::new(0) }
    }

    /// The status, 0 where none is sent.
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    pub(super) fn is_reset(&self) -> bool {
        self.ending == Ending::Reset
    }

    /// Sends the answer, as far as it goes.
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
        // In one go, so that a client sees no boundary that the answer lacks.
        wire.write_all(&bytes)?;
        wire.flush()?;
        Ok(match self.ending {
            Ending::CutAfter(_) => After::Cut,
            Ending::StallAfter(_) => After::Silence,
            Ending::KeepAlive if self.framing != Framing::UntilClose && !self.lies() => After::Next,
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
        // RFC 9110, section 8.6: these have no body, so no length either.
        let bodiless = self.status < 200 || matches!(self.status, 204 | 304);
        match self.framing {
            _ if bodiless => {}
            Framing::Length if self.declared().is_some() => {}
            Framing::Length => line("Content-Length", self.body.len().to_string().as_bytes()),
            Framing::Chunked => line("Transfer-Encoding", b"chunked"),
            Framing::UntilClose => line("Connection", b"close"),
        }
        head.extend(b"\r\n");
        head
    }

    /// The body's bytes on the wire, up to where they are cut.
    fn framed_body(&self) -> Vec<u8> {
        let (end, cut) = match self.ending {
            Ending::CutAfter(count) | Ending::StallAfter(count) => (count, true),
            Ending::KeepAlive
            | Ending::Close
            | Ending::CloseBefore
            | Ending::Reset
            | Ending::Silent => (self.body.len(), false),
        };
        let body = self.body.get(..end).expect("a body is cut inside");
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

    fn declared(&self) -> Option<&[u8]> {
        let given =
            self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        given.map(|(_, value)| value.as_slice())
    }

    fn lies(&self) -> bool {
        let length = self.body.len().to_string();
        self.declared().is_some_and(|declared| declared != length.as_bytes())
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
        // A reason may be empty; its space may not.
        _ => "",
    }
}
