//! Reads HTTP/1.1 requests (RFC 9112, sections 3 and 6), and gives tests access to their parts.
//!
//! Header names are in lower case. Bytes that are not UTF-8 become U+FFFD.

use super::wire::Wire;
use std::io;

/// A complete request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The target as received: path and query, not decoded.
    pub(crate) target: String,
    /// Names in lower case and values, in order.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The number of its connection, from 0.
    pub(crate) connection: usize,
    /// The status of the response; 0 if there is none yet.
    pub(crate) status: u16,
}

/// The next event of a connection.
pub(crate) enum Incoming {
    /// A request, and the number of its bytes that are still unread: a reset needs an unread byte.
    Request(Request, usize),
    /// The client closed the connection between two requests.
    End,
    /// Bytes that do not start a request.
    Other,
}

impl Request {
    /// `HEAD /v2/a/manifests/latest`
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    /// The value of a header. Panics if the header is repeated.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let values = self.header_all(name);
        assert!(values.len() < 2, "{name} occurs {} times: {values:?}", values.len());
        values.first().copied()
    }

    /// All values of a header, one per line.
    pub(crate) fn header_all(&self, name: &str) -> Vec<&str> {
        let same = |other: &&(String, String)| other.0.eq_ignore_ascii_case(name);
        self.headers.iter().filter(same).map(|(_, value)| value.as_str()).collect()
    }

    /// The path, not decoded.
    pub(crate) fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The values of a query parameter, decoded and in order.
    pub(crate) fn query(&self, name: &str) -> Vec<String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        pairs(query).into_iter().filter(|pair| pair.0 == name).map(|pair| pair.1).collect()
    }

    /// The values of a field in a body of type `application/x-www-form-urlencoded`.
    pub(crate) fn form(&self, name: &str) -> Vec<String> {
        let body = String::from_utf8_lossy(&self.body);
        pairs(&body).into_iter().filter(|pair| pair.0 == name).map(|pair| pair.1).collect()
    }

    /// Waits for the next request of a connection. Reads byte by byte, because the last byte must stay unread.
    pub(crate) fn read(wire: &mut dyn Wire, connection: usize) -> io::Result<Incoming> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r") {
            let mut byte = [0];
            match wire.read(&mut byte) {
                Ok(0) if head.is_empty() => return Ok(Incoming::End),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => head.extend(byte),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if head.first().is_some_and(|first| !first.is_ascii_uppercase()) {
                return Ok(Incoming::Other);
            }
        }
        let Some(mut request) = Request::parse(&head, connection) else {
            return Ok(Incoming::Other);
        };
        assert_eq!(request.header("transfer-encoding"), None, "unsupported by this server");
        let length = request
            .header("content-length")
            .map_or(0, |length| length.parse::<usize>().expect("a numeric Content-Length"));
        // The line feed at the end of the head is still unread, then comes the body.
        let mut rest = vec![0; length];
        wire.read_exact(&mut rest)?;
        let (last, unread) = wire.last_byte()?;
        rest.push(last);
        request.body = rest.split_off(1);
        Ok(Incoming::Request(request, unread))
    }

    fn parse(head: &[u8], connection: usize) -> Option<Request> {
        let head = String::from_utf8_lossy(head);
        let mut lines = head.trim_end().split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, target, version) = (first.next()?, first.next()?, first.next()?);
        if first.next().is_some() || !version.starts_with("HTTP/1.") {
            return None;
        }
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(':')?;
                Some((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()))
            })
            .collect::<Option<Vec<_>>>()?;
        let (method, target) = (method.to_owned(), target.to_owned());
        Some(Request { method, target, headers, body: Vec::new(), connection, status: 0 })
    }
}

/// The pairs of a query or form, decoded; `+` is a space.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    };
    text.split('&').filter(|text| !text.is_empty()).map(pair).collect()
}

fn decode(text: &str) -> String {
    let mut decoded = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = (byte == b'%').then(|| after.split_at_checked(2)).flatten().and_then(
            |(digits, after)| {
                let digit = |digit: u8| char::from(digit).to_digit(16);
                let value = digit(digits[0])? * 16 + digit(digits[1])?;
                Some((u8::try_from(value).ok()?, after))
            },
        );
        let (byte, after) = match (byte, escaped) {
            (b'%', None) => panic!("invalid percent-encoding in {text:?}"),
            (_, Some(escaped)) => escaped,
            (b'+', None) => (b' ', after),
            (_, None) => (byte, after),
        };
        decoded.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
