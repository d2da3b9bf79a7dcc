//! Retries, announced waits and deadlines.

use super::{HEAD, MANIFEST, config, https, manifest, refused, resolve, sha256};
use crate::support::{Certificate, Reply, Server};
use regq::error::{ConnectionFault, Error, Kind};
use regq::registry::{Config, Event, Observer};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A registry whose first answers are these, and then the manifest.
fn after(replies: Vec<Reply>) -> Server {
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

/// The waits that were told: how long, announced or not, and why.
type Waits = Arc<Mutex<Vec<(Duration, bool, String)>>>;

fn watched(mut config: Config) -> (Config, Waits) {
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
fn failures_that_may_pass_are_retried() {
    let replies = [408, 429, 500, 502, 503, 504].map(Reply::new);
    for reply in replies.into_iter().chain([Reply::close()]) {
        let server = after(vec![reply.clone()]);
        let resolved = resolve(&server, retrying(1)).unwrap();
        assert_eq!(resolved.digest, sha256(MANIFEST), "{reply:?}");
        assert_eq!(server.lines(), [HEAD, HEAD], "{reply:?}");
    }
}

#[test]
fn n_retries_are_n_plus_one_sendings_with_growing_waits() {
    let server = after(vec![Reply::new(503); 9]);
    let (config, waits) = watched(retrying(2));
    let error = refused(&server, config);
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
fn what_will_not_pass_is_not_retried() {
    for status in [400, 403, 404, 406, 501, 505] {
        let server = https(move |_| Reply::new(status));
        refused(&server, retrying(3));
        let heads = server.lines().iter().filter(|line| **line == HEAD).count();
        assert_eq!(heads, 1, "{status}");
    }
}

#[test]
fn a_certificate_that_is_refused_is_not_retried() {
    let server = Server::start(Some(Certificate::Expired), |_| manifest());
    let (config, waits) = watched(retrying(3));
    assert_eq!(refused(&server, config).kind(), Kind::Unavailable);
    assert_eq!(server.connections(), 1);
    assert!(waits.lock().unwrap().is_empty());
}

#[test]
fn a_body_cut_short_is_retried() {
    let cut = || manifest().cut_after(20);
    let server = after(vec![cut()]);
    let client = regq::registry::Client::new(retrying(1)).unwrap();
    let fetched = client.fetch_manifest(&super::reference(&server), None).unwrap();
    assert_eq!(fetched.bytes, MANIFEST.as_bytes());
    let server = after(vec![cut(), cut()]);
    let client = regq::registry::Client::new(retrying(1)).unwrap();
    let error = client.fetch_manifest(&super::reference(&server), None).expect_err("cut");
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_body_cut_short_without_a_length_is_found_by_its_digest() {
    // With the end of TLS and without: many servers leave it out, so its lack says nothing.
    let short = MANIFEST.get(..20).unwrap();
    for reply in [manifest().until_close().cut_after(20), manifest().body(short).until_close()] {
        let server = after(vec![reply]);
        let client = regq::registry::Client::new(retrying(3)).unwrap();
        let error = client.fetch_manifest(&super::reference(&server), None).expect_err("short");
        assert!(matches!(error, Error::DigestMismatch { .. }), "{error:?}");
        assert_eq!(error.kind(), Kind::Invalid);
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn an_announced_wait_is_obeyed_and_told() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(None, move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new(429).header("Retry-After", "2"),
        _ => manifest(),
    });
    let (mut config, waits) = watched(retrying(1));
    config.plain_http = true;
    // Announced waits are not counted: this one alone is longer than the whole time, which is plenty for two
    // exchanges on loopback.
    config.timeout = Duration::from_millis(1900);
    let begun = Instant::now();
    resolve(&server, config).unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(2));
    let waits = waits.lock().unwrap();
    let [(wait, true, reason)] = waits.as_slice() else { panic!("{waits:?}") };
    // The jitter is at most an eighth.
    assert!((2_000..=2_250).contains(&wait.as_millis()), "{wait:?}");
    assert_eq!(reason, "status 429");
}

#[test]
fn a_wait_as_a_date_is_held_against_the_answers_own() {
    let reply = Reply::new(503)
        .header("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .header("Retry-After", "Sun, 06 Nov 1994 08:49:38 GMT");
    let server = after(vec![reply]);
    let (config, waits) = watched(retrying(1));
    resolve(&server, config).unwrap();
    let (wait, announced, _) = waits.lock().unwrap()[0];
    assert!(announced && (1_000..=1_125).contains(&wait.as_millis()), "{wait:?}");
}

#[test]
fn a_wait_that_is_too_long_ends_it_with_its_status() {
    for (status, kind) in [(429, Kind::RateLimited), (503, Kind::Unavailable)] {
        let server = after(vec![Reply::new(status).header("Retry-After", "61")]);
        let error = refused(&server, retrying(3));
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains("retry after 61 s"), "{error}");
        assert_eq!(server.lines(), [HEAD]);
    }
}

#[test]
fn an_unreadable_wait_is_none() {
    let server = after(vec![Reply::new(503).header("Retry-After", "soon")]);
    let (config, waits) = watched(retrying(1));
    resolve(&server, config).unwrap();
    assert!(!waits.lock().unwrap()[0].1);
}

#[test]
fn one_question_has_a_deadline() {
    let server = https(|_| Reply::silent());
    let mut config = retrying(3);
    config.timeout = Duration::from_millis(300);
    let begun = Instant::now();
    let error = refused(&server, config);
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.to_string().contains("300 ms"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn the_deadline_is_for_all_requests_together() {
    // No single try takes longer than its own limit, and there are many.
    let server = Server::silent();
    let mut config = retrying(100);
    config.connect_timeout = Duration::from_millis(200);
    config.timeout = Duration::from_millis(500);
    let error = refused(&server, config);
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
    assert!(server.connections() < 10);
}

#[test]
fn a_body_that_stalls_ends_with_the_deadline() {
    let server = https(|_| manifest().stall_after(20));
    let mut config = config();
    config.timeout = Duration::from_millis(300);
    let client = regq::registry::Client::new(config).unwrap();
    let error = client.fetch_manifest(&super::reference(&server), None).expect_err("stalled");
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
}

#[test]
fn connecting_has_a_time_of_its_own() {
    // It accepts and says nothing, so the TLS handshake never ends.
    let server = Server::silent();
    let (mut config, waits) = watched(retrying(1));
    config.connect_timeout = Duration::from_millis(200);
    let begun = Instant::now();
    let error = refused(&server, config);
    let Error::Connection(connection) = &error else { panic!("{error:?}") };
    assert!(matches!(connection.fault, ConnectionFault::ConnectTimeout(_)), "{error:?}");
    assert_eq!(waits.lock().unwrap().len(), 1);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_deadline_shorter_than_the_time_for_connecting_is_said_as_such() {
    let server = Server::silent();
    let mut config = config();
    config.timeout = Duration::from_millis(200);
    assert!(matches!(refused(&server, config), Error::Deadline { .. }));
}

#[test]
fn a_peer_that_says_nothing_for_too_long_is_given_up() {
    assert_eq!(Config::default().idle_timeout, Duration::from_secs(30));
    for reply in [Reply::silent(), manifest().stall_after(20)] {
        let server = https(move |_| reply.clone());
        let (mut config, waits) = watched(retrying(1));
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
fn a_peer_without_tls_or_with_another_is_not_asked_again() {
    // A host that is redirected to is not asked in plain http, whatever it speaks. The second one's first words
    // are the alert of a handshake that failed.
    let alert = [0x15, 3, 3, 0, 2, 2, 40];
    for other in [Server::start(None, |_| manifest()), Server::raw(alert)] {
        let target = format!("https://{}/x", other.authority());
        let server = https(move |_| Reply::new(307).header("Location", &target));
        let (config, waits) = watched(retrying(3));
        let error = refused(&server, config);
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        let Error::Connection(connection) = &error else { panic!("{error:?}") };
        assert!(
            matches!(connection.fault, ConnectionFault::NotTls | ConnectionFault::Tls(_)),
            "{error:?}"
        );
        assert_eq!(connection.attempts, 1);
        assert_eq!((other.connections(), other.requests().len()), (1, 0));
        assert!(waits.lock().unwrap().is_empty());
    }
}
