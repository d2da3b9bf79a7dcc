//! An answer: status, header lines, and a body that was read whole or cut at a limit.

use std::fmt;
use std::io::Read as _;
use std::time::Duration;

use ureq::http::HeaderMap;

use crate::transport::retry;

/// What came back. Header values are bytes: they come from anybody. A token server's body is a secret, so
/// `Debug` shows the status alone.
pub struct Answer {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({})", self.status)
    }
}

impl Answer {
    pub(super) fn new(status: u16, headers: &HeaderMap) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect();
        Answer { status, headers, body: Vec::new() }
    }

    /// Reads at most `most` bytes; true when there were more. Memory grows with what came, never by what was
    /// declared.
    pub(super) fn read_body(
        &mut self,
        body: &mut ureq::Body,
        most: u64,
    ) -> Result<bool, ureq::Error> {
        let read = body.as_reader().take(most + 1).read_to_end(&mut self.body);
        let whole = usize::try_from(most).unwrap_or(usize::MAX);
        let more = self.body.len() > whole;
        self.body.truncate(whole);
        read.map(|_| more).map_err(ureq::Error::from)
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body as far as it was read; empty after a HEAD.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Puts the body of another answer in place of this one's.
    pub(crate) fn take_body(&mut self, other: Answer) {
        self.body = other.body;
    }

    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// The values of all lines with this name, in order.
    pub fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers
            .iter()
            .filter(move |(found, _)| found == name)
            .map(|(_, value)| value.as_slice())
    }

    /// The value of the first line with this name, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.lines(name).next().and_then(|value| std::str::from_utf8(value).ok()).map(str::trim)
    }

    /// The wait that the answer asks for.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        retry::retry_after(self.header("retry-after")?, self.header("date"))
    }

    /// The names of its headers, each once, in the order in which they came.
    pub(super) fn header_names(&self) -> Vec<&str> {
        let mut names = Vec::with_capacity(self.headers.len());
        for (name, _) in &self.headers {
            if !names.contains(&name.as_str()) {
                names.push(name.as_str());
            }
        }
        names
    }

    /// The texts of its `Warning: 299` lines (distribution-spec, "Warnings").
    pub(super) fn warnings(&self) -> Vec<String> {
        self.lines("warning").filter_map(warning_text).collect()
    }
}

/// The text of `299 - "text"`, cut where the specification ends it.
fn warning_text(value: &[u8]) -> Option<String> {
    let value = value.get(..value.len().min(4096))?;
    let value = String::from_utf8_lossy(value);
    let quoted = value.trim().strip_prefix("299 ")?.split_once('"')?.1;
    let mut text = String::new();
    let mut escaped = false;
    for c in quoted.chars() {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => break,
            c => {
                text.push(c);
                escaped = false;
            }
        }
    }
    Some(text)
}
