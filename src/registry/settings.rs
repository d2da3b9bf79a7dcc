//! The settings of a client, as the caller chooses them.

use std::path::PathBuf;
use std::time::Duration;

use crate::credentials::Keychain;
use crate::event::Observer;
use crate::transport::Settings;

/// The settings of a [`Client`](crate::registry::Client). `Config::default()` suits public registries.
///
/// More fields may be added, so start from the default and change it:
///
/// ```
/// use std::time::Duration;
///
/// use regq::registry::{Client, Config, Event, Observer};
///
/// let mut config = Config::default();
/// config.timeout = Duration::from_secs(20);
/// config.retries = 0;
/// config.observer = Observer::new(|event| {
///     if let Event::Retrying { .. } = event {
///         eprintln!("{event:?}");
///     }
/// });
/// let client = Client::new(config)?;
/// # Ok::<(), regq::error::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where credentials are looked up. Default: nowhere, so every request is anonymous.
    pub keychain: Keychain,
    /// PEM files with authorities to trust, in addition to the built-in ones.
    pub ca_files: Vec<PathBuf>,
    /// Whether to use TLS without checking certificates. Default: false.
    pub insecure: bool,
    /// Whether to use plain http instead of https. Default: false.
    pub plain_http: bool,
    /// Hosts of token servers that may receive credentials of any registry. Others must belong to the registry by name.
    pub trusted_realms: Vec<String>,
    /// Whether to follow a registry to addresses that are more private than its own. Default: false.
    pub allow_private: bool,
    /// The deadline for one question. Waits that a registry announces are not counted. Default: 60 s.
    pub timeout: Duration,
    /// The timeout for resolving the name, connecting and the TLS handshake together. Default: 10 s.
    pub connect_timeout: Duration,
    /// The longest time without a byte, while sending or receiving. Default: 30 s.
    pub idle_timeout: Duration,
    /// How many times a request is retried after transient failures. Default: 3.
    pub retries: u32,
    /// The longest wait announced by a registry (`Retry-After`) that is obeyed. Default: 60 s.
    pub max_wait: Duration,
    /// Observes all questions of the client. [`Client::observed_by`](crate::registry::Client::observed_by) gives single
    /// questions their own observer.
    pub observer: Observer,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            keychain: Keychain::default(),
            ca_files: Vec::new(),
            insecure: false,
            plain_http: false,
            trusted_realms: Vec::new(),
            allow_private: false,
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            retries: 3,
            max_wait: Duration::from_secs(60),
            observer: Observer::default(),
        }
    }
}

impl Config {
    pub(super) fn settings(&self) -> Settings {
        Settings {
            ca_files: self.ca_files.clone(),
            insecure: self.insecure,
            connect_timeout: self.connect_timeout,
            idle_timeout: self.idle_timeout,
            retries: self.retries,
            max_wait: self.max_wait,
        }
    }

    /// True if the user trusts this token server's host.
    pub(super) fn trusts(&self, realm: &str) -> bool {
        self.trusted_realms.iter().any(|trusted| trusted.eq_ignore_ascii_case(realm))
    }
}
