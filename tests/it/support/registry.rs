//! A registry on the loopback server that responds like distribution: manifests and blobs, with anonymous access, Basic, or
//! Bearer with a token endpoint (distribution's token authentication specification).
//!
//! Content and rules can be changed while it runs. It does not support lists or uploads. Its tokens look like JSON Web Tokens,
//! but only this registry can verify them. A test that needs a faulty response scripts a [`Server`].

use super::content::{Content, sha256};
use super::reply::Reply;
use super::request::Request;
use super::server::Server;
use super::tls::Certificate;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// The service in the challenges of a [`Registry`].
pub(crate) const SERVICE: &str = "registry.example";

/// The authentication that a registry requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    /// Anonymous access.
    None,
    /// A known user, for every repository.
    Basic,
    /// A token from `/token` on the same server.
    Token,
    /// A token from `/token` on a second server with another port.
    TokenElsewhere,
}

/// A running registry. Dropping it stops it.
pub(crate) struct Registry {
    pub(crate) server: Server,
    /// The second server of [`Auth::TokenElsewhere`].
    pub(crate) token_server: Option<Server>,
    state: Arc<State>,
}

/// Rules that a test may change at any time.
pub(crate) struct Rules {
    /// Users and their passwords.
    pub(crate) users: HashMap<String, String>,
    /// Repositories that require a user, whether they exist or not. Anonymous tokens give access to all others.
    pub(crate) private: HashSet<String>,
    /// Whether to send `Docker-Content-Digest`.
    pub(crate) digest_header: bool,
    /// Whether HEAD is supported for manifests; 405 otherwise.
    pub(crate) head: bool,
    /// The lifetime of tokens in seconds; negative for expired tokens.
    pub(crate) token_lifetime: i64,
}

struct State {
    auth: Auth,
    scheme: &'static str,
    rules: Mutex<Rules>,
    store: Mutex<HashMap<String, Repository>>,
}

#[derive(Default)]
struct Repository {
    tags: HashMap<String, String>,
    /// Media types and bytes by digest.
    manifests: HashMap<String, (String, Vec<u8>)>,
    blobs: HashMap<String, Vec<u8>>,
}

impl Registry {
    /// Starts an empty registry on 127.0.0.1.
    pub(crate) fn start(auth: Auth, tls: Option<Certificate>) -> Registry {
        let rules = Rules {
            users: HashMap::new(),
            private: HashSet::new(),
            digest_header: true,
            head: true,
            token_lifetime: 300,
        };
        let state = Arc::new(State {
            auth,
            scheme: if tls.is_some() { "https" } else { "http" },
            rules: Mutex::new(rules),
            store: Mutex::default(),
        });
        let token_server = (auth == Auth::TokenElsewhere).then(|| {
            let state = Arc::clone(&state);
            Server::start(tls, move |request| match request.path() {
                "/token" => state.token(request),
                _ => Reply::new(404),
            })
        });
        let token_port = token_server.as_ref().map(Server::port);
        let server = Server::start(tls, {
            let state = Arc::clone(&state);
            move |request| state.respond(request, token_port)
        });
        Registry { server, token_server, state }
    }

    /// Pushes an image or an index with everything it refers to, under a tag.
    pub(crate) fn push(&self, repository: &str, tag: &str, content: &Content) {
        let mut store = lock(&self.state.store);
        let repository = store.entry(repository.to_owned()).or_default();
        repository.tags.insert(tag.to_owned(), content.digest.clone());
        let mut rest = vec![content];
        while let Some(content) = rest.pop() {
            let entry = (content.media_type.clone(), content.bytes.clone());
            repository.manifests.insert(content.digest.clone(), entry);
            let blobs = content.blobs.iter().map(|blob| (sha256(blob), blob.clone()));
            repository.blobs.extend(blobs);
            rest.extend(&content.children);
        }
    }

    /// Makes a repository private.
    pub(crate) fn private(&self, repository: &str) {
        lock(&self.state.rules).private.insert(repository.to_owned());
    }

    /// Adds a user.
    pub(crate) fn user(&self, name: &str, password: &str) {
        lock(&self.state.rules).users.insert(name.to_owned(), password.to_owned());
    }

    /// Changes the rules.
    pub(crate) fn rules(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut lock(&self.state.rules));
    }

    /// `127.0.0.1:PORT`, the registry part of a reference.
    pub(crate) fn authority(&self) -> String {
        self.server.authority()
    }

    /// The request lines so far, including token requests to the same server.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.server.lines()
    }
}

/// The resource of a request.
enum Resource<'a> {
    Base,
    Manifest(&'a str, &'a str),
    Blob(&'a str, &'a str),
}

impl<'a> Resource<'a> {
    fn parse(path: &'a str) -> Option<Resource<'a>> {
        let rest = path.strip_prefix("/v2/")?;
        if rest.is_empty() {
            return Some(Resource::Base);
        }
        let manifest = rest.rsplit_once("/manifests/").map(|(r, t)| Resource::Manifest(r, t));
        manifest.or_else(|| rest.rsplit_once("/blobs/").map(|(r, d)| Resource::Blob(r, d)))
    }

    fn repository(&self) -> Option<&'a str> {
        match self {
            Resource::Base => None,
            Resource::Manifest(repository, _) | Resource::Blob(repository, _) => Some(repository),
        }
    }
}

/// Why a request is refused: the `error` of a Bearer challenge.
enum Refusal {
    NoToken,
    Error(&'static str),
}

impl State {
    fn respond(&self, request: &Request, token_port: Option<u16>) -> Reply {
        if request.path() == "/token" && self.auth == Auth::Token {
            return self.token(request);
        }
        let Some(resource) = Resource::parse(request.path()) else {
            return Reply::new(404)
                .header("Content-Type", "text/plain; charset=utf-8")
                .body("404 page not found\n");
        };
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return error(405, "UNSUPPORTED", "The operation is unsupported.", Value::Null);
        }
        let reply = match self.authorize(request, &resource) {
            Err(refusal) => {
                let challenge = self.challenge(request, &resource, &refusal, token_port);
                let detail = resource.repository().map_or(Value::Null, |name| {
                    json!([{ "Type": "repository", "Class": "", "Name": name, "Action": "pull" }])
                });
                error(401, "UNAUTHORIZED", "authentication required", detail)
                    .header("Www-Authenticate", challenge)
            }
            Ok(()) => self.content(request, &resource),
        };
        reply.header("Docker-Distribution-Api-Version", "registry/2.0")
    }

    fn authorize(&self, request: &Request, resource: &Resource<'_>) -> Result<(), Refusal> {
        match (self.auth, request.header("authorization")) {
            (Auth::None, _) => Ok(()),
            (_, None) => Err(Refusal::NoToken),
            (Auth::Basic, Some(header)) => match self.basic_user(header) {
                Some(_) => Ok(()),
                None => Err(Refusal::NoToken),
            },
            (Auth::Token | Auth::TokenElsewhere, Some(header)) => {
                let token = header.strip_prefix("Bearer ").ok_or(Refusal::NoToken)?;
                let claims = verified(token).ok_or(Refusal::Error("invalid_token"))?;
                if claims["aud"] != SERVICE || claims["exp"].as_i64() <= Some(now()) {
                    return Err(Refusal::Error("invalid_token"));
                }
                let Some(name) = resource.repository() else { return Ok(()) };
                let required = access(name);
                let granted =
                    claims["access"].as_array().is_some_and(|all| all.contains(&required));
                granted.then_some(()).ok_or(Refusal::Error("insufficient_scope"))
            }
        }
    }

    fn challenge(
        &self,
        request: &Request,
        resource: &Resource<'_>,
        refusal: &Refusal,
        token_port: Option<u16>,
    ) -> String {
        if self.auth == Auth::Basic {
            return "Basic realm=\"basic-realm\"".to_owned();
        }
        // Like distribution's `autoredirect`, the realm has the host of the request.
        let own_host = request.header("host").expect("HTTP/1.1 has a Host");
        let host = match (token_port, own_host.rsplit_once(':')) {
            (Some(port), Some((name, _))) => format!("{name}:{port}"),
            (Some(_), None) | (None, _) => own_host.to_owned(),
        };
        let mut challenge =
            format!("Bearer realm=\"{}://{host}/token\",service=\"{SERVICE}\"", self.scheme);
        if let Some(name) = resource.repository() {
            challenge.push_str(&format!(",scope=\"repository:{name}:pull\""));
        }
        if let Refusal::Error(code) = refusal {
            challenge.push_str(&format!(",error=\"{code}\""));
        }
        challenge
    }

    /// The token endpoint. Granting less access than requested is not an error; the registry refuses later.
    fn token(&self, request: &Request) -> Reply {
        if request.method != "GET" {
            return Reply::new(405);
        }
        let user = match request.header("authorization") {
            None => None,
            Some(header) => match self.basic_user(header) {
                Some(user) => Some(user),
                None => {
                    return Reply::new(401)
                        .header("Www-Authenticate", "Basic realm=\"token server\"")
                        .header("Content-Type", "text/plain; charset=utf-8")
                        .body("Auth failed.\n");
                }
            },
        };
        let scopes = request.query("scope").join(" ");
        let rules = lock(&self.rules);
        let granted: Vec<_> = scopes
            .split(' ')
            .filter_map(|scope| scope.strip_prefix("repository:")?.strip_suffix(":pull"))
            .filter(|name| user.is_some() || !rules.private.contains(*name))
            .map(access)
            .collect();
        let token = signed(&json!({
            "iss": "token server of the tests",
            "sub": user.unwrap_or_default(),
            "aud": request.query("service").join(" "),
            "exp": now() + rules.token_lifetime,
            "nbf": now() - 10,
            "iat": now(),
            "access": granted,
        }));
        let response =
            json!({ "token": token, "access_token": token, "expires_in": rules.token_lifetime });
        json_reply(200, &response)
    }

    fn basic_user(&self, header: &str) -> Option<String> {
        let decoded = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
        let decoded = String::from_utf8(decoded).ok()?;
        let (name, password) = decoded.split_once(':')?;
        (lock(&self.rules).users.get(name)? == password).then(|| name.to_owned())
    }

    fn content(&self, request: &Request, resource: &Resource<'_>) -> Reply {
        let store = lock(&self.store);
        let repository = |name: &str| {
            store.get(name).ok_or_else(|| {
                let message = "repository name not known to registry";
                error(404, "NAME_UNKNOWN", message, json!({ "name": name }))
            })
        };
        let reply = match *resource {
            Resource::Base => Ok(json_reply(200, &json!({}))),
            Resource::Manifest(name, reference) => {
                repository(name).map(|repository| self.manifest(request, repository, reference))
            }
            Resource::Blob(name, digest) => {
                repository(name).map(|repository| self.blob(repository, digest))
            }
        };
        reply.unwrap_or_else(|refusal| refusal)
    }

    fn manifest(&self, request: &Request, repository: &Repository, reference: &str) -> Reply {
        if request.method == "HEAD" && !lock(&self.rules).head {
            return error(405, "UNSUPPORTED", "The operation is unsupported.", Value::Null);
        }
        let digest = repository.tags.get(reference).map_or(reference, String::as_str);
        let Some((media_type, bytes)) = repository.manifests.get(digest) else {
            let detail = json!({ "Tag": reference });
            return error(404, "MANIFEST_UNKNOWN", "manifest unknown", detail);
        };
        let accepted = request.header_all("accept").join(",");
        let named = |range: &str| range.split(';').next().map(str::trim) == Some(media_type);
        if !accepted.split(',').any(named) {
            let message = format!("{media_type} found, but accept header does not support it");
            return error(404, "MANIFEST_UNKNOWN", &message, Value::Null);
        }
        self.stored(Reply::new(200).header("Content-Type", media_type), digest, bytes)
    }

    fn blob(&self, repository: &Repository, digest: &str) -> Reply {
        let Some(bytes) = repository.blobs.get(digest) else {
            let detail = json!({ "digest": digest });
            return error(404, "BLOB_UNKNOWN", "blob unknown to registry", detail);
        };
        let reply = Reply::new(200).header("Content-Type", "application/octet-stream");
        self.stored(reply, digest, bytes)
    }

    fn stored(&self, reply: Reply, digest: &str, bytes: &[u8]) -> Reply {
        let reply = reply.header("Etag", format!("\"{digest}\"")).body(bytes);
        if !lock(&self.rules).digest_header {
            return reply;
        }
        reply.header("Docker-Content-Digest", digest)
    }
}

/// An error response like distribution's.
pub(crate) fn error(status: u16, code: &str, message: &str, detail: Value) -> Reply {
    let mut error = json!({ "code": code, "message": message });
    if !detail.is_null() {
        error["detail"] = detail;
    }
    json_reply(status, &json!({ "errors": [error] }))
}

fn json_reply(status: u16, body: &Value) -> Reply {
    let body = serde_json::to_vec(body).expect("a value is JSON");
    Reply::new(status).header("Content-Type", "application/json").body(body)
}

/// The entry of `access` that permits pulling from a repository.
fn access(name: &str) -> Value {
    json!({ "type": "repository", "name": name, "actions": ["pull"] })
}

/// A token with these claims that every [`Registry`] accepts.
pub(crate) fn signed(claims: &Value) -> String {
    let header = json!({ "typ": "JWT", "alg": "ES256", "kid": "loopback" });
    let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header}.{claims}");
    let signature = signature(&message);
    format!("{message}.{signature}")
}

/// The claims of a token that [`signed`] made.
fn verified(token: &str) -> Option<Value> {
    let (message, found) = token.rsplit_once('.')?;
    if found != signature(message) {
        return None;
    }
    let claims = URL_SAFE_NO_PAD.decode(message.split_once('.')?.1).ok()?;
    serde_json::from_slice(&claims).ok()
}

/// A signature of the same length as ES256.
fn signature(message: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA512, b"the key of the loopback registry");
    URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, message.as_bytes()))
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(now.as_secs()).expect("seconds fit into i64")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
