//! What is never shown: tokens that came damaged, signed URLs, and the secret that was sent, when a server
//! repeats it.

use super::{GET, HEAD, bearer, chain, config, config_of, https, manifest, refused, unauthorized};
use crate::support::{Reply, Request};
use regq::error::{Error, Kind};
use regq::registry::{Config, Observer};
use std::sync::{Arc, Mutex};

/// Everything that one refused question shows: messages, `Debug`, and what is told on the way.
fn shown(
    mut config: Config,
    handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> (Error, String) {
    let told = Arc::<Mutex<String>>::default();
    let (events, exchanges) = (Arc::clone(&told), Arc::clone(&told));
    config.observer = Observer::with_conversation(
        move |event| events.lock().unwrap().push_str(&format!("{event:?}\n")),
        move |exchange| exchanges.lock().unwrap().push_str(&format!("{exchange:?}\n")),
    );
    let error = refused(&https(handler), config);
    let told = told.lock().unwrap();
    let shown = format!("{}\n{error:?}\n{told}", chain(&error));
    (error, shown)
}

#[test]
fn a_token_that_came_damaged_is_not_shown() {
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
            _ => bearer(request),
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
        _ => panic!("asked for more"),
    });
    assert_eq!(error.kind(), Kind::Denied, "{shown}");
    assert!(!shown.contains("SECRET-SIGNATURE"), "{shown}");
    assert!(!shown.contains("Temporary Redirect"), "{shown}");
}

#[test]
fn the_words_of_any_refusal_that_a_second_look_meets_are_quoted() {
    for status in [401, 403, 404, 429, 500] {
        let (error, shown) = shown(config(), move |request| match request.line().as_str() {
            HEAD => Reply::new(403),
            _ => Reply::new(status).body("this repository has moved away"),
        });
        // The status stays the one that the question itself met.
        assert_eq!(error.kind(), Kind::Denied, "{status}: {shown}");
        assert!(error.to_string().contains("(403)"), "{shown}");
        assert!(shown.contains(r#"it says "this repository has moved away""#), "{shown}");
    }
}

/// Repeats what it was sent, as some servers do for those who look for the fault: as text, as a page, and as an
/// error of the specification.
fn repeated(form: usize, sent: &str) -> String {
    match form {
        0 => format!("no access with Authorization: {sent}"),
        1 => format!("<p>no access</p><pre>{sent}</pre>"),
        _ => format!(r#"{{"errors":[{{"code":"{sent}","message":"no access with {sent}"}}]}}"#),
    }
}

/// Longer than what is quoted of a text, as most tokens are.
fn long(begin: &str) -> String {
    format!("{begin}{}", "0123456789".repeat(60))
}

#[test]
fn a_token_that_the_registry_repeats_is_not_shown() {
    for form in 0..3 {
        for token in ["BEGIN-SECRET".to_owned(), long("BEGIN-SECRET")] {
            let given = token.clone();
            let (error, shown) = shown(config(), move |request| {
                match (request.path(), request.header("authorization")) {
                    ("/token", _) => super::token(&given),
                    (_, Some(sent)) => Reply::new(403).body(repeated(form, sent)),
                    (_, None) => bearer(request),
                }
            });
            assert_eq!(error.kind(), Kind::Denied, "{shown}");
            assert!(shown.contains("no access"), "{shown}");
            assert!(!shown.contains("BEGIN-SECRET"), "{form}: {shown}");
        }
    }
}

#[test]
fn a_password_that_a_server_repeats_is_not_shown() {
    let secret = "YWRhOnNlY3JldC"; // "ada:secret", without its last characters.
    for form in 0..3 {
        for password in ["secret".to_owned(), long("secret-and-")] {
            let basic = |request: &Request| unauthorized(request, r#"Basic realm="a""#);
            let (error, registry) =
                shown(config_of("ada", &password), move |request| {
                    match request.header("authorization") {
                        Some(sent) => Reply::new(403).body(repeated(form, sent)),
                        None => basic(request),
                    }
                });
            assert_eq!(error.kind(), Kind::Denied, "{registry}");
            let (error, token_server) = shown(config_of("ada", &password), move |request| {
                match (request.path(), request.header("authorization")) {
                    ("/token", Some(sent)) => Reply::new(403).body(repeated(form, sent)),
                    (_, None) => bearer(request),
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
fn a_password_that_the_token_server_got_is_not_quoted_from_the_registry_either() {
    let password = "SECRET-PASSWORD-1";
    let (error, shown) = shown(config_of("ada", password), move |request| {
        match (request.path(), request.header("authorization")) {
            ("/token", _) => super::token("T"),
            (_, Some(_)) => Reply::new(403).body(format!("{password} may not pull")),
            (_, None) => bearer(request),
        }
    });
    assert_eq!(error.kind(), Kind::Denied, "{shown}");
    assert!(shown.contains("... may not pull"), "{shown}");
    assert!(!shown.contains(password), "{shown}");
}

/// What is told on the way: warnings, and where redirects lead.
#[test]
fn what_is_told_of_on_the_way_is_without_secrets_too() {
    let (password, token) = ("SECRET-PASSWORD-1", "SECRET-TOKEN/1");
    let encoded = "SECRET-TOKEN%2F1";
    let (error, shown) = shown(config_of("ada", password), move |request| {
        let warn = |reply: Reply, text: &str| {
            reply.header("Warning", format!("299 - \"this server saw {text}\""))
        };
        match (request.path(), request.header("authorization")) {
            ("/token", _) => warn(super::token(token), password),
            ("/v2/team/app/manifests/1.0", Some(sent)) => {
                let reply = Reply::new(307).header("Location", format!("/x/{encoded}"));
                warn(reply, sent)
            }
            ("/v2/team/app/manifests/1.0", None) => bearer(request),
            (path, _) => warn(Reply::new(403).body(path), path),
        }
    });
    assert_eq!(error.kind(), Kind::Denied, "{shown}");
    assert!(shown.contains("this server saw Bearer ..."), "{shown}");
    assert!(shown.contains("/x/..."), "{shown}");
    assert!(!shown.contains("SECRET"), "{shown}");
}

/// Another origin gets no token, and may have learned it from the redirect.
#[test]
fn an_origin_that_got_no_token_does_not_say_it_either() {
    let other = https(|request| {
        Reply::new(404)
            .header("Warning", format!("299 - \"no {}\"", request.path()))
            .body(format!("there is no {}", request.path()))
    });
    let to = format!("https://{}/x/SECRET-TOKEN-1", other.authority());
    let (error, shown) =
        shown(config(), move |request| match (request.path(), request.header("authorization")) {
            ("/token", _) => super::token("SECRET-TOKEN-1"),
            (_, Some(_)) => Reply::new(307).header("Location", to.clone()),
            (_, None) => bearer(request),
        });
    assert_eq!(error.kind(), Kind::NotFound, "{shown}");
    assert!(shown.contains("no /x/..."), "{shown}");
    assert!(!shown.contains("SECRET"), "{shown}");
}
