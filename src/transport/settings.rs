//! What every request is sent under: trust, time and patience.

use std::path::PathBuf;
use std::time::Duration;

use crate::transport::event::Observer;

/// What every request is sent under.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// PEM files of authorities to trust beside the built-in ones.
    pub(crate) ca_files: Vec<PathBuf>,
    /// True when certificates are not checked.
    pub(crate) insecure: bool,
    /// For name, connection and TLS handshake together.
    pub(crate) connect_timeout: Duration,
    /// The longest time without a byte.
    pub(crate) idle_timeout: Duration,
    /// How many times a request is sent again.
    pub(crate) retries: u32,
    /// The longest announced wait that is obeyed.
    pub(crate) max_wait: Duration,
    /// Who is told.
    pub(crate) observer: Observer,
}
