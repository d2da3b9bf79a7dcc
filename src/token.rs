//! The token protocol without its I/O: a challenge in, a request out; an answer in, a token out.
//!
//! Follows distribution's token specification (`docs/content/spec/auth/token.md`). Whether the realm may be
//! asked, and with what, is decided in `registry/`; a token's inside is the registry's business.

use crate::credentials::Secret;
use crate::error::{ChallengeFault, TokenFault};
use crate::http::challenge::Challenge;
use crate::json::Json;
use crate::oci::ErrorBody;
use crate::url::{Url, UrlError, percent_encode};

/// A request for a token.
#[derive(Debug, Clone)]
pub(crate) struct TokenRequest {
    asked: Asked,
}

/// What a token was asked for, so that a second challenge can be held against the first.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    realm: Url,
    service: Option<String>,
    scope: Option<String>,
}

impl TokenRequest {
    /// The request that a Bearer challenge asks for. A relative realm is resolved against the URL that
    /// answered. Service and scope go back as they came, whatever their grammar: `aws` and `*` are scopes of
    /// real registries. Our own scope, to pull from the repository, is used only when there is none, and none for
    /// the registry itself.
    pub(crate) fn new(
        challenge: &Challenge,
        answered: &Url,
        repository: Option<&str>,
    ) -> Result<TokenRequest, ChallengeFault> {
        let given = |name| challenge.param(name).filter(|value: &&str| !value.is_empty());
        let realm = given("realm").ok_or(ChallengeFault::RealmMissing)?;
        let realm = answered
            .join(realm)
            .map_err(|error: UrlError| ChallengeFault::Realm(realm.to_owned(), error))?;
        let service = given("service").map(str::to_owned);
        let scope = given("scope").map(str::to_owned);
        let scope = scope.or_else(|| repository.map(|name| format!("repository:{name}:pull")));
        Ok(TokenRequest { asked: Asked { realm, service, scope } })
    }

    /// The URL to ask by GET.
    pub(crate) fn url(&self) -> Url {
        let Asked { realm, service, scope } = &self.asked;
        let mut url = realm.clone();
        if let Some(service) = service {
            url = url.with_query("service", service);
        }
        if let Some(scope) = scope {
            url = url.with_query("scope", scope);
        }
        url
    }

    /// The form to send by POST, to exchange an identity token (distribution's `oauth.md`). It is a secret.
    pub(crate) fn form(&self, identity: &Secret) -> Secret {
        let Asked { service, scope, .. } = &self.asked;
        let fields = [
            ("grant_type", Some("refresh_token")),
            ("service", service.as_deref()),
            ("client_id", Some("regq")),
            ("scope", scope.as_deref()),
            ("refresh_token", Some(identity.expose())),
        ];
        let given = fields.iter().filter_map(|(name, value)| Some((name, (*value)?)));
        let pairs = given.map(|(name, value)| format!("{name}={}", percent_encode(value)));
        Secret::new(pairs.collect::<Vec<_>>().join("&"))
    }

    /// The token server.
    pub(crate) fn realm(&self) -> &Url {
        &self.asked.realm
    }

    /// What is asked for.
    pub(crate) fn asked(&self) -> &Asked {
        &self.asked
    }
}

impl Asked {
    /// Scopes are sets: registries list their parts in any order.
    fn parts(&self) -> impl Iterator<Item = &str> {
        self.scope.iter().flat_map(|scope| scope.split(' '))
    }

    fn covers(&self, other: &Asked) -> bool {
        other.parts().all(|part| self.parts().any(|mine| mine == part))
    }
}

impl PartialEq for Asked {
    fn eq(&self, other: &Asked) -> bool {
        let same = self.realm == other.realm && self.service == other.service;
        // Longer ones than any registry sends are compared as they are: the rest takes its time.
        let few = |asked: &Asked| asked.parts().nth(MAX_SCOPE_PARTS).is_none();
        let equal = || self.covers(other) && other.covers(self);
        same && (self.scope == other.scope || (few(self) && few(other) && equal()))
    }
}

/// So many parts of a scope are compared as a set.
const MAX_SCOPE_PARTS: usize = 100;

/// The token in a token server's answer: `access_token`, or `token` where that is missing or empty.
///
/// # Errors
/// When there is none that could stand in a header.
pub(crate) fn read_token(content_type: Option<&str>, body: &[u8]) -> Result<Secret, TokenFault> {
    let answer = Json::read(body).map_err(|_| TokenFault::Json {
        content_type: content_type.unwrap_or_default().to_owned(),
        // Only a page is quoted. Anything else may be a token that was damaged on the way.
        body: if is_page(body) { ErrorBody::read(body) } else { ErrorBody::default() },
    })?;
    let token = ["access_token", "token"]
        .iter()
        .filter_map(|name| answer.text(name))
        .find(|token| !token.is_empty())
        .ok_or(TokenFault::Missing)?;
    if token.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(Secret::new(token))
    } else {
        Err(TokenFault::NotPrintable)
    }
}

fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}
