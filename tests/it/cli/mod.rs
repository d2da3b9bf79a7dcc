//! Tests of the command line: exact stdout, stderr and exit code of the real program.
//!
//! Most need no registry; the others send as few requests as possible. The protocol is tested in `conversation`.

mod answers;
mod explain;
mod help;
mod messages;
mod names;
mod readme_story;
mod refusals;
mod streams;
mod suggested_command;
mod usage;

use crate::support::{Ran, Regq};

/// Runs regq with the words of a line. No word contains a space.
#[track_caller]
fn regq(line: &str) -> Ran {
    Regq::new().args(line.split_whitespace()).run()
}
