//! Secrets are never shown: tokens in malformed responses, signed URLs, and credentials that a server echoes.

use super::{
    GET, HEAD, bearer_challenge, chain, config, config_with_password, https, manifest,
    resolve_error, unauthorized,
};
use crate::support::{Reply, Request};
use regq::error::{Error, Kind};
use regq::registry::{Config, Observer};
use std::sync::{Arc, Mutex};

/// Returns the error of a failed question, and everything that the question shows: the error's message, its `Debug`
/// output, and the events.
fn shown(
    mut config: Config,
    handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> (Error, String) {
    let log = Arc::<Mutex<String>>::default();
    let (events, exchanges) = (Arc::clone(&log), Arc::clone(&log));
    config.observer = Observer::with_conversation(
        move |event| events.lock().unwrap().push_str(&format!("{event:?}\n")),
        move |exchange| exchanges.lock().unwrap().push_str(&format!("{exchange:?}\n")),
    );
    let error = resolve_error(&https(handler), config);
    let log = log.lock().unwrap();
    let shown = format!("{}\n{error:?}\n{log}", chain(&error));
    (error, shown)
}

#[test]
fn a_token_in_a_malformed_response_is_not_shown() {
    let jwt = "eyJhbGciOiJub25lIn0.eyJzZWNyZXQiOiJTRUNSRVQtVE9LRU4tMSJ9.c2lnbmF0dXJl";
    for (body, secret) in [
        (r#"{"token":"SECRET-TOKEN-1"}garbage"#.to_owned(), "SECRET-TOKEN-1"),
        (r#"{"token":"SECRET-TOKEN-1""#.to_owned(), "SECRET-TOKEN-1"),
        (format!("\u{feff}{}", r#"{"token":"SECRET-TOKEN-1"}"#), "SECRET-TOKEN-1"),
        ("SECRET-TOKEN-1".to_owned(), "SECRET-TOKEN-1"),
        (jwt.to_owned(), "eyJ"),
        (r#"{"token":"SECRET-TOKEN 1"}"#.to_owned(), "SECRET-TOKEN"),
        (r#"["SECRET-TOKEN-1"]"#.to_owned(), "SECRET-TOKEN-1"),
    ] {
        let reply = Reply::new(200).header("Content-Type", "application/json").body(body.clone());
        let (error, shown) = shown(config(), move |request| match request.path() {
            "/token" => reply.clone(),
            _ => bearer_challenge(request),
        });
        assert_eq!(error.kind(), Kind::Invalid, "{shown}");
        assert!(!shown.contains(secret), "{body} is in {shown}");
    }
}

#[test]
fn the_body_of_a_redirect_is_not_quoted() {
    let signed = "https://storage.example/blob?sig=SECRET-SIGNATURE";
    let (error, shown) = shown(config(), move |request| match request.line().as_str() {
        HEAD => Reply::new(403),
        GET => Reply::new(307)
            .header("Location", signed)
            .header("Content-Type", "text/html")
            .body(format!("<a href=\"{signed}\">Temporary Redirect</a> {signed}")),
        _ => panic!("unexpected request"),
    });
    assert_eq!(error.kind(), Kind::Denied, "{shown}");
    assert!(!shown.contains("SECRET-SIGNATURE"), "{shown}");
    assert!(!shown.contains("Temporary Redirect"), "{shown}");
}

#[test]
fn the_error_message_of_the_get_after_a_403_is_quoted() {
    for status in [401, 403, 404, 429, 500] {
        let (error, shown) = shown(config(), move |request| match request.line().as_str() {
            HEAD => Reply::new(403),
            _ => Reply::new(status).body("this repository has moved away"),
        });
        // The error keeps the status of the HEAD.
        assert_eq!(error.kind(), Kind::Denied, "{status}: {shown}");
        assert!(error.to_string().contains("(403)"), "{shown}");
        assert!(shown.contains(r#"it says "this repository has moved away""#), "{shown}");
    }
}

/// An error body that echoes a header, as some servers do for debugging: as text, as a page, or in the specification's
/// error format.
fn echoed(form: usize, sent: &str) -> String {
    match form {
        0 => format!("no access with Authorization: {sent}"),
        1 => format!("<p>no access</p><pre>{sent}</pre>"),
        _ => format!(r#"{{"errors":[{{"code":"{sent}","message":"no access with {sent}"}}]}}"#),
    }
}

/// A secret that is longer than a quoted error message, as most tokens are.
fn long_secret(prefix: &str) -> String {
    format!("{prefix}{}", "0123456789".repeat(60))
}

#[test]
fn a_token_that_the_registry_echoes_is_not_shown() {
    for form in 0..3 {
        for token in ["BEGIN-SECRET".to_owned(), long_secret("BEGIN-SECRET")] {
            let issued = token.clone();
            let (error, shown) = shown(config(), move |request| {
                match (request.path(), request.header("authorization")) {
                    ("/token", _) => super::token(&issued),
                    (_, Some(sent)) => Reply::new(403).body(echoed(form, sent)),
                    (_, None) => bearer_challenge(request),
                }
            });
            assert_eq!(error.kind(), Kind::Denied, "{shown}");
            assert!(shown.contains("no access"), "{shown}");
            assert!(!shown.contains("BEGIN-SECRET"), "{form}: {shown}");
        }
    }
}

#[test]
fn a_password_that_a_server_echoes_is_not_shown() {
    let secret = "YWRhOnNlY3JldC"; // "ada:secret", without its last characters
    for form in 0..3 {
        for password in ["secret".to_owned(), long_secret("secret-and-")] {
            let basic = |request: &Request| unauthorized(request, r#"Basic realm="a""#);
            let (error, registry) = shown(config_with_password("ada", &password), move |request| {
                match request.header("authorization") {
                    Some(sent) => Reply::new(403).body(echoed(form, sent)),
                    None => basic(request),
                }
            });
            assert_eq!(error.kind(), Kind::Denied, "{registry}");
            let (error, token_server) =
                shown(config_with_password("ada", &password), move |request| {
                    match (request.path(), request.header("authorization")) {
                        ("/token", Some(sent)) => Reply::new(403).body(echoed(form, sent)),
                        (_, None) => bearer_challenge(request),
                        (_, Some(_)) => manifest(),
                    }
                });
            assert_eq!(error.kind(), Kind::Denied, "{token_server}");
            for shown in [registry, token_server] {
                assert!(shown.contains("no access"), "{shown}");
                assert!(!shown.contains(secret), "{form}: {shown}");
            }
        }
    }
}

#[test]
fn a_password_sent_to_the_token_server_is_redacted_if_the_registry_echoes_it() {
    let password = "SECRET-PASSWORD-1";
    let (error, shown) = shown(config_with_password("ada", password), move |request| {
        match (request.path(), request.header("authorization")) {
            ("/token", _) => super::token("T"),
            (_, Some(_)) => Reply::new(403).body(format!("{password} may not pull")),
            (_, None) => bearer_challenge(request),
        }
    });
    assert_eq!(error.kind(), Kind::Denied, "{shown}");
    assert!(shown.contains("... may not pull"), "{shown}");
    assert!(!shown.contains(password), "{shown}");
}

#[test]
fn warnings_and_redirects_show_no_secret() {
    let (password, token) = ("SECRET-PASSWORD-1", "SECRET-TOKEN/1");
    let encoded = "SECRET-TOKEN%2F1";
    let (error, shown) = shown(config_with_password("ada", password), move |request| {
        let warn = |reply: Reply, text: &str| {
            reply.header("Warning", format!("299 - \"this server saw {text}\""))
        };
        match (request.path(), request.header("authorization")) {
            ("/token", _) => warn(super::token(token), password),
            ("/v2/team/app/manifests/1.0", Some(sent)) => {
                let reply = Reply::new(307).header("Location", format!("/x/{encoded}"));
                warn(reply, sent)
            }
            ("/v2/team/app/manifests/1.0", None) => bearer_challenge(request),
            (path, _) => warn(Reply::new(403).body(path), path),
        }
    });
    assert_eq!(error.kind(), Kind::Denied, "{shown}");
    assert!(shown.contains("this server saw Bearer ..."), "{shown}");
    assert!(shown.contains("/x/..."), "{shown}");
    assert!(!shown.contains("SECRET"), "{shown}");
}

#[test]
fn a_token_is_redacted_if_another_origin_echoes_it() {
    // No token is sent there, but the URL of the redirect contains one.
    let other = https(|request| {
        Reply::new(404)
            .header("Warning", format!("299 - \"no {}\"", request.path()))
            .body(format!("there is no {}", request.path()))
    });
    let target = format!("https://{}/x/SECRET-TOKEN-1", other.authority());
    let (error, shown) =
        shown(config(), move |request| match (request.path(), request.header("authorization")) {
            ("/token", _) => super::token("SECRET-TOKEN-1"),
            (_, Some(_)) => Reply::new(307).header("Location", target.clone()),
            (_, None) => bearer_challenge(request),
        });
    assert_eq!(error.kind(), Kind::NotFound, "{shown}");
    assert!(shown.contains("no /x/..."), "{shown}");
    assert!(!shown.contains("SECRET"), "{shown}");
}
