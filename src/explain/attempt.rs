//! One login attempt in a uniform shape, whether someone supplied its data or regq recorded it: the challenge, the
//! token request, the token and the registry's final response.
//!
//! Unknown facts are `None`. Rules work on attempts only.

use std::net::IpAddr;

use crate::credentials::Secret;
use crate::error::{CredentialForm, Error, Identity, Party, StatusError};
use crate::explain::jwt::{Access, Entry, Token};
use crate::explain::recording::{Authorization, RecordedExchange, RecordedResponse, Recording};
use crate::explain::supplied::{Given, TokenBody};
use crate::explain::token_url::TokenUrl;
use crate::http::challenge::{self, Challenge, ChallengeError};
use crate::oci::ErrorBody;
use crate::reference::{Reference, docker_hub};
use crate::registry::Endpoint;
use crate::token::{ScopeParts, scopes};
use crate::url::{Scheme, Url, is_loopback};

/// The parsed challenges of a response.
pub(super) type Challenges = Vec<Result<Challenge, ChallengeError>>;

/// A login attempt.
#[derive(Debug, Default)]
pub(super) struct Attempt<'a> {
    /// Whether the data was supplied, rather than recorded by regq.
    pub(super) given: bool,
    pub(super) reference: Option<&'a Reference>,
    /// The server that sent the challenge.
    pub(super) source: Option<ChallengeSource>,
    /// The `WWW-Authenticate` field lines of the response that started the login.
    pub(super) lines: Vec<Vec<u8>>,
    pub(super) challenges: Option<Challenges>,
    /// The URL of the token request, unless it was a POST.
    pub(super) token_url: Option<TokenUrl>,
    /// The last token request that regq sent.
    pub(super) token_exchange: Option<&'a RecordedExchange>,
    /// The credential that was sent to the token server. A later request may carry none: regq retries without an
    /// identity token that cannot be exchanged.
    pub(super) credential: Option<&'a Identity>,
    pub(super) token_body: Option<TokenBody>,
    pub(super) token: Option<Token>,
    pub(super) last: FinalResponse<'a>,
    /// The error that ended regq's own walk.
    pub(super) error: Option<&'a Error>,
    /// For supplied data: the token that regq got from the same realm.
    pub(super) own_token: Option<Secret>,
    /// All secrets of the attempt.
    pub(super) secrets: Vec<Secret>,
    /// The original host, if a redirect led from it to the host that sent the challenge.
    pub(super) moved_from: Option<String>,
}

/// The server that sent a challenge.
#[derive(Debug)]
pub(super) struct ChallengeSource {
    pub(super) url: Url,
    /// Its addresses, if known.
    pub(super) addresses: Vec<IpAddr>,
}

/// The registry's final response.
#[derive(Debug, Default)]
pub(super) struct FinalResponse<'a> {
    pub(super) status: Option<u16>,
    pub(super) challenges: Option<Challenges>,
    pub(super) error_body: ErrorBody,
    pub(super) body: Option<Vec<u8>>,
    /// `Date`, in seconds since 1970.
    pub(super) date: Option<i64>,
    pub(super) response: Option<&'a RecordedResponse>,
    pub(super) exchange: Option<&'a RecordedExchange>,
    /// Whether the request carried a token, rather than nothing or a password.
    pub(super) token_sent: bool,
}

/// The exchanges of a recording that matter for an explanation.
struct KeyExchanges<'a> {
    /// The last exchange in which the registry responded.
    last: Option<&'a RecordedExchange>,
    /// The 401 that started the login.
    challenge: Option<&'a RecordedExchange>,
    /// The last token request.
    token: Option<&'a RecordedExchange>,
    /// The first token request with a credential.
    credential: Option<&'a RecordedExchange>,
    /// The first request that was redirected to the origin of `last`.
    redirect: Option<&'a RecordedExchange>,
}

impl<'a> KeyExchanges<'a> {
    fn find(recording: &'a Recording) -> KeyExchanges<'a> {
        let (mut last, mut token, mut credential) = (None, None, None);
        // The last 401 before a token request, which need not be the first one.
        let (mut refused, mut refused_before_token) = (None, None);
        for exchange in recording.exchanges() {
            match (exchange.party, exchange.status()) {
                (Party::TokenServer, _) => {
                    (token, refused_before_token) = (Some(exchange), refused);
                    let sent = Some(exchange).filter(|exchange| exchange.has_credentials());
                    credential = credential.or(sent);
                }
                (Party::Registry, None) => {}
                (Party::Registry, Some(401)) => (last, refused) = (Some(exchange), Some(exchange)),
                (Party::Registry, Some(_)) => last = Some(exchange),
            }
        }
        let origin = last.map(|exchange| exchange.url.origin());
        let mut here = Vec::new();
        let mut redirect = None;
        for exchange in recording.exchanges().filter(|one| one.party == Party::Registry) {
            let is_here = Some(exchange.url.origin()) == origin;
            match exchange.status() {
                Some(401) if is_here => here.push(exchange),
                Some(300..=399) if !is_here => redirect = redirect.or(Some(exchange)),
                _ => {}
            }
        }
        let without_token = here.iter().find(|exchange| !exchange.authorization.is_bearer());
        let challenge = refused_before_token.or(without_token.or(here.first()).copied());
        KeyExchanges { last, challenge, token, credential, redirect }
    }
}

impl<'a> Attempt<'a> {
    /// Builds an attempt from supplied data. If the data has no challenge, the one from regq's own attempt is used.
    pub(super) fn given(
        given: &Given,
        reference: Option<&'a Reference>,
        plain_http: bool,
        own: Option<&Attempt<'_>>,
    ) -> Attempt<'a> {
        let lines = given.lines();
        let token_body = given.token_body();
        let challenges = lines.as_ref().map(|lines| parse(lines));
        let body = given.body.as_deref().unwrap_or_default();
        let last = FinalResponse {
            status: given.status.or(challenges.as_ref().map(|_| 401)),
            challenges: challenges.clone(),
            error_body: ErrorBody::read_redacted(body, &Secret::redactor(&given.secrets())),
            body: given.body.clone(),
            date: given.date,
            response: None,
            exchange: None,
            token_sent: token_body.is_some(),
        };
        let secret = token_body.as_ref().and_then(|body| body.token.clone());
        // Comparable only if regq's token came from the realm of the supplied challenge.
        let same_realm = |own: &&Attempt<'_>| {
            let realm = |challenges: &Challenges| realm(challenges).map(str::to_owned);
            let given = challenges.as_ref().and_then(realm);
            own.token_exchange.is_some()
                && (given.is_none() || given == own.challenges.as_ref().and_then(realm))
        };
        let own_token = own.filter(same_realm).and_then(|own| own.token.as_ref());
        let own_token = own_token.map(|token| token.secret.clone());
        Attempt {
            given: true,
            reference,
            source: reference.and_then(|one| ChallengeSource::of(one, plain_http, own)),
            lines: lines.unwrap_or_default(),
            challenges: challenges.or_else(|| own.and_then(|own| own.challenges.clone())),
            token_url: given.parsed_token_url(),
            token_body,
            token: secret.map(Token::read),
            last,
            own_token,
            secrets: given.secrets(),
            ..Attempt::default()
        }
    }

    /// Builds regq's own attempt from its recording.
    pub(super) fn recorded(
        recording: &'a Recording,
        reference: Option<&'a Reference>,
        error: Option<&'a Error>,
    ) -> Attempt<'a> {
        let key = KeyExchanges::find(recording);
        let lines = key.challenge.and_then(|exchange| exchange.response.as_ref());
        let lines = lines.map(|response| response.challenges.clone());
        let token_response = key.token.and_then(|exchange| exchange.response.as_ref());
        let token_body = token_response
            .filter(|response| (200..300).contains(&response.status))
            .map(|response| TokenBody::read(&response.body));
        // Without a token request, the user supplied the token.
        let stored_token =
            recording.exchanges().find_map(|exchange| match &exchange.authorization {
                Authorization::Bearer(token) if key.token.is_none() => Some(token.clone()),
                _ => None,
            });
        let secret = token_body.as_ref().and_then(|body| body.token.clone()).or(stored_token);
        let source = key.challenge.or(key.last);
        let url = |exchange: &RecordedExchange| TokenUrl::parse(&exchange.url.to_string());
        Attempt {
            given: false,
            reference,
            source: source.map(|exchange| ChallengeSource {
                url: exchange.url.clone(),
                addresses: recording.addresses(exchange.url.host()),
            }),
            challenges: lines.as_ref().map(|lines| parse(lines)),
            lines: lines.unwrap_or_default(),
            token_url: key.token.filter(|exchange| exchange.method != "POST").map(url),
            token_exchange: key.token,
            credential: key.credential.map(|exchange| &exchange.identity),
            token_body,
            token: secret.map(Token::read),
            last: FinalResponse::recorded(recording, key.last, error.is_some()),
            error,
            own_token: None,
            secrets: recording.secrets(),
            moved_from: key.redirect.map(|exchange| exchange.url.origin().authority()),
        }
    }

    /// Whether the registry returned what was requested.
    pub(super) fn succeeded(&self) -> bool {
        !self.given && self.error.is_none() && self.last.response.is_some()
    }

    /// The Bearer challenge that clients use: the first one with a realm, or else the first.
    pub(super) fn bearer(&self) -> Option<&Challenge> {
        self.challenges.as_ref().and_then(bearer)
    }

    /// The valid challenges.
    pub(super) fn parsed_challenges(&self) -> impl Iterator<Item = &Challenge> {
        self.challenges.iter().flatten().filter_map(|challenge| challenge.as_ref().ok())
    }

    /// A parameter of the Bearer challenge, unless it is empty.
    pub(super) fn challenge_param(&self, name: &str) -> Option<&str> {
        self.bearer()?.param(name).filter(|value| !value.is_empty())
    }

    /// The `error` parameter of the final response's challenge.
    pub(super) fn error_code(&self) -> Option<&str> {
        self.last_param("error")
    }

    /// A parameter of the final response's challenges.
    pub(super) fn last_param(&self, name: &str) -> Option<&str> {
        let last = self.last.challenges.iter().flatten();
        last.filter_map(|challenge| challenge.as_ref().ok()).find_map(|one| one.param(name))
    }

    /// The challenge's realm as a URL. A relative realm is resolved.
    pub(super) fn realm(&self) -> Option<Url> {
        let realm = self.challenge_param("realm")?;
        match &self.source {
            Some(source) => source.url.join(realm).ok(),
            None => Url::parse(realm).ok(),
        }
    }

    /// Whether the registry is Docker Hub.
    pub(super) fn is_docker_hub(&self) -> bool {
        match self.reference {
            Some(reference) => reference.registry().is_docker_hub(),
            None => {
                let realm = self.realm();
                let requested = self.token_url.as_ref().and_then(|url| url.server.as_ref());
                let hub = |url: &Url| url.host() == docker_hub::AUTH_HOST;
                realm.as_ref().or(requested).is_some_and(hub)
            }
        }
    }

    /// The repository in the reference.
    pub(super) fn repository(&self) -> Option<&'a str> {
        self.reference.map(|reference| reference.repository().path())
    }

    /// The repository scopes of the challenge.
    pub(super) fn challenge_scopes(&self) -> Vec<ScopeParts<'_>> {
        let scope = self.challenge_param("scope").unwrap_or_default();
        scopes(scope).filter(ScopeParts::is_repository).collect()
    }

    /// Whether the challenge requires rights on this repository, but not the right to pull.
    pub(super) fn challenge_excludes_pull(&self, name: &str) -> bool {
        let scopes = self.challenge_scopes();
        scopes.iter().find(|scope| scope.name == name).is_some_and(|scope| !scope.pulls())
    }

    /// The repository that the token must be for. That is the challenge's, which includes prefixes that proxies add;
    /// on Docker Hub it includes `library/`.
    pub(super) fn expected_repository(&self) -> Option<String> {
        let challenge_scopes = self.challenge_scopes();
        let own = challenge_scopes.iter().find(|scope| Some(scope.name) == self.repository());
        let in_challenge = own.or(challenge_scopes.first()).map(|scope| scope.name.to_owned());
        let in_request = || {
            let scopes = self.token_url.as_ref()?.scopes();
            // An invalid name does not show which one was meant.
            let valid = |name: &str| !name.contains([':', '@', '%', ',', ';']);
            let scope = scopes.iter().find(|scope| scope.is_repository() && valid(scope.name));
            scope.map(|scope| scope.name.to_owned())
        };
        let reference = self.repository().map(str::to_owned);
        let name = match reference {
            Some(name) if self.is_docker_hub() => name,
            reference => in_challenge.or(reference).or_else(in_request)?,
        };
        let official = self.is_docker_hub() && !name.contains('/') && !name.is_empty();
        Some(if official { format!("{}{name}", docker_hub::LIBRARY_PREFIX) } else { name })
    }

    /// Whether the challenge repeats a Docker Hub name that lacks `library/`.
    fn lacks_library(&self) -> bool {
        self.is_docker_hub()
            && self.challenge_scopes().iter().any(|scope| !scope.name.contains('/'))
    }

    /// The scope that should have been requested: the challenge's, unless that repeats a mistake.
    pub(super) fn correct_scope(&self) -> Option<String> {
        match self.challenge_param("scope") {
            Some(scope) if !self.lacks_library() => Some(scope.to_owned()),
            // Only the request names a repository, and it may be the wrong one.
            None if self.reference.is_none() => None,
            _ => Some(format!("repository:{}:pull", self.expected_repository()?)),
        }
    }

    /// The scope that the response to the token requires. It may be more than the first response required.
    pub(super) fn required_scope(&self) -> Option<String> {
        let required = self.last_param("scope").filter(|_| !self.lacks_library());
        required.map(str::to_owned).or_else(|| self.correct_scope())
    }

    /// The token's `access` claim, if the token is readable.
    pub(super) fn access(&self) -> Option<Access> {
        Some(self.token.as_ref()?.claims()?.access())
    }

    /// The entries of the token's `access` claim.
    pub(super) fn access_entries(&self) -> Option<Vec<Entry>> {
        match self.access()? {
            Access::Entries(entries) => Some(entries),
            Access::Missing | Access::Unreadable => None,
        }
    }

    /// The `access` entry for the requested repository, under either of its names.
    pub(super) fn access_entry(&self) -> Option<Entry> {
        let expected = self.expected_repository();
        let fits = |entry: &Entry| {
            entry.is_repository()
                && (Some(&entry.name) == expected.as_ref()
                    || Some(entry.name.as_str()) == self.repository())
        };
        self.access_entries()?.into_iter().find(fits)
    }

    /// The user whose credentials were sent to the token server. In supplied data, the token URL names the user.
    pub(super) fn user(&self) -> Option<String> {
        match (&self.token_url, self.credential) {
            (Some(url), _) if self.given => url.user().map(str::to_owned),
            (_, Some(Identity::Credential { user, .. })) => user.clone(),
            _ => None,
        }
    }

    /// Whether credentials were sent to the token server.
    pub(super) fn sent_credentials(&self) -> bool {
        self.credential.is_some() || (self.given && self.user().is_some())
    }

    /// The refusal of a credential that was not sent, because it had been refused earlier.
    pub(super) fn earlier_refusal(&self) -> Option<&StatusError> {
        let Some(Error::Status(error)) = self.error else { return None };
        let refused = error.status == 401
            && matches!(error.identity, Identity::Credential { form, .. } if form != CredentialForm::Token);
        let anonymous = self
            .last
            .exchange
            .is_some_and(|exchange| matches!(exchange.authorization, Authorization::None));
        (refused && anonymous && !self.sent_credentials()).then_some(error)
    }

    /// Whether the registry is reached over https. `None` if unknown: a loopback registry may use plain http.
    pub(super) fn https(&self) -> Option<bool> {
        let url = &self.source.as_ref()?.url;
        let https = url.scheme() == Scheme::Https;
        (!(self.given && https && is_loopback(url.host()))).then_some(https)
    }
}

fn bearer(challenges: &Challenges) -> Option<&Challenge> {
    let parsed = || challenges.iter().filter_map(|challenge| challenge.as_ref().ok());
    let bearers = || parsed().filter(|challenge| challenge.scheme() == "bearer");
    let named = |challenge: &&Challenge| challenge.param("realm").is_some_and(|r| !r.is_empty());
    bearers().find(named).or_else(|| bearers().next())
}

fn realm(challenges: &Challenges) -> Option<&str> {
    bearer(challenges)?.param("realm")
}

impl ChallengeSource {
    /// The source of supplied challenges: the server that regq saw, or else the reference's registry.
    fn of(
        reference: &Reference,
        plain_http: bool,
        own: Option<&Attempt<'_>>,
    ) -> Option<ChallengeSource> {
        if let Some(source) = own.and_then(|own| own.source.as_ref()) {
            let (url, addresses) = (source.url.clone(), source.addresses.clone());
            return Some(ChallengeSource { url, addresses });
        }
        let url = Endpoint::of(reference.registry(), plain_http).manifest(reference).ok()?;
        Some(ChallengeSource { url, addresses: Vec::new() })
    }
}

impl<'a> FinalResponse<'a> {
    fn recorded(
        recording: &'a Recording,
        last: Option<&'a RecordedExchange>,
        failed: bool,
    ) -> FinalResponse<'a> {
        let Some((exchange, response)) =
            last.and_then(|exchange| Some((exchange, exchange.response.as_ref()?)))
        else {
            return FinalResponse::default();
        };
        // If a GET only reads the error body of a refused HEAD, the HEAD decides.
        let deciding = refused_head(recording, exchange).unwrap_or(exchange);
        let deciding_response = deciding.response.as_ref().unwrap_or(response);
        FinalResponse {
            status: Some(if failed { deciding_response.status } else { response.status }),
            challenges: Some(parse(&deciding_response.challenges)),
            // If the GET succeeded where the HEAD failed, its body is not an error body.
            error_body: if failed && response.status < 400 {
                ErrorBody::default()
            } else {
                ErrorBody::read_redacted(&response.body, &Secret::redactor(&recording.secrets()))
            },
            body: Some(response.body.clone()),
            date: response.date.or(deciding_response.date),
            response: Some(response),
            exchange: Some(exchange),
            token_sent: deciding.authorization.is_bearer(),
        }
    }
}

/// The refused HEAD that a final GET repeats to read the error body.
fn refused_head<'a>(
    recording: &'a Recording,
    get: &RecordedExchange,
) -> Option<&'a RecordedExchange> {
    let mut registry = recording.exchanges().rev().filter(|one| one.party == Party::Registry);
    let before = registry.nth(1)?;
    let refused = before.status().is_some_and(|code| code >= 400 && !matches!(code, 405 | 501));
    let same = before.url == get.url && before.authorization.same_kind(&get.authorization);
    (get.method == "GET" && before.method == "HEAD" && refused && same).then_some(before)
}

fn parse(lines: &[Vec<u8>]) -> Challenges {
    challenge::parse(lines.iter().map(Vec::as_slice))
}
