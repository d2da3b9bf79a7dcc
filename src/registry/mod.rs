//! Questions to registries: [`Client`] and what it answers.
//!
//! The client knows the protocol; it knows no command line, prints nothing and reads no environment.

mod config;
mod exchange;
mod login;
mod manifest;
mod trust;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::config::Config;
use self::login::Authorization;
pub use self::manifest::{Manifest, Resolve, Resolved};
use crate::error::Result;
use crate::reference::Registry;
use crate::transport::Transport;
pub use crate::transport::{Event, Observer, TlsFacts};
use crate::url::{Origin, Scheme};

/// Asks registries. Cheap to clone: clones share connections, tokens and settings.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    transport: Transport,
    config: Config,
    /// What an origin took for a repository: a token, or credentials.
    logins: Mutex<HashMap<(Origin, String), Authorization>>,
    /// Registries on this machine that speak plain http.
    plain: Mutex<HashSet<String>>,
}

impl Client {
    /// A client with these settings. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Local`](crate::error::Error::Local) when a file with certificates cannot be used.
    pub fn new(config: Config) -> Result<Client> {
        let transport = Transport::new(config.settings())?;
        let (logins, plain) = (Mutex::default(), Mutex::default());
        Ok(Client { inner: Arc::new(Inner { transport, config, logins, plain }) })
    }
}

/// The base URL at which a registry is asked, without a slash at its end.
pub fn endpoint(registry: &Registry, plain_http: bool) -> String {
    let scheme = if plain_http { Scheme::Http } else { Scheme::Https };
    let port = registry.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", scheme.as_str(), registry.api_host())
}

impl Inner {
    fn scheme(&self, registry: &Registry) -> Scheme {
        let plain = self.config.plain_http || lock(&self.plain).contains(&registry.name());
        if plain { Scheme::Http } else { Scheme::Https }
    }

    fn remember_plain_http(&self, registry: &Registry) {
        lock(&self.plain).insert(registry.name());
    }

    fn known(&self, origin: &Origin, repository: &str) -> Option<Authorization> {
        lock(&self.logins).get(&(origin.clone(), repository.to_owned())).cloned()
    }

    fn remember(&self, origin: &Origin, repository: &str, login: Option<&Authorization>) {
        let key = (origin.clone(), repository.to_owned());
        match login {
            Some(login) => lock(&self.logins).insert(key, login.clone()),
            None => lock(&self.logins).remove(&key),
        };
    }
}

/// A panic in another thread leaves these maps whole: every change is one insertion.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
