//! The references that a command is asked about: those on its command line, and for `-` those on
//! stdin, each handed out as it is read.

use std::ffi::OsString;
use std::io::{BufRead, Read};

use regq::error::Error;
use regq::reference::Reference;

use crate::cli::failure::Failure;

/// The longest line that is read from stdin, in bytes.
const LINE_LIMIT: u64 = 64 * 1024;

/// How much of a longer line is passed over to reach the next one, in bytes. What has no lines, such as `/dev/zero`,
/// has no end either.
const SKIP_LIMIT: u64 = 1024 * 1024;

/// A reference as it was typed, and as it was read. Bytes that are no text are shown as U+FFFD.
pub(crate) struct Item {
    pub(crate) typed: String,
    pub(crate) reference: Result<Reference, Failure>,
}

/// Hands out items in input order.
pub(crate) struct Items<'a> {
    operands: std::slice::Iter<'a, OsString>,
    stdin: &'a mut dyn BufRead,
    reading_stdin: bool,
}

impl<'a> Items<'a> {
    pub(crate) fn new(operands: &'a [OsString], stdin: &'a mut dyn BufRead) -> Items<'a> {
        Items { operands: operands.iter(), stdin, reading_stdin: false }
    }

    /// The next item; `None` at the end.
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

    /// The next line of stdin that has something in it.
    fn line(&mut self) -> Result<Option<Item>, Failure> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let failed = |error| Failure::local(format!("standard input: cannot be read: {error}"));
            let limited = &mut (&mut *self.stdin).take(LINE_LIMIT + 1);
            if limited.read_until(b'\n', &mut line).map_err(failed)? == 0 {
                return Ok(None);
            }
            let whole =
                line.ends_with(b"\n") || u64::try_from(line.len()).is_ok_and(|n| n <= LINE_LIMIT);
            if !whole {
                let limited = &mut (&mut *self.stdin).take(SKIP_LIMIT);
                limited.skip_until(b'\n').map_err(failed)?;
                if limited.limit() == 0 {
                    return Err(Failure::unreadable(
                        "standard input: not a list of references: a line is longer than 1 MiB",
                    ));
                }
            }
            let mut parts = line.split(|byte| *byte == b'#');
            let text = parts.next().unwrap_or_default().trim_ascii();
            // However long a comment is, the reference in front of it is whole.
            if !whole && parts.next().is_none() {
                // Long enough to recognise it, short enough to show.
                let start = String::from_utf8_lossy(text).chars().take(64).collect::<String>();
                let failure = Failure::unreadable("the line is longer than 65536 bytes");
                return Ok(Some(Item { typed: start + "...", reference: Err(failure) }));
            }
            if text.is_empty() {
                continue;
            }
            return Ok(Some(item(text)));
        }
    }
}

/// Reads one reference. A text that is none is the item's failure, not the command's.
pub(crate) fn item(bytes: &[u8]) -> Item {
    let typed = String::from_utf8_lossy(bytes).into_owned();
    let reference = match std::str::from_utf8(bytes) {
        Ok(text) => Reference::parse(text).map_err(|error| Failure::new(&Error::from(error), None)),
        Err(error) => {
            let at = error.valid_up_to();
            Err(Failure::unreadable(&format!("byte {at}: not UTF-8")))
        }
    };
    Item { typed, reference }
}
