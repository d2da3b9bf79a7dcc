//! Identity tokens, which a token server exchanges, and ready tokens, which nobody exchanges.

use super::{
    GET, HEAD, TOKEN, chain, config, https, manifest, reference, refused, resolve, token,
    unauthorized,
};
use crate::support::{Certificate, Reply, Request, Server};
use regq::credentials::{Credential, Keychain, Password, Secret};
use regq::error::{Error, Kind, Refusal};
use regq::registry::{Client, Config, ResolveOptions};

const BASIC: &str = "Basic YWRhOnNlY3JldA==";
const POST: &str = "POST /token";

fn config_with(credential: Credential) -> Config {
    let mut config = config();
    config.keychain = Keychain::given(credential);
    config
}

/// An identity token, with a password beside it or without.
fn identity(password: bool) -> Config {
    let password = password.then(|| Password::new("ada", Secret::new("secret")).unwrap());
    config_with(Credential::IdentityToken { token: Secret::new("r&f=1 %+/é"), password })
}

fn ready(token: &str) -> Config {
    config_with(Credential::token(Secret::new(token)).unwrap())
}

/// A registry whose token server answers a POST so, and a GET with `T`.
fn answering(post: Reply) -> Server {
    https(move |request| match (request.path(), request.method.as_str()) {
        ("/token", "POST") => post.clone(),
        ("/token", _) => token("T"),
        _ => with_token(request),
    })
}

fn with_token(request: &Request) -> Reply {
    match request.header("authorization") {
        Some("Bearer T") => manifest(),
        Some(other) => panic!("sent {other}"),
        None => super::bearer(request),
    }
}

#[test]
fn an_identity_token_is_exchanged_by_post() {
    let server = answering(Reply::new(200).body(r#"{"access_token":"T"}"#));
    resolve(&server, identity(true)).unwrap();
    assert_eq!(server.lines(), [HEAD, POST, HEAD]);
    let post = &server.requests()[1];
    let fields = "grant_type=refresh_token&service=registry&client_id=regq\
                  &scope=repository:team/app:pull&refresh_token=r%26f%3D1%20%25%2B/%C3%A9";
    assert_eq!(String::from_utf8_lossy(&post.body), fields);
    for (name, value) in [
        ("grant_type", "refresh_token"),
        ("service", "registry"),
        ("client_id", "regq"),
        ("scope", "repository:team/app:pull"),
        ("refresh_token", "r&f=1 %+/é"),
    ] {
        assert_eq!(post.form(name), [value], "{name}");
    }
    assert_eq!(post.header("content-type"), Some("application/x-www-form-urlencoded"));
    // The token is the proof; a password beside it is not sent with it.
    assert_eq!(post.header("authorization"), None);
}

#[test]
fn the_form_has_one_scope_and_no_empty_field() {
    for (challenge, service, scope) in [
        (r#"service="s",scope="a b""#, &["s"][..], "a b"),
        (r#"scope="repository:x:pull""#, &[], "repository:x:pull"),
        (r#"service="s""#, &["s"], "repository:team/app:pull"),
    ] {
        let server = https(move |request| match request.path() {
            "/token" => token("T"),
            _ if request.header("authorization").is_some() => manifest(),
            _ => {
                let line = format!(r#"Bearer realm="https://HOST/token?x=1",{challenge}"#);
                unauthorized(request, &line)
            }
        });
        resolve(&server, identity(false)).unwrap();
        let post = &server.requests()[1];
        assert_eq!(post.line(), "POST /token?x=1");
        assert_eq!(post.form("service"), service);
        assert_eq!(post.form("scope"), [scope]);
    }
}

#[test]
fn a_server_that_does_not_exchange_is_asked_by_get_once() {
    for status in [400, 401, 404, 405] {
        for (password, sent) in [(true, Some(BASIC)), (false, None)] {
            let server = answering(Reply::new(status).body("no"));
            resolve(&server, identity(password)).unwrap();
            assert_eq!(server.lines(), [HEAD, POST, TOKEN, HEAD], "{status}");
            let get = &server.requests()[2];
            assert_eq!(get.header("authorization"), sent, "{status}");
            assert_eq!(get.body, b"");
        }
    }
}

#[test]
fn a_get_that_is_refused_too_is_final() {
    for password in [true, false] {
        let server = https(|request| match request.path() {
            "/token" if request.method == "POST" => Reply::new(404),
            "/token" => Reply::new(401).body("go away"),
            _ => super::bearer(request),
        });
        let error = refused(&server, identity(password));
        assert_eq!(error.kind(), Kind::Denied);
        assert!(chain(&error).contains("refused the identity token"), "{error}");
        assert_eq!(server.lines(), [HEAD, POST, TOKEN]);
    }
}

#[test]
fn no_other_status_leads_to_a_get() {
    for (status, kind) in [
        (402, Kind::Invalid),
        (403, Kind::Denied),
        (406, Kind::Invalid),
        (418, Kind::Invalid),
        (429, Kind::RateLimited),
        (500, Kind::Unavailable),
        (503, Kind::Unavailable),
    ] {
        let server = answering(Reply::new(status));
        assert_eq!(refused(&server, identity(true)).kind(), kind, "{status}");
        assert_eq!(server.lines(), [HEAD, POST], "{status}");
    }
    // Nor an answer that is none.
    let server = answering(Reply::new(200).body("{}"));
    assert_eq!(refused(&server, identity(true)).kind(), Kind::Invalid);
    assert_eq!(server.lines(), [HEAD, POST]);
}

#[test]
fn a_post_that_is_redirected_is_refused() {
    let elsewhere = Server::start(Some(Certificate::Server), |_| token("T"));
    for target in ["/tokens/".to_owned(), format!("{}/token", elsewhere.url())] {
        for status in [301, 302, 303, 307, 308] {
            let server = answering(Reply::new(status).header("Location", &target));
            let error = refused(&server, identity(true));
            assert_eq!(error.kind(), Kind::Invalid, "{status}");
            let Error::Refused(refusal) = error else { panic!("{error:?}") };
            assert!(matches!(*refusal, Refusal::TokenRedirect { .. }), "{refusal:?}");
            assert_eq!(server.lines(), [HEAD, POST], "{status}");
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn an_identity_token_goes_to_no_realm_that_is_not_the_registrys() {
    let auth = Server::start(Some(Certificate::Server), |_| token("T"));
    let realm = format!("https://auth.localhost:{}/token", auth.port());
    let server = https(move |request| {
        unauthorized(request, &format!(r#"Bearer realm="{realm}",service="s""#))
    });
    let name = format!("registry.localhost:{}/team/app:1.0", server.port());
    let reference = regq::reference::Reference::parse(&name).unwrap();
    let client = Client::new(identity(true)).unwrap();
    let error = client.resolve(&reference, &ResolveOptions::default()).expect_err("untrusted");
    assert_eq!(error.kind(), Kind::Invalid);
    assert_eq!(auth.connections(), 0);
}

#[test]
fn an_identity_token_is_nothing_for_basic() {
    let server = https(|request| unauthorized(request, r#"Basic realm="x""#));
    assert_eq!(refused(&server, identity(false)).kind(), Kind::Denied);
    assert_eq!(server.lines(), [HEAD]);
    // The password beside it is.
    let server = https(|request| match request.header("authorization") {
        Some(BASIC) => manifest(),
        _ => unauthorized(request, r#"Basic realm="x""#),
    });
    resolve(&server, identity(true)).unwrap();
    assert_eq!(server.lines(), [HEAD, HEAD]);
}

#[test]
fn a_ready_token_goes_with_the_resend() {
    let server = https(|request| match request.header("authorization") {
        Some("Bearer R") => manifest(),
        Some(other) => panic!("sent {other}"),
        None => super::bearer(request),
    });
    resolve(&server, ready("R")).unwrap();
    assert_eq!(server.lines(), [HEAD, HEAD]);
    // Whatever the challenge is, even for a registry that asks for a password.
    let server = https(|request| match request.header("authorization") {
        Some("Bearer R") => manifest(),
        _ => unauthorized(request, r#"Basic realm="x""#),
    });
    resolve(&server, ready("R")).unwrap();
}

#[test]
fn a_ready_token_that_is_refused_is_final() {
    // Also when the challenge then asks for something else.
    for challenge in [
        r#"Bearer realm="https://HOST/token",service="registry",error="invalid_token""#,
        r#"Bearer realm="https://HOST/other",service="other",scope="x""#,
        r#"Basic realm="x""#,
    ] {
        let server = https(move |request| match request.header("authorization") {
            None => super::bearer(request),
            Some(_) => unauthorized(request, challenge),
        });
        let error = refused(&server, ready("R"));
        assert_eq!(error.kind(), Kind::Denied);
        assert!(chain(&error).contains("refused the token"), "{error}");
        assert_eq!(server.lines(), [HEAD, HEAD, GET], "{challenge}");
    }
}

#[test]
fn a_ready_token_goes_to_no_realm() {
    let auth = Server::start(Some(Certificate::Server), |_| token("T"));
    let realm = format!("{}/token", auth.url());
    let server = https(move |request| match request.header("authorization") {
        Some("Bearer R") => manifest(),
        _ => unauthorized(request, &format!(r#"Bearer realm="{realm}",service="s""#)),
    });
    resolve(&server, ready("R")).unwrap();
    assert_eq!(auth.connections(), 0);
}

#[test]
fn a_password_that_the_realm_refuses_is_not_sent_again() {
    for status in [401, 403] {
        let server = https(move |request| match request.path() {
            "/token" => Reply::new(status).body("wrong"),
            _ => super::bearer(request),
        });
        let mut config = super::config_of("ada", "secret");
        config.retries = 3;
        let client = Client::new(config).unwrap();
        let error =
            client.resolve(&reference(&server), &ResolveOptions::default()).expect_err("refused");
        assert_eq!(error.kind(), Kind::Denied);
        assert_eq!(server.lines(), [HEAD, TOKEN]);
    }
}

#[test]
fn a_password_that_the_registry_refuses_is_not_sent_again() {
    let server = https(|request| unauthorized(request, r#"Basic realm="x""#));
    let error = refused(&server, super::config_of("ada", "secret"));
    assert_eq!(error.kind(), Kind::Denied);
    assert!(chain(&error).contains("refused the credentials of \"ada\""), "{error}");
    // Not even by the GET that would read the registry's error message.
    assert_eq!(server.lines(), [HEAD, HEAD]);
}
