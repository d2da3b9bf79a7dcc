//! From arguments to values: which command, which flags, which operands. Nothing is read or sent yet.

pub(crate) mod commands;
pub(crate) mod flags;
pub(crate) mod parser;
pub(crate) mod suggest;
pub(crate) mod values;
