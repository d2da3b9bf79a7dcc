//! How a client talks to registries, as the caller chooses it.

use std::path::PathBuf;
use std::time::Duration;

use crate::credentials::Keychain;
use crate::event::Observer;
use crate::reference::Registry;
use crate::transport::Settings;
use crate::url::Scheme;

/// The choices. `Config::default()` is right for public registries.
///
/// There will be more of them, so take the default and change it:
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
    /// The credentials. Default: none.
    pub keychain: Keychain,
    /// PEM files with authorities to trust beside the built-in ones.
    pub ca_files: Vec<PathBuf>,
    /// TLS without checking certificates. Default: false.
    pub insecure: bool,
    /// Plain http in place of https. Default: false.
    pub plain_http: bool,
    /// Hosts of token servers that may get the credentials although their names do not show that they belong
    /// to the registry.
    pub trusted_realms: Vec<String>,
    /// Follow where a registry leads to addresses more private than its own. Default: false.
    pub allow_private: bool,
    /// The time for one question, announced waits not counted. Default: 60 s.
    pub timeout: Duration,
    /// The time for name, connection and TLS handshake together. Default: 10 s.
    pub connect_timeout: Duration,
    /// The longest time without a byte, of an answer as of a request. Default: 30 s.
    pub idle_timeout: Duration,
    /// How many times a request is sent again after failures that may pass. Default: 3.
    pub retries: u32,
    /// The longest wait announced by a registry that is obeyed. Default: 60 s.
    pub max_wait: Duration,
    /// Who is told what happens.
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

    /// True when the user gave his word for this realm's host.
    pub(super) fn trusts(&self, realm: &str) -> bool {
        self.trusted_realms.iter().any(|trusted| trusted.eq_ignore_ascii_case(realm))
    }
}

/// The base URL at which a registry is asked, without a slash at its end.
pub fn endpoint(registry: &Registry, plain_http: bool) -> String {
    let scheme = if plain_http { Scheme::Http } else { Scheme::Https };
    let port = registry.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", scheme.as_str(), registry.api_host())
}
