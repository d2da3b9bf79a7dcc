//! A token server: TLS, users with passwords, access rules, and ES256 tokens as distribution's
//! token specification has them (`docs/content/spec/auth/{token,jwt,scope}.md`).
//!
//! It keeps the specification's own rule that less access than asked for is no error: who may not
//! pull gets a token without that access, and it is the registry that refuses (401). So a
//! repository that this server knows nothing about is refused, and one that it would allow but
//! that nobody has pushed is not found.
//!
//! By POST it exchanges a refresh token, as `oauth.md` there has it and no more leniently, or it
//! refuses every POST as servers do that know nothing of it.

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

/// What the tokens give as their issuer.
pub(crate) const ISSUER: &str = "token server of the end-to-end tests";

/// The user who may do everything.
pub(crate) const OWNER: (&str, &str) = ("alice", "correct horse: battery/staple");

/// A user who may do no more than anybody.
pub(crate) const STRANGER: (&str, &str) = ("bob", "hunter2");

/// A user who may pull what stands under `team/` as well.
pub(crate) const MEMBER: (&str, &str) = ("ada", "notes on the engine");

/// What stands for the owner's password where a POST is exchanged.
pub(crate) const REFRESH_TOKEN: &str = "a-refresh-token.of/alice+and=nobody~else";

/// Repositories under these names are for anybody to pull. All others are the owner's alone.
const PUBLIC: [&str; 3] = ["public/", "library/", "podman/"];

/// What a token server makes of a POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Posts {
    /// A refresh token is exchanged for a token.
    Exchanged,
    /// It is answered with this status, whatever it holds.
    Refused(u16),
}

/// A token server that runs; it ends with this value.
pub(crate) struct TokenServer {
    server: Server,
}

impl TokenServer {
    /// Starts it at an address; port 0 leaves the choice to the system.
    pub(crate) fn start(address: &str, certificates: &Certificates) -> Outcome<Self> {
        Self::start_with(Posts::Exchanged, address, certificates)
    }

    /// The same, which does this with a POST.
    pub(crate) fn start_with(
        posts: Posts,
        address: &str,
        certificates: &Certificates,
    ) -> Outcome<Self> {
        let signer = Signer::new(certificates)?;
        let config = certificates.server_config()?;
        let listener = TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))?;
        let answer = move |request: &Request| answer(&signer, posts, request);
        Ok(Self { server: Server::start_on(listener, Some(config), answer) })
    }

    /// Its URL on loopback, as a registry there gives it for its realm.
    pub(crate) fn realm_on_loopback(&self) -> String {
        self.realm_at("localhost")
    }

    /// Its URL under a name.
    pub(crate) fn realm_at(&self, host: &str) -> String {
        format!("https://{host}:{}/token", self.server.port())
    }

    /// What has arrived so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }
}

/// The answer to one request.
fn answer(signer: &Signer, posts: Posts, request: &Request) -> Reply {
    if request.path() != "/token" {
        return reply(404, &json!({"details": "not here"}));
    }
    match (request.method.as_str(), posts) {
        ("GET", _) => given(signer, request),
        ("POST", Posts::Exchanged) => exchanged(signer, request),
        ("POST", Posts::Refused(status)) => reply(status, &json!({"details": "no POST here"})),
        _ => reply(405, &json!({"details": "neither GET nor POST"})),
    }
}

/// A token for a user with a password, or for anybody.
fn given(signer: &Signer, request: &Request) -> Reply {
    let Some(user) = user_of(request.header("authorization")) else {
        return reply(401, &json!({"details": "incorrect username or password"}));
    };
    let service = request.query("service").concat();
    match signer.token(&user, &service, &request.query("scope").join(" ")) {
        Ok(token) => reply(200, &json!({"token": token, "access_token": token, "expires_in": 300})),
        Err(why) => reply(500, &json!({"details": why})),
    }
}

/// A token for a refresh token. The answer has `access_token` alone, which is all that it must have.
fn exchanged(signer: &Signer, request: &Request) -> Reply {
    let refused = |why: &str| reply(400, &json!({"error": why}));
    let media_type = request.header("content-type").unwrap_or_default();
    let [grant, service, client, token, scope] =
        ["grant_type", "service", "client_id", "refresh_token", "scope"]
            .map(|name| request.form(name));
    let whole = [&grant, &service, &client, &token].iter().all(|values| values.len() == 1);
    if !media_type.starts_with("application/x-www-form-urlencoded") || !whole || scope.len() > 1 {
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

/// Who asks: a user, the empty name for nobody in particular, or none when the password is wrong.
fn user_of(authorization: Option<&str>) -> Option<String> {
    let Some(authorization) = authorization else { return Some(String::new()) };
    let encoded = authorization.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    [OWNER, STRANGER, MEMBER].contains(&(name, password)).then(|| name.to_owned())
}

/// What of `repository:NAME:ACTION,ACTION` the user gets; nothing at all is left out.
fn grant(user: &str, scope: &str) -> Option<Value> {
    let (kind, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    let public = PUBLIC.iter().any(|start| name.starts_with(start));
    let pulled = public || (user == MEMBER.0 && name.starts_with("team/"));
    let allowed = |action: &&str| user == OWNER.0 || (pulled && *action == "pull");
    let actions: Vec<_> = actions.split(',').filter(allowed).collect();
    (!actions.is_empty()).then(|| json!({"type": kind, "name": name, "actions": actions}))
}

/// The key that signs, with its certificate.
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

    /// A token. Both registries find the key by the certificate in `x5c`, which `rootcertbundle`
    /// holds; `kid` would have to be spelt differently for each of them.
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
