//! Reports a panic as what it is, a bug in regq, and ends the program with an exit code of its own.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::panic;
use std::process;

/// The exit code after a bug (`EX_SOFTWARE` of sysexits.h).
const EXIT_CODE: i32 = 70;

/// From now on, a panic in any thread prints one message and ends the program.
#[expect(clippy::exit, reason = "no other code can run after a panic")]
pub(crate) fn report_panics() {
    panic::set_hook(Box::new(|panic| {
        // Errors are ignored: there is nowhere to report them.
        let _ = io::stderr().write_all(message(panic).as_bytes());
        process::exit(EXIT_CODE);
    }));
}

fn message(panic: &impl Display) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("regq: this is a bug in regq {version}, please report it: {panic}\n")
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn the_message_names_version_and_place() {
        let text = message(&"panicked at src/x.rs:1:2:\nindex out of bounds");
        let start = concat!("regq: this is a bug in regq ", env!("CARGO_PKG_VERSION"), ", ");
        assert!(text.starts_with(start) && text.contains("src/x.rs:1:2"), "{text}");
    }
}
