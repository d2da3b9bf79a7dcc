//! Writes answers to standard output.

use std::io::{self, Write};

use serde::Serialize;

use super::escape::{Escape, escape_into};

/// Standard output.
pub(crate) struct Stdout {
    sink: Box<dyn Write>,
    is_terminal: bool,
}

/// Why an answer could not be written.
#[derive(Debug)]
pub(crate) enum StdoutError {
    /// The reader has closed the pipe, which is not an error of the program.
    Closed,
    Failed(io::Error),
}

impl From<io::Error> for StdoutError {
    fn from(error: io::Error) -> StdoutError {
        if error.kind() == io::ErrorKind::BrokenPipe {
            StdoutError::Closed
        } else {
            StdoutError::Failed(error)
        }
    }
}

impl Stdout {
    pub(crate) fn new(sink: Box<dyn Write>, is_terminal: bool) -> Stdout {
        Stdout { sink, is_terminal }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Writes bytes unchanged.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), StdoutError> {
        self.sink.write_all(bytes)?;
        self.sink.flush()?;
        Ok(())
    }

    /// Writes lines of text, each with a newline.
    pub(super) fn lines<'a>(
        &mut self,
        lines: impl Iterator<Item = &'a str>,
    ) -> Result<(), StdoutError> {
        let mut text = String::new();
        for line in lines {
            self.append(&mut text, line, Escape::Text);
        }
        self.bytes(text.as_bytes())
    }

    /// Writes a value as one line of JSON.
    pub(super) fn json(&mut self, value: &impl Serialize) -> Result<(), StdoutError> {
        self.json_text(&serde_json::to_string(value).map_err(io::Error::from)?)
    }

    /// Writes JSON as one line.
    pub(super) fn json_text(&mut self, text: &str) -> Result<(), StdoutError> {
        let mut line = String::with_capacity(text.len() + 1);
        // Outside of its strings JSON has none of the characters that are escaped.
        self.append(&mut line, text, Escape::Json);
        self.bytes(line.as_bytes())
    }

    /// Appends a line, escaped for a terminal.
    fn append(&self, text: &mut String, line: &str, escape: Escape) {
        if self.is_terminal {
            escape_into(text, line, escape);
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test that fails should fail loudly")]
mod tests {
    use std::io::{self, Read};

    use serde_json::json;

    use super::{Stdout, StdoutError};

    /// Returns what arrives at the other end of a pipe.
    fn written(
        is_terminal: bool,
        write: impl FnOnce(&mut Stdout) -> Result<(), StdoutError>,
    ) -> String {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let mut stdout = Stdout::new(Box::new(writer), is_terminal);
        write(&mut stdout).expect("the pipe is open");
        drop(stdout);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("text");
        text
    }

    #[test]
    fn misleading_characters_are_escaped_for_a_terminal_only() {
        let evil = "a\u{1b}\u{202e}";
        let lines = |out: &mut Stdout| out.lines([evil, ""].into_iter());
        assert_eq!(written(true, lines), "a\\u{1b}\\u{202e}\n\n");
        assert_eq!(written(false, lines), "a\u{1b}\u{202e}\n\n");
        let object = |out: &mut Stdout| out.json(&json!([evil]));
        assert_eq!(written(true, object), "[\"a\\u001b\\u202e\"]\n");
        assert_eq!(written(false, object), "[\"a\\u001b\u{202e}\"]\n");
        // Exact bytes are never changed.
        assert_eq!(written(true, |out| out.bytes(evil.as_bytes())), evil);
    }
}
