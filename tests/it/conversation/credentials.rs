//! Which servers receive the user's credentials, and which never do.

use super::{
    HEAD, TOKEN, config_with_password, https, manifest, resolve, resolve_error, token, unauthorized,
};
use crate::support::{Certificate, Reply, Server};
use regq::error::{Error, Kind, Refusal};
use regq::reference::Reference;
use regq::registry::{Client, ResolveOptions};

const BASIC: &str = "Basic YWRhOnNlY3JldA==";

/// Starts a registry with a Bearer challenge for this realm, and these other challenges.
fn registry(realm: String, others: &'static [&'static str]) -> Server {
    https(move |request| match request.header("authorization") {
        Some("Bearer T" | BASIC) => manifest(),
        Some(other) => panic!("sent {other}"),
        None => {
            let bearer = format!(r#"Bearer realm="{realm}",service="registry""#);
            others.iter().fold(unauthorized(request, &bearer), |reply, line| {
                reply.header("WWW-Authenticate", line)
            })
        }
    })
}

fn token_server() -> Server {
    Server::start(Some(Certificate::Server), |_| token("T"))
}

/// Resolves `registry.localhost:PORT/team/app:1.0`.
fn resolve_by_name(server: &Server, config: regq::registry::Config) -> Result<(), Error> {
    let text = format!("registry.localhost:{}/team/app:1.0", server.port());
    let reference = Reference::parse(&text).unwrap();
    Client::new(config).unwrap().resolve(&reference, &ResolveOptions::default()).map(|_| ())
}

#[test]
fn a_realm_on_another_port_of_the_same_host_gets_credentials() {
    let auth = token_server();
    let server = registry(format!("{}/token", auth.url()), &[]);
    resolve(&server, config_with_password("ada", "secret")).unwrap();
    assert_eq!(auth.requests()[0].header("authorization"), Some(BASIC));
    assert_eq!(server.requests()[0].header("authorization"), None);
}

#[test]
fn an_untrusted_realm_gets_no_request_if_the_user_has_credentials() {
    let auth = token_server();
    let realm = format!("https://auth.localhost:{}/token", auth.port());
    let server = registry(realm, &[]);
    let error =
        resolve_by_name(&server, config_with_password("ada", "secret")).expect_err("untrusted");
    assert_eq!(error.kind(), Kind::Invalid);
    let text = error.to_string();
    assert!(text.contains("registry.localhost") && text.contains("auth.localhost"), "{text}");
    let Error::Refused(refusal) = error else { panic!("{error:?}") };
    assert!(matches!(*refusal, Refusal::RealmUntrusted { .. }), "{refusal:?}");
    assert_eq!(auth.connections(), 0);
    assert_eq!(server.lines(), [HEAD]);
}

#[test]
fn a_realm_on_another_host_gets_an_anonymous_request_without_credentials() {
    let auth = token_server();
    let realm = format!("https://auth.localhost:{}/token", auth.port());
    let server = registry(realm, &[]);
    resolve_by_name(&server, super::config()).unwrap();
    assert_eq!(auth.requests()[0].header("authorization"), None);
}

#[test]
fn a_realm_that_the_user_trusts_gets_credentials() {
    let auth = token_server();
    let realm = format!("https://auth.localhost:{}/token", auth.port());
    let server = registry(realm.clone(), &[]);
    let mut config = config_with_password("ada", "secret");
    config.trusted_realms = vec!["AUTH.localhost".to_owned()];
    resolve_by_name(&server, config).unwrap();
    assert_eq!(auth.requests()[0].header("authorization"), Some(BASIC));
    // Trust in a host covers neither its subdomains nor its siblings.
    let server = registry(realm, &[]);
    let mut config = config_with_password("ada", "secret");
    config.trusted_realms = vec!["localhost".to_owned(), "other.localhost".to_owned()];
    assert_eq!(resolve_by_name(&server, config).expect_err("untrusted").kind(), Kind::Invalid);
}

#[test]
fn basic_is_used_if_the_realm_is_untrusted() {
    let auth = token_server();
    let realm = format!("https://auth.localhost:{}/token", auth.port());
    let server = registry(realm, &[r#"Basic realm="registry""#]);
    resolve_by_name(&server, config_with_password("ada", "secret")).unwrap();
    assert_eq!(auth.connections(), 0);
    assert_eq!(server.lines(), [HEAD, HEAD]);
    assert_eq!(server.requests()[1].header("authorization"), Some(BASIC));
}

#[test]
fn a_plain_http_realm_of_an_https_registry_gets_no_request() {
    let auth = Server::start(None, |_| token("T"));
    for config in [super::config(), config_with_password("ada", "secret")] {
        let server = registry(format!("{}/token", auth.url()), &[]);
        let mut config = config;
        // Not even if the user trusts the host.
        config.trusted_realms = vec!["127.0.0.1".to_owned()];
        let error = resolve_error(&server, config);
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(error.to_string().contains("plain HTTP"), "{error}");
    }
    assert_eq!(auth.connections(), 0);
}

#[test]
fn a_plain_http_registry_on_loopback_gets_credentials() {
    let server = Server::start(None, |request| match request.header("authorization") {
        Some(BASIC) => manifest(),
        _ => unauthorized(request, r#"Basic realm="a""#),
    });
    resolve(&server, config_with_password("ada", "secret")).unwrap();
    assert_eq!(server.lines(), [HEAD, HEAD]);
}

#[test]
fn a_plain_http_realm_beyond_loopback_gets_no_credentials() {
    let server = Server::start(None, |request| {
        unauthorized(request, r#"Bearer realm="http://auth.example/token",service="s""#)
    });
    let mut config = config_with_password("ada", "secret");
    config.trusted_realms = vec!["auth.example".to_owned()];
    let error = resolve_error(&server, config);
    let Error::Refused(refusal) = error else { panic!("{error:?}") };
    assert!(matches!(*refusal, Refusal::CredentialsInTheClear { .. }), "{refusal:?}");
}

#[test]
fn credentials_are_not_sent_before_a_challenge() {
    let server = https(|_| manifest());
    resolve(&server, config_with_password("ada", "secret")).unwrap();
    assert_eq!(server.requests()[0].header("authorization"), None);
}

#[test]
fn a_registry_that_a_redirect_leads_to_gets_no_credentials() {
    let other = https(|request| match request.path() {
        "/token" => token("O"),
        _ if request.header("authorization") == Some("Bearer O") => manifest(),
        _ => unauthorized(request, r#"Bearer realm="https://HOST/token",service="registry""#),
    });
    let target = format!("https://other.localhost:{}/v2/team/app/manifests/1.0", other.port());
    let server = https(move |_| Reply::new(307).header("Location", &target));
    resolve(&server, config_with_password("ada", "secret")).unwrap();
    assert_eq!(other.lines(), [HEAD, TOKEN, HEAD]);
    assert_eq!(other.requests()[1].header("authorization"), None);
    // Nor are they sent as Basic.
    let other = https(|request| unauthorized(request, r#"Basic realm="a""#));
    let target = format!("https://other.localhost:{}/v2/team/app/manifests/1.0", other.port());
    let server = https(move |_| Reply::new(307).header("Location", &target));
    assert_eq!(resolve_error(&server, config_with_password("ada", "secret")).kind(), Kind::Denied);
    assert_eq!(other.lines(), [HEAD]);
}

#[test]
fn errors_events_and_settings_show_no_secret() {
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
        let events = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let log = std::sync::Arc::clone(&events);
        let mut config = config_with_password("ada", "s3cr3t-password");
        config.observer = regq::registry::Observer::new(move |event| {
            log.lock().unwrap().push_str(&format!("{event:?}"));
        });
        let shown = format!("{config:?}");
        let error = resolve_error(&server, config);
        let shown = format!("{shown}{error}{error:?}{}", events.lock().unwrap());
        for secret in ["s3cr3t-password", "YWRhOnMzY3IzdC1wYXNzd29yZA", "secret-signature"] {
            assert!(!shown.contains(secret), "{secret} is in {shown}");
        }
    }
}
