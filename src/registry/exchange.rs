//! One question and all the requests that it takes: redirects, challenges, tokens, and the answer.
//!
//! The first request is the question itself. A 401 is answered with a token or with credentials, once, or once
//! more where the challenge then asks for something else (distribution's token specification, steps 1 to 6).

use std::time::SystemTime;

use crate::credentials::{Found, Secret};
use crate::error::{
    ChallengeFault, ConnectionFault, CredentialFault, Error, Identity, Kind, Party, Refusal,
    Result, StatusError,
};
use crate::event::{Event, Exchanged};
use crate::http::{Head, challenge};
use crate::oci::ErrorBody;
use crate::reference::{Registry, Repository};
use crate::registry::challenge_plan::{self, Authorization, Plan};
use crate::registry::client::{Client, Inner};
use crate::registry::credential_lookup::LookupState;
use crate::token::TokenRequest;
use crate::transport::redirect;
use crate::transport::{AddressScope, Call, Deadline, Fetched, Limit, Method, Request};
use crate::url::{Origin, Scheme, Url};

/// What is asked of a registry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) method: Method,
    /// Beginning with `/v2/`.
    pub(super) path: &'a str,
    pub(super) accept: &'a str,
    pub(super) limit: Limit,
}

/// The answer to a question, and how it was got.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) answer: Fetched,
    /// Who answered, after all redirects.
    pub(super) url: Url,
    /// What went along.
    pub(super) authorization: Option<Authorization>,
    /// What was sent on the way to it that may not be shown.
    pub(super) sent: Vec<Secret>,
    /// What stands against the challenges of a final 401.
    pub(super) faults: Vec<ChallengeFault>,
    /// What kept credentials from being found, when this is a refusal.
    pub(super) trouble: Option<CredentialFault>,
}

/// The questions about one reference, or one registry: they share a deadline.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    pub(super) client: &'a Inner,
    registry: &'a Registry,
    /// The repository's path; `None` for questions to the registry itself.
    repository: Option<&'a str>,
    pub(super) deadline: Deadline,
    /// The most private address that the registry may lead to.
    reach: Option<AddressScope>,
    /// What kept a search for credentials from going on.
    trouble: Option<CredentialFault>,
    /// What was sent that may not be shown, to whomever.
    pub(super) sent: Vec<Secret>,
}

impl Client {
    /// Begins the questions about one repository: from here the deadline runs.
    pub(super) fn exchange<'a>(&'a self, repository: &'a Repository) -> Exchange<'a> {
        Exchange::new(&self.inner, repository.registry(), Some(repository.path()))
    }
}

impl<'a> Exchange<'a> {
    pub(super) fn new(
        client: &'a Inner,
        registry: &'a Registry,
        repository: Option<&'a str>,
    ) -> Exchange<'a> {
        let deadline = Deadline::new(client.config.timeout);
        let sent = Vec::new();
        Exchange { client, registry, repository, deadline, reach: None, trouble: None, sent }
    }

    /// Asks, and answers what stands in the way. Every final status is a reply.
    ///
    /// # Errors
    /// When no answer came, a safety rule forbids to go on, or the token server gives no token.
    pub(super) fn ask(&mut self, question: Question<'_>) -> Result<Reply> {
        let outcome = match self.walk(question) {
            Err(error) if self.speaks_plain_http(&error) => self.walk(question),
            outcome => outcome,
        };
        let Some(trouble) = self.trouble.take() else { return outcome };
        // A place that cannot be used matters unless the registry lets us in without it; a helper that fails, when
        // we are refused.
        let (denied, in_vain) = match &outcome {
            Ok(reply) => (matches!(reply.answer.status(), 401 | 403), reply.answer.status() != 200),
            Err(error) => (error.kind() == Kind::Denied, true),
        };
        let matters = match trouble {
            CredentialFault::Source { .. } => in_vain,
            CredentialFault::Helper { .. } => denied,
        };
        match outcome {
            Ok(reply) if matters => Ok(Reply { trouble: Some(trouble), ..reply }),
            Err(error) if matters => {
                Err(Error::CredentialsUnavailable { cause: trouble, response: Box::new(error) })
            }
            outcome => {
                self.client.say(&trouble.to_string());
                outcome
            }
        }
    }

    /// Sends the GET that reads why a HEAD was refused: once, with the same headers, to the same place.
    pub(super) fn ask_again(&mut self, reply: &Reply, question: Question<'_>) -> Result<Fetched> {
        let request = Request::get(&reply.url)
            .accept(question.accept)
            .authorization(reply.authorization.as_ref().map(|a| &a.header))
            .max_scope(self.reach_for(&reply.url))
            .once();
        let asker = Requester::of(reply.authorization.as_ref());
        self.send(Party::Registry, &asker, request, question.limit)
    }

    /// Sends a request, and tells how it ended.
    pub(super) fn send(
        &mut self,
        party: Party,
        asker: &Requester<'_>,
        request: Request<'_>,
        limit: Limit,
    ) -> Result<Fetched> {
        for secret in asker.secrets {
            if !self.sent.contains(secret) {
                self.sent.push(secret.clone());
            }
        }
        let observer = &self.client.config.observer;
        let call = Call { observer, secrets: &self.sent };
        let outcome = self.client.transport.fetch(request, limit, &mut self.deadline, call);
        let fetched = outcome.as_ref().ok();
        observer.emit_exchange(&Exchanged {
            party,
            method: request.method.as_str(),
            url: request.url,
            identity: &asker.identity,
            authorization: request.authorization,
            secrets: asker.secrets,
            head: fetched.map(|fetched| &fetched.head),
            body: fetched.map_or(&[], |fetched| fetched.body.as_slice()),
            at: SystemTime::now(),
        });
        outcome
    }

    /// The path of the repository that is asked about.
    pub(super) fn repository(&self) -> &'a str {
        self.repository.unwrap_or_default()
    }

    fn origin(&self) -> Origin {
        self.client.origin(self.registry)
    }

    /// True when the registry is on this machine and its peer speaks no TLS: it is asked in plain http then.
    /// Never after a certificate was refused or an answer came over TLS, and never for a host that the registry
    /// led to.
    fn speaks_plain_http(&self, error: &Error) -> bool {
        let Error::Connection(connection) = error else { return false };
        let ConnectionFault::NotTls = connection.fault else { return false };
        let origin = self.origin();
        let falls = self.registry.is_loopback()
            && origin.scheme() == Scheme::Https
            && connection.host == origin.authority()
            && !self.client.speaks_tls(&origin);
        if falls {
            self.client.remember_plain_http(self.registry);
            let host = &self.registry.name();
            self.client.config.observer.emit(&Event::PlainHttp { host });
        }
        falls
    }

    fn walk(&mut self, question: Question<'_>) -> Result<Reply> {
        let asked = self.origin();
        let mut url = Url::at(asked.clone(), question.path).map_err(|fault| {
            Refusal::RedirectTarget { host: asked.authority(), fault: Some(fault) }
        })?;
        let mut login = self.login(&asked);
        // The logins of origins that a redirect led away from, for the way back.
        let mut left: Vec<Login> = Vec::new();
        let mut redirects = 0;
        loop {
            let request = Request::new(question.method, &url)
                .accept(question.accept)
                .authorization(login.authorization.as_ref().map(|a| &a.header))
                .max_scope(self.reach_for(&url));
            let asker = Requester::of(login.authorization.as_ref());
            let answer = self.send(Party::Registry, &asker, request, question.limit)?;
            self.client.remember_answer(url.origin());
            self.reach = self.reach.or(Some(answer.scope));
            if redirect::is_redirect(answer.status()) {
                redirects += 1;
                let to = follow(&url, &answer.head, redirects)?;
                if to.origin() != url.origin() {
                    let known = left.iter().position(|login| login.origin == *to.origin());
                    let next = known.map(|at| left.swap_remove(at));
                    let next = next.unwrap_or_else(|| self.login(to.origin())).withheld();
                    left.push(std::mem::replace(&mut login, next));
                }
                url = to;
                continue;
            }
            let faults = if answer.status() == 401 {
                match self.respond(&mut login, &url, &answer)? {
                    Response::Resend => continue,
                    Response::Final(faults) => faults,
                }
            } else {
                Vec::new()
            };
            let authorization = login.authorization;
            let sent = self.sent.clone();
            return Ok(Reply { answer, url, authorization, sent, faults, trouble: None });
        }
    }

    /// What is known for an origin: a token or credentials that it took before, or a ready token.
    fn login(&self, origin: &Origin) -> Login {
        let asked = *origin == self.origin();
        let known = self.client.known(origin, self.repository());
        let stale = known.is_some();
        let ready = self.client.config.keychain.ready_token().filter(|_| asked);
        let ready = ready.as_ref().and_then(Authorization::ready);
        let authorization = ready.or(known);
        let (origin, found) = (origin.clone(), LookupState::Open);
        Login { origin, asked, found, stale, authorization, kept: None, tokens: 0 }
    }

    fn respond(&mut self, login: &mut Login, url: &Url, answer: &Fetched) -> Result<Response> {
        if let Some(kept) = login.kept.take() {
            login.authorization = Some(kept);
            return Ok(Response::Resend);
        }
        // Where it is final, nothing more is looked for: a helper may ask a person.
        let found = if login.is_final() { None } else { self.found(login, url.origin())? };
        let challenges = challenge::parse(answer.head.lines("www-authenticate"));
        let config = &self.client.config;
        let credential = found.as_ref().map(|found| &found.credential);
        let Plan { token, basic, ready, faults } =
            challenge_plan::plan(challenges, url, self.repository, credential, config);
        let usable = token.is_some() || basic;
        let ready = found.as_ref().filter(|_| ready).and_then(Authorization::ready);
        if let (None, None, Some(token)) = (&login.authorization, &ready, &token)
            && let Some(known) = self.client.token_for(token, found.as_ref())
        {
            self.client.remember(url.origin(), self.repository(), Some(&known));
            (login.authorization, login.stale) = (Some(known), true);
            return Ok(Response::Resend);
        }
        let next = match (&login.authorization, token) {
            (None, _) if ready.is_some() => ready,
            (_, Some(token)) if login.may_ask(&token) => {
                Some(self.fetch_token(&token, found.as_ref())?)
            }
            (None, None) if basic => found.as_ref().and_then(Authorization::basic),
            (None, _) => {
                let words = words(&answer.body, &self.sent);
                return Err(challenge_plan::unusable(url.origin().authority(), faults, words));
            }
            // A token of an earlier question that is refused without a usable challenge: asked anew, as if it had
            // not been kept. Credentials that are refused are final.
            (Some(Authorization { asked: Some(_), .. }), _) if login.stale => None,
            (Some(_), _) if usable => return Ok(Response::Final(Vec::new())),
            (Some(_), _) => return Ok(Response::Final(faults)),
        };
        login.tokens += u32::from(next.as_ref().is_some_and(|next| next.asked.is_some()));
        if login.stale {
            login.stale = false;
            login.tokens += 1;
        }
        self.client.remember(url.origin(), self.repository(), next.as_ref());
        login.authorization = next;
        Ok(Response::Resend)
    }

    /// What the user keeps for the host that asks: looked up now that it does, and once.
    ///
    /// # Errors
    /// When a place that the user named cannot be used; of others it is told once the registry has answered to a
    /// request without credentials.
    fn found(&mut self, login: &mut Login, origin: &Origin) -> Result<Option<Found>> {
        if let LookupState::Open = login.found {
            let time = self.deadline.left().unwrap_or_default();
            let path = self.repository();
            let search = self.client.search(self.registry, origin, path, login.asked, time);
            login.found = LookupState::Done(search.found);
            match search.trouble {
                Some(CredentialFault::Source { name: place, default: false, fault }) => {
                    return Err(Error::Local { path: place.into(), fault });
                }
                trouble => self.trouble = self.trouble.take().or(trouble),
            }
        }
        Ok(login.found.done().cloned())
    }

    /// The rule of reach for a URL: none for the origin that the user named.
    pub(super) fn reach_for(&self, url: &Url) -> Option<AddressScope> {
        let named = *url.origin() == self.origin();
        if named || self.client.config.allow_private { None } else { self.reach }
    }
}

/// Who asks, and what of that may not be shown.
#[derive(Debug)]
pub(super) struct Requester<'a> {
    pub(super) identity: Identity,
    pub(super) secrets: &'a [Secret],
}

impl Requester<'_> {
    fn of(authorization: Option<&Authorization>) -> Requester<'_> {
        Requester {
            identity: authorization.map_or(Identity::Anonymous, |login| login.identity.clone()),
            secrets: authorization.map_or(&[], |login| &login.secrets),
        }
    }
}

/// How the login at one origin stands.
#[derive(Debug)]
struct Login {
    origin: Origin,
    /// True for the registry that the caller named.
    asked: bool,
    found: LookupState,
    authorization: Option<Authorization>,
    /// What is sent once the origin asks for it.
    kept: Option<Authorization>,
    /// True when the authorization is from an earlier question.
    stale: bool,
    /// How many tokens were used up: one from an earlier question counts.
    tokens: u32,
}

impl Login {
    /// For an origin that a redirect leads to: it gets nothing until it asks.
    fn withheld(mut self) -> Login {
        self.kept = self.authorization.take().or(self.kept);
        self
    }

    /// True once credentials or a ready token were sent: refused, they are not tried elsewhere, since some servers
    /// lock accounts.
    fn is_final(&self) -> bool {
        matches!(self.authorization, Some(Authorization { asked: None, .. }))
    }

    /// One token for the first challenge; one more when what we have was not asked for in this question, or
    /// when the challenge now asks for something else.
    fn may_ask(&self, request: &TokenRequest) -> bool {
        match &self.authorization {
            None => self.tokens < 2,
            Some(_) if self.is_final() => false,
            Some(_) if self.stale => true,
            Some(Authorization { asked, .. }) => {
                self.tokens < 2 && asked.as_ref() != Some(request.asked())
            }
        }
    }
}

enum Response {
    /// The same question again, with what the login holds now.
    Resend,
    /// The 401 stands, and this stands against its challenges.
    Final(Vec<ChallengeFault>),
}

/// The target of a redirect, if one more may be followed.
pub(super) fn follow(from: &Url, head: &Head, redirects: u32) -> Result<Url> {
    if redirects > redirect::MAX_REDIRECTS {
        return Err(Refusal::TooManyRedirects { host: from.origin().authority() }.into());
    }
    Ok(redirect::target(from, head)?)
}

/// What an answer says for itself, without the secrets that were sent: some servers repeat them.
pub(super) fn words(body: &[u8], sent: &[Secret]) -> ErrorBody {
    ErrorBody::read_without(body, &Secret::forms(sent))
}

pub(super) fn status_error(
    party: Party,
    host: String,
    answer: &Fetched,
    identity: Identity,
    sent: &[Secret],
) -> Error {
    Error::Status(Box::new(StatusError {
        party,
        host,
        status: answer.status(),
        body: words(&answer.body, sent),
        identity,
        retry_after: answer.retry_after(),
    }))
}

impl Reply {
    /// The error that this reply is when its status is no answer.
    pub(super) fn into_error(self) -> Error {
        let host = self.url.origin().authority();
        let invalid = self.faults.iter().any(ChallengeFault::is_invalid);
        let error = if self.answer.status() == 401 && invalid {
            challenge_plan::unusable(host, self.faults, words(&self.answer.body, &self.sent))
        } else {
            let identity = self.authorization.map_or(Identity::Anonymous, |a| a.identity);
            status_error(Party::Registry, host, &self.answer, identity, &self.sent)
        };
        match self.trouble {
            Some(trouble) => {
                Error::CredentialsUnavailable { cause: trouble, response: Box::new(error) }
            }
            None => error,
        }
    }
}
