//! `regq explain`: causes found from their signs, and silence where they only nearly show.
//!
//! On its own walk the real program meets loopback registries that follow a script. A [`Script`] says what the
//! registry answers first, what the token server answers, and what the registry answers to whoever comes back.
//! Each run explains twice, as JSON and as text, and asks the same of `regq digest`: the three must end alike. On
//! given pieces nobody is asked.

mod challenges;
mod disproved;
mod given;
mod given_and_walk;
mod given_builder;
mod given_secrets;
mod hostile;
mod no_false_alarm;
mod online;
mod order;
mod outcome;
mod properties;
mod registries;
mod registries_refusing;
mod scripted;
mod secrecy;
mod steps;
mod walk;

use self::scripted::{Played, Say, Script, entry, jwt, play};

/// Whether a line of text output fits into 80 columns, or cannot be broken: commands, URLs and quoted values are not.
fn is_wrapped(line: &str) -> bool {
    let text =
        if line.starts_with(' ') { line } else { line.get(15..).unwrap_or(line) }.trim_start();
    let text = text.strip_prefix("fix: ").unwrap_or(text);
    let is_command = text.starts_with("regq ") || text.starts_with("curl ");
    line.chars().count() <= 80 || is_command || !text.contains(' ')
}
