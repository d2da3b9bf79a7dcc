//! Generates help, the man page and shell completions from the tables of commands and flags.

pub(crate) mod completions;
pub(crate) mod help;
pub(crate) mod man;
mod template;
pub(crate) mod wrap;
