//! Identity tokens, which a token server exchanges, and ready tokens, which are sent to the registry unchanged.

use super::{
    GET, HEAD, TOKEN, chain, config, https, manifest, reference, resolve, resolve_error, token,
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

/// Settings with an identity token, and a password if `password`.
fn with_identity_token(password: bool) -> Config {
    let password = password.then(|| Password::new("ada", Secret::new("secret")).unwrap());
    config_with(Credential::IdentityToken { token: Secret::new("r&f=1 %+/é"), password })
}

/// Settings with a ready token.
fn with_ready_token(token: &str) -> Config {
    config_with(Credential::token(Secret::new(token)).unwrap())
}

/// Starts a registry that requires the token `T`. Its token server sends this response to a POST, and `T` to a GET.
fn server_with_exchange(post: Reply) -> Server {
    https(move |request| match (request.path(), request.method.as_str()) {
        ("/token", "POST") => post.clone(),
        ("/token", _) => token("T"),
        _ => require_token(request),
    })
}

/// Sends the manifest if the request has the token `T`, else a challenge.
fn require_token(request: &Request) -> Reply {
    match request.header("authorization") {
        Some("Bearer T") => manifest(),
        Some(other) => panic!("sent {other}"),
        None => super::bearer_challenge(request),
    }
}

#[test]
fn an_identity_token_is_exchanged_by_post() {
    let server = server_with_exchange(Reply::new(200).body(r#"{"access_token":"T"}"#));
    resolve(&server, with_identity_token(true)).unwrap();
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
    // The identity token is enough: the password is not sent with it.
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
        resolve(&server, with_identity_token(false)).unwrap();
        let post = &server.requests()[1];
        assert_eq!(post.line(), "POST /token?x=1");
        assert_eq!(post.form("service"), service);
        assert_eq!(post.form("scope"), [scope]);
    }
}

#[test]
fn a_token_server_that_refuses_the_exchange_gets_one_get() {
    for status in [400, 401, 404, 405] {
        for (password, sent) in [(true, Some(BASIC)), (false, None)] {
            let server = server_with_exchange(Reply::new(status).body("no"));
            resolve(&server, with_identity_token(password)).unwrap();
            assert_eq!(server.lines(), [HEAD, POST, TOKEN, HEAD], "{status}");
            let get = &server.requests()[2];
            assert_eq!(get.header("authorization"), sent, "{status}");
            assert_eq!(get.body, b"");
        }
    }
}

#[test]
fn a_refused_get_after_a_refused_exchange_is_final() {
    for password in [true, false] {
        let server = https(|request| match request.path() {
            "/token" if request.method == "POST" => Reply::new(404),
            "/token" => Reply::new(401).body("go away"),
            _ => super::bearer_challenge(request),
        });
        let error = resolve_error(&server, with_identity_token(password));
        assert_eq!(error.kind(), Kind::Denied);
        assert!(chain(&error).contains("refused the identity token"), "{error}");
        assert_eq!(server.lines(), [HEAD, POST, TOKEN]);
    }
}

#[test]
fn other_failures_of_the_exchange_are_final() {
    for (status, kind) in [
        (402, Kind::Invalid),
        (403, Kind::Denied),
        (406, Kind::Invalid),
        (418, Kind::Invalid),
        (429, Kind::RateLimited),
        (500, Kind::Unavailable),
        (503, Kind::Unavailable),
    ] {
        let server = server_with_exchange(Reply::new(status));
        assert_eq!(resolve_error(&server, with_identity_token(true)).kind(), kind, "{status}");
        assert_eq!(server.lines(), [HEAD, POST], "{status}");
    }
    // The same for a response without a token.
    let server = server_with_exchange(Reply::new(200).body("{}"));
    assert_eq!(resolve_error(&server, with_identity_token(true)).kind(), Kind::Invalid);
    assert_eq!(server.lines(), [HEAD, POST]);
}

#[test]
fn a_redirect_of_the_exchange_is_refused() {
    let elsewhere = Server::start(Some(Certificate::Server), |_| token("T"));
    for target in ["/tokens/".to_owned(), format!("{}/token", elsewhere.url())] {
        for status in [301, 302, 303, 307, 308] {
            let server = server_with_exchange(Reply::new(status).header("Location", &target));
            let error = resolve_error(&server, with_identity_token(true));
            assert_eq!(error.kind(), Kind::Invalid, "{status}");
            let Error::Refused(refusal) = error else { panic!("{error:?}") };
            assert!(matches!(*refusal, Refusal::TokenRedirect { .. }), "{refusal:?}");
            assert_eq!(server.lines(), [HEAD, POST], "{status}");
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn an_identity_token_is_not_sent_to_an_untrusted_realm() {
    let auth = Server::start(Some(Certificate::Server), |_| token("T"));
    let realm = format!("https://auth.localhost:{}/token", auth.port());
    let server = https(move |request| {
        unauthorized(request, &format!(r#"Bearer realm="{realm}",service="s""#))
    });
    let name = format!("registry.localhost:{}/team/app:1.0", server.port());
    let reference = regq::reference::Reference::parse(&name).unwrap();
    let client = Client::new(with_identity_token(true)).unwrap();
    let error = client.resolve(&reference, &ResolveOptions::default()).expect_err("untrusted");
    assert_eq!(error.kind(), Kind::Invalid);
    assert_eq!(auth.connections(), 0);
}

#[test]
fn an_identity_token_is_not_sent_as_basic_but_its_password_is() {
    let server = https(|request| unauthorized(request, r#"Basic realm="x""#));
    assert_eq!(resolve_error(&server, with_identity_token(false)).kind(), Kind::Denied);
    assert_eq!(server.lines(), [HEAD]);
    // A password that comes with it is sent.
    let server = https(|request| match request.header("authorization") {
        Some(BASIC) => manifest(),
        _ => unauthorized(request, r#"Basic realm="x""#),
    });
    resolve(&server, with_identity_token(true)).unwrap();
    assert_eq!(server.lines(), [HEAD, HEAD]);
}

#[test]
fn a_ready_token_is_sent_after_any_challenge() {
    let server = https(|request| match request.header("authorization") {
        Some("Bearer R") => manifest(),
        Some(other) => panic!("sent {other}"),
        None => super::bearer_challenge(request),
    });
    resolve(&server, with_ready_token("R")).unwrap();
    assert_eq!(server.lines(), [HEAD, HEAD]);
    // Even if the registry requires a password.
    let server = https(|request| match request.header("authorization") {
        Some("Bearer R") => manifest(),
        _ => unauthorized(request, r#"Basic realm="x""#),
    });
    resolve(&server, with_ready_token("R")).unwrap();
}

#[test]
fn a_refused_ready_token_is_final() {
    // Even if the next challenge is different.
    for challenge in [
        r#"Bearer realm="https://HOST/token",service="registry",error="invalid_token""#,
        r#"Bearer realm="https://HOST/other",service="other",scope="x""#,
        r#"Basic realm="x""#,
    ] {
        let server = https(move |request| match request.header("authorization") {
            None => super::bearer_challenge(request),
            Some(_) => unauthorized(request, challenge),
        });
        let error = resolve_error(&server, with_ready_token("R"));
        assert_eq!(error.kind(), Kind::Denied);
        assert!(chain(&error).contains("refused the token"), "{error}");
        assert_eq!(server.lines(), [HEAD, HEAD, GET], "{challenge}");
    }
}

#[test]
fn a_ready_token_is_not_sent_to_a_realm() {
    let auth = Server::start(Some(Certificate::Server), |_| token("T"));
    let realm = format!("{}/token", auth.url());
    let server = https(move |request| match request.header("authorization") {
        Some("Bearer R") => manifest(),
        _ => unauthorized(request, &format!(r#"Bearer realm="{realm}",service="s""#)),
    });
    resolve(&server, with_ready_token("R")).unwrap();
    assert_eq!(auth.connections(), 0);
}

#[test]
fn a_password_that_the_realm_refuses_is_sent_once_for_a_question() {
    for status in [401, 403] {
        let server = https(move |request| match request.path() {
            "/token" => Reply::new(status).body("wrong"),
            _ => super::bearer_challenge(request),
        });
        let mut config = super::config_with_password("ada", "secret");
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
    let error = resolve_error(&server, super::config_with_password("ada", "secret"));
    assert_eq!(error.kind(), Kind::Denied);
    assert!(chain(&error).contains("refused the credentials of \"ada\""), "{error}");
    // Not even to read the registry's error message with a GET.
    assert_eq!(server.lines(), [HEAD, HEAD]);
}
