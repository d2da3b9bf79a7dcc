//! Connections: TLS and whom it trusts, plain http on loopback, and peers that speak something else.

use super::{
    HEAD, MANIFEST, chain, config, config_of, https, manifest, reference, refused, resolve, sha256,
    unauthorized,
};
use crate::support::{Certificate, Reply, Server, tls};
use regq::error::{CertificateFault, ConnectionFault, Error, Kind, LocalFault};
use regq::registry::{Client, Config, Event, Observer, ResolveOptions};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

fn certificate_fault(server: &Server, config: Config) -> CertificateFault {
    let error = refused(server, config);
    assert_eq!(error.kind(), Kind::Unavailable);
    let Error::Connection(connection) = error else { panic!("{error:?}") };
    let ConnectionFault::Certificate(fault) = connection.fault else { panic!("{connection:?}") };
    assert!(server.requests().is_empty());
    fault
}

#[test]
fn a_certificate_is_refused_for_what_is_wrong_with_it() {
    let start = |certificate| Server::start(Some(certificate), |_| manifest());
    let fault = certificate_fault(&start(Certificate::Server), Config::default());
    assert_eq!(fault, CertificateFault::UnknownIssuer);
    let fault = certificate_fault(&start(Certificate::Expired), config());
    assert!(matches!(fault, CertificateFault::Expired(Some(_))), "{fault:?}");
    let fault = certificate_fault(&start(Certificate::WrongName), config());
    let names = vec!["other.example".to_owned()];
    let expected = "127.0.0.1".to_owned();
    assert_eq!(fault, CertificateFault::Name { expected, presented: names });
    let fault = certificate_fault(&start(Certificate::SelfSignedCa), config());
    assert_eq!(fault, CertificateFault::AuthorityAsServer);
    let mut other = Config::default();
    other.ca_files = vec![tls::other_ca_path()];
    let fault = certificate_fault(&start(Certificate::Server), other);
    assert_eq!(fault, CertificateFault::UnknownIssuer);
}

#[test]
fn several_files_are_joined() {
    let server = https(|_| manifest());
    let mut config = config();
    config.ca_files = vec![tls::other_ca_path(), tls::ca_path()];
    assert!(resolve(&server, config).is_ok());
}

#[test]
fn a_self_signed_authority_that_is_named_is_trusted_as_a_server() {
    let server = Server::start(Some(Certificate::SelfSignedCa), |_| manifest());
    let mut config = Config::default();
    config.ca_files = vec![Certificate::SelfSignedCa.path()];
    assert!(resolve(&server, config.clone()).is_ok());
    // The certificate is for names all the same.
    let server = Server::start_at(
        std::net::Ipv4Addr::new(127, 0, 0, 2).into(),
        Some(Certificate::SelfSignedCa),
        |_| manifest(),
    );
    let fault = certificate_fault(&server, config);
    assert!(matches!(fault, CertificateFault::Name { .. }), "{fault:?}");
}

#[test]
fn unchecked_certificates_are_taken_as_they_are() {
    for certificate in [Certificate::Expired, Certificate::WrongName, Certificate::SelfSignedCa] {
        let server = Server::start(Some(certificate), |_| manifest());
        let mut config = Config::default();
        config.insecure = true;
        assert!(resolve(&server, config).is_ok(), "{certificate:?}");
    }
}

fn file(name: &str, content: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("connections-{name}"));
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_ca_file_that_cannot_be_used_is_an_error() {
    let fault = |path: PathBuf| {
        let mut config = Config::default();
        config.ca_files = vec![path];
        let error = Client::new(config).map(|_| ()).expect_err("a fault");
        assert_eq!(error.kind(), Kind::Local);
        let Error::Local { fault, .. } = error else { panic!("{error:?}") };
        fault
    };
    assert!(matches!(fault("/nonexistent/ca.pem".into()), LocalFault::Io(_)));
    assert!(matches!(fault(file("empty", b"")), LocalFault::NoCertificate));
    assert!(matches!(fault(file("text", b"not PEM\n")), LocalFault::NoCertificate));
    let whole = std::fs::read(tls::ca_path()).unwrap();
    let cut = &whole[..whole.len() / 2];
    assert!(matches!(fault(file("cut", cut)), LocalFault::Certificate(_)));
    let damaged = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let good_and_damaged = [whole.as_slice(), damaged].concat();
    assert!(matches!(fault(file("damaged", &good_and_damaged)), LocalFault::Certificate(_)));
}

/// The events of one question, by name.
fn watched(mut config: Config) -> (Config, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let log = Arc::clone(&seen);
    config.observer = Observer::new(move |event| {
        let mut log = log.lock().unwrap();
        if let Event::PlainHttp { host } = event {
            log.push(format!("plain http {host}"));
        }
        if let Event::Connected { tls, .. } = event {
            log.push(format!("connected {}", tls.map_or("without TLS", |tls| tls.version)));
        }
        if let Event::Retrying { wait, .. } = event {
            log.push(format!("waiting {wait:?}"));
        }
        if let Event::Warning { text, .. } = event {
            log.push(format!("warning {text}"));
        }
    });
    (config, seen)
}

#[test]
fn a_loopback_registry_may_answer_in_plain_http() {
    let server = Server::start(None, |_| manifest());
    let (config, seen) = watched(config());
    let client = Client::new(config).unwrap();
    for _ in 0..2 {
        let resolved = client.resolve(&reference(&server), &ResolveOptions::default()).unwrap();
        assert_eq!(resolved.digest, sha256(MANIFEST));
    }
    assert_eq!(server.lines(), [HEAD, HEAD]);
    // TLS was tried once, and it is said once.
    assert_eq!(server.not_http(), 1);
    let plain = format!("plain http {}", server.authority());
    assert_eq!(*seen.lock().unwrap(), [plain, "connected without TLS".to_owned()]);
}

#[test]
fn plain_http_is_not_tried_after_a_certificate_was_refused() {
    let server = Server::start(Some(Certificate::Expired), |_| manifest());
    assert_eq!(refused(&server, config()).kind(), Kind::Unavailable);
    assert_eq!((server.connections(), server.not_http()), (1, 0));
}

#[test]
fn plain_http_when_it_is_asked_for_tries_no_tls() {
    let server = Server::start(None, |_| manifest());
    let mut config = config();
    config.plain_http = true;
    assert!(resolve(&server, config).is_ok());
    assert_eq!(server.not_http(), 0);
}

#[test]
fn a_peer_that_hangs_up_is_no_reason_for_plain_http() {
    let server = Server::raw("");
    let error = refused(&server, config());
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_peer_that_speaks_something_else_is_said_to() {
    let server = Server::raw("SSH-2.0-OpenSSH_9.2\r\n");
    let mut config = config();
    config.plain_http = true;
    let error = refused(&server, config);
    assert_eq!(error.kind(), Kind::Invalid, "{error:?}");
    assert!(error.to_string().contains("does not speak HTTP"), "{error}");
}

#[test]
fn malformed_answers_are_invalid() {
    for raw in [
        "HTTP/1.1 abc\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(200)),
        format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(70_000)),
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx".to_owned(),
    ] {
        let server = https(move |_| Reply::raw(raw.clone()));
        let error = refused(&server, config());
        assert_eq!(error.kind(), Kind::Invalid, "{}", chain(&error));
    }
}

#[test]
fn an_early_hint_is_passed_over() {
    let server = https(|_| manifest().informational(103, "Link", "<x>"));
    assert!(resolve(&server, config()).is_ok());
}

#[test]
fn a_connection_that_is_refused_is_unavailable() {
    let server = https(|_| manifest());
    let reference = reference(&server);
    drop(server);
    let error = Client::new(config())
        .unwrap()
        .resolve(&reference, &ResolveOptions::default())
        .expect_err("gone");
    assert_eq!(error.kind(), Kind::Unavailable);
    let Error::Connection(connection) = error else { panic!("{error:?}") };
    assert!(matches!(connection.fault, ConnectionFault::Connect(_)), "{connection:?}");
}

#[test]
fn an_ipv6_registry_is_asked_at_its_address() {
    let server =
        Server::start_at(std::net::Ipv6Addr::LOCALHOST.into(), Some(Certificate::Server), |_| {
            manifest()
        });
    assert!(resolve(&server, config()).is_ok());
}

#[test]
fn a_connection_is_used_again() {
    let server = https(|request| match request.method.as_str() {
        // A refusal with a body, and a redirect, leave it usable.
        "HEAD" if request.path() != "/moved" => Reply::new(307).header("Location", "/moved"),
        _ => manifest(),
    });
    let client = Client::new(config()).unwrap();
    for _ in 0..5 {
        client.resolve(&reference(&server), &ResolveOptions::default()).unwrap();
        client.fetch_manifest(&reference(&server), None).unwrap();
    }
    assert_eq!((server.requests().len(), server.connections()), (15, 1));
}

#[test]
fn a_warning_is_told_once() {
    let server = https(|_| {
        manifest()
            .header("Warning", r#"299 - "This registry \"moves\" soon""#)
            .header("Warning", r#"199 - "not for us""#)
    });
    let (config, seen) = watched(config());
    let client = Client::new(config).unwrap();
    for _ in 0..2 {
        client.resolve(&reference(&server), &ResolveOptions::default()).unwrap();
    }
    let seen = seen.lock().unwrap();
    let warnings: Vec<_> = seen.iter().filter(|text| text.starts_with("warning")).collect();
    assert_eq!(warnings, [r#"warning This registry "moves" soon"#]);
}

#[test]
fn plain_http_is_out_once_an_answer_came_over_tls() {
    let server = Server::tls_at_first(|request| {
        unauthorized(request, r#"Basic realm="registry""#).then_close()
    });
    let (config, seen) = watched(config_of("ada", "secret"));
    let client = Client::new(config).unwrap();
    for not_http in 1..=2 {
        let error =
            client.resolve(&reference(&server), &ResolveOptions::default()).expect_err("changed");
        assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
        let Error::Connection(connection) = error else { panic!("{error:?}") };
        assert!(matches!(connection.fault, ConnectionFault::NotTls), "{connection:?}");
        // The one request that came was asked over TLS and carried nothing.
        assert_eq!(server.lines(), [HEAD]);
        assert_eq!(server.requests()[0].header("authorization"), None);
        assert_eq!(server.not_http(), not_http);
    }
    assert!(!seen.lock().unwrap().iter().any(|event| event.starts_with("plain http")));
}

/// How a connection ends.
type End = fn() -> Reply;

/// A server that ends every connection when it is used a second time, without a word.
fn forgetful(tls: Option<Certificate>, end: End) -> Server {
    let used = Mutex::new(std::collections::HashSet::new());
    Server::start(tls, move |request| {
        if used.lock().unwrap().insert(request.connection) { manifest() } else { end() }
    })
}

#[test]
fn a_kept_connection_that_is_closed_costs_no_try() {
    let rows: [(Option<Certificate>, End); 3] =
        [(Some(Certificate::Server), Reply::close), (None, Reply::close), (None, Reply::reset)];
    for (tls, end) in rows {
        let server = forgetful(tls, end);
        let (mut config, waits) = watched(config());
        config.plain_http = tls.is_none();
        config.retries = 0;
        let client = Client::new(config).unwrap();
        for _ in 0..3 {
            client.resolve(&reference(&server), &ResolveOptions::default()).unwrap();
        }
        // Each question after the first is asked on the kept connection, and again on one of its own.
        assert_eq!((server.requests().len(), server.connections()), (5, 3));
        let waits = waits.lock().unwrap();
        assert!(!waits.iter().any(|event| event.starts_with("waiting")), "{waits:?}");
    }
}

#[test]
fn a_new_connection_that_is_closed_is_a_failure() {
    let server = https(|_| Reply::close());
    assert_eq!(refused(&server, config()).kind(), Kind::Unavailable);
    assert_eq!(server.requests().len(), 1);
}
