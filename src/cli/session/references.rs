//! Reads the references that a command works on: its operands and, for `-`, the lines of standard input.
//!
//! Each reference is returned as soon as it is read, so that the list may be endless.

use std::ffi::OsString;
use std::io::{BufRead, Read};

use regq::error::Error;
use regq::reference::Reference;

use crate::cli::failure::Failure;

/// The maximum length of a line on stdin, in bytes.
const MAX_LINE: u64 = 64 * 1024;

/// The maximum number of bytes skipped to find the end of a longer line. Input without lines, such as `/dev/zero`, may be
/// endless.
const MAX_SKIPPED: u64 = 1024 * 1024;

/// A reference: the text that was typed, and the result of parsing it.
pub(crate) struct Item {
    /// Invalid UTF-8 is replaced by U+FFFD.
    pub(crate) typed: String,
    pub(crate) reference: Result<Reference, Failure>,
}

/// Returns items in input order.
pub(crate) struct Items<'a> {
    operands: std::slice::Iter<'a, OsString>,
    stdin: &'a mut dyn BufRead,
    reading_stdin: bool,
}

impl<'a> Items<'a> {
    pub(crate) fn new(operands: &'a [OsString], stdin: &'a mut dyn BufRead) -> Items<'a> {
        Items { operands: operands.iter(), stdin, reading_stdin: false }
    }

    /// Reads the next item; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, Failure> {
        loop {
            if self.reading_stdin {
                match self.line()? {
                    Some(item) => return Ok(Some(item)),
                    None => self.reading_stdin = false,
                }
            }
            match self.operands.next() {
                None => return Ok(None),
                Some(operand) if operand == "-" => self.reading_stdin = true,
                Some(operand) => return Ok(Some(item(operand.as_encoded_bytes()))),
            }
        }
    }

    /// Reads the next line of stdin that contains a reference.
    fn line(&mut self) -> Result<Option<Item>, Failure> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let failed = |error| Failure::local(format!("standard input: cannot be read: {error}"));
            let limited = &mut (&mut *self.stdin).take(MAX_LINE + 1);
            if limited.read_until(b'\n', &mut line).map_err(failed)? == 0 {
                return Ok(None);
            }
            let complete =
                line.ends_with(b"\n") || u64::try_from(line.len()).is_ok_and(|n| n <= MAX_LINE);
            if !complete {
                let limited = &mut (&mut *self.stdin).take(MAX_SKIPPED);
                limited.skip_until(b'\n').map_err(failed)?;
                if limited.limit() == 0 {
                    return Err(Failure::usage(
                        "standard input: not a list of references: a line is longer than 1 MiB"
                            .to_owned(),
                    ));
                }
            }
            let mut parts = line.split(|byte| *byte == b'#');
            let text = parts.next().unwrap_or_default().trim_ascii();
            // Before a comment the reference is complete, even if the line is too long.
            if !complete && parts.next().is_none() {
                // Long enough to recognize the line, short enough to print.
                let start = String::from_utf8_lossy(text).chars().take(64).collect::<String>();
                let failure = Failure::usage("the line is longer than 65536 bytes".to_owned());
                return Ok(Some(Item { typed: start + "...", reference: Err(failure) }));
            }
            if text.is_empty() {
                continue;
            }
            return Ok(Some(item(text)));
        }
    }
}

/// Parses one reference. An invalid one is a failure of the item, not of the command.
pub(crate) fn item(bytes: &[u8]) -> Item {
    let typed = String::from_utf8_lossy(bytes).into_owned();
    let reference = match std::str::from_utf8(bytes) {
        Ok(text) => Reference::parse(text).map_err(|error| Failure::new(&Error::from(error), None)),
        Err(error) => {
            let at = error.valid_up_to();
            Err(Failure::usage(format!("byte {at}: not UTF-8")))
        }
    };
    Item { typed, reference }
}
