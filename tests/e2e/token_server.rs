//! A token server: TLS, users with passwords, access rules, and ES256 tokens as distribution's
//! token specification has them (`docs/content/spec/auth/{token,jwt,scope}.md`).
//!
//! It keeps the specification's own rule that less access than asked for is no error: who may not
//! pull gets a token without that access, and it is the registry that refuses (401). So a
//! repository that this server knows nothing about is refused, and one that it would allow but
//! that nobody has pushed is not found.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

use crate::Outcome;
use crate::certificates::{Certificates, pem_body};
use crate::https::{self, Https, Request};

/// What the tokens give as their issuer.
pub(crate) const ISSUER: &str = "token server of the end-to-end tests";

/// The user who may do everything.
pub(crate) const OWNER: (&str, &str) = ("alice", "correct horse: battery/staple");

/// A user who may do no more than anybody.
pub(crate) const STRANGER: (&str, &str) = ("bob", "hunter2");

/// Repositories under these names are for anybody to pull. All others are the owner's alone.
const PUBLIC: [&str; 2] = ["public/", "library/"];

/// A token server that runs; it ends with this value.
#[derive(Debug)]
pub(crate) struct TokenServer {
    https: Https,
    requests: Arc<Mutex<Vec<String>>>,
}

impl TokenServer {
    /// Starts it at an address; port 0 leaves the choice to the system.
    pub(crate) fn start(address: &str, certificates: &Certificates) -> Outcome<Self> {
        let signer = Signer::new(&certificates.token_key(), &certificates.token_certificate())?;
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let answer = move |request: &Request| {
            let line = format!("{} {}", request.method, request.target);
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            answer(&signer, request)
        };
        let https = Https::start(address, certificates, answer)?;
        Ok(Self { https, requests })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.https.address
    }

    /// The requests so far: method and target.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The answer to one request.
fn answer(signer: &Signer, request: &Request) -> https::Reply {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    if request.method != "GET" || path != "/token" {
        return https::Reply { status: 404, body: json!({"details": "not here"}).to_string() };
    }
    let Some(user) = user_of(request.authorization.as_deref()) else {
        let refusal = json!({"details": "incorrect username or password"});
        return https::Reply { status: 401, body: refusal.to_string() };
    };
    let pairs = parse_query(query);
    let values = |name: &str| -> Vec<&str> {
        pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    };
    let service = values("service").first().copied().unwrap_or_default().to_owned();
    let scopes = values("scope").into_iter().flat_map(|scope| scope.split(' '));
    let access: Vec<_> = scopes.filter_map(|scope| grant(&user, scope)).collect();
    match signer.token(&user, &service, &access) {
        Ok(token) => {
            let body = json!({"token": token, "access_token": token, "expires_in": 300});
            https::Reply { status: 200, body: body.to_string() }
        }
        Err(why) => https::Reply { status: 500, body: json!({"details": why}).to_string() },
    }
}

/// Who asks: a user, the empty name for nobody in particular, or none when the password is wrong.
fn user_of(authorization: Option<&str>) -> Option<String> {
    let Some(authorization) = authorization else { return Some(String::new()) };
    let encoded = authorization.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    [OWNER, STRANGER].contains(&(name, password)).then(|| name.to_owned())
}

/// What of `repository:NAME:ACTION,ACTION` the user gets; nothing at all is left out.
fn grant(user: &str, scope: &str) -> Option<Value> {
    let (kind, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    let public = PUBLIC.iter().any(|start| name.starts_with(start));
    let allowed = |action: &&str| user == OWNER.0 || (public && *action == "pull");
    let actions: Vec<_> = actions.split(',').filter(allowed).collect();
    (!actions.is_empty()).then(|| json!({"type": kind, "name": name, "actions": actions}))
}

/// The pairs of a query, decoded.
fn parse_query(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

/// Undoes percent-encoding; a plus sign is a space.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%');
        let hex = hex.and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The key that signs, with its certificate.
struct Signer {
    key: EcdsaKeyPair,
    certificate: String,
    random: SystemRandom,
}

impl Signer {
    fn new(key: &Path, certificate: &Path) -> Outcome<Self> {
        let random = SystemRandom::new();
        let der = STANDARD.decode(pem_body(key)?).map_err(|error| error.to_string())?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random)
            .map_err(|error| format!("the key for tokens: {error}"))?;
        Ok(Self { key, certificate: pem_body(certificate)?, random })
    }

    /// A token. Both registries find the key by the certificate in `x5c`, which `rootcertbundle`
    /// holds; `kid` would have to be spelt differently for each of them.
    fn token(&self, user: &str, service: &str, access: &[Value]) -> Outcome<String> {
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
