//! Carries out a question: sends it, follows redirects, logs in if the registry requires it, and returns the final
//! response.
//!
//! The first request is the question itself. After a 401, `challenge_plan` decides which challenge may be used, and
//! `authentication` what to do next.

use std::collections::HashMap;
use std::thread;
use std::time::{Instant, SystemTime};

use crate::credentials::{Credential, Found, Secret};
use crate::digest::Digest;
use crate::error::{
    ChallengeFault, ConnectionFault, CredentialFault, Error, Identity, Kind, Party, Refusal,
    Result, StatusError,
};
use crate::event::{Event, Exchanged};
use crate::http::{Head, challenge};
use crate::reference::{Reference, Registry, Repository};
use crate::registry::authentication::{Login, Offer, Step};
use crate::registry::authorization::Authorization;
use crate::registry::challenge_plan::{self, Plan};
use crate::registry::client::Client;
use crate::registry::endpoint::Endpoint;
use crate::registry::final_response::{FinalResponse, error_body, status_error};
use crate::transport::{AddressScope, Call, Deadline, Fetched, Limit, Method, Request, redirect};
use crate::url::{Origin, Scheme, Url, UrlError};

/// A question to a registry, as one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) method: Method,
    pub(super) resource: Resource<'a>,
    /// The value of the `Accept` header.
    pub(super) accept: &'a str,
    pub(super) limit: Limit,
}

/// What a question is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Resource<'a> {
    /// The API itself.
    Base,
    /// The manifest of a reference.
    Manifest(&'a Reference),
    /// A manifest of the exchange's repository.
    ManifestOfDigest(&'a Digest),
    /// A blob of the exchange's repository.
    Blob(&'a Digest),
}

/// One or more questions about one reference or one registry. They share a deadline.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    pub(super) client: &'a Client,
    registry: &'a Registry,
    /// Where the registry is asked.
    endpoint: Endpoint,
    /// The repository's path. `None` for questions about the registry itself.
    repository: Option<&'a str>,
    pub(super) deadline: Deadline,
    /// The address scope of the registry, from its first response: hosts that it leads to must not be more private.
    address_scope: Option<AddressScope>,
    /// The user's credentials for each origin that required some.
    credentials: HashMap<Origin, Option<Found>>,
    /// Why a lookup of credentials ended early.
    credential_fault: Option<CredentialFault>,
    /// All secrets that were sent, to any server.
    pub(super) secrets: Vec<Secret>,
}

/// What a 401 led to.
enum Reaction {
    /// Send the same request again with this login.
    Resend(Login),
    /// The 401 is the final response to a request with this authorization. The faults are those of its challenges.
    Final(Authorization, Vec<ChallengeFault>),
}

impl Client {
    /// Starts the questions about one repository. The deadline starts with it.
    pub(super) fn exchange<'a>(&'a self, repository: &'a Repository) -> Exchange<'a> {
        Exchange::new(self, repository.registry(), Some(repository.path()))
    }
}

impl<'a> Exchange<'a> {
    pub(super) fn new(
        client: &'a Client,
        registry: &'a Registry,
        repository: Option<&'a str>,
    ) -> Exchange<'a> {
        Exchange {
            client,
            registry,
            endpoint: client.endpoint(registry),
            repository,
            deadline: Deadline::new(client.shared.config.timeout),
            address_scope: None,
            credentials: HashMap::new(),
            credential_fault: None,
            secrets: Vec::new(),
        }
    }

    /// Asks a question: follows redirects, logs in if the registry requires it, and returns the final response.
    ///
    /// # Errors
    /// If no response arrived, a safety rule forbids the next request, or the token server issued no token.
    pub(super) fn ask(&mut self, question: Question<'_>) -> Result<FinalResponse> {
        let outcome = match self.request_until_final(question) {
            Err(error) if self.falls_back_to_plain_http(&error) => {
                self.request_until_final(question)
            }
            outcome => outcome,
        };
        let Some(fault) = self.credential_fault.take() else { return outcome };
        // An unusable credential file is an error unless anonymous access works. A failing helper is one only if
        // access is denied.
        let (denied, failed) = match &outcome {
            Ok(response) => {
                let status = response.response.status();
                (matches!(status, 401 | 403), status != 200)
            }
            Err(error) => (error.kind() == Kind::Denied, true),
        };
        let matters = match fault {
            CredentialFault::Source { .. } => failed,
            CredentialFault::Helper { .. } => denied,
        };
        match outcome {
            Ok(response) if matters => {
                Ok(FinalResponse { credential_fault: Some(fault), ..response })
            }
            Err(error) if matters => {
                Err(Error::CredentialsUnavailable { cause: fault, response: Box::new(error) })
            }
            outcome => {
                self.client.report_credential_problem(&fault.to_string());
                outcome
            }
        }
    }

    /// Repeats a refused request as a GET, once and without retries, to read the registry's error message.
    pub(super) fn get_again(
        &mut self,
        refused: &FinalResponse,
        question: Question<'_>,
    ) -> Result<Fetched> {
        let request = Request::get(&refused.url)
            .accept(question.accept)
            .max_scope(self.max_scope(&refused.url))
            .once();
        self.send_to_registry(request, question.limit, refused.authorization.as_ref())
    }

    /// Sends a request to a registry, or to a host that one redirected to.
    fn send_to_registry(
        &mut self,
        request: Request<'_>,
        limit: Limit,
        authorization: Option<&Authorization>,
    ) -> Result<Fetched> {
        let requester = Requester {
            identity: authorization.map_or(Identity::Anonymous, |sent| sent.identity().clone()),
            secrets: authorization.map(Authorization::secrets).unwrap_or_default(),
        };
        let header = authorization.map(Authorization::header);
        let request = request.authorization(header.as_ref());
        self.send(Party::Registry, &requester, request, limit)
    }

    /// Sends a request, and reports how it ended.
    pub(super) fn send(
        &mut self,
        party: Party,
        requester: &Requester,
        request: Request<'_>,
        limit: Limit,
    ) -> Result<Fetched> {
        for secret in &requester.secrets {
            if !self.secrets.contains(secret) {
                self.secrets.push(secret.clone());
            }
        }
        let observer = &self.client.observer;
        let state = self.client.shared.registries.state(request.url.origin());
        if let Some(error) = state.unreachable() {
            return Err(Error::Connection(Box::new(error)));
        }
        let call = Call { observer, secrets: &self.secrets };
        let transport = &self.client.shared.transport;
        let outcome = transport.fetch(request, limit, &mut self.deadline, call);
        if let Err(Error::Connection(error)) = &outcome
            && error.fault.is_before_connection()
        {
            state.record_unreachable(error);
        }
        if let Err(Error::Connection(error)) = &outcome
            && let ConnectionFault::Certificate(_) = error.fault
        {
            // A peer with a certificate speaks TLS.
            state.record_response(request.url.scheme());
        }
        let response = outcome.as_ref().ok();
        if let Some(response) = response {
            state.record_response(request.url.scheme());
            // What a host answers to a redirect does not pause it for others: the registry chose the path.
            let named =
                party == Party::TokenServer || request.url.origin() == self.endpoint.origin();
            if let (true, 429, Some(pause)) = (named, response.status(), response.retry_after()) {
                let host = request.url.origin().authority();
                let identity = requester.identity.clone();
                // Without the body: it may be about this repository only.
                let error = StatusError { identity, ..StatusError::new(party, host, 429) };
                state.record_pause(pause, error);
            }
        }
        observer.emit_exchange(&Exchanged {
            party,
            method: request.method.as_str(),
            url: request.url,
            identity: &requester.identity,
            authorization: request.authorization,
            secrets: &requester.secrets,
            head: response.map(|response| &response.head),
            body: response.map_or(&[], |response| &response.body),
            at: SystemTime::now(),
        });
        outcome
    }

    /// Waits until the end of a pause that an earlier response announced. A client without retries does not wait.
    ///
    /// # Errors
    /// The status of that response, if the rest of the pause is longer than `max_wait`.
    pub(super) fn wait_for_pause(&mut self, url: &Url) -> Result<()> {
        let shared = &self.client.shared;
        if shared.config.retries == 0 {
            return Ok(());
        }
        let Some((pause, error)) = shared.registries.state(url.origin()).pause() else {
            return Ok(());
        };
        if pause > shared.config.max_wait {
            let error = StatusError { retry_after: Some(pause), ..error };
            return Err(Error::Status(Box::new(error)));
        }
        let host = &url.origin().authority();
        let reason = &format!("status {}", error.status);
        self.client.observer.emit(&Event::Retrying { host, reason, wait: pause, announced: true });
        self.deadline.extend(pause);
        thread::sleep(pause);
        Ok(())
    }

    /// The repository's path, or an empty string.
    pub(super) fn repository(&self) -> &'a str {
        self.repository.unwrap_or_default()
    }

    /// True if plain http is used from now on, since the registry is on this machine and does not speak TLS. Never after
    /// a certificate was refused or a response came over TLS, and never for a host that the registry led to.
    fn falls_back_to_plain_http(&self, error: &Error) -> bool {
        let Error::Connection(connection) = error else { return false };
        let ConnectionFault::NotTls = connection.fault else { return false };
        let origin = self.endpoint.origin();
        let falls_back = self.registry.is_loopback()
            && origin.scheme() == Scheme::Https
            && connection.host == origin.authority()
            && self.client.shared.registries.state(origin).record_missing_tls();
        if falls_back {
            let host = &self.registry.name();
            self.client.observer.emit(&Event::PlainHttp { host });
        }
        falls_back
    }

    fn request_until_final(&mut self, question: Question<'_>) -> Result<FinalResponse> {
        // Plain http may be known to be necessary since the last question.
        self.endpoint = self.client.endpoint(self.registry);
        let named = self.endpoint.clone();
        let mut url = self.url(&named, question.resource).map_err(|fault| {
            Refusal::RedirectTarget { host: named.origin().authority(), fault: Some(fault) }
        })?;
        let mut endpoint = named.clone();
        let mut login = self.initial_login(&endpoint);
        // The logins of origins that a redirect led away from, in case another one leads back.
        let mut left: HashMap<Origin, Login> = HashMap::new();
        let mut redirects = 0;
        loop {
            let request = Request::new(question.method, &url)
                .accept(question.accept)
                .max_scope(self.max_scope(&url));
            let authorization = login.authorization().cloned();
            self.wait_for_pause(&url)?;
            let response =
                self.send_to_registry(request, question.limit, authorization.as_ref())?;
            self.record(&url, authorization.as_ref(), &response);
            if redirect::is_redirect(response.status()) {
                redirects += 1;
                let to = follow(&url, &response.head, redirects)?;
                if to.origin() != url.origin() {
                    endpoint = self.endpoint_at(&named, to.origin());
                    let next = left.remove(to.origin());
                    let next = next.unwrap_or_else(|| self.initial_login(&endpoint)).withheld();
                    left.insert(url.origin().clone(), std::mem::replace(&mut login, next));
                }
                url = to;
                continue;
            }
            let (authorization, challenge_faults) = if response.status() == 401 {
                match self.react(login, &endpoint, &url, &response)? {
                    Reaction::Resend(next) => {
                        login = next;
                        continue;
                    }
                    Reaction::Final(authorization, faults) => (Some(authorization), faults),
                }
            } else {
                (authorization, Vec::new())
            };
            let secrets = self.secrets.clone();
            return Ok(FinalResponse {
                response,
                url,
                authorization,
                secrets,
                challenge_faults,
                credential_fault: None,
            });
        }
    }

    fn url(&self, endpoint: &Endpoint, resource: Resource<'_>) -> Result<Url, UrlError> {
        match resource {
            Resource::Base => endpoint.base(),
            Resource::Manifest(reference) => endpoint.manifest(reference),
            Resource::ManifestOfDigest(digest) => {
                endpoint.manifest_of_digest(self.repository(), digest)
            }
            Resource::Blob(digest) => endpoint.blob(self.repository(), digest),
        }
    }

    fn endpoint_at(&self, named: &Endpoint, origin: &Origin) -> Endpoint {
        if named.origin() == origin { named.clone() } else { Endpoint::redirected(origin.clone()) }
    }

    /// What is sent first to an endpoint: a ready token, or what it accepted for this repository before.
    fn initial_login(&self, endpoint: &Endpoint) -> Login {
        let ready = self.client.shared.config.keychain.ready_token();
        let ready = ready.filter(|_| endpoint.is_named_by_user());
        let ready = ready.as_ref().and_then(Authorization::ready_token);
        let state = self.client.shared.registries.state(endpoint.origin());
        match ready.or_else(|| state.login(self.repository())) {
            Some(authorization) => Login::kept(authorization),
            None => Login::Anonymous { tokens: 0 },
        }
    }

    fn status_error(
        &self,
        url: &Url,
        response: &Fetched,
        authorization: Option<&Authorization>,
    ) -> StatusError {
        let identity = authorization.map_or(Identity::Anonymous, |sent| sent.identity().clone());
        let host = url.origin().authority();
        status_error(Party::Registry, host, response, identity, &self.secrets)
    }

    /// Remembers what a response shows about its origin.
    fn record(&mut self, url: &Url, authorization: Option<&Authorization>, response: &Fetched) {
        // The first response is the registry's own.
        self.address_scope.get_or_insert(response.scope);
        if let Some(password) = authorization.and_then(Authorization::password)
            && matches!(response.status(), 200..=399 | 403 | 404)
        {
            let state = self.client.shared.registries.state(url.origin());
            state.record_accepted(&Credential::Password(password.clone()));
        }
    }

    fn react(
        &mut self,
        login: Login,
        endpoint: &Endpoint,
        url: &Url,
        response: &Fetched,
    ) -> Result<Reaction> {
        let needed = login.needs_credentials();
        let found = if needed { self.credentials_for(endpoint)? } else { None };
        let challenges = challenge::parse(response.head.lines("www-authenticate"));
        let config = &self.client.shared.config;
        let credential = found.as_ref().map(|found| &found.credential);
        let Plan { token, basic, ready, faults } =
            challenge_plan::plan(challenges, url, self.repository, credential, config);
        let usable = token.is_some() || basic;
        let state = self.client.shared.registries.state(url.origin());
        let offer = Offer {
            ready: found.as_ref().filter(|_| ready).and_then(Authorization::ready_token),
            kept: token.as_ref().and_then(|token| state.token(token, credential)),
            basic: found.as_ref().filter(|_| basic).and_then(Authorization::basic),
            token,
        };
        let login = match login.next(offer) {
            Step::Resend(login) => login,
            Step::Fetch { request, tokens } => {
                // What was sent, if anything, was refused. Should the fetch fail, it must not be sent again.
                state.forget_login(self.repository());
                let token = self.fetch_token(&request, found.as_ref())?;
                Login::Fetched { token, tokens }
            }
            Step::Refused(authorization) => {
                if let Some(password) = authorization.password() {
                    let error = self.status_error(url, response, Some(&authorization));
                    state.record_refused(&Credential::Password(password.clone()), &error);
                }
                state.forget_login(self.repository());
                let faults = if usable { Vec::new() } else { faults };
                return Ok(Reaction::Final(authorization, faults));
            }
            Step::Unusable => {
                let body = error_body(&response.body, &self.secrets);
                return Err(challenge_plan::unusable(url.origin().authority(), faults, body));
            }
        };
        match login.authorization() {
            Some(authorization) => {
                let password = authorization.password().cloned().map(Credential::Password);
                if let Some(error) = password.and_then(|password| state.refusal(&password)) {
                    return Err(Error::Status(Box::new(error)));
                }
                state.record_login(self.repository(), authorization);
            }
            None => state.forget_login(self.repository()),
        }
        Ok(Reaction::Resend(login))
    }

    /// The user's credentials for an endpoint. They are looked up after its first 401, and once for each origin.
    ///
    /// # Errors
    /// If a source that the user named cannot be used. Faults of other sources are kept until the registry has responded
    /// to a request without credentials.
    fn credentials_for(&mut self, endpoint: &Endpoint) -> Result<Option<Found>> {
        if let Some(known) = self.credentials.get(endpoint.origin()) {
            return Ok(known.clone());
        }
        let until = Instant::now() + self.deadline.left().unwrap_or_default();
        let path = self.repository();
        let lookup = self.client.lookup_credentials(self.registry, endpoint, path, until);
        match lookup.error {
            Some(CredentialFault::Source { name, default: false, fault }) => {
                return Err(Error::Local { path: name.into(), fault });
            }
            fault => self.credential_fault = self.credential_fault.take().or(fault),
        }
        self.credentials.insert(endpoint.origin().clone(), lookup.found.clone());
        Ok(lookup.found)
    }

    /// Returns the most private kind of address that a request to this URL may connect to. `None` allows every address:
    /// for the registry that the user named, if the configuration allows private addresses, and before the first response.
    pub(super) fn max_scope(&self, url: &Url) -> Option<AddressScope> {
        let named = url.origin() == self.endpoint.origin();
        if named || self.client.shared.config.allow_private { None } else { self.address_scope }
    }
}

/// On whose behalf a request is sent, and which secrets it contains.
#[derive(Debug)]
pub(super) struct Requester {
    pub(super) identity: Identity,
    pub(super) secrets: Vec<Secret>,
}

/// The target of a redirect.
///
/// # Errors
/// If there were too many redirects, or the target is missing, not a URL, or plain http after https.
pub(super) fn follow(from: &Url, head: &Head, redirects: u32) -> Result<Url> {
    if redirects > redirect::MAX_REDIRECTS {
        return Err(Refusal::TooManyRedirects { host: from.origin().authority() }.into());
    }
    Ok(redirect::target(from, head)?)
}
