//! Tests the loopback server and registry of the tests.

use crate::support::content::sha256;
use crate::support::{Auth, Certificate, Content, Registry, Reply, Request, Server, registry, tls};
use std::io::{self, Read, Write};
use std::net::{Ipv6Addr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Sends requests and returns all bytes received until the connection ends.
fn exchange(mut stream: impl Read + Write, requests: &str) -> io::Result<String> {
    stream.write_all(requests.as_bytes())?;
    let mut responses = Vec::new();
    stream.read_to_end(&mut responses)?;
    Ok(String::from_utf8_lossy(&responses).into_owned())
}

/// Exchanges requests over TCP.
fn plain(server: &Server, requests: &str) -> io::Result<String> {
    exchange(TcpStream::connect(server.authority()).unwrap(), requests)
}

/// Returns what a client of a server with this reply receives.
fn receive(reply: Reply) -> io::Result<String> {
    let server = Server::start(None, move |_| reply.clone());
    plain(&server, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
}

#[test]
fn connection_is_kept_alive_and_all_requests_are_recorded() {
    let server =
        Server::start(None, |request| Reply::new(200).header("X", "1").body(request.body.clone()));
    let response = plain(
        &server,
        "POST /token?a=1&scope=x%3Ay&a=+2 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\na=%62\
         HEAD / HTTP/1.1\r\nX-Two: 1\r\nx-two:  2 \r\nConnection: close\r\n\r\n",
    );
    assert_eq!(
        response.unwrap(),
        "HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 5\r\n\r\na=%62\
         HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(server.lines(), ["POST /token?a=1&scope=x%3Ay&a=+2", "HEAD /"]);
    let requests = server.requests();
    assert_eq!(requests[0].path(), "/token");
    assert_eq!(requests[0].query("a"), ["1", " 2"]);
    assert_eq!(requests[0].query("scope"), ["x:y"]);
    assert_eq!(requests[0].form("a"), ["b"]);
    assert_eq!(requests[0].header("HOST"), Some("h"));
    assert_eq!(requests[1].header("host"), None);
    assert_eq!(requests[1].header_all("x-two"), ["1", "2"]);
    assert_eq!(server.connections(), 1);

    assert!(plain(&server, "HEAD /again HTTP/1.1\r\nConnection: close\r\n\r\n").is_ok());
    assert_eq!(server.connections(), 2);
    assert_eq!(server.requests().iter().map(|r| r.connection).collect::<Vec<_>>(), [0, 0, 1]);
}

#[test]
fn head_has_the_headers_of_get_without_the_body() {
    let server = Server::start(None, |_| Reply::new(404).body("{}"));
    let head = plain(&server, "HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    let get = plain(&server, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    assert_eq!(head, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(get, format!("{head}{{}}"));
}

#[test]
fn bodies_are_framed_as_configured() {
    let body = Reply::new(200).body("abcde");
    for (reply, response) in [
        (
            body.clone().chunked(),
            "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
        ),
        (
            body.clone().chunked().cut_after(2),
            "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n",
        ),
        (body.clone().until_close(), "Connection: close\r\n\r\nabcde"),
        (body.clone().cut_after(2), "Content-Length: 5\r\n\r\nab"),
        (body.clone().header("content-length", "9"), "content-length: 9\r\n\r\nabcde"),
        (body.header("A", "1").header("A", "2"), "A: 1\r\nA: 2\r\nContent-Length: 5\r\n\r\nabcde"),
    ] {
        assert_eq!(receive(reply).unwrap(), format!("HTTP/1.1 200 OK\r\n{response}"));
    }
    assert_eq!(
        receive(Reply::new(204).informational(103, "Link", "<x>")).unwrap(),
        "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 204 \r\n\r\n"
    );
}

#[test]
fn header_values_are_sent_as_bytes() {
    let server = Server::start(None, |_| Reply::new(200).header("A", b"\xff").then_close());
    let mut stream = TcpStream::connect(server.authority()).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    assert!(response.starts_with(b"HTTP/1.1 200 OK\r\nA: \xff\r\n"), "{response:?}");
}

#[test]
fn server_can_close_reset_or_send_garbage() {
    assert_eq!(receive(Reply::close()).unwrap(), "");
    assert_eq!(receive(Reply::reset()).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(receive(Reply::raw("HTP!")).unwrap(), "HTP!");
}

#[test]
fn server_can_reset_after_a_request_with_a_body() {
    let server = Server::start(None, |request| {
        assert_eq!(request.body, b"a=b");
        Reply::reset()
    });
    let response = plain(&server, "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na=b");
    assert_eq!(response.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

/// Checks that a server sends `expected`, and then nothing for 20 ms.
fn check_sends_only(expected: &str, server: &Server) {
    let mut stream = TcpStream::connect(server.authority()).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut response = vec![0; expected.len()];
    stream.read_exact(&mut response).unwrap();
    assert_eq!(String::from_utf8(response).unwrap(), expected);
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn silent_connections_stay_open_until_the_server_stops() {
    check_sends_only("", &Server::start(None, |_| Reply::silent()));
    check_sends_only("", &Server::silent());
    check_sends_only(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        &Server::start(None, |_| Reply::new(200).body("abcde").stall_after(3)),
    );

    let server = Server::silent();
    let mut waiting = TcpStream::connect(server.authority()).unwrap();
    drop(server);
    assert!(matches!(waiting.read(&mut [0]), Ok(0) | Err(_)));
}

#[test]
fn other_protocols_are_sent_and_counted() {
    let banner = Server::raw("SSH-2.0-OpenSSH_9.2\r\n");
    assert_eq!(plain(&banner, "").unwrap(), "SSH-2.0-OpenSSH_9.2\r\n");

    let server = Server::start(None, |_| Reply::new(200));
    assert!(plain(&server, "\x16\x03\x01 a handshake").unwrap().starts_with("HTTP/1.1 400 "));
    assert_eq!((server.not_http(), server.requests().len()), (1, 0));
}

#[test]
fn server_listens_on_ipv6() {
    let server = Server::start_at(Ipv6Addr::LOCALHOST.into(), None, |_| Reply::new(204));
    assert_eq!(server.url(), format!("http://[::1]:{}", server.port()));
    assert!(plain(&server, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n").is_ok());
}

#[test]
fn server_stops_with_open_connections_and_frees_its_port() {
    let server = Server::start(None, |_| Reply::new(204));
    let authority = server.authority();
    let mut idle = TcpStream::connect(&authority).unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    idle.read_exact(&mut [0; 12]).unwrap();
    drop(server);
    assert!(TcpStream::connect(&authority).is_err());
}

#[test]
fn panic_of_a_handler_fails_its_test() {
    let server = Server::start(None, |request: &Request| match request.path() {
        "/expected" => Reply::new(204),
        path => std::panic::resume_unwind(Box::new(path.to_owned())),
    });
    assert_eq!(plain(&server, "GET /other HTTP/1.1\r\n\r\n").unwrap_or_default(), "");
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(server)));
    assert_eq!(panic.unwrap_err().downcast_ref::<String>().unwrap(), "/other");
}

/// Sends two requests over TLS with a client that trusts the file `roots`.
fn over_tls(server: &Server, roots: &std::path::Path, name: &'static str) -> io::Result<String> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut store = rustls::RootCertStore::empty();
    store.add(CertificateDer::from_pem_file(roots).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store)
        .with_no_client_auth();
    let session = rustls::ClientConnection::new(Arc::new(config), name.try_into().unwrap());
    let stream = TcpStream::connect(server.authority()).unwrap();
    let stream = rustls::StreamOwned::new(session.unwrap(), stream);
    let first = "POST /1 HTTP/1.1\r\nContent-Length: 1\r\n\r\na";
    exchange(stream, &format!("{first}GET /2 HTTP/1.1\r\nConnection: close\r\n\r\n"))
}

#[test]
fn tls_servers_use_their_certificate() {
    let start = |certificate| {
        Server::start(Some(certificate), |_| Reply::new(200).body("abcde").cut_after(5))
    };
    let good = start(Certificate::Server);
    assert_eq!(good.url(), format!("https://{}", good.authority()));
    let tls_error = |server: &Server, roots: &std::path::Path, name| {
        over_tls(server, roots, name).unwrap_err().to_string()
    };
    let ca = tls::ca_path();
    // rustls reports a missing close_notify after a cut body.
    assert!(tls_error(&good, &ca, "127.0.0.1").contains("close_notify"));
    assert!(tls_error(&good, &ca, "other.example").contains("registry.localhost"));
    assert!(tls_error(&good, &tls::other_ca_path(), "127.0.0.1").contains("UnknownIssuer"));
    assert!(tls_error(&start(Certificate::WrongName), &ca, "127.0.0.1").contains("other.example"));
    assert!(tls_error(&start(Certificate::Expired), &ca, "127.0.0.1").contains("expired"));
    let alone = start(Certificate::SelfSignedCa);
    let own = Certificate::SelfSignedCa.path();
    assert!(tls_error(&alone, &own, "127.0.0.1").contains("CaUsedAsEndEntity"));
    assert_eq!(good.requests().len(), 1);
}

#[test]
fn tls_connections_are_kept_alive_and_closed_in_order() {
    let server = Server::start(Some(Certificate::Server), |request| {
        Reply::new(200).body(request.body.clone())
    });
    for name in ["127.0.0.1", "localhost", "registry.localhost", "::1"] {
        let response = over_tls(&server, &tls::ca_path(), name).unwrap();
        assert_eq!(
            response,
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na\
             HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        );
    }
    assert_eq!((server.connections(), server.requests().len()), (4, 8));
}

/// Sends a request with these additional headers, and returns the response.
fn send(server: &Server, line: &str, headers: &str) -> String {
    let host = server.authority();
    let request = format!("{line} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n");
    plain(server, &request).unwrap()
}

/// The challenge of a 401; `None` for a 200.
fn challenge(response: &str) -> Option<&str> {
    match response.split_once("\r\n").unwrap() {
        ("HTTP/1.1 200 OK", _) => None,
        ("HTTP/1.1 401 Unauthorized", rest) => {
            let value = rest.split_once("Www-Authenticate: ").unwrap().1;
            Some(value.split_once("\r\n").unwrap().0)
        }
        (status, _) => panic!("neither 200 nor 401: {status}"),
    }
}

/// Requests a token, and returns it as a header line.
fn token(server: &Server, query: &str, headers: &str) -> String {
    let response = send(server, &format!("GET /token?{query}"), headers);
    let (_, body) = response.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    format!("Authorization: Bearer {}\r\n", body["token"].as_str().unwrap())
}

const ACCEPT: &str = "Accept: application/vnd.oci.image.index.v1+json, */*\r\n";
const ADA: &str = "Authorization: Basic YWRhOnNlY3JldA==\r\n";

#[test]
fn registry_requires_a_token_and_reports_what_is_wrong_with_it() {
    let registry = Registry::start(Auth::TokenElsewhere, None);
    registry.user("ada", "secret");
    registry.private("team/app");
    registry.push("library/alpine", "3.20", &Content::index());
    registry.push("team/app", "1", &Content::index());
    let tokens = registry.token_server.as_ref().unwrap();
    let realm = |scope: &str, error: &str| {
        let url = tokens.url();
        format!("Bearer realm=\"{url}/token\",service=\"registry.example\"{scope}{error}")
    };
    let challenge_for = |path: &str, header: &str| {
        let response =
            send(&registry.server, &format!("HEAD {path}"), &format!("{ACCEPT}{header}"));
        challenge(&response).map(str::to_owned)
    };
    let (public, private) = ("/v2/library/alpine/manifests/3.20", "/v2/team/app/manifests/1");
    let scope = ",scope=\"repository:library/alpine:pull\"";
    let private_scope = ",scope=\"repository:team/app:pull\"";

    assert_eq!(challenge_for(public, ""), Some(realm(scope, "")));
    assert_eq!(challenge_for("/v2/", ""), Some(realm("", "")));
    let service = format!("service={}", registry::SERVICE);
    let right = token(tokens, &format!("{service}&scope=repository:library/alpine:pull"), "");
    assert_eq!(challenge_for(public, &right), None);
    assert_eq!(challenge_for("/v2/", &right), None);

    let insufficient = |scope| Some(realm(scope, ",error=\"insufficient_scope\""));
    assert_eq!(challenge_for(private, &right), insufficient(private_scope));
    let anonymous = token(tokens, &format!("{service}&scope=repository:team/app:pull"), "");
    assert_eq!(challenge_for(private, &anonymous), insufficient(private_scope));
    let both = format!("{service}&scope=repository:x:pull&scope=repository:team/app:pull");
    assert_eq!(challenge_for(private, &token(tokens, &both, ADA)), None);
    assert_eq!(challenge_for(public, &token(tokens, &service, "")), insufficient(scope));

    let invalid = Some(realm(scope, ",error=\"invalid_token\""));
    let elsewhere = token(tokens, "service=other&scope=repository:library/alpine:pull", "");
    assert_eq!(challenge_for(public, &elsewhere), invalid);
    let forged = right.replace("\r\n", "A\r\n");
    assert_eq!(challenge_for(public, &forged), invalid);
    registry.rules(|rules| rules.token_lifetime = -1);
    let over = token(tokens, &format!("{service}&scope=repository:library/alpine:pull"), "");
    assert_eq!(challenge_for(public, &over), invalid);

    let wrong = send(tokens, "GET /token", "Authorization: Basic YWRhOmFkYQ==\r\n");
    assert!(wrong.starts_with("HTTP/1.1 401 "), "{wrong}");
    assert!(send(tokens, "POST /token", "").starts_with("HTTP/1.1 405 "));
    assert_eq!(registry.server.requests()[0].status, 401);
}

#[test]
fn registry_requires_a_password_with_basic() {
    let registry = Registry::start(Auth::Basic, None);
    registry.user("ada", "secret");
    let challenge_for =
        |header| challenge(&send(&registry.server, "GET /v2/", header)).map(str::to_owned);
    assert_eq!(challenge_for("").as_deref(), Some("Basic realm=\"basic-realm\""));
    assert_eq!(challenge_for("Authorization: Basic YWRhOmFkYQ==\r\n"), challenge_for(""));
    assert_eq!(challenge_for(ADA), None);
}

#[test]
fn registry_serves_what_was_pushed() {
    let registry = Registry::start(Auth::None, None);
    let index = Content::index();
    registry.push("a/b", "1", &index);
    let get = |path: &str| {
        let response = send(
            &registry.server,
            &format!("GET /v2/{path}"),
            &format!("{ACCEPT}Accept: application/vnd.oci.image.manifest.v1+json\r\n"),
        );
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.as_bytes().to_owned())
    };
    let (head, body) = get("a/b/manifests/1");
    assert_eq!(body, index.bytes);
    assert!(head.contains("Content-Type: application/vnd.oci.image.index.v1+json\r\n"), "{head}");
    assert!(head.contains(&format!("Docker-Content-Digest: {}\r\n", sha256(&body))), "{head}");

    // Everything that the index refers to exists, with its digest and size.
    let parse = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    let manifests = parse(&body)["manifests"].as_array().unwrap().clone();
    assert_eq!(manifests.len(), 4);
    let mut referenced: Vec<_> =
        manifests.iter().map(|child| ("manifests", child.clone())).collect();
    for child in &index.children {
        let manifest = parse(&child.bytes);
        referenced.push(("blobs", manifest["config"].clone()));
        referenced.push(("blobs", manifest["layers"][0].clone()));
    }
    for (kind, descriptor) in referenced {
        let digest = descriptor["digest"].as_str().unwrap();
        let (_, bytes) = get(&format!("a/b/{kind}/{digest}"));
        assert_eq!(sha256(&bytes), digest);
        assert_eq!(descriptor["size"], bytes.len());
    }

    let missing = |path: &str| get(path).0.starts_with("HTTP/1.1 404 ");
    assert!(missing("a/b/manifests/2") && missing("a/c/manifests/1") && missing("a/b/blobs/x"));
    let refused = send(&registry.server, "GET /v2/a/b/manifests/1", "");
    assert!(refused.contains("accept header"), "{refused}");
    registry.push("a/b", "1", &index.children[0]);
    assert_eq!(get("a/b/manifests/1").1, index.children[0].bytes);
    registry.rules(|rules| (rules.head, rules.digest_header) = (false, false));
    assert!(!get("a/b/manifests/1").0.contains("Digest"));
    let head = send(&registry.server, "HEAD /v2/a/b/manifests/1", ACCEPT);
    assert!(head.starts_with("HTTP/1.1 405 "), "{head}");
}

#[cfg(feature = "cli")]
#[test]
fn run_is_compared_exactly_and_displayed_completely() {
    let ran = crate::support::Ran {
        command: "regq digest HOST:1/a".to_owned(),
        code: 4,
        stdout: b"{\"a\":1}\n".to_vec(),
        stderr: "regq: HOST:1".to_owned(),
    };
    let ran = ran.replace("HOST:1", "HOST");
    ran.code(4).stdout("{\"a\":1}\n").stderr("regq: HOST");
    assert_eq!(ran.json(), [serde_json::json!({ "a": 1 })]);
    assert_eq!(
        ran.to_string(),
        "command: regq digest HOST/a\ncode: 4\nstdout:\n  |{\"a\":1}\nstderr:\n  |regq: HOST\n  \
         (no line end)\n"
    );
    let wrong: [fn(&crate::support::Ran); 3] =
        [|ran| _ = ran.code(0), |ran| _ = ran.stdout("{\"a\":1}"), |ran| _ = ran.stderr("")];
    for assertion in wrong {
        assert!(std::panic::catch_unwind(|| assertion(&ran)).is_err());
    }
}
