//! Connections: trusted certificates, plain http on loopback, reuse, and peers that do not speak TLS or HTTP.

use super::{
    HEAD, MANIFEST, chain, config, config_with_password, https, manifest, reference, resolve,
    resolve_error, sha256, unauthorized,
};
use crate::support::{Certificate, Reply, Server, tls};
use regq::error::{CertificateFault, ConnectionFault, Error, Kind, LocalFault};
use regq::event::{Event, Observer, TlsFacts};
use regq::registry::{Client, Config, ResolveOptions};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

fn certificate_fault(server: &Server, config: Config) -> CertificateFault {
    let error = resolve_error(server, config);
    assert_eq!(error.kind(), Kind::Unavailable);
    let Error::Connection(connection) = error else { panic!("{error:?}") };
    let ConnectionFault::Certificate(fault) = connection.fault else { panic!("{connection:?}") };
    assert!(server.requests().is_empty());
    fault
}

#[test]
fn a_refused_certificate_is_reported_with_the_reason() {
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
fn several_ca_files_are_joined() {
    let server = https(|_| manifest());
    let mut config = config();
    config.ca_files = vec![tls::other_ca_path(), tls::ca_path()];
    assert!(resolve(&server, config).is_ok());
}

#[test]
fn a_self_signed_ca_certificate_is_accepted_from_a_server_if_it_is_in_a_ca_file() {
    let server = Server::start(Some(Certificate::SelfSignedCa), |_| manifest());
    let mut config = Config::default();
    config.ca_files = vec![Certificate::SelfSignedCa.path()];
    assert!(resolve(&server, config.clone()).is_ok());
    // Its names still count.
    let server = Server::start_at(
        std::net::Ipv4Addr::new(127, 0, 0, 2).into(),
        Some(Certificate::SelfSignedCa),
        |_| manifest(),
    );
    let fault = certificate_fault(&server, config);
    assert!(matches!(fault, CertificateFault::Name { .. }), "{fault:?}");
}

#[test]
fn insecure_accepts_every_certificate() {
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
fn an_unusable_ca_file_is_an_error() {
    let fault = |path: PathBuf| {
        let mut config = Config::default();
        config.ca_files = vec![path];
        let error = Client::new(config).map(|_| ()).expect_err("a fault");
        assert_eq!(error.kind(), Kind::Local);
        let Error::Local { fault, .. } = error else { panic!("{error:?}") };
        fault
    };
    assert!(matches!(fault("/nonexistent/ca.pem".into()), LocalFault::Io(_)));
    assert!(matches!(fault("/dev/zero".into()), LocalFault::TooLarge(_)));
    assert!(matches!(fault(file("empty", b"")), LocalFault::NoCertificate));
    assert!(matches!(fault(file("text", b"not PEM\n")), LocalFault::NoCertificate));
    let whole = std::fs::read(tls::ca_path()).unwrap();
    let cut = &whole[..whole.len() / 2];
    assert!(matches!(fault(file("cut", cut)), LocalFault::Certificate(_)));
    let damaged = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let good_and_damaged = [whole.as_slice(), damaged].concat();
    assert!(matches!(fault(file("damaged", &good_and_damaged)), LocalFault::Certificate(_)));
}

/// Settings with an observer, and the log that it writes.
fn observed(mut config: Config) -> (Config, Arc<Mutex<Vec<String>>>) {
    let events = Arc::<Mutex<Vec<String>>>::default();
    let log = Arc::clone(&events);
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
    (config, events)
}

#[test]
fn plain_http_is_used_if_a_loopback_registry_does_not_speak_tls() {
    let server = Server::start(None, |_| manifest());
    let (config, events) = observed(config());
    let client = Client::new(config).unwrap();
    for _ in 0..2 {
        let resolved = client.resolve(&reference(&server), &ResolveOptions::default()).unwrap();
        assert_eq!(resolved.digest, sha256(MANIFEST));
    }
    assert_eq!(server.lines(), [HEAD, HEAD]);
    // TLS is tried once, and the fallback is reported once.
    assert_eq!(server.not_http(), 1);
    let plain = format!("plain http {}", server.authority());
    assert_eq!(*events.lock().unwrap(), [plain, "connected without TLS".to_owned()]);
}

#[test]
fn tls_versions_and_cipher_suites_have_their_standard_names() {
    let server = https(|_| manifest());
    let facts = Arc::<Mutex<Vec<TlsFacts>>>::default();
    let log = Arc::clone(&facts);
    let mut config = config();
    config.observer = Observer::new(move |event| {
        if let Event::Connected { tls, .. } = event {
            log.lock().unwrap().extend(*tls);
        }
    });
    resolve(&server, config).unwrap();
    let facts = facts.lock().unwrap();
    let [TlsFacts { version, cipher, verified, .. }] = facts.as_slice() else {
        panic!("{facts:?}")
    };
    assert_eq!((*version, *verified), ("TLS 1.3", true));
    assert!(cipher.starts_with("TLS_AES_") || cipher.starts_with("TLS_CHACHA20_"), "{cipher}");
}

#[test]
fn threads_share_a_client() {
    let server = https(|request| match request.path() {
        "/v2/team/app/manifests/1.0" => manifest(),
        _ => Reply::new(404),
    });
    let client = Client::new(config()).unwrap();
    let reference = reference(&server);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let options = ResolveOptions::default();
                        assert!(client.resolve(&reference, &options).is_ok());
                        assert!(client.fetch_manifest(&reference, None).is_ok());
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
    assert_eq!(server.requests().len(), 80);
    assert!(server.connections() <= 8, "{}", server.connections());
}

#[test]
fn plain_http_is_not_tried_after_a_refused_certificate() {
    let server = Server::start(Some(Certificate::Expired), |_| manifest());
    assert_eq!(resolve_error(&server, config()).kind(), Kind::Unavailable);
    assert_eq!((server.connections(), server.not_http()), (1, 0));
}

#[test]
fn requested_plain_http_does_not_try_tls() {
    let server = Server::start(None, |_| manifest());
    let mut config = config();
    config.plain_http = true;
    assert!(resolve(&server, config).is_ok());
    assert_eq!(server.not_http(), 0);
}

#[test]
fn plain_http_is_not_tried_after_a_closed_connection() {
    let server = Server::raw("");
    let error = resolve_error(&server, config());
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_peer_that_speaks_another_protocol_is_reported() {
    let server = Server::raw("SSH-2.0-OpenSSH_9.2\r\n");
    let mut config = config();
    config.plain_http = true;
    let error = resolve_error(&server, config);
    assert_eq!(error.kind(), Kind::Invalid, "{error:?}");
    assert!(error.to_string().contains("does not speak HTTP"), "{error}");
}

#[test]
fn malformed_responses_are_invalid() {
    for raw in [
        "HTTP/1.1 abc\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(200)),
        format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(70_000)),
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx".to_owned(),
    ] {
        let server = https(move |_| Reply::raw(raw.clone()));
        let error = resolve_error(&server, config());
        assert_eq!(error.kind(), Kind::Invalid, "{}", chain(&error));
    }
}

#[test]
fn informational_responses_are_skipped() {
    let server = https(|_| manifest().informational(103, "Link", "<x>"));
    assert!(resolve(&server, config()).is_ok());
}

#[test]
fn a_refused_connection_is_unavailable() {
    let server = https(|_| manifest());
    let reference = reference(&server);
    drop(server);
    let error = Client::new(config())
        .unwrap()
        .resolve(&reference, &ResolveOptions::default())
        .expect_err("a refused connection");
    assert_eq!(error.kind(), Kind::Unavailable);
    let Error::Connection(connection) = error else { panic!("{error:?}") };
    assert!(matches!(connection.fault, ConnectionFault::Connect(_)), "{connection:?}");
}

#[test]
fn an_ipv6_address_can_be_a_registry() {
    let server =
        Server::start_at(std::net::Ipv6Addr::LOCALHOST.into(), Some(Certificate::Server), |_| {
            manifest()
        });
    assert!(resolve(&server, config()).is_ok());
}

#[test]
fn connections_are_reused() {
    let server = https(|request| match request.method.as_str() {
        // After a redirect the connection is still usable.
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
fn a_warning_is_reported_once() {
    let server = https(|_| {
        manifest()
            .header("Warning", r#"299 - "This registry \"moves\" soon""#)
            .header("Warning", r#"199 - "not for us""#)
    });
    let (config, events) = observed(config());
    let client = Client::new(config).unwrap();
    for _ in 0..2 {
        client.resolve(&reference(&server), &ResolveOptions::default()).unwrap();
    }
    let events = events.lock().unwrap();
    let warnings: Vec<_> = events.iter().filter(|text| text.starts_with("warning")).collect();
    assert_eq!(warnings, [r#"warning This registry "moves" soon"#]);
}

#[test]
fn plain_http_is_not_tried_after_a_response_over_tls() {
    let server = Server::tls_at_first(|request| {
        unauthorized(request, r#"Basic realm="registry""#).then_close()
    });
    let (config, events) = observed(config_with_password("ada", "secret"));
    let client = Client::new(config).unwrap();
    for not_http in 1..=2 {
        let error = client
            .resolve(&reference(&server), &ResolveOptions::default())
            .expect_err("another peer");
        assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
        let Error::Connection(connection) = error else { panic!("{error:?}") };
        assert!(matches!(connection.fault, ConnectionFault::NotTls), "{connection:?}");
        // The only request was sent over TLS, without credentials.
        assert_eq!(server.lines(), [HEAD]);
        assert_eq!(server.requests()[0].header("authorization"), None);
        assert_eq!(server.not_http(), not_http);
    }
    assert!(!events.lock().unwrap().iter().any(|event| event.starts_with("plain http")));
}

/// How a connection is closed.
type End = fn() -> Reply;

/// A server that closes every connection on its second request, without a response.
fn closing_on_reuse(tls: Option<Certificate>, end: End) -> Server {
    let used = Mutex::new(std::collections::HashSet::new());
    Server::start(tls, move |request| {
        if used.lock().unwrap().insert(request.connection) { manifest() } else { end() }
    })
}

#[test]
fn a_stale_pooled_connection_does_not_cost_a_retry() {
    let rows: [(Option<Certificate>, End); 3] =
        [(Some(Certificate::Server), Reply::close), (None, Reply::close), (None, Reply::reset)];
    for (tls, end) in rows {
        let server = closing_on_reuse(tls, end);
        let (mut config, events) = observed(config());
        config.plain_http = tls.is_none();
        config.retries = 0;
        let client = Client::new(config).unwrap();
        for _ in 0..3 {
            client.resolve(&reference(&server), &ResolveOptions::default()).unwrap();
        }
        // Each request after the first is sent on the pooled connection, and again on a new one.
        assert_eq!((server.requests().len(), server.connections()), (5, 3));
        let events = events.lock().unwrap();
        assert!(!events.iter().any(|event| event.starts_with("waiting")), "{events:?}");
    }
}

#[test]
fn a_new_connection_that_is_closed_is_an_error() {
    let server = https(|_| Reply::close());
    assert_eq!(resolve_error(&server, config()).kind(), Kind::Unavailable);
    assert_eq!(server.requests().len(), 1);
}
