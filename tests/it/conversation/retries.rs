//! Retries, announced waits, timeouts and deadlines.

use super::{
    HEAD, MANIFEST, bearer_challenge, config, https, manifest, require_token, resolve,
    resolve_error, sha256, token,
};
use crate::support::{Certificate, Reply, Request, Server};
use regq::credentials::{Credential, Keychain, Secret};
use regq::error::{ConnectionFault, Error, Kind};
use regq::event::{Event, Observer};
use regq::registry::Config;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A registry that sends these replies first, and then the manifest.
fn manifest_after(replies: Vec<Reply>) -> Server {
    let at = AtomicUsize::new(0);
    https(move |_| match replies.get(at.fetch_add(1, Ordering::SeqCst)) {
        Some(reply) => reply.clone(),
        None => manifest(),
    })
}

fn retrying(retries: u32) -> Config {
    let mut config = config();
    config.retries = retries;
    config
}

/// The waits that were reported: how long, whether announced, and why.
type Waits = Arc<Mutex<Vec<(Duration, bool, String)>>>;

fn observed(mut config: Config) -> (Config, Waits) {
    let waits = Waits::default();
    let log = Arc::clone(&waits);
    config.observer = Observer::new(move |event| {
        if let Event::Retrying { wait, announced, reason, .. } = event {
            log.lock().unwrap().push((*wait, *announced, (*reason).to_owned()));
        }
    });
    (config, waits)
}

#[test]
fn transient_failures_are_retried() {
    let replies = [408, 429, 500, 502, 503, 504].map(Reply::new);
    for reply in replies.into_iter().chain([Reply::close()]) {
        let server = manifest_after(vec![reply.clone()]);
        let resolved = resolve(&server, retrying(1)).unwrap();
        assert_eq!(resolved.digest, sha256(MANIFEST), "{reply:?}");
        assert_eq!(server.lines(), [HEAD, HEAD], "{reply:?}");
    }
}

#[test]
fn n_retries_are_n_plus_one_requests_with_growing_waits() {
    let server = manifest_after(vec![Reply::new(503); 9]);
    let (config, waits) = observed(retrying(2));
    let error = resolve_error(&server, config);
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(server.lines(), [HEAD, HEAD, HEAD]);
    let waits = waits.lock().unwrap();
    let ranges = [(100, 200), (200, 400)];
    assert_eq!(waits.len(), ranges.len());
    for ((wait, announced, reason), (low, high)) in waits.iter().zip(ranges) {
        assert!((low..=high).contains(&wait.as_millis()), "{wait:?}");
        assert!(!announced);
        assert_eq!(reason, "status 503");
    }
}

#[test]
fn permanent_failures_are_not_retried() {
    for status in [400, 403, 404, 406, 501, 505] {
        let server = https(move |_| Reply::new(status));
        resolve_error(&server, retrying(3));
        let heads = server.lines().iter().filter(|line| **line == HEAD).count();
        assert_eq!(heads, 1, "{status}");
    }
}

#[test]
fn a_refused_certificate_is_not_retried() {
    let server = Server::start(Some(Certificate::Expired), |_| manifest());
    let (config, waits) = observed(retrying(3));
    assert_eq!(resolve_error(&server, config).kind(), Kind::Unavailable);
    assert_eq!(server.connections(), 1);
    assert!(waits.lock().unwrap().is_empty());
}

#[test]
fn a_truncated_body_is_retried() {
    let truncated = || manifest().cut_after(20);
    let server = manifest_after(vec![truncated()]);
    let client = regq::registry::Client::new(retrying(1)).unwrap();
    let fetched = client.fetch_manifest(&super::reference(&server), None).unwrap();
    assert_eq!(fetched.bytes, MANIFEST.as_bytes());
    let server = manifest_after(vec![truncated(), truncated()]);
    let client = regq::registry::Client::new(retrying(1)).unwrap();
    let error = client.fetch_manifest(&super::reference(&server), None).expect_err("truncated");
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_truncated_body_without_a_length_is_detected_by_its_digest() {
    // With and without close_notify: many servers do not send it, so its absence does not show truncation.
    let short = MANIFEST.get(..20).unwrap();
    for reply in [manifest().until_close().cut_after(20), manifest().body(short).until_close()] {
        let server = manifest_after(vec![reply]);
        let client = regq::registry::Client::new(retrying(3)).unwrap();
        let error = client.fetch_manifest(&super::reference(&server), None).expect_err("short");
        assert!(matches!(error, Error::DigestMismatch { .. }), "{error:?}");
        assert_eq!(error.kind(), Kind::Invalid);
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn an_announced_wait_is_obeyed_and_reported() {
    let requests = AtomicUsize::new(0);
    let server = Server::start(None, move |_| match requests.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new(429).header("Retry-After", "2"),
        _ => manifest(),
    });
    let (mut config, waits) = observed(retrying(1));
    config.plain_http = true;
    // Announced waits do not count: this one alone is longer than the deadline, which is plenty for two requests
    // on loopback.
    config.timeout = Duration::from_millis(1900);
    let begun = Instant::now();
    resolve(&server, config).unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(2));
    let waits = waits.lock().unwrap();
    let [(wait, true, reason)] = waits.as_slice() else { panic!("{waits:?}") };
    // Jitter adds at most an eighth.
    assert!((2_000..=2_250).contains(&wait.as_millis()), "{wait:?}");
    assert_eq!(reason, "status 429");
}

#[test]
fn a_retry_date_is_compared_with_the_date_of_the_response() {
    let reply = Reply::new(503)
        .header("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .header("Retry-After", "Sun, 06 Nov 1994 08:49:38 GMT");
    let server = manifest_after(vec![reply]);
    let (config, waits) = observed(retrying(1));
    resolve(&server, config).unwrap();
    let (wait, announced, _) = waits.lock().unwrap()[0];
    assert!(announced && (1_000..=1_125).contains(&wait.as_millis()), "{wait:?}");
}

#[test]
fn a_wait_over_the_limit_is_not_obeyed() {
    for (status, kind) in [(429, Kind::RateLimited), (503, Kind::Unavailable)] {
        let server = manifest_after(vec![Reply::new(status).header("Retry-After", "61")]);
        let error = resolve_error(&server, retrying(3));
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains("retry after 61 s"), "{error}");
        assert_eq!(server.lines(), [HEAD]);
    }
}

#[test]
fn retry_after_zero_does_not_shorten_the_wait() {
    let server = manifest_after(vec![Reply::new(429).header("Retry-After", "0"); 2]);
    let (config, waits) = observed(retrying(2));
    resolve(&server, config).unwrap();
    let waits = waits.lock().unwrap();
    for ((wait, announced, _), at_least) in waits.iter().zip([100, 200]) {
        assert!(wait.as_millis() >= at_least && !announced, "{waits:?}");
    }
    assert_eq!(waits.len(), 2);
}

#[test]
fn a_retry_after_of_more_than_a_year_is_reported_as_a_year() {
    let reply = Reply::new(429).header("Retry-After", "99999999999999999999");
    let error = resolve_error(&manifest_after(vec![reply]), retrying(3));
    let Error::Status(status) = &error else { panic!("{error:?}") };
    assert_eq!(status.retry_after, Some(Duration::from_secs(365 * 86_400)));
    assert!(error.to_string().contains("31536000 s"), "{error}");
}

/// Settings with an identity token, which is sent by `POST`.
fn with_identity_token(retries: u32) -> Config {
    let mut config = retrying(retries);
    let token = Secret::new("REFRESH-TOKEN-1");
    config.keychain = Keychain::given(Credential::IdentityToken { token, password: None });
    config
}

#[test]
fn a_post_that_may_have_arrived_is_not_retried() {
    // On the pooled connection of the HEAD, and on a new one.
    let rows: [fn(&Request) -> Reply; 2] =
        [bearer_challenge, |request| bearer_challenge(request).then_close()];
    for challenge in rows {
        let server = https(move |request| match request.method.as_str() {
            "POST" => Reply::close(),
            _ => challenge(request),
        });
        let (config, waits) = observed(with_identity_token(3));
        let error = resolve_error(&server, config);
        let Error::Connection(connection) = &error else { panic!("{error:?}") };
        assert!(matches!(connection.fault, ConnectionFault::Broken(_)), "{error:?}");
        assert_eq!(server.lines(), [HEAD, "POST /token"]);
        assert!(waits.lock().unwrap().is_empty());
    }
}

#[test]
fn a_post_is_retried_after_a_transient_status() {
    let posts = AtomicUsize::new(0);
    let server = https(move |request| match request.method.as_str() {
        "POST" if posts.fetch_add(1, Ordering::SeqCst) == 0 => Reply::new(503),
        "POST" => token("T"),
        _ => require_token(request),
    });
    resolve(&server, with_identity_token(1)).unwrap();
    assert_eq!(server.lines(), [HEAD, "POST /token", "POST /token", HEAD]);
}

#[test]
fn a_malformed_retry_after_is_ignored() {
    let server = manifest_after(vec![Reply::new(503).header("Retry-After", "soon")]);
    let (config, waits) = observed(retrying(1));
    resolve(&server, config).unwrap();
    assert!(!waits.lock().unwrap()[0].1);
}

#[test]
fn a_question_has_a_deadline() {
    let server = https(|_| Reply::silent());
    let mut config = retrying(3);
    config.timeout = Duration::from_millis(300);
    let begun = Instant::now();
    let error = resolve_error(&server, config);
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.to_string().contains("300 ms"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn the_deadline_covers_all_retries() {
    // Each attempt ends after its own timeout, and there are many.
    let server = Server::silent();
    let mut config = retrying(100);
    config.connect_timeout = Duration::from_millis(200);
    config.timeout = Duration::from_millis(500);
    let error = resolve_error(&server, config);
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
    assert!(server.connections() < 10);
}

#[test]
fn a_stalled_body_ends_with_the_deadline() {
    let server = https(|_| manifest().stall_after(20));
    let mut config = config();
    config.timeout = Duration::from_millis(300);
    let client = regq::registry::Client::new(config).unwrap();
    let error = client.fetch_manifest(&super::reference(&server), None).expect_err("stalled");
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
}

#[test]
fn connecting_has_its_own_timeout() {
    // It accepts connections but sends nothing, so the TLS handshake never ends.
    let server = Server::silent();
    let (mut config, waits) = observed(retrying(1));
    config.connect_timeout = Duration::from_millis(200);
    let begun = Instant::now();
    let error = resolve_error(&server, config);
    let Error::Connection(connection) = &error else { panic!("{error:?}") };
    assert!(matches!(connection.fault, ConnectionFault::ConnectTimeout(_)), "{error:?}");
    assert_eq!(waits.lock().unwrap().len(), 1);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_deadline_shorter_than_the_connect_timeout_is_reported_as_the_deadline() {
    let server = Server::silent();
    let mut config = config();
    config.timeout = Duration::from_millis(200);
    assert!(matches!(resolve_error(&server, config), Error::Deadline { .. }));
}

#[test]
fn a_silent_peer_runs_into_the_idle_timeout() {
    assert_eq!(Config::default().idle_timeout, Duration::from_secs(30));
    for reply in [Reply::silent(), manifest().stall_after(20)] {
        let server = https(move |_| reply.clone());
        let (mut config, waits) = observed(retrying(1));
        config.idle_timeout = Duration::from_millis(200);
        let begun = Instant::now();
        let client = regq::registry::Client::new(config).unwrap();
        let error = client.fetch_manifest(&super::reference(&server), None).expect_err("silent");
        let Error::Connection(connection) = &error else { panic!("{error:?}") };
        assert!(matches!(connection.fault, ConnectionFault::IdleTimeout(_)), "{error:?}");
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(error.to_string().contains("200 ms"), "{error}");
        assert_eq!((server.requests().len(), waits.lock().unwrap().len()), (2, 1));
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn tls_failures_are_not_retried() {
    // The target of a redirect never falls back to plain http. One target has no TLS, the other one sends a
    // handshake_failure alert.
    let alert = [0x15, 3, 3, 0, 2, 2, 40];
    for target_server in [Server::start(None, |_| manifest()), Server::raw(alert)] {
        let target = format!("https://{}/x", target_server.authority());
        let server = https(move |_| Reply::new(307).header("Location", &target));
        let (config, waits) = observed(retrying(3));
        let error = resolve_error(&server, config);
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        let Error::Connection(connection) = &error else { panic!("{error:?}") };
        assert!(
            matches!(connection.fault, ConnectionFault::NotTls | ConnectionFault::Tls(_)),
            "{error:?}"
        );
        assert_eq!(connection.attempts, 1);
        assert_eq!((target_server.connections(), target_server.requests().len()), (1, 0));
        assert!(waits.lock().unwrap().is_empty());
    }
}
