//! Long tokens, URLs and bodies: accepted up to a limit, and refused beyond it without retries.

use super::{
    HEAD, MANIFEST, bearer_challenge, chain, config, https, manifest, resolve, resolve_error,
    sha256, token, unauthorized,
};
use crate::support::{Reply, Server};
use regq::error::{Error, Kind};
use regq::event::{Event, Observer};
use regq::registry::Config;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Settings with retries, and the number of retries that were reported.
fn counting_retries() -> (Config, Arc<AtomicUsize>) {
    let mut config = config();
    config.retries = 3;
    let retries = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&retries);
    config.observer = Observer::new(move |event| {
        if let Event::Retrying { .. } = event {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (config, retries)
}

#[test]
fn a_token_may_have_60_kb() {
    let long = "t".repeat(60_000);
    let expected = format!("Bearer {long}");
    let server = https(move |request| match (request.path(), request.header("authorization")) {
        ("/token", _) => token(&long),
        (_, None) => bearer_challenge(request),
        (_, Some(sent)) if sent == expected => manifest(),
        (_, Some(_)) => panic!("another token"),
    });
    assert_eq!(resolve(&server, config()).unwrap().digest, sha256(MANIFEST));
}

#[test]
fn the_target_of_a_redirect_may_have_20_kb() {
    let target = format!("/moved?sig={}", "s".repeat(20_000));
    let location = target.clone();
    let server = https(move |request| match request.path() {
        "/moved" => manifest(),
        _ => Reply::new(307).header("Location", &location),
    });
    assert_eq!(resolve(&server, config()).unwrap().digest, sha256(MANIFEST));
    assert_eq!(server.lines(), [HEAD.to_owned(), format!("HEAD {target}")]);
}

#[test]
fn a_url_over_64_kib_is_invalid_and_not_retried() {
    // Each of these becomes three characters in a query: 70,500 of them.
    let scope = "+".repeat(23_500);
    let server = https(move |request| {
        unauthorized(request, &format!(r#"Bearer realm="https://HOST/token",scope="{scope}""#))
    });
    let (config, retries) = counting_retries();
    let error = resolve_error(&server, config);
    assert_eq!(error.kind(), Kind::Invalid, "{error}");
    let Error::Request { host, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*host, server.authority());
    assert!(chain(&error).len() < 500, "{}", chain(&error));
    assert_eq!(server.lines(), [HEAD]);
    assert_eq!(retries.load(Ordering::SeqCst), 0);
}

#[test]
fn a_host_with_an_empty_label_is_invalid_and_not_retried() {
    for location in
        ["https://a..localhost:1/", "https://.localhost:1/", "https://localhost.:1/", "//a..b/"]
    {
        let server = https(move |_| Reply::new(307).header("Location", location));
        let (config, retries) = counting_retries();
        let error = resolve_error(&server, config);
        assert_eq!(error.kind(), Kind::Invalid, "{location}: {error}");
        assert_eq!(server.lines(), [HEAD], "{location}");
        assert_eq!(retries.load(Ordering::SeqCst), 0, "{location}");
    }
}

#[test]
fn error_bodies_are_read_up_to_64_kib() {
    // The message is at the start, but the body is JSON only if it is read to its end.
    let forbidden = |length: usize| {
        let body = r#"{"errors":[{"message":"not for you"}],"more":"PADDING"}"#;
        let padding = "x".repeat(length + "PADDING".len() - body.len());
        https(move |request| match request.method.as_str() {
            "HEAD" => Reply::new(403),
            _ => Reply::new(403).body(body.replace("PADDING", &padding)),
        })
    };
    let limit = 64 * 1024;
    let error_text = |server: &Server| resolve_error(server, config()).to_string();
    let text = error_text(&forbidden(limit));
    assert!(text.ends_with(r#"it says "not for you""#), "{text}");
    let text = error_text(&forbidden(limit + 1));
    assert!(text.contains(r#"it says "{\"errors\""#) && text.ends_with("xxx...\""), "{text}");
}

#[test]
fn an_endless_error_body_does_not_block() {
    // One byte more than the limit, then nothing until the client closes the connection.
    let server = https(|request| match request.method.as_str() {
        "HEAD" => Reply::new(403),
        _ => Reply::new(403).body("x".repeat(1 << 20)).stall_after(64 * 1024 + 1),
    });
    let mut config = config();
    config.timeout = Duration::from_secs(20);
    let begun = std::time::Instant::now();
    let error = resolve_error(&server, config);
    assert_eq!(error.kind(), Kind::Denied, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(15), "it waited for more");
}
