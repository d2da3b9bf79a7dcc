//! Remembers what a client knows about the registries it has used, in one bounded object for each.
//!
//! All clones of a client share it. A lock is held for one lookup or one change, never during a request or while a
//! helper runs.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::credentials::Credential;
use crate::error::{ConnectionError, StatusError};
use crate::lock::lock;
use crate::registry::authorization::Authorization;
use crate::registry::lru::Lru;
use crate::token::TokenRequest;
use crate::url::{Origin, Scheme};

/// How many registries are remembered.
const MAX_REGISTRIES: usize = 256;
/// The number of repositories per registry for which a login is remembered, and of tokens that are kept for reuse.
const MAX_REPOSITORIES: usize = 1024;
/// How long a registry is not tried again after no connection could be made, all retries included.
const UNREACHABLE_FOR: Duration = Duration::from_secs(30);
/// The number of credentials per registry or token server for which it is remembered whether they were accepted.
const MAX_CREDENTIALS: usize = 64;

/// All registries that are remembered, by origin. Redirect targets are remembered like registries.
#[derive(Debug)]
pub(super) struct Registries(Mutex<Lru<Origin, Arc<RegistryState>>>);

impl Default for Registries {
    fn default() -> Registries {
        Registries(Mutex::new(Lru::new(MAX_REGISTRIES)))
    }
}

impl Registries {
    /// Returns the state of an origin. It is empty at first.
    pub(super) fn state(&self, origin: &Origin) -> Arc<RegistryState> {
        let mut registries = lock(&self.0);
        if let Some(known) = registries.get(origin) {
            return Arc::clone(known);
        }
        let state = Arc::new(RegistryState::default());
        registries.insert(origin.clone(), Arc::clone(&state));
        state
    }
}

/// What is known about one registry.
#[derive(Debug)]
pub(super) struct RegistryState(Mutex<Known>);

#[derive(Debug)]
struct Known {
    tls: Tls,
    /// What to send first, by repository.
    logins: Lru<String, Authorization>,
    /// Tokens by what they were issued for: some registries issue one for all their repositories.
    tokens: Lru<(TokenRequest, Option<Credential>), Authorization>,
    /// Passwords and identity tokens that were sent to this origin, as a registry or as a token server.
    credentials: Lru<Credential, Verdict>,
    /// Identity tokens that this token server does not exchange.
    unexchanged: Lru<Credential, ()>,
    /// The end of an announced pause, and the response that announced it.
    not_before: Option<(Instant, StatusError)>,
    /// No connection could be made, and none is attempted before this time.
    unreachable: Option<(Instant, ConnectionError)>,
}

impl Default for RegistryState {
    fn default() -> RegistryState {
        RegistryState(Mutex::new(Known {
            tls: Tls::Unknown,
            logins: Lru::new(MAX_REPOSITORIES),
            tokens: Lru::new(MAX_REPOSITORIES),
            credentials: Lru::new(MAX_CREDENTIALS),
            unexchanged: Lru::new(MAX_CREDENTIALS),
            not_before: None,
            unreachable: None,
        }))
    }
}

/// Whether an https origin speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    Unknown,
    Spoken,
    /// Only ever found for loopback registries.
    Missing,
}

/// Whether a credential was accepted where it was sent.
#[derive(Debug, Clone)]
enum Verdict {
    Accepted,
    /// The response was this 401, and the credential was never accepted before.
    Refused(StatusError),
}

impl RegistryState {
    /// Remembers that a response came from an origin with this scheme.
    pub(super) fn record_response(&self, scheme: Scheme) {
        let mut known = lock(&self.0);
        if scheme == Scheme::Https && known.tls == Tls::Unknown {
            known.tls = Tls::Spoken;
        }
        known.unreachable = None;
    }

    /// Remembers that the peer does not speak TLS. False if it did before.
    pub(super) fn record_missing_tls(&self) -> bool {
        let mut known = lock(&self.0);
        let possible = known.tls != Tls::Spoken;
        if possible {
            known.tls = Tls::Missing;
        }
        possible
    }

    /// Whether the origin is known not to speak TLS.
    pub(super) fn lacks_tls(&self) -> bool {
        lock(&self.0).tls == Tls::Missing
    }

    /// What to send first for a repository.
    pub(super) fn login(&self, repository: &str) -> Option<Authorization> {
        lock(&self.0).logins.get(&repository.to_owned()).cloned()
    }

    /// A token that was issued for an equal request and the same credential.
    pub(super) fn token(
        &self,
        request: &TokenRequest,
        credential: Option<&Credential>,
    ) -> Option<Authorization> {
        lock(&self.0).tokens.get(&(request.clone(), credential.cloned())).cloned()
    }

    /// Remembers what to send first for a repository, and keeps a token for reuse.
    pub(super) fn record_login(&self, repository: &str, login: &Authorization) {
        let mut known = lock(&self.0);
        if let Some(key) = token_key(login) {
            known.tokens.insert(key, login.clone());
        }
        known.logins.insert(repository.to_owned(), login.clone());
    }

    /// Forgets what to send first for a repository. If that was a token, it is forgotten for all other repositories, too.
    pub(super) fn forget_login(&self, repository: &str) {
        let mut known = lock(&self.0);
        let login = known.logins.remove(&repository.to_owned());
        if let Some(key) = login.as_ref().and_then(token_key) {
            known.tokens.remove(&key);
            known.logins.retain(|login| token_key(login).as_ref() != Some(&key));
        }
    }

    /// Remembers that a credential was accepted here.
    pub(super) fn record_accepted(&self, credential: &Credential) {
        lock(&self.0).credentials.insert(credential.clone(), Verdict::Accepted);
    }

    /// Remembers that a credential was refused with 401 here. Ignored if it was accepted before: then it is valid, and
    /// the 401 is about access rights.
    pub(super) fn record_refused(&self, credential: &Credential, error: &StatusError) {
        let mut known = lock(&self.0);
        if !matches!(known.credentials.get(credential), Some(Verdict::Accepted)) {
            known.credentials.insert(credential.clone(), Verdict::Refused(error.clone()));
        }
    }

    /// The error with which a credential was refused here.
    pub(super) fn refusal(&self, credential: &Credential) -> Option<StatusError> {
        match lock(&self.0).credentials.get(credential) {
            Some(Verdict::Refused(error)) => Some(error.clone()),
            Some(Verdict::Accepted) | None => None,
        }
    }

    /// Remembers that an identity token is not exchanged here, so that it is not sent again.
    pub(super) fn record_unexchanged(&self, credential: &Credential) {
        lock(&self.0).unexchanged.insert(credential.clone(), ());
    }

    /// Whether an identity token is not exchanged here.
    pub(super) fn is_unexchanged(&self, credential: &Credential) -> bool {
        lock(&self.0).unexchanged.get(credential).is_some()
    }

    /// Remembers a pause that the registry announced.
    pub(super) fn record_pause(&self, pause: Duration, error: StatusError) {
        let until = Instant::now().checked_add(pause);
        lock(&self.0).not_before = until.map(|until| (until, error));
    }

    /// The rest of an announced pause, and the response that announced it.
    pub(super) fn pause(&self) -> Option<(Duration, StatusError)> {
        let mut known = lock(&self.0);
        let (until, error) = known.not_before.as_ref()?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            known.not_before = None;
            return None;
        }
        Some((left, error.clone()))
    }

    /// Remembers for a while that no connection can be made, so that not every reference of a list waits for it.
    pub(super) fn record_unreachable(&self, error: &ConnectionError) {
        let until = Instant::now().checked_add(UNREACHABLE_FOR);
        lock(&self.0).unreachable = until.map(|until| (until, error.clone()));
    }

    /// Why no connection could be made, if the last attempt was a short while ago.
    pub(super) fn unreachable(&self) -> Option<ConnectionError> {
        let mut known = lock(&self.0);
        let (until, error) = known.unreachable.as_ref()?;
        if *until <= Instant::now() {
            known.unreachable = None;
            return None;
        }
        Some(error.clone())
    }
}

fn token_key(login: &Authorization) -> Option<(TokenRequest, Option<Credential>)> {
    Some((login.token_request()?.clone(), login.issued_for().cloned()))
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::time::Duration;

    use super::{MAX_REGISTRIES, MAX_REPOSITORIES, Registries, RegistryState};
    use crate::credentials::{Credential, Secret};
    use crate::error::{ConnectionError, ConnectionFault, Identity, Party, StatusError};
    use crate::http::challenge;
    use crate::oci::ErrorBody;
    use crate::registry::authorization::Authorization;
    use crate::token::TokenRequest;
    use crate::url::{Scheme, Url};

    type Outcome = Result<(), Box<dyn Error>>;

    fn request(repository: &str) -> Result<TokenRequest, Box<dyn Error>> {
        let line = b"Bearer realm=\"https://auth.example/token\"";
        let challenge = challenge::parse([line.as_slice()]).into_iter().next();
        let challenge = challenge.ok_or("no challenge")??;
        let url = Url::parse("https://registry.example/v2/")?;
        TokenRequest::new(&challenge, &url, Some(repository)).map_err(|_| "no realm".into())
    }

    fn issued(repository: &str) -> Result<Authorization, Box<dyn Error>> {
        Ok(Authorization::issued_token(Secret::new(repository), request(repository)?, None))
    }

    fn error(status: u16) -> StatusError {
        StatusError {
            party: Party::Registry,
            host: "registry.example".to_owned(),
            status,
            body: ErrorBody::default(),
            identity: Identity::Anonymous,
            retry_after: None,
        }
    }

    #[test]
    fn logins_and_tokens_of_the_least_recently_used_repositories_are_dropped() -> Outcome {
        let state = RegistryState::default();
        let name = |number: usize| format!("team/app-{number}");
        for number in 0..MAX_REPOSITORIES + 2 {
            state.record_login(&name(number), &issued(&name(number))?);
            // The first one is used again and again, so it stays.
            assert!(state.login(&name(0)).is_some());
        }
        let kept = |number: usize| {
            let token = request(&name(number)).map(|request| state.token(&request, None));
            (state.login(&name(number)).is_some(), token.is_ok_and(|token| token.is_some()))
        };
        assert_eq!([0, 1, 2, 3].map(|number| kept(number).0), [true, false, false, true]);
        // Tokens that are only sent as logins count as unused.
        assert_eq!([0, 1, 2].map(|number| kept(number).1), [false, false, true]);
        assert_eq!(kept(MAX_REPOSITORIES + 1), (true, true));
        Ok(())
    }

    #[test]
    fn a_forgotten_token_is_not_reused_for_other_repositories() -> Outcome {
        let state = RegistryState::default();
        let login = issued("a")?;
        state.record_login("a", &login);
        state.record_login("b", &login);
        state.forget_login("a");
        assert!(state.login("a").is_none() && state.login("b").is_none());
        assert!(state.token(&request("a")?, None).is_none());
        Ok(())
    }

    #[test]
    fn tokens_are_reused_for_the_same_credential_only() -> Outcome {
        let state = RegistryState::default();
        let (login, request) = (issued("a")?, request("a")?);
        state.record_login("a", &login);
        let ada = Credential::password("ada", Secret::new("secret"))?;
        assert!(state.token(&request, None).is_some());
        assert!(state.token(&request, Some(&ada)).is_none());
        Ok(())
    }

    #[test]
    fn a_credential_is_refused_unless_it_was_accepted_before() -> Outcome {
        let wrong = Credential::password("ada", Secret::new("wrong"))?;
        let right = Credential::password("ada", Secret::new("right"))?;
        let state = RegistryState::default();
        state.record_accepted(&right);
        for credential in [&wrong, &right] {
            state.record_refused(credential, &error(401));
        }
        assert_eq!(state.refusal(&wrong).map(|error| error.status), Some(401));
        assert!(state.refusal(&right).is_none());
        Ok(())
    }

    #[test]
    fn an_announced_pause_ends_after_its_time() {
        let state = RegistryState::default();
        assert!(state.pause().is_none());
        state.record_pause(Duration::from_secs(60), error(429));
        assert!(state.pause().is_some_and(|(left, error)| {
            left <= Duration::from_secs(60) && error.status == 429
        }));
        state.record_pause(Duration::ZERO, error(429));
        assert!(state.pause().is_none());
    }

    #[test]
    fn a_response_shows_that_a_registry_can_be_reached() {
        let state = RegistryState::default();
        let fault = ConnectionFault::ConnectTimeout(Duration::from_secs(1));
        state.record_unreachable(&ConnectionError::new("registry.example", fault));
        assert!(state.unreachable().is_some());
        state.record_response(Scheme::Https);
        assert!(state.unreachable().is_none());
    }

    #[test]
    fn the_number_of_registries_is_bounded() -> Outcome {
        let registries = Registries::default();
        let state = |number: usize| -> Result<_, Box<dyn Error>> {
            let url = Url::parse(&format!("https://r{number}.example"))?;
            Ok(registries.state(url.origin()))
        };
        state(0)?.record_missing_tls();
        assert!(state(0)?.lacks_tls());
        for number in 1..=MAX_REGISTRIES {
            state(number)?;
        }
        assert!(!state(0)?.lacks_tls());
        Ok(())
    }
}
