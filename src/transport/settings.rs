//! Trust, time limits and retries: settings that a client's caller chooses.

use std::path::PathBuf;
use std::time::Duration;

/// Settings that apply to every request of a client.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// PEM files of CA certificates to trust in addition to the built-in ones.
    pub(crate) ca_files: Vec<PathBuf>,
    /// Whether to accept any certificate.
    pub(crate) insecure: bool,
    /// Limit for name lookup, TCP connection and TLS handshake together.
    pub(crate) connect_timeout: Duration,
    /// Limit for the time without receiving or sending a byte.
    pub(crate) idle_timeout: Duration,
    /// How many times a request is sent again.
    pub(crate) retries: u32,
    /// Longest announced wait that is obeyed.
    pub(crate) max_wait: Duration,
}
