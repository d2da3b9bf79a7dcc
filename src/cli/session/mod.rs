//! Prepares what a command works with, from flags and environment: a client, credentials, references. `trace`
//! prints what the client reports while it works.

mod auth_paths;
pub(crate) mod client;
pub(crate) mod environment;
mod keychain;
pub(crate) mod password;
pub(crate) mod references;
mod trace;
