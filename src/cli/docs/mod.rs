//! What is generated from the tables of commands and flags: help, the man page and shell completions.

pub(crate) mod completions;
pub(crate) mod help;
pub(crate) mod man;
mod template;
