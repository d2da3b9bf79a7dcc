//! Prepares what a command works with, from flags and environment: a client, credentials, references.

mod auth_paths;
pub(crate) mod client;
pub(crate) mod environment;
mod keychain;
pub(crate) mod password;
pub(crate) mod references;
mod trace;
