//! Turns arguments into values: a command, flags and operands. No file is read and nothing is sent.

pub(crate) mod commands;
pub(crate) mod flags;
pub(crate) mod given;
pub(crate) mod parser;
pub(crate) mod suggest;
pub(crate) mod values;
