//! The token protocol without its I/O: builds token requests from challenges and reads token responses.
//!
//! Follows distribution's token specification (`docs/content/spec/auth/{token,scope,oauth}.md`). Which realm may be
//! contacted, and with which credentials, is decided in `registry/`. What a token contains is decided by the registry.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::credentials::Secret;
use crate::dates;
use crate::error::{ChallengeFault, TokenFault};
use crate::http::challenge::Challenge;
use crate::json::Json;
use crate::oci::ErrorBody;
use crate::url::{Url, UrlError, percent_encode};

/// The most scopes of one request that are told apart.
const MAX_SCOPES: usize = 100;

/// What a token gives access to, such as `repository:library/alpine:pull` (distribution's `scope.md`).
///
/// Registries also use scopes outside that grammar, such as `aws` and `*`, so the text is kept and sent unchanged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Scope(String);

impl Scope {
    /// Wraps one scope unchanged. To split a space-separated list, use [`Scope::parse_list`].
    pub(crate) fn new(text: impl Into<String>) -> Scope {
        Scope(text.into())
    }

    /// The scope for pulling from a repository.
    pub(crate) fn pull(repository: &str) -> Scope {
        Scope(format!("repository:{repository}:pull"))
    }

    /// Parses the space-separated scopes of a challenge's `scope` parameter. More than [`MAX_SCOPES`] are kept as one:
    /// registries send far fewer, and each would take memory and time.
    pub(crate) fn parse_list(text: &str) -> Vec<Scope> {
        if text.split(' ').nth(MAX_SCOPES).is_some() {
            return vec![Scope::new(text)];
        }
        text.split(' ').map(Scope::new).collect()
    }

    /// Joins scopes with spaces: the inverse of [`Scope::parse_list`].
    pub(crate) fn join(scopes: &[Scope]) -> String {
        scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join(" ")
    }

    /// The text as written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The parts of a scope, `kind:name:actions`. Each may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScopeParts<'a> {
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
    pub(crate) actions: &'a str,
}

/// Parses the scopes in a text.
pub(crate) fn scopes(text: &str) -> impl Iterator<Item = ScopeParts<'_>> {
    text.split(' ').filter(|part| !part.is_empty()).map(ScopeParts::parse)
}

impl<'a> ScopeParts<'a> {
    /// Parses one scope. The name may contain a port, so it ends at the last colon.
    pub(crate) fn parse(text: &'a str) -> ScopeParts<'a> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let (name, actions) = rest.rsplit_once(':').unwrap_or((rest, ""));
        ScopeParts { kind, name, actions }
    }

    /// Whether the actions include `pull`.
    pub(crate) fn pulls(&self) -> bool {
        self.actions.split([',', ';']).any(|action| matches!(action.trim(), "pull" | "*"))
    }

    /// Whether this is a repository scope, of any class.
    pub(crate) fn is_repository(&self) -> bool {
        self.kind == "repository" || self.kind.starts_with("repository(")
    }
}

/// A request for a token: where to send it and what it requests.
///
/// Two requests are equal if the same token satisfies both. The order of scopes does not matter. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct TokenRequest(Arc<Parameters>);

#[derive(Debug)]
struct Parameters {
    realm: Url,
    service: Option<String>,
    scopes: Vec<Scope>,
    /// The same scopes without duplicates, in alphabetical order, to compare requests by. `None` for a single scope.
    scope_set: Option<BTreeSet<Scope>>,
}

impl TokenRequest {
    /// The request that a Bearer challenge describes. A relative realm is resolved against `challenged`, the URL that
    /// returned 401. Service and scopes are sent back unchanged. A challenge without a scope gets a pull scope
    /// for `repository`, if any.
    ///
    /// # Errors
    /// [`ChallengeFault::RealmMissing`] and [`ChallengeFault::Realm`] when the realm is missing or not a usable URL.
    pub(crate) fn new(
        challenge: &Challenge,
        challenged: &Url,
        repository: Option<&str>,
    ) -> Result<TokenRequest, ChallengeFault> {
        let param = |name| challenge.param(name).filter(|value: &&str| !value.is_empty());
        let realm = param("realm").ok_or(ChallengeFault::RealmMissing)?;
        let realm = challenged
            .join(realm)
            .map_err(|error: UrlError| ChallengeFault::Realm(realm.to_owned(), error))?;
        let service = param("service").map(str::to_owned);
        let scopes = match param("scope") {
            Some(scope) => Scope::parse_list(scope),
            None => repository.map(Scope::pull).into_iter().collect(),
        };
        let scope_set = (scopes.len() > 1).then(|| scopes.iter().cloned().collect());
        Ok(TokenRequest(Arc::new(Parameters { realm, service, scopes, scope_set })))
    }

    /// The URL for a GET: the realm with `service` and `scope` added to its query.
    pub(crate) fn url(&self) -> Url {
        let mut url = self.0.realm.clone();
        if let Some(service) = &self.0.service {
            url = url.with_query("service", service);
        }
        if let Some(scope) = self.scope() {
            url = url.with_query("scope", &scope);
        }
        url
    }

    /// The form for a POST that exchanges an identity token (distribution's `oauth.md`). The form is a secret.
    pub(crate) fn form(&self, identity_token: &Secret) -> Secret {
        let scope = self.scope();
        let fields = [
            ("grant_type", Some("refresh_token")),
            ("service", self.0.service.as_deref()),
            ("client_id", Some("regq")),
            ("scope", scope.as_deref()),
            ("refresh_token", Some(identity_token.expose())),
        ];
        let present = fields.iter().filter_map(|(name, value)| Some((name, (*value)?)));
        let pairs = present.map(|(name, value)| format!("{name}={}", percent_encode(value)));
        Secret::new(pairs.collect::<Vec<_>>().join("&"))
    }

    /// The URL of the token server, as named by the challenge.
    pub(crate) fn realm(&self) -> &Url {
        &self.0.realm
    }

    /// The value of the `scope` parameter, if any.
    fn scope(&self) -> Option<String> {
        (!self.0.scopes.is_empty()).then(|| Scope::join(&self.0.scopes))
    }

    /// What two requests must have in common to be equal.
    fn key(&self) -> (&Url, &Option<String>, Vec<&Scope>) {
        let Parameters { realm, service, scopes, scope_set } = &*self.0;
        let scopes = match scope_set {
            Some(set) => set.iter().collect(),
            None => scopes.iter().collect(),
        };
        (realm, service, scopes)
    }
}

impl PartialEq for TokenRequest {
    fn eq(&self, other: &TokenRequest) -> bool {
        self.key() == other.key()
    }
}

impl Eq for TokenRequest {}

impl Hash for TokenRequest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// The JSON document that a token server sends.
#[derive(Debug, Default)]
pub(crate) struct TokenResponse {
    /// The token: `access_token`, or `token` if that is missing or empty.
    pub(crate) token: Option<Secret>,
    /// All tokens in the document, whatever they are for.
    pub(crate) tokens: Vec<Secret>,
    /// True if `access_token` and `token` differ.
    pub(crate) ambiguous: bool,
    /// Seconds until the token expires.
    pub(crate) expires_in: Option<i64>,
    /// When the token was issued, in seconds since 1970.
    pub(crate) issued_at: Option<i64>,
}

impl TokenResponse {
    /// Reads a token server's body. `None` if it is not JSON.
    pub(crate) fn read(body: &[u8]) -> Option<TokenResponse> {
        let document = Json::read(body).ok()?;
        let text = |name: &str| document.text(name);
        let token = |name| text(name).filter(|token| !token.is_empty());
        let (access_token, plain) = (token("access_token"), token("token"));
        let expires_in = match document.get("expires_in") {
            Some(Json::Whole(seconds)) => Some(*seconds),
            Some(Json::Text(seconds)) => seconds.parse().ok(),
            Some(Json::Null | Json::Array(_) | Json::Object(_) | Json::Other) | None => None,
        };
        Some(TokenResponse {
            token: access_token.or(plain).map(Secret::new),
            tokens: ["token", "access_token", "refresh_token", "id_token"]
                .into_iter()
                .filter_map(text)
                .map(Secret::new)
                .collect(),
            ambiguous: access_token.zip(plain).is_some_and(|(one, other)| one != other),
            expires_in,
            issued_at: text("issued_at").and_then(dates::parse_rfc3339),
        })
    }

    /// Reads a token from a token server's body.
    ///
    /// # Errors
    /// When the body is not JSON, has no token, or has one that cannot be sent in a header.
    pub(crate) fn read_token(
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Secret, TokenFault> {
        let response = TokenResponse::read(body).ok_or_else(|| TokenFault::Json {
            content_type: content_type.unwrap_or_default().to_owned(),
            // Only markup is quoted: anything else may be a token that was damaged on the way.
            body: if is_markup(body) { ErrorBody::read(body) } else { ErrorBody::default() },
        })?;
        let token = response.token.ok_or(TokenFault::Missing)?;
        if token.expose().bytes().all(|b| b.is_ascii_graphic()) {
            Ok(token)
        } else {
            Err(TokenFault::NotPrintable)
        }
    }
}

fn is_markup(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

#[cfg(test)]
mod tests {
    use super::{Scope, ScopeParts, TokenRequest, Url};
    use crate::http::challenge;

    fn request(parameters: &str) -> Option<TokenRequest> {
        let line = format!(r#"Bearer realm="https://auth.example/token",{parameters}"#);
        let challenge = challenge::parse([line.as_bytes()]).into_iter().next()?.ok()?;
        let challenged = Url::parse("https://registry.example/v2/").ok()?;
        TokenRequest::new(&challenge, &challenged, Some("team/app")).ok()
    }

    #[test]
    fn scopes_are_split_at_the_first_and_the_last_colon() {
        let of = |text| {
            let ScopeParts { kind, name, actions } = ScopeParts::parse(text);
            (kind, name, actions)
        };
        assert_eq!(of("repository:a/b:pull,push"), ("repository", "a/b", "pull,push"));
        let port = of("repository:h:5000/a:pull");
        assert_eq!(port, ("repository", "h:5000/a", "pull"));
        assert_eq!(of("aws"), ("aws", "", ""));
        assert_eq!(of("repository:a"), ("repository", "a", ""));
        assert!(ScopeParts::parse("repository(plugin):a:pull").is_repository());
    }

    #[test]
    fn scopes_are_sent_back_unchanged() {
        let many = "x ".repeat(500);
        assert_eq!(Scope::parse_list(&many).len(), 1);
        for scope in
            [&many, "repository:a:pull", "aws", "*", "a  b", "repository:a:pull repository:b:*"]
        {
            assert_eq!(Scope::join(&Scope::parse_list(scope)), scope);
        }
    }

    #[test]
    fn scopes_are_compared_as_sets() {
        let base = request(r#"service="s",scope="a b""#);
        assert!(base.is_some());
        for (parameters, equal) in [
            (r#"service="s",scope="a b""#, true),
            (r#"service="s",scope="b a""#, true),
            (r#"service="s",scope="a b a""#, true),
            (r#"service="s",scope="a a""#, false),
            (r#"service="s",scope="a""#, false),
            (r#"service="s",scope="a b c""#, false),
            (r#"service="t",scope="a b""#, false),
            (r#"scope="a b""#, false),
        ] {
            assert_eq!(request(parameters) == base, equal, "{parameters}");
        }
    }
}
