//! Declares the flags of regq, each once, for all commands that take it.
//!
//! The parser, the help, the man page, the completions and the suggestions all come from this table. Each group of
//! flags has its own file. How the text of a value is parsed is in `values`; which command takes which flag is in
//! `args/commands.rs`.

mod answer;
mod attempt;
mod connection;
mod credentials;
mod flag;
mod general;
mod options;

pub(crate) use self::flag::{Action, Flag, Group};
pub(crate) use self::options::{Format, Options, Verbosity};

/// Returns all flags, in the order of the help.
pub(crate) fn all() -> impl Iterator<Item = &'static Flag> {
    let groups: [&[Flag]; 5] =
        [answer::FLAGS, attempt::FLAGS, credentials::FLAGS, connection::FLAGS, general::FLAGS];
    groups.into_iter().flatten()
}

/// Finds a flag by its long name, without dashes.
pub(crate) fn long(name: &str) -> Option<&'static Flag> {
    all().find(|flag| flag.long == name)
}

/// Finds a flag by its short name.
pub(crate) fn short(name: char) -> Option<&'static Flag> {
    all().find(|flag| flag.short == Some(name))
}
