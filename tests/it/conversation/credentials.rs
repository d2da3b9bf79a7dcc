//! Where credentials go, and where they never do.

use super::{HEAD, TOKEN, config_of, https, manifest, refused, resolve, token, unauthorized};
use crate::support::{Certificate, Reply, Server};
use regq::error::{Error, Kind, Refusal};
use regq::reference::Reference;
use regq::registry::{Client, ResolveOptions};

const BASIC: &str = "Basic YWRhOnNlY3JldA==";

/// A registry whose realm is the given URL, with `PORT` the port of the token server.
fn registry(realm: String, also: &'static [&'static str]) -> Server {
    https(move |request| match request.header("authorization") {
        Some("Bearer T" | BASIC) => manifest(),
        Some(other) => panic!("sent {other}"),
        None => {
            let bearer = format!(r#"Bearer realm="{realm}",service="registry""#);
            also.iter().fold(unauthorized(request, &bearer), |reply, line| {
                reply.header("WWW-Authenticate", line)
            })
        }
    })
}

fn token_server() -> Server {
    Server::start(Some(Certificate::Server), |_| token("T"))
}

/// The digest of `registry.localhost:PORT/team/app:1.0`.
fn by_name(server: &Server, config: regq::registry::Config) -> Result<(), Error> {
    let text = format!("registry.localhost:{}/team/app:1.0", server.port());
    let reference = Reference::parse(&text).unwrap();
    Client::new(config).unwrap().resolve(&reference, &ResolveOptions::default()).map(|_| ())
}

#[test]
fn the_same_host_on_another_port_gets_them() {
    let auth = token_server();
    let server = registry(format!("{}/token", auth.url()), &[]);
    resolve(&server, config_of("ada", "secret")).unwrap();
    assert_eq!(auth.requests()[0].header("authorization"), Some(BASIC));
    assert_eq!(server.requests()[0].header("authorization"), None);
}

#[test]
fn another_host_does_not_and_is_not_asked_anonymously_in_their_place() {
    let auth = token_server();
    let realm = format!("https://auth.localhost:{}/token", auth.port());
    let server = registry(realm, &[]);
    let error = by_name(&server, config_of("ada", "secret")).expect_err("untrusted");
    assert_eq!(error.kind(), Kind::Invalid);
    let text = error.to_string();
    assert!(text.contains("registry.localhost") && text.contains("auth.localhost"), "{text}");
    let Error::Refused(refusal) = error else { panic!("{error:?}") };
    assert!(matches!(*refusal, Refusal::RealmUntrusted { .. }), "{refusal:?}");
    assert_eq!(auth.connections(), 0);
    assert_eq!(server.lines(), [HEAD]);
}

#[test]
fn another_host_gets_no_credentials_but_an_anonymous_question() {
    let auth = token_server();
    let realm = format!("https://auth.localhost:{}/token", auth.port());
    let server = registry(realm, &[]);
    by_name(&server, super::config()).unwrap();
    assert_eq!(auth.requests()[0].header("authorization"), None);
}

#[test]
fn the_users_word_makes_a_realm_trusted() {
    let auth = token_server();
    let realm = format!("https://auth.localhost:{}/token", auth.port());
    let server = registry(realm.clone(), &[]);
    let mut config = config_of("ada", "secret");
    config.trusted_realms = vec!["AUTH.localhost".to_owned()];
    by_name(&server, config).unwrap();
    assert_eq!(auth.requests()[0].header("authorization"), Some(BASIC));
    // The word is for one host, not for those under it or beside it.
    let server = registry(realm, &[]);
    let mut config = config_of("ada", "secret");
    config.trusted_realms = vec!["localhost".to_owned(), "other.localhost".to_owned()];
    assert_eq!(by_name(&server, config).expect_err("untrusted").kind(), Kind::Invalid);
}

#[test]
fn basic_to_the_registry_itself_where_it_offers_that_too() {
    let auth = token_server();
    let realm = format!("https://auth.localhost:{}/token", auth.port());
    let server = registry(realm, &[r#"Basic realm="registry""#]);
    by_name(&server, config_of("ada", "secret")).unwrap();
    assert_eq!(auth.connections(), 0);
    assert_eq!(server.lines(), [HEAD, HEAD]);
    assert_eq!(server.requests()[1].header("authorization"), Some(BASIC));
}

#[test]
fn a_plain_http_realm_gets_nothing() {
    let auth = Server::start(None, |_| token("T"));
    for config in [super::config(), config_of("ada", "secret")] {
        let server = registry(format!("{}/token", auth.url()), &[]);
        let mut config = config;
        // Not even when the user trusts the host.
        config.trusted_realms = vec!["127.0.0.1".to_owned()];
        let error = refused(&server, config);
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(error.to_string().contains("plain http"), "{error}");
    }
    assert_eq!(auth.connections(), 0);
}

#[test]
fn a_plain_http_registry_on_loopback_gets_them() {
    let server = Server::start(None, |request| match request.header("authorization") {
        Some(BASIC) => manifest(),
        _ => unauthorized(request, r#"Basic realm="a""#),
    });
    resolve(&server, config_of("ada", "secret")).unwrap();
    assert_eq!(server.lines(), [HEAD, HEAD]);
}

#[test]
fn a_plain_http_registry_on_loopback_leads_none_out_in_the_clear() {
    let server = Server::start(None, |request| {
        unauthorized(request, r#"Bearer realm="http://auth.example/token",service="s""#)
    });
    let mut config = config_of("ada", "secret");
    config.trusted_realms = vec!["auth.example".to_owned()];
    let error = refused(&server, config);
    let Error::Refused(refusal) = error else { panic!("{error:?}") };
    assert!(matches!(*refusal, Refusal::CredentialsInTheClear { .. }), "{refusal:?}");
}

#[test]
fn credentials_are_not_sent_before_they_are_asked_for() {
    let server = https(|_| manifest());
    resolve(&server, config_of("ada", "secret")).unwrap();
    assert_eq!(server.requests()[0].header("authorization"), None);
}

#[test]
fn a_registry_that_is_redirected_to_gets_none() {
    let other = https(|request| match request.path() {
        "/token" => token("O"),
        _ if request.header("authorization") == Some("Bearer O") => manifest(),
        _ => unauthorized(request, r#"Bearer realm="https://HOST/token",service="registry""#),
    });
    let target = format!("https://other.localhost:{}/v2/team/app/manifests/1.0", other.port());
    let server = https(move |_| Reply::new(307).header("Location", &target));
    resolve(&server, config_of("ada", "secret")).unwrap();
    assert_eq!(other.lines(), [HEAD, TOKEN, HEAD]);
    assert_eq!(other.requests()[1].header("authorization"), None);
    // Basic is not for it either.
    let other = https(|request| unauthorized(request, r#"Basic realm="a""#));
    let target = format!("https://other.localhost:{}/v2/team/app/manifests/1.0", other.port());
    let server = https(move |_| Reply::new(307).header("Location", &target));
    assert_eq!(refused(&server, config_of("ada", "secret")).kind(), Kind::Denied);
    assert_eq!(other.lines(), [HEAD]);
}

#[test]
fn no_error_shows_a_secret() {
    let replies: [fn() -> Reply; 5] = [
        || Reply::new(401).body("no"),
        || Reply::new(403).body("no"),
        || Reply::new(200).body("<html>"),
        || Reply::new(307).header("Location", "https://example.invalid/?sig=secret-signature"),
        || Reply::close(),
    ];
    for reply in replies {
        let server = https(move |request| match request.path() {
            "/token" => reply(),
            _ => unauthorized(request, r#"Bearer realm="https://HOST/token",service="registry""#),
        });
        let seen = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let log = std::sync::Arc::clone(&seen);
        let mut config = config_of("ada", "s3cr3t-password");
        config.observer = regq::registry::Observer::new(move |event| {
            log.lock().unwrap().push_str(&format!("{event:?}"));
        });
        let shown = format!("{config:?}");
        let error = refused(&server, config);
        let shown = format!("{shown}{error}{error:?}{}", seen.lock().unwrap());
        for secret in ["s3cr3t-password", "YWRhOnMzY3IzdC1wYXNzd29yZA", "secret-signature"] {
            assert!(!shown.contains(secret), "{secret} is in {shown}");
        }
    }
}
