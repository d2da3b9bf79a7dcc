//! The client, and what it keeps between questions: connections, tokens, and who speaks plain http.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::credentials::{Credential, Found};
use crate::error::{HelperFault, Identity, Result};
use crate::reference::Registry;
use crate::registry::challenge_plan::{Authorization, identity};
use crate::registry::settings::Config;
use crate::token::TokenRequest;
use crate::transport::Transport;
use crate::url::{Origin, Scheme};

/// Asks registries. Cheap to clone: clones share connections, tokens and settings.
///
/// Every question gives a typed answer or an [`Error`](crate::error::Error), whose
/// [`kind`](crate::error::Error::kind) says what to do about it.
///
/// ```no_run
/// use regq::error::Kind;
/// use regq::platform::Platform;
/// use regq::reference::Reference;
/// use regq::registry::{Client, Config, ResolveOptions};
///
/// let client = Client::new(Config::default())?;
/// let reference = Reference::parse("alpine:3.20")?;
/// let platform = Some(Platform::parse("linux/arm64")?);
/// match client.resolve(&reference, &ResolveOptions { platform, ..ResolveOptions::default() }) {
///     Ok(resolved) => println!("{}@{}", reference.repository(), resolved.digest),
///     Err(error) if error.kind() == Kind::NotFound => println!("not for arm64: {error}"),
///     Err(error) => return Err(error.into()),
/// }
///
/// let manifest = client.fetch_manifest(&reference, None)?;
/// println!("{} bytes of {:?}, which hash to {}", manifest.bytes.len(), manifest.media_type, manifest.digest);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// The tokens among them, by what they were asked for.
    tokens: Mutex<Vec<Authorization>>,
    /// Registries on this machine that speak plain http.
    plain: Mutex<Vec<String>>,
    /// Origins that answered over TLS.
    answered: Mutex<Vec<Origin>>,
    /// What helpers answered, by helper and server.
    pub(super) helped: Mutex<Vec<((String, String), Helped)>>,
    /// What was told already.
    pub(super) said: Mutex<Vec<String>>,
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
                tokens: Mutex::default(),
                plain: Mutex::default(),
                answered: Mutex::default(),
                helped: Mutex::default(),
                said: Mutex::default(),
            }),
        })
    }
}

impl Inner {
    /// Where a registry is asked.
    pub(super) fn origin(&self, registry: &Registry) -> Origin {
        if self.config.plain_http {
            registry.origin(Scheme::Http, Scheme::Http.default_port())
        } else if lock(&self.plain).contains(&registry.name()) {
            // The very peer that answered without TLS, not another one on the port of plain http.
            registry.origin(Scheme::Http, Scheme::Https.default_port())
        } else {
            registry.origin(Scheme::Https, Scheme::Https.default_port())
        }
    }

    /// Remembers that an answer came from an origin.
    pub(super) fn remember_answer(&self, origin: &Origin) {
        if origin.scheme() == Scheme::Https {
            add(&mut lock(&self.answered), origin);
        }
    }

    /// True when an answer came from an origin over TLS.
    pub(super) fn speaks_tls(&self, origin: &Origin) -> bool {
        lock(&self.answered).contains(origin)
    }

    pub(super) fn remember_plain_http(&self, registry: &Registry) {
        add(&mut lock(&self.plain), &registry.name());
    }

    pub(super) fn known(&self, origin: &Origin, repository: &str) -> Option<Authorization> {
        lock(&self.logins).get(&(origin.clone(), repository.to_owned())).cloned()
    }

    /// A token that was asked for the same before, for the same credential: some registries give one for all their
    /// repositories.
    pub(super) fn token_for(
        &self,
        request: &TokenRequest,
        found: Option<&Found>,
    ) -> Option<Authorization> {
        let identity = found.map_or(Identity::AnonymousToken, identity);
        let tokens = lock(&self.tokens);
        let same = |token: &&Authorization| {
            token.asked.as_ref() == Some(request.asked()) && token.identity == identity
        };
        tokens.iter().find(same).cloned()
    }

    pub(super) fn remember(
        &self,
        origin: &Origin,
        repository: &str,
        login: Option<&Authorization>,
    ) {
        let key = (origin.clone(), repository.to_owned());
        if let Some(Authorization { asked: Some(asked), .. }) = login {
            let mut tokens = lock(&self.tokens);
            tokens.retain(|token| token.asked.as_ref() != Some(asked));
            tokens.extend(login.cloned());
        }
        match login {
            Some(login) => lock(&self.logins).insert(key, login.clone()),
            None => {
                // What was refused serves no other repository either.
                let refused = lock(&self.logins).remove(&key).and_then(|login| login.asked);
                lock(&self.tokens).retain(|token| token.asked != refused);
                None
            }
        };
    }
}

/// Adds what is not there yet; false when it is. For the few hosts and messages of a run a list is enough.
pub(super) fn add<T: Clone + PartialEq>(list: &mut Vec<T>, item: &T) -> bool {
    let new = !list.contains(item);
    if new {
        list.push(item.clone());
    }
    new
}

/// A panic in another thread leaves what is behind it whole: every change is one insertion or removal.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Client, Config};
    use crate::reference::Registry;

    #[test]
    fn plain_http_is_spoken_to_the_very_port_that_answered_without_tls() {
        for (name, origin) in [
            ("localhost", Some("http://localhost:443")),
            ("localhost:5000", Some("http://localhost:5000")),
            ("[::1]", Some("http://[::1]:443")),
        ] {
            let found = Registry::parse(name).ok().zip(Client::new(Config::default()).ok());
            let asked = found.map(|(registry, client)| {
                client.inner.remember_plain_http(&registry);
                client.inner.origin(&registry).to_string()
            });
            assert_eq!(asked.as_deref(), origin, "{name}");
        }
    }
}
