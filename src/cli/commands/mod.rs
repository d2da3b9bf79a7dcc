//! One file per command: it calls the library and prints the answer.

pub(crate) mod context;
pub(crate) mod digest;
pub(crate) mod explain;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod manifest;
pub(crate) mod parse;
