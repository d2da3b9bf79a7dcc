//! Tests of the library against a loopback registry.
//!
//! Each test scripts the registry's responses, then checks the result and the exact requests that arrived. So it also
//! shows what was not sent.

mod bodies;
mod challenges;
mod connections;
mod credentials;
mod digests;
mod identity;
mod lengths;
mod manifests;
mod platforms;
mod redirects;
mod registry_state;
mod retries;
mod secrecy;
mod threads;
mod tokens;
mod unreachable;

use crate::support::{Certificate, Reply, Request, Server, tls};
use regq::credentials::{Credential, Keychain, Secret};
use regq::digest::{Algorithm, Digest};
use regq::error::{Error, Result};
use regq::reference::Reference;
use regq::registry::{Client, Config, ResolveOptions, Resolved};

/// A small, valid manifest.
const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const HEAD: &str = "HEAD /v2/team/app/manifests/1.0";
const GET: &str = "GET /v2/team/app/manifests/1.0";

/// Starts a registry on loopback, with TLS and a certificate from the tests' authority.
fn https(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(Some(Certificate::Server), handler)
}

/// Settings that trust the tests' authority and never retry.
fn config() -> Config {
    let mut config = Config::default();
    config.ca_files = vec![tls::ca_path()];
    config.retries = 0;
    config
}

/// The same settings, with a user name and a password.
fn config_with_password(user: &str, password: &str) -> Config {
    let mut config = config();
    let credential = Credential::password(user, Secret::new(password)).unwrap();
    config.keychain = Keychain::given(credential);
    config
}

/// Returns the reference `team/app:1.0` at a server.
fn reference(server: &Server) -> Reference {
    Reference::parse(&format!("{}/team/app:1.0", server.authority())).unwrap()
}

fn resolve(server: &Server, config: Config) -> Result<Resolved> {
    Client::new(config).unwrap().resolve(&reference(server), &ResolveOptions::default())
}

fn resolve_error(server: &Server, config: Config) -> Error {
    resolve(server, config).expect_err("the registry refuses")
}

fn sha256(body: &str) -> Digest {
    Digest::of(Algorithm::Sha256, body.as_bytes())
}

/// A 200 with the manifest and all its headers.
fn manifest() -> Reply {
    Reply::new(200)
        .header("Content-Type", OCI_MANIFEST)
        .header("Docker-Content-Digest", sha256(MANIFEST).to_string())
        .body(MANIFEST)
}

/// A 401 with this challenge. `HOST` in it is replaced with the request's host.
fn unauthorized(request: &Request, challenge: &str) -> Reply {
    let host = request.header("host").unwrap_or_default();
    Reply::new(401).header("WWW-Authenticate", challenge.replace("HOST", host))
}

/// A 401 with the challenge that distribution sends for the repository. The realm is on the registry itself.
fn bearer_challenge(request: &Request) -> Reply {
    let challenge =
        r#"Bearer realm="https://HOST/token",service="registry",scope="repository:team/app:pull""#;
    unauthorized(request, challenge)
}

fn token(token: &str) -> Reply {
    Reply::new(200)
        .header("Content-Type", "application/json")
        .body(format!(r#"{{"token":"{token}"}}"#))
}

const TOKEN: &str = "GET /token?service=registry&scope=repository:team/app:pull";

/// Responds like a registry that requires the token `T`, and issues it.
fn require_token(request: &Request) -> Reply {
    match (request.line().as_str(), request.header("authorization")) {
        (TOKEN, None) => token("T"),
        (_, Some("Bearer T")) => manifest(),
        _ => bearer_challenge(request),
    }
}

/// The message of an error and its sources, as the program prints it.
pub(crate) fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
