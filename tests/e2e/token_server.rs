//! A token server with TLS, users, access rules and ES256 tokens, as in distribution's token specification
//! (`docs/content/spec/auth/{token,jwt,scope}.md`).
//!
//! As the specification demands, granting less access than requested is not an error: the token lacks that access, and
//! the registry refuses it (401). So an unknown repository is refused, and one that may be pulled but was never pushed is
//! not found.
//!
//! A POST exchanges a refresh token, exactly as in `oauth.md` there. Optionally the server refuses each POST, as servers
//! without this feature do.

use std::net::TcpListener;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

use crate::Outcome;
use crate::certificates::Certificates;
use crate::support::{Reply, Request, Server};

/// The issuer of the tokens.
pub(crate) const ISSUER: &str = "token server of the end-to-end tests";

/// The user with access to everything.
pub(crate) const OWNER: (&str, &str) = ("alice", "correct horse: battery/staple");

/// A user with access to public repositories only.
pub(crate) const OTHER_USER: (&str, &str) = ("bob", "hunter2");

/// A user who may also pull from `team/`.
pub(crate) const MEMBER: (&str, &str) = ("ada", "notes on the engine");

/// The owner's refresh token.
pub(crate) const REFRESH_TOKEN: &str = "a-refresh-token.of/alice+and=only~hers";

/// Prefixes of public repositories. All others are private to the owner.
const PUBLIC: [&str; 3] = ["public/", "library/", "podman/"];

/// How a token server responds to a POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Posts {
    /// Exchanges a refresh token for a token.
    Exchanged,
    /// Responds with this status.
    Refused(u16),
}

/// A running token server. Dropping it stops it.
pub(crate) struct TokenServer {
    server: Server,
}

impl TokenServer {
    /// Starts it at an address; port 0 is any free port.
    pub(crate) fn start(address: &str, certificates: &Certificates) -> Outcome<Self> {
        Self::start_with(Posts::Exchanged, address, certificates)
    }

    /// Starts it with this response to POST requests.
    pub(crate) fn start_with(
        posts: Posts,
        address: &str,
        certificates: &Certificates,
    ) -> Outcome<Self> {
        let signer = Signer::new(certificates)?;
        let config = certificates.server_config()?;
        let listener = TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))?;
        let handler = move |request: &Request| respond(&signer, posts, request);
        Ok(Self { server: Server::start_on(listener, Some(config), handler) })
    }

    /// Its URL on localhost, for the realm of a registry.
    pub(crate) fn realm_on_loopback(&self) -> String {
        self.realm_at("localhost")
    }

    /// Its URL with this host.
    pub(crate) fn realm_at(&self, host: &str) -> String {
        format!("https://{host}:{}/token", self.server.port())
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }
}

/// Returns the response to a request.
fn respond(signer: &Signer, posts: Posts, request: &Request) -> Reply {
    if request.path() != "/token" {
        return reply(404, &json!({"details": "not found"}));
    }
    match (request.method.as_str(), posts) {
        ("GET", _) => token_for_user(signer, request),
        ("POST", Posts::Exchanged) => token_for_refresh_token(signer, request),
        ("POST", Posts::Refused(status)) => {
            reply(status, &json!({"details": "POST is not supported"}))
        }
        _ => reply(405, &json!({"details": "method not allowed"})),
    }
}

/// Returns a token for a user with a password, or an anonymous one.
fn token_for_user(signer: &Signer, request: &Request) -> Reply {
    let Some(user) = user_of(request.header("authorization")) else {
        return reply(401, &json!({"details": "incorrect username or password"}));
    };
    let service = request.query("service").concat();
    match signer.token(&user, &service, &request.query("scope").join(" ")) {
        Ok(token) => reply(200, &json!({"token": token, "access_token": token, "expires_in": 300})),
        Err(why) => reply(500, &json!({"details": why})),
    }
}

/// Returns a token for a refresh token. The response contains only `access_token`, as the specification requires.
fn token_for_refresh_token(signer: &Signer, request: &Request) -> Reply {
    let refused = |why: &str| reply(400, &json!({"error": why}));
    let media_type = request.header("content-type").unwrap_or_default();
    let [grant, service, client, token, scope] =
        ["grant_type", "service", "client_id", "refresh_token", "scope"]
            .map(|name| request.form(name));
    let complete = [&grant, &service, &client, &token].iter().all(|values| values.len() == 1);
    if !media_type.starts_with("application/x-www-form-urlencoded") || !complete || scope.len() > 1
    {
        return refused("invalid_request");
    }
    if grant != ["refresh_token"] {
        return refused("unsupported_grant_type");
    }
    if token != [REFRESH_TOKEN] {
        return refused("invalid_grant");
    }
    let scope = scope.concat();
    match signer.token(OWNER.0, &service.concat(), &scope) {
        Ok(token) => reply(200, &json!({"access_token": token, "scope": scope, "expires_in": 300})),
        Err(why) => reply(500, &json!({"details": why})),
    }
}

fn reply(status: u16, body: &Value) -> Reply {
    Reply::new(status).header("Content-Type", "application/json").body(body.to_string())
}

/// The user of an `Authorization` header; empty without a header, `None` for a wrong password.
fn user_of(authorization: Option<&str>) -> Option<String> {
    let Some(authorization) = authorization else { return Some(String::new()) };
    let encoded = authorization.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    [OWNER, OTHER_USER, MEMBER].contains(&(name, password)).then(|| name.to_owned())
}

/// The access of `repository:NAME:ACTION,ACTION` that the user gets; `None` without a permitted action.
fn grant(user: &str, scope: &str) -> Option<Value> {
    let (kind, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    let public = PUBLIC.iter().any(|start| name.starts_with(start));
    let may_pull = public || (user == MEMBER.0 && name.starts_with("team/"));
    let allowed = |action: &&str| user == OWNER.0 || (may_pull && *action == "pull");
    let actions: Vec<_> = actions.split(',').filter(allowed).collect();
    (!actions.is_empty()).then(|| json!({"type": kind, "name": name, "actions": actions}))
}

/// The signing key with its certificate.
struct Signer {
    key: EcdsaKeyPair,
    certificate: String,
    random: SystemRandom,
}

impl Signer {
    fn new(certificates: &Certificates) -> Outcome<Self> {
        let random = SystemRandom::new();
        let (key, certificate) = certificates.token_pair()?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &random)
            .map_err(|error| format!("the key for tokens: {error}"))?;
        Ok(Self { key, certificate: STANDARD.encode(certificate), random })
    }

    /// Signs a token. Both registries find the key by the certificate in `x5c`, which is in their `rootcertbundle`. They
    /// require different formats of `kid`.
    fn token(&self, user: &str, service: &str, scopes: &str) -> Outcome<String> {
        let access: Vec<_> = scopes.split(' ').filter_map(|scope| grant(user, scope)).collect();
        let now =
            SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
        let now = now.as_secs();
        let header = json!({"typ": "JWT", "alg": "ES256", "x5c": [self.certificate]});
        let claims = json!({
            "iss": ISSUER, "sub": user, "aud": service, "access": access,
            "iat": now, "nbf": now.saturating_sub(10), "exp": now + 300, "jti": now.to_string(),
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.key.sign(&self.random, signed.as_bytes());
        let signature = signature.map_err(|error| format!("signing: {error}"))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
