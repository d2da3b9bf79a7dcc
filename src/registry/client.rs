//! Defines [`Client`]: a cheap handle, with its own observer, to the state that all clones share.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use crate::error::Result;
use crate::event::Observer;
use crate::lock::lock;
use crate::reference::Registry;
use crate::registry::endpoint::Endpoint;
use crate::registry::helper_answers::HelperAnswers;
use crate::registry::settings::Config;
use crate::registry::state::Registries;
use crate::transport::Transport;

/// How many different problems are reported for one client.
const MAX_REPORTED: usize = 256;

/// Sends questions to registries: which digest a tag has, what a manifest contains, whether a login works.
///
/// A client is cheap to clone and can be used from several threads: clones share connections, tokens and settings.
/// What happens during its questions is reported to its [`Observer`]; [`Client::observed_by`] gives a clone with
/// another one, so that each question can have its own.
///
/// Every question returns a typed value or an [`Error`](crate::error::Error), whose
/// [`kind`](crate::error::Error::kind) says what kind of failure it is.
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
/// println!("{} bytes of {:?} with digest {}", manifest.bytes.len(), manifest.media_type, manifest.digest);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) shared: Arc<Shared>,
    pub(super) observer: Observer,
}

/// What the clones of a client share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) transport: Transport,
    pub(super) config: Config,
    pub(super) registries: Registries,
    pub(super) helpers: HelperAnswers,
    /// The problems that were reported, so that each is reported once.
    reported: Mutex<HashSet<String>>,
}

impl Client {
    /// Makes a client with these settings. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Local`](crate::error::Error::Local) if a file with certificates cannot be used.
    pub fn new(config: Config) -> Result<Client> {
        let transport = Transport::new(config.settings())?;
        let observer = config.observer.clone();
        let shared = Shared {
            transport,
            config,
            registries: Registries::default(),
            helpers: HelperAnswers::default(),
            reported: Mutex::default(),
        };
        Ok(Client { shared: Arc::new(shared), observer })
    }

    /// Returns the same client with another observer, for one or several questions.
    #[must_use]
    pub fn observed_by(&self, observer: Observer) -> Client {
        Client { shared: Arc::clone(&self.shared), observer }
    }

    /// Returns the same client with an additional observer, for one or several questions.
    #[must_use]
    pub fn also_observed_by(&self, observer: &Observer) -> Client {
        self.observed_by(self.observer.and(observer))
    }

    /// Returns the endpoint of a registry: over plain http if the settings or an earlier question require it.
    pub(super) fn endpoint(&self, registry: &Registry) -> Endpoint {
        Endpoint::select(registry, self.shared.config.plain_http, &self.shared.registries)
    }
}

impl Shared {
    /// Returns true if a problem is to be reported: not more than once, and only the first `MAX_REPORTED` ones.
    pub(super) fn is_new(&self, problem: &str) -> bool {
        let mut reported = lock(&self.reported);
        reported.len() < MAX_REPORTED && reported.insert(problem.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::{Client, Config, Endpoint};
    use crate::reference::Registry;

    #[test]
    fn plain_http_is_used_on_a_port_that_does_not_speak_tls() {
        for (name, endpoint) in [
            ("localhost", Some("http://localhost:443")),
            ("localhost:5000", Some("http://localhost:5000")),
            ("[::1]", Some("http://[::1]:443")),
        ] {
            let parsed = Registry::parse(name).ok().zip(Client::new(Config::default()).ok());
            let found = parsed.map(|(registry, client)| {
                let https = Endpoint::of(&registry, false);
                client.shared.registries.state(https.origin()).record_missing_tls();
                client.endpoint(&registry).to_string()
            });
            assert_eq!(found.as_deref(), endpoint, "{name}");
        }
    }
}
