//! The client, and what it keeps between questions: connections, tokens, and who speaks plain http.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::config::Config;
use super::login::Authorization;
use crate::credentials::Credential;
use crate::error::{HelperFault, Result};
use crate::reference::Registry;
use crate::transport::Transport;
use crate::url::{Origin, Scheme};

/// Asks registries. Cheap to clone: clones share connections, tokens and settings.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) transport: Transport,
    pub(super) config: Config,
    /// What an origin took for a repository: a token, or credentials.
    logins: Mutex<HashMap<(Origin, String), Authorization>>,
    /// Registries on this machine that speak plain http.
    plain: Mutex<HashSet<String>>,
    /// What helpers answered, by helper and server.
    pub(super) helped: Mutex<HashMap<(String, String), Helped>>,
    /// What was told already.
    pub(super) said: Mutex<HashSet<String>>,
}

/// What a helper answered.
pub(super) type Helped = std::result::Result<Option<Credential>, HelperFault>;

impl Client {
    /// A client with these settings. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Local`](crate::error::Error::Local) when a file with certificates cannot be used.
    pub fn new(config: Config) -> Result<Client> {
        let transport = Transport::new(config.settings())?;
        Ok(Client {
            inner: Arc::new(Inner {
                transport,
                config,
                logins: Mutex::default(),
                plain: Mutex::default(),
                helped: Mutex::default(),
                said: Mutex::default(),
            }),
        })
    }
}

impl Inner {
    pub(super) fn scheme(&self, registry: &Registry) -> Scheme {
        let plain = self.config.plain_http || lock(&self.plain).contains(&registry.name());
        if plain { Scheme::Http } else { Scheme::Https }
    }

    pub(super) fn remember_plain_http(&self, registry: &Registry) {
        lock(&self.plain).insert(registry.name());
    }

    pub(super) fn known(&self, origin: &Origin, repository: &str) -> Option<Authorization> {
        lock(&self.logins).get(&(origin.clone(), repository.to_owned())).cloned()
    }

    pub(super) fn remember(
        &self,
        origin: &Origin,
        repository: &str,
        login: Option<&Authorization>,
    ) {
        let key = (origin.clone(), repository.to_owned());
        match login {
            Some(login) => lock(&self.logins).insert(key, login.clone()),
            None => lock(&self.logins).remove(&key),
        };
    }
}

/// A panic in another thread leaves these maps whole: every change is one insertion.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
