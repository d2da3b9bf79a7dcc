//! One question and all the requests that it takes: redirects, challenges, tokens, and the answer.
//!
//! The first request is the question itself. A 401 is answered with a token or with credentials, once, or once
//! more where the challenge then asks for something else (distribution's token specification, steps 1 to 6).

use super::client::{Client, Inner};
use super::login::{self, Authorization, Plan};

use crate::challenge;
use crate::credentials::Credential;
use crate::error::{
    ChallengeFault, ConnectionFault, Error, Identity, Party, Refusal, Result, StatusError,
};
use crate::oci::Words;
use crate::reference::Repository;
use crate::token::{self, TokenRequest};
use crate::transport::{Answer, Deadline, Event, Limit, Method, Reach, Request, redirect};
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
    pub(super) answer: Answer,
    /// Who answered, after all redirects.
    pub(super) url: Url,
    /// What went along.
    pub(super) authorization: Option<Authorization>,
    /// What stands against the challenges of a final 401.
    pub(super) faults: Vec<ChallengeFault>,
}

/// The questions about one reference: they share a deadline.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    client: &'a Inner,
    repository: &'a Repository,
    deadline: Deadline,
    /// The most private address that the registry may lead to.
    reach: Option<Reach>,
}

/// A token's answer is read so far.
const TOKEN_LIMIT: Limit = Limit { what: "token answer", bytes: 64 * 1024 };

impl Client {
    /// Begins the questions about one reference: from here the deadline runs.
    pub(super) fn exchange<'a>(&'a self, repository: &'a Repository) -> Exchange<'a> {
        let client = &*self.inner;
        let deadline = Deadline::new(client.config.timeout);
        Exchange { client, repository, deadline, reach: None }
    }
}

impl Exchange<'_> {
    /// Asks, and answers what stands in the way. Every final status is a reply.
    ///
    /// # Errors
    /// When no answer came, a safety rule forbids to go on, or the token server gives no token.
    pub(super) fn ask(&mut self, question: Question<'_>) -> Result<Reply> {
        match self.walk(question) {
            Err(error) if self.speaks_plain_http(&error) => self.walk(question),
            outcome => outcome,
        }
    }

    /// Sends the GET that reads why a HEAD was refused: once, with the same headers, to the same place.
    pub(super) fn ask_again(&mut self, reply: &Reply, question: Question<'_>) -> Result<Answer> {
        let request = Request {
            method: Method::Get,
            url: &reply.url,
            accept: question.accept,
            authorization: reply.authorization.as_ref().map(|a| &a.header),
            limit: question.limit,
            reach: self.reach_for(&reply.url),
            retried: false,
        };
        self.client.transport.send(request, &mut self.deadline)
    }

    /// The repository that is asked about.
    pub(super) fn repository(&self) -> &Repository {
        self.repository
    }

    fn origin(&self) -> Origin {
        let registry = self.repository.registry();
        let scheme = self.client.scheme(registry);
        Origin::new(scheme, registry.api_host(), registry.port())
    }

    /// True when the registry is on this machine and its peer speaks no TLS: it is asked in plain http then.
    /// Never after a certificate was refused, and never for a host that the registry led to.
    fn speaks_plain_http(&self, error: &Error) -> bool {
        let registry = self.repository.registry();
        let Error::Connection(connection) = error else { return false };
        let ConnectionFault::NotTls = connection.fault else { return false };
        let origin = self.origin();
        let falls = registry.is_loopback()
            && origin.scheme() == Scheme::Https
            && connection.host == origin.authority();
        if falls {
            self.client.remember_plain_http(registry);
            let host = &registry.name();
            self.client.transport.observer().tell(&Event::PlainHttp { host });
        }
        falls
    }

    fn walk(&mut self, question: Question<'_>) -> Result<Reply> {
        let asked = self.origin();
        let mut url = Url::at(asked.clone(), question.path).map_err(|fault| {
            Refusal::RedirectTarget { host: asked.authority(), fault: Some(fault) }
        })?;
        let mut login = self.login(&asked);
        let mut redirects = 0;
        loop {
            let request = Request {
                method: question.method,
                url: &url,
                accept: question.accept,
                authorization: login.authorization.as_ref().map(|a| &a.header),
                limit: question.limit,
                reach: self.reach_for(&url),
                retried: true,
            };
            let answer = self.client.transport.send(request, &mut self.deadline)?;
            self.reach = self.reach.or_else(|| self.client.transport.reach(&asked));
            if redirect::is_redirect(answer.status()) {
                redirects += 1;
                let to = follow(&url, &answer, redirects)?;
                if to.origin() != url.origin() {
                    login = self.login(to.origin()).withheld();
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
            return Ok(Reply { answer, url, authorization: login.authorization, faults });
        }
    }

    /// What is known for an origin: a token or credentials that it took before, and what the user keeps for it.
    fn login(&self, origin: &Origin) -> Login {
        let asked = *origin == self.origin();
        let credential =
            if asked { self.client.config.keychain.for_asked().cloned() } else { None };
        let known = self.client.known(origin, self.repository.path());
        Login { credential, stale: known.is_some(), authorization: known, kept: None, tokens: 0 }
    }

    fn respond(&mut self, login: &mut Login, url: &Url, answer: &Answer) -> Result<Response> {
        if let Some(kept) = login.kept.take() {
            login.authorization = Some(kept);
            return Ok(Response::Resend);
        }
        let challenges = challenge::parse(answer.lines("www-authenticate"));
        let path = self.repository.path();
        let config = &self.client.config;
        let Plan { token, basic, faults } =
            login::plan(challenges, url, path, login.credential.as_ref(), config);
        let usable = token.is_some() || basic;
        let next = match (&login.authorization, token) {
            (_, Some(token)) if login.may_ask(&token) => {
                Some(self.fetch_token(&token, login.credential.as_ref(), url)?)
            }
            (None, None) if basic => login.credential.as_ref().map(Authorization::basic),
            (None, _) => {
                let words = Words::read(answer.body());
                return Err(login::unusable(url.origin().authority(), faults, words));
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
        self.client.remember(url.origin(), path, next.as_ref());
        login.authorization = next;
        Ok(Response::Resend)
    }

    fn fetch_token(
        &mut self,
        request: &TokenRequest,
        credential: Option<&Credential>,
        challenged: &Url,
    ) -> Result<Authorization> {
        let basic = credential.map(Credential::basic);
        let mut url = request.url().clone();
        let mut redirects = 0;
        let answer = loop {
            let sent = Request {
                method: Method::Get,
                url: &url,
                accept: "application/json",
                authorization: basic.as_ref(),
                limit: TOKEN_LIMIT,
                reach: self.reach_for(&url),
                retried: true,
            };
            let answer = self.client.transport.send(sent, &mut self.deadline)?;
            if !redirect::is_redirect(answer.status()) {
                break answer;
            }
            redirects += 1;
            let to = follow(&url, &answer, redirects)?;
            if basic.is_some() && to.origin() != url.origin() {
                let (from, to) = (url.origin().authority(), to.origin().authority());
                return Err(Refusal::TokenRedirect { from, to }.into());
            }
            // A redirect is held to the rule that the realm was held to.
            if to.scheme() < challenged.scheme() {
                let (from, to) = (url.origin().authority(), to.origin().to_string());
                return Err(Refusal::PlainHttp { from, to }.into());
            }
            url = to;
        };
        let host = url.origin().authority();
        if !(200..300).contains(&answer.status()) {
            let identity = match credential {
                Some(credential) => Identity::User(credential.user().to_owned()),
                None => Identity::Anonymous,
            };
            return Err(status_error(Party::TokenServer, host, &answer, identity));
        }
        let token = token::read_token(answer.header("content-type"), answer.body())
            .map_err(|fault| Error::Token { host, fault })?;
        Ok(Authorization::bearer(&token, request, credential))
    }

    /// The rule of reach for a URL: none for the host that the user named.
    fn reach_for(&self, url: &Url) -> Option<Reach> {
        let named = url.host() == self.origin().host();
        if named || self.client.config.allow_private { None } else { self.reach }
    }
}

/// How the login at one origin stands.
#[derive(Debug)]
struct Login {
    credential: Option<Credential>,
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
        self.kept = self.authorization.take();
        self
    }

    /// One token for the first challenge; one more when what we have was not asked for in this question, or
    /// when the challenge now asks for something else.
    fn may_ask(&self, request: &TokenRequest) -> bool {
        match &self.authorization {
            None => self.tokens < 2,
            Some(_) if self.stale => true,
            Some(Authorization { asked: Some(asked), .. }) => {
                self.tokens < 2 && asked != request.asked()
            }
            // Credentials that were refused are not tried elsewhere: some servers lock accounts.
            Some(Authorization { asked: None, .. }) => false,
        }
    }
}

enum Response {
    /// The same question again, with what the login holds now.
    Resend,
    /// The 401 stands, and this stands against its challenges.
    Final(Vec<ChallengeFault>),
}

fn follow(from: &Url, answer: &Answer, redirects: u32) -> Result<Url> {
    if redirects > redirect::MOST_REDIRECTS {
        return Err(Refusal::TooManyRedirects { host: from.origin().authority() }.into());
    }
    Ok(redirect::target(from, answer)?)
}

fn status_error(party: Party, host: String, answer: &Answer, identity: Identity) -> Error {
    Error::Status(Box::new(StatusError {
        party,
        host,
        status: answer.status(),
        words: Words::read(answer.body()),
        identity,
        retry_after: answer.retry_after(),
    }))
}

impl Reply {
    /// The error that this reply is when its status is no answer.
    pub(super) fn into_error(self) -> Error {
        let host = self.url.origin().authority();
        if self.answer.status() == 401 && self.faults.iter().any(ChallengeFault::is_invalid) {
            return login::unusable(host, self.faults, Words::read(self.answer.body()));
        }
        let identity = self.authorization.map_or(Identity::Anonymous, |a| a.identity);
        status_error(Party::Registry, host, &self.answer, identity)
    }
}
