//! One attempt to log in, laid out the same whether somebody hands over its pieces or regq made it: whose
//! challenge, what was asked of the token server, the token, and the registry's last answer.
//!
//! What is not known is `None`. Rules judge attempts and nothing else.

use std::net::IpAddr;

use crate::credentials::Secret;
use crate::error::{Error, Identity, Party};
use crate::explain::jwt::{Access, Entry, Token};
use crate::explain::recording::{Hop, Recording, Reply, Sent};
use crate::explain::supplied::{Given, TokenAnswer};
use crate::explain::token_url::{Asked, Scope, scopes};
use crate::http::challenge::{self, Challenge, ChallengeError};
use crate::oci::ErrorBody;
use crate::reference::{Reference, docker_hub};
use crate::registry::Endpoint;
use crate::url::{Url, is_loopback};

/// The parsed challenges of an answer.
pub(super) type Challenges = Vec<Result<Challenge, ChallengeError>>;

/// An attempt to log in.
#[derive(Debug, Default)]
pub(super) struct Attempt<'a> {
    /// True for somebody's own, of which pieces are given.
    pub(super) given: bool,
    pub(super) reference: Option<&'a Reference>,
    /// Who sent the challenge.
    pub(super) site: Option<Site>,
    /// The field lines of the answer that the login began with.
    pub(super) lines: Vec<Vec<u8>>,
    pub(super) challenges: Option<Challenges>,
    pub(super) asked: Option<Asked>,
    /// The token server's last answer, where regq asked it.
    pub(super) server: Option<&'a Hop>,
    /// Whose credentials went to the token server: an identity token that is not exchanged is followed by a
    /// request without.
    pub(super) offered: Option<&'a Identity>,
    pub(super) answer: Option<TokenAnswer>,
    pub(super) token: Option<Token>,
    pub(super) last: Last<'a>,
    /// What ended regq's own walk.
    pub(super) error: Option<&'a Error>,
    /// The token that regq got from the same realm.
    pub(super) other: Option<Secret>,
    /// What may not be shown.
    pub(super) hidden: Vec<Secret>,
    /// The first host, where a redirect led from it to the one that sent the challenge.
    pub(super) moved_from: Option<String>,
}

/// Where a challenge came from.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) url: Url,
    /// The addresses of the registry, where they are known.
    pub(super) addresses: Vec<IpAddr>,
}

/// The registry's last answer.
#[derive(Debug, Default)]
pub(super) struct Last<'a> {
    pub(super) status: Option<u16>,
    pub(super) challenges: Option<Challenges>,
    pub(super) words: ErrorBody,
    pub(super) body: Option<Vec<u8>>,
    /// `Date`, in seconds since 1970.
    pub(super) date: Option<i64>,
    pub(super) reply: Option<&'a Reply>,
    pub(super) hop: Option<&'a Hop>,
    /// True when it answers to a token, false when to nothing or to a password.
    pub(super) token_sent: bool,
}

impl<'a> Attempt<'a> {
    /// The attempt of somebody who gives its pieces; what is missing of the challenge is taken from regq's own.
    pub(super) fn given(
        given: &Given,
        reference: Option<&'a Reference>,
        plain_http: bool,
        own: Option<&Attempt<'_>>,
    ) -> Attempt<'a> {
        let lines = given.lines();
        let asked = given.asked();
        let answer = given.token_answer();
        let challenges = lines.as_ref().map(|lines| parse(lines));
        let status = given.status.or(challenges.as_ref().map(|_| 401));
        let words = ErrorBody::read_without(
            given.body.as_deref().unwrap_or_default(),
            &Secret::redactor(&given.secrets()),
        );
        let last = Last {
            status,
            challenges: challenges.clone(),
            words,
            body: given.body.clone(),
            date: given.date,
            reply: None,
            hop: None,
            token_sent: answer.is_some(),
        };
        let secret = answer.as_ref().and_then(|answer| answer.token.clone());
        // One that regq got, and from the realm of the challenge that is given, where one is.
        let same_realm = |own: &&Attempt<'_>| {
            let realm = |challenges: &Challenges| realm(challenges).map(str::to_owned);
            let given = challenges.as_ref().and_then(realm);
            own.server.is_some()
                && (given.is_none() || given == own.challenges.as_ref().and_then(realm))
        };
        let other = own.filter(same_realm).and_then(|own| own.token.as_ref());
        Attempt {
            given: true,
            reference,
            site: reference.and_then(|reference| Site::of(reference, plain_http, own)),
            lines: lines.unwrap_or_default(),
            challenges: challenges.or_else(|| own.and_then(|own| own.challenges.clone())),
            asked,
            answer,
            token: secret.map(Token::read),
            last,
            other: other.map(|token| token.secret.clone()),
            hidden: given.secrets(),
            ..Attempt::default()
        }
    }

    /// regq's own attempt.
    pub(super) fn walked(
        walk: &'a Recording,
        reference: Option<&'a Reference>,
        error: Option<&'a Error>,
    ) -> Attempt<'a> {
        let registry = |hop: &&Hop| hop.party == Party::Registry;
        let end = walk.hops().rfind(|hop| registry(hop) && hop.reply.is_some());
        let origin = end.map(|hop| hop.url.origin());
        let there = |hop: &&Hop| registry(hop) && Some(hop.url.origin()) == origin;
        let challenged = |hop: &&Hop| hop.reply.as_ref().is_some_and(|reply| reply.status == 401);
        let bare = |hop: &&Hop| !matches!(hop.sent, Sent::Bearer(_));
        let server = walk.hops().rfind(|hop| hop.party == Party::TokenServer);
        // The challenge that led to the last token, which need not be the first.
        let led = server.and_then(|server| {
            let before = walk.hops().take_while(|hop| !std::ptr::eq(*hop, server));
            before.filter(|hop| registry(hop) && challenged(hop)).last()
        });
        let first = led
            .or_else(|| walk.hops().find(|hop| there(hop) && challenged(hop) && bare(hop)))
            .or_else(|| walk.hops().find(|hop| there(hop) && challenged(hop)));
        let posted = server.filter(|hop| hop.method == "POST").is_some();
        let reply = server.and_then(|hop| hop.reply.as_ref());
        let reply = reply.filter(|reply| (200..300).contains(&reply.status));
        let answer = reply.map(|reply| TokenAnswer::read(&reply.body));
        let ready = walk.hops().find_map(|hop| match &hop.sent {
            Sent::Bearer(token) if server.is_none() => Some(token.clone()),
            _ => None,
        });
        let secret = answer.as_ref().and_then(|answer| answer.token.clone()).or(ready);
        let lines = first.and_then(|hop| hop.reply.as_ref()).map(|reply| reply.challenges.clone());
        let redirects = |hop: &&Hop| {
            let status = hop.reply.as_ref().map_or(0, |reply| reply.status);
            registry(hop) && (300..400).contains(&status) && Some(hop.url.origin()) != origin
        };
        let before = walk.hops().find(redirects);
        Attempt {
            given: false,
            reference,
            site: first.or(end).map(|hop| Site::at(&hop.url, walk.addresses(hop.url.host()))),
            challenges: lines.as_ref().map(|lines| parse(lines)),
            lines: lines.unwrap_or_default(),
            asked: server.filter(|_| !posted).map(|hop| Asked::read(&hop.url.to_string())),
            server,
            offered: walk
                .hops()
                .find(|hop| hop.party == Party::TokenServer && hop.has_credentials())
                .map(|hop| &hop.identity),
            answer,
            token: secret.map(Token::read),
            last: Last::walked(walk, end, error.is_some()),
            error,
            other: None,
            hidden: walk.secrets(),
            moved_from: before.map(|hop| hop.url.origin().authority()),
        }
    }

    /// True when the registry gave what was asked for.
    pub(super) fn succeeded(&self) -> bool {
        !self.given && self.error.is_none() && self.last.reply.is_some()
    }

    /// The challenge that is acted upon: the first Bearer challenge that names a realm, else the first.
    pub(super) fn bearer(&self) -> Option<&Challenge> {
        self.challenges.as_ref().and_then(bearer)
    }

    /// The challenges that could be read.
    pub(super) fn parsed(&self) -> impl Iterator<Item = &Challenge> {
        self.challenges.iter().flatten().filter_map(|challenge| challenge.as_ref().ok())
    }

    /// A parameter of the challenge that is acted upon, where it is not empty.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.bearer()?.param(name).filter(|value| !value.is_empty())
    }

    /// `error` of the last answer's challenge.
    pub(super) fn error_code(&self) -> Option<&str> {
        let last = self.last.challenges.iter().flatten();
        last.filter_map(|challenge| challenge.as_ref().ok()).find_map(|one| one.param("error"))
    }

    /// The realm as a URL.
    pub(super) fn realm(&self) -> Option<Url> {
        let realm = self.param("realm")?;
        match &self.site {
            Some(site) => site.url.join(realm).ok(),
            None => Url::parse(realm).ok(),
        }
    }

    /// True when the question is about Docker Hub.
    pub(super) fn is_docker_hub(&self) -> bool {
        match self.reference {
            Some(reference) => reference.registry().is_docker_hub(),
            None => {
                let realm = self.realm();
                let asked = self.asked.as_ref().and_then(|asked| asked.server.as_ref());
                let hub = |url: &Url| url.host() == docker_hub::AUTH_HOST;
                realm.as_ref().or(asked).is_some_and(hub)
            }
        }
    }

    /// The repository as the user names it.
    pub(super) fn repository(&self) -> Option<&'a str> {
        self.reference.map(|reference| reference.repository().path())
    }

    /// The repositories in the challenge's scope.
    pub(super) fn challenged(&self) -> Vec<Scope<'_>> {
        let scope = self.param("scope").unwrap_or_default();
        scopes(scope).filter(Scope::is_repository).collect()
    }

    /// True when the challenge asks for this repository, and for something else than to pull from it.
    pub(super) fn wants_no_pull(&self, name: &str) -> bool {
        self.challenged().iter().find(|scope| scope.name == name).is_some_and(|one| !one.pulls())
    }

    /// The name of the repository that a token must be for: the challenge's, which knows of prefixes that
    /// proxies add, and with `library/` where Docker Hub wants that.
    pub(super) fn wanted(&self) -> Option<String> {
        let challenged = self.challenged();
        let own = challenged.iter().find(|scope| Some(scope.name) == self.repository());
        let challenged = own.or(challenged.first()).map(|scope| scope.name.to_owned());
        let asked = || {
            let asked = self.asked.as_ref()?.scopes();
            // A name that cannot be one says nothing of what was wanted.
            let sound = |name: &str| !name.contains([':', '@', '%', ',', ';']);
            let scope = asked.iter().find(|scope| scope.is_repository() && sound(scope.name));
            scope.map(|scope| scope.name.to_owned())
        };
        let reference = self.repository().map(str::to_owned);
        let name = match reference {
            Some(name) if self.is_docker_hub() => name,
            reference => challenged.or(reference).or_else(asked)?,
        };
        let official = self.is_docker_hub() && !name.contains('/') && !name.is_empty();
        Some(if official { format!("library/{name}") } else { name })
    }

    /// True when the challenge repeats a name without `library/`, which Docker Hub wants.
    fn lacks_library(&self) -> bool {
        self.is_docker_hub() && self.challenged().iter().any(|scope| !scope.name.contains('/'))
    }

    /// The scope that the token should have been asked for: the challenge's own, unless that repeats a mistake.
    pub(super) fn right_scope(&self) -> Option<String> {
        match self.param("scope") {
            Some(scope) if !self.lacks_library() => Some(scope.to_owned()),
            // What was asked may be what is wrong.
            None if self.reference.is_none() => None,
            _ => Some(format!("repository:{}:pull", self.wanted()?)),
        }
    }

    /// What the token lets its bearer do, where that can be read.
    pub(super) fn access(&self) -> Option<Access> {
        Some(self.token.as_ref()?.claims()?.access())
    }

    /// The entries of the token's `access` that name a repository.
    pub(super) fn entries(&self) -> Option<Vec<Entry>> {
        match self.access()? {
            Access::Entries(entries) => Some(entries),
            Access::Missing | Access::Unreadable => None,
        }
    }

    /// The entry for the repository that was asked about, under either of its names.
    pub(super) fn entry(&self) -> Option<Entry> {
        let wanted = self.wanted();
        let fits = |entry: &Entry| {
            entry.is_repository()
                && (Some(&entry.name) == wanted.as_ref()
                    || Some(entry.name.as_str()) == self.repository())
        };
        self.entries()?.into_iter().find(fits)
    }

    /// The user whose credentials went to the token server, or should have: regq knows, and a URL says so in
    /// `account`.
    pub(super) fn user(&self) -> Option<String> {
        match (&self.asked, self.offered) {
            (Some(asked), _) if self.given => asked.user().map(str::to_owned),
            (_, Some(Identity::Credential { user, .. })) => user.clone(),
            _ => None,
        }
    }

    /// Whether credentials went to the token server.
    pub(super) fn sent_credentials(&self) -> bool {
        self.offered.is_some() || (self.given && self.user().is_some())
    }

    /// True when the registry is asked over https, false over http, `None` where that is not known: a registry on
    /// this machine may answer without.
    pub(super) fn https(&self) -> Option<bool> {
        let url = &self.site.as_ref()?.url;
        let https = url.scheme() == crate::url::Scheme::Https;
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

impl Site {
    fn at(url: &Url, addresses: Vec<IpAddr>) -> Site {
        Site { url: url.clone(), addresses }
    }

    fn of(reference: &Reference, plain_http: bool, own: Option<&Attempt<'_>>) -> Option<Site> {
        if let Some(site) = own.and_then(|own| own.site.as_ref()) {
            return Some(Site::at(&site.url, site.addresses.clone()));
        }
        let endpoint = Endpoint::of(reference.registry(), plain_http);
        endpoint.manifest(reference).ok().map(|url| Site::at(&url, Vec::new()))
    }
}

impl<'a> Last<'a> {
    fn walked(walk: &'a Recording, end: Option<&'a Hop>, failed: bool) -> Last<'a> {
        let Some((hop, reply)) = end.and_then(|hop| Some((hop, hop.reply.as_ref()?))) else {
            return Last::default();
        };
        // A GET that only reads the words of a HEAD's refusal says them, and the HEAD's status decides.
        let mut registry = walk.hops().rev().filter(|hop| hop.party == Party::Registry).skip(1);
        let head = registry.next().filter(|head| {
            head.method == "HEAD"
                && hop.method == "GET"
                && head.url == hop.url
                && head
                    .reply
                    .as_ref()
                    .is_some_and(|head| head.status >= 400 && !matches!(head.status, 405 | 501))
                && std::mem::discriminant(&head.sent) == std::mem::discriminant(&hop.sent)
        });
        let decides = head.unwrap_or(hop);
        let reply_of = decides.reply.as_ref().unwrap_or(reply);
        Last {
            status: Some(if failed { reply_of.status } else { reply.status }),
            challenges: Some(parse(&reply_of.challenges)),
            // What a GET brings where a HEAD failed is no refusal's words.
            words: if failed && reply.status < 400 {
                ErrorBody::default()
            } else {
                ErrorBody::read_without(&reply.body, &Secret::redactor(&walk.secrets()))
            },
            body: Some(reply.body.clone()),
            date: reply.date.or(reply_of.date),
            reply: Some(reply),
            hop: Some(hop),
            token_sent: matches!(decides.sent, Sent::Bearer(_)),
        }
    }
}

fn parse(lines: &[Vec<u8>]) -> Challenges {
    challenge::parse(lines.iter().map(Vec::as_slice))
}
