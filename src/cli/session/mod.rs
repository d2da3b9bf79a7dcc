//! From flags and environment to what a command works with: a client, credentials, references.

mod auth_paths;
pub(crate) mod client;
pub(crate) mod references;
