//! Prepares what a command works with, from flags and environment: a client, credentials, references.
//!
//! `keychain` orders the sources of credentials that `environment` and the flags name. `trace` turns the events of a client
//! into messages, which `output/messages.rs` writes.

mod auth_paths;
pub(crate) mod client;
pub(crate) mod environment;
mod keychain;
pub(crate) mod password;
pub(crate) mod references;
mod trace;
