//! The command line as its users meet it: exact stdout, stderr and exit code of the real program.
//!
//! Mostly without a registry; where one is needed it is asked the least that shows a form of output.
//! How registries are talked to is tested in `conversation`.

mod answers;
mod explain;
mod help;
mod names;
mod refusals;
mod said;
mod story;
mod streams;
mod usage;

use crate::support::{Ran, Regq};

/// A run with these words, which hold no spaces.
#[track_caller]
fn regq(line: &str) -> Ran {
    Regq::new().args(line.split_whitespace()).run()
}
