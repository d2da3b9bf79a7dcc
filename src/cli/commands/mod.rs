//! One file per command: it calls the library and prints the result. Commands are declared in `args/commands.rs`.

pub(crate) mod context;
pub(crate) mod digest;
pub(crate) mod explain;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod manifest;
pub(crate) mod parse;
