//! The token protocol without its I/O: a challenge in, a request out; an answer in, a token out.
//!
//! Follows distribution's token specification (`docs/content/spec/auth/token.md`). Whether the realm may be
//! asked, and with what, is decided in `registry/`; a token's inside is the registry's business.

use serde_json::Value;

use crate::challenge::Challenge;
use crate::credentials::Secret;
use crate::error::{ChallengeFault, TokenFault};
use crate::oci::Words;
use crate::url::{Scheme, Url, UrlError};

/// A request for a token.
#[derive(Debug, Clone)]
pub(crate) struct TokenRequest {
    url: Url,
    asked: Asked,
}

/// What a token was asked for, so that a second challenge can be held against the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    realm: Url,
    service: Option<String>,
    /// Sorted: registries list the parts of a scope in any order.
    scope: Vec<String>,
}

impl TokenRequest {
    /// The request that a Bearer challenge asks for. A relative realm is resolved against the URL that
    /// answered. Service and scope go back as they came, whatever their grammar: `aws` and `*` are scopes of
    /// real registries. Our own scope, to pull from the repository, is used only when there is none.
    pub(crate) fn new(
        challenge: &Challenge,
        answered: &Url,
        repository: &str,
    ) -> Result<TokenRequest, ChallengeFault> {
        let given = |name| challenge.param(name).filter(|value: &&str| !value.is_empty());
        let realm = given("realm").ok_or(ChallengeFault::RealmMissing)?;
        let realm = answered
            .join(realm)
            .map_err(|error: UrlError| ChallengeFault::Realm(realm.to_owned(), error))?;
        let service = given("service").map(str::to_owned);
        let scope = match given("scope") {
            Some(scope) => scope.to_owned(),
            None => format!("repository:{repository}:pull"),
        };
        let mut url = realm.clone();
        if let Some(service) = &service {
            url = url.with_query("service", service);
        }
        url = url.with_query("scope", &scope);
        let mut scope: Vec<_> = scope.split(' ').map(str::to_owned).collect();
        scope.sort_unstable();
        Ok(TokenRequest { url, asked: Asked { realm, service, scope } })
    }

    /// The URL to ask.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The realm's scheme.
    pub(crate) fn scheme(&self) -> Scheme {
        self.url.scheme()
    }

    /// What is asked for.
    pub(crate) fn asked(&self) -> &Asked {
        &self.asked
    }
}

/// The token in a token server's answer: `access_token`, or `token` where that is missing or empty.
///
/// # Errors
/// When there is none that could stand in a header.
pub(crate) fn read_token(content_type: Option<&str>, body: &[u8]) -> Result<Secret, TokenFault> {
    let answer: Value = serde_json::from_slice(body).map_err(|_| TokenFault::Json {
        content_type: content_type.unwrap_or_default().to_owned(),
        words: Words::read(body),
    })?;
    let token = ["access_token", "token"]
        .iter()
        .filter_map(|name| answer.get(name).and_then(Value::as_str))
        .find(|token| !token.is_empty())
        .ok_or(TokenFault::Missing)?;
    if token.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(Secret::new(token))
    } else {
        Err(TokenFault::NotPrintable)
    }
}
