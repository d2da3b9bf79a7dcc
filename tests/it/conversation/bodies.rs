//! Bodies: how much is read, and how a registry's error messages are quoted.

use super::{MANIFEST, config, https, manifest, reference, resolve_error};
use crate::support::Reply;
use regq::error::{Error, Kind};
use regq::registry::Client;

/// A manifest of exactly this length.
fn padded(length: usize) -> Reply {
    let body = format!("{MANIFEST}{}", " ".repeat(length - MANIFEST.len()));
    Reply::new(200).body(body)
}

#[test]
fn a_manifest_may_have_4_mib_and_no_more() {
    let limit = 4 * 1024 * 1024;
    let server = https(move |_| padded(limit));
    let fetched = Client::new(config()).unwrap().fetch_manifest(&reference(&server), None).unwrap();
    assert_eq!(fetched.bytes.len(), limit);
    let server = https(move |_| padded(limit + 1).chunked());
    let error = Client::new(config())
        .unwrap()
        .fetch_manifest(&reference(&server), None)
        .expect_err("too large");
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    assert_eq!(error.kind(), Kind::Invalid);
}

#[test]
fn a_declared_length_is_not_trusted() {
    let reply = || manifest().header("Content-Length", "18446744073709551615").then_close();
    let server = https(move |_| reply());
    let error = Client::new(config())
        .unwrap()
        .fetch_manifest(&reference(&server), None)
        .expect_err("cut short");
    assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
}

#[test]
fn error_bodies_of_any_form_are_quoted() {
    let long = "x".repeat(70_000);
    for (body, message) in [
        (
            r#"{"errors":[{"code":"DENIED","message":"no"},{"code":"UNAUTHORIZED","message":"log in"}]}"#,
            r#"it says "DENIED: no", "UNAUTHORIZED: log in""#,
        ),
        (
            r#"{"errors":[{"status":401,"message":"Bad Credentials"}]}"#,
            r#"it says "Bad Credentials""#,
        ),
        (r#"{"errors":[{"code":"UNKNOWN"}]}"#, r#"it says "UNKNOWN""#),
        (r#"{"details":"incorrect username"}"#, r#"it says "incorrect username""#),
        ("Not Authorized\n", r#"it says "Not Authorized""#),
        ("<html><body><h1>403</h1>\n<p>Forbidden</p></body></html>", r#"it says "403 Forbidden""#),
        ("a \u{1b}[31mred\u{202e} text\0", r#"it says "a [31mred\u{202e} text""#),
        (r#"{"errors":[{"code":"A","message":"\u001b[2J\u202e"}]}"#, r#"it says "A: [2J\u{202e}""#),
        (&long, "xxx...\""),
    ] {
        let body = body.to_owned();
        let server = https(move |request| match request.method.as_str() {
            "HEAD" => Reply::new(403),
            _ => Reply::new(403).body(body.clone()),
        });
        let text = resolve_error(&server, config()).to_string();
        assert!(text.contains(message), "{message} is not in {text}");
        assert!(text.len() < 500, "{text}");
    }
    let server = https(|_| Reply::new(403));
    let text = resolve_error(&server, config()).to_string();
    assert!(!text.contains("it says"), "{text}");
}

#[test]
fn a_truncated_error_body_is_quoted() {
    let server = https(|request| match request.method.as_str() {
        "HEAD" => Reply::new(403),
        _ => Reply::new(403).body("Forbidden by the proxy").cut_after(9),
    });
    assert!(resolve_error(&server, config()).to_string().contains("\"Forbidden\""));
}
