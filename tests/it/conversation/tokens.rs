//! Token requests, their responses, and how tokens are reused.

use super::{
    HEAD, MANIFEST, TOKEN, bearer_challenge, chain, config, config_with_password, https, manifest,
    reference, require_token, resolve, resolve_error, sha256, token, unauthorized,
};
use crate::support::{Certificate, Reply, Server};
use regq::error::Kind;
use regq::reference::Reference;
use regq::registry::{Client, ResolveOptions};

/// Returns the token request that a challenge leads to.
fn token_request_for(challenge: &'static str) -> String {
    let server = https(move |request| match request.header("authorization") {
        Some(_) => manifest(),
        None if request.path() == "/token" => token("T"),
        None => unauthorized(request, challenge),
    });
    resolve(&server, config()).unwrap();
    server.lines()[1].clone()
}

#[test]
fn service_and_scope_are_sent_unchanged() {
    for (challenge, request) in [
        (r#"service="s",scope="aws""#, "service=s&scope=aws"),
        (r#"service="s",scope="*""#, "service=s&scope=*"),
        (
            r#"service="s",scope="repository:x:metadata_read""#,
            "service=s&scope=repository:x:metadata_read",
        ),
        (r#"service="a b&c=d",scope="x+y%z""#, "service=a%20b%26c%3Dd&scope=x%2By%25z"),
        (r#"service="caf\é#?",scope="x""#, "service=caf%C3%A9%23%3F&scope=x"),
        (
            r#"service="https://h:5000/v2/token",scope="repository:h:5000/a/b:pull""#,
            "service=https://h:5000/v2/token&scope=repository:h:5000/a/b:pull",
        ),
        (
            r#"service="s",scope="repository:a:pull repository:b:pull""#,
            "service=s&scope=repository:a:pull%20repository:b:pull",
        ),
        // Without a scope, regq requests its own. An empty service counts as missing.
        (r#"service="s""#, "service=s&scope=repository:team/app:pull"),
        (r#"service="s",scope="""#, "service=s&scope=repository:team/app:pull"),
        (r#"service="",scope="x""#, "scope=x"),
        (r#"scope="x""#, "scope=x"),
    ] {
        let text = format!(r#"Bearer realm="https://HOST/token",{challenge}"#);
        assert_eq!(token_request_for(text.leak()), format!("GET /token?{request}"), "{challenge}");
    }
}

#[test]
fn the_query_of_a_realm_is_kept() {
    let challenge = r#"Bearer realm="https://HOST/token?account=x&x=1,2",service="s",scope="y""#;
    assert_eq!(token_request_for(challenge), "GET /token?account=x&x=1,2&service=s&scope=y");
}

#[test]
fn an_anonymous_token_request_has_no_credentials_and_no_body() {
    let server = https(require_token);
    resolve(&server, config()).unwrap();
    let request = server.requests().remove(1);
    assert_eq!(request.method, "GET");
    assert_eq!(request.header("authorization"), None);
    assert_eq!(request.header("accept-encoding"), Some("identity"));
    assert_eq!(request.body, b"");
}

/// Starts a registry whose token server sends this response.
fn server_with_token_response(reply: Reply) -> Server {
    https(move |request| match request.header("authorization") {
        _ if request.path() == "/token" => reply.clone(),
        Some("Bearer T" | "Bearer A") => manifest(),
        Some(other) => panic!("sent {other}"),
        None => bearer_challenge(request),
    })
}

#[test]
fn token_and_access_token_are_both_accepted() {
    for (body, sent) in [
        (r#"{"token":"T"}"#, "Bearer T"),
        (r#"{"access_token":"A"}"#, "Bearer A"),
        (r#"{"token":"T","access_token":"A"}"#, "Bearer A"),
        (r#"{"token":"T","access_token":""}"#, "Bearer T"),
        (r#"{"token":"","access_token":"A"}"#, "Bearer A"),
        (r#"{"token":"T","access_token":null,"expires_in":"x","issued_at":5}"#, "Bearer T"),
    ] {
        // The Content-Type is ignored.
        let server = server_with_token_response(
            Reply::new(200).header("Content-Type", "text/plain").body(body),
        );
        assert!(resolve(&server, config()).is_ok(), "{body}");
        assert_eq!(server.requests()[2].header("authorization"), Some(sent), "{body}");
    }
}

#[test]
fn a_response_without_a_usable_token_is_invalid() {
    let html = Reply::new(200).header("Content-Type", "text/html").body("<h1>Log in</h1> please");
    let rows = [
        (html, "\"text/html\", not JSON; it says \"Log in please\""),
        (Reply::new(200).body(""), "not JSON"),
        (Reply::new(200).body("{}"), "has no token"),
        (Reply::new(200).body("[]"), "has no token"),
        (Reply::new(200).body(r#"{"token":""}"#), "has no token"),
        (Reply::new(200).body(r#"{"token":5}"#), "has no token"),
        (Reply::new(200).body(r#"{"token":"a b"}"#), "not allowed in a header"),
        (Reply::new(200).body(r#"{"token":"a\r\nX: y"}"#), "not allowed in a header"),
        (Reply::new(200).body(r#"{"token":"é"}"#), "not allowed in a header"),
        (Reply::new(200).body("x".repeat(64 * 1024 + 1)), "exceeds the limit of 65536 bytes"),
    ];
    for (reply, message) in rows {
        let server = server_with_token_response(reply);
        let error = resolve_error(&server, config());
        assert_eq!(error.kind(), Kind::Invalid, "{error}");
        assert!(chain(&error).contains(message), "{message}: {error}");
        assert_eq!(server.lines(), [HEAD, TOKEN], "{error}");
    }
}

#[test]
fn a_token_response_may_have_64_kib() {
    let padding = " ".repeat(64 * 1024 - r#"{"token":"T"}"#.len());
    let server =
        server_with_token_response(Reply::new(200).body(format!(r#"{{"token":"T"}}{padding}"#)));
    assert!(resolve(&server, config()).is_ok());
}

#[test]
fn a_refused_token_request_is_not_retried() {
    for (status, kind) in [
        (400, Kind::Denied),
        (401, Kind::Denied),
        (403, Kind::Denied),
        (404, Kind::Denied),
        (405, Kind::Denied),
        (418, Kind::Invalid),
    ] {
        let server = server_with_token_response(Reply::new(status).body("go away"));
        let mut config = config_with_password("ada", "secret");
        config.retries = 3;
        let error = resolve_error(&server, config);
        assert_eq!(error.kind(), kind, "{error}");
        let text = error.to_string();
        assert!(text.contains("token server") && text.contains("\"go away\""), "{text}");
        assert_eq!(server.lines(), [HEAD, TOKEN], "{status}");
    }
}

#[test]
fn a_failed_token_request_is_retried() {
    for reply in [Reply::new(408), Reply::new(429), Reply::new(503), Reply::close()] {
        let failed = std::sync::atomic::AtomicBool::new(false);
        let server = https(move |request| match request.path() {
            "/token" if !failed.swap(true, std::sync::atomic::Ordering::SeqCst) => reply.clone(),
            _ => require_token(request),
        });
        let mut config = config();
        config.retries = 1;
        assert_eq!(resolve(&server, config).unwrap().digest, sha256(MANIFEST));
        assert_eq!(server.lines(), [HEAD, TOKEN, TOKEN, HEAD]);
    }
}

#[test]
fn a_token_is_reused_for_the_same_repository() {
    let server = https(require_token);
    let client = Client::new(config()).unwrap();
    for _ in 0..3 {
        client.resolve(&reference(&server), &ResolveOptions::default()).unwrap();
    }
    assert_eq!(server.lines(), [HEAD, TOKEN, HEAD, HEAD, HEAD]);
    let other = Reference::parse(&format!("{}/team/other:1.0", server.authority())).unwrap();
    client.resolve(&other, &ResolveOptions::default()).unwrap();
    // A token is for one repository.
    assert_eq!(server.requests()[5].header("authorization"), None);
}

#[test]
fn an_expired_token_is_replaced_once() {
    // Each token is valid for one request.
    let issued = std::sync::atomic::AtomicUsize::new(0);
    let valid = std::sync::Mutex::new(String::new());
    let server = https(move |request| {
        let mut valid = valid.lock().unwrap();
        if request.path() == "/token" {
            let n = issued.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            *valid = format!("T{n}");
            return token(&valid);
        }
        let sent = request.header("authorization").map(str::to_owned);
        if sent.is_some_and(|sent| sent == format!("Bearer {valid}")) {
            valid.clear();
            return manifest();
        }
        bearer_challenge(request)
    });
    let client = Client::new(config()).unwrap();
    for _ in 0..2 {
        client.resolve(&reference(&server), &ResolveOptions::default()).unwrap();
    }
    assert_eq!(server.lines(), [HEAD, TOKEN, HEAD, HEAD, TOKEN, HEAD]);
}

#[test]
fn a_kept_token_that_is_refused_without_a_challenge_is_forgotten() {
    let uses = std::sync::atomic::AtomicUsize::new(0);
    let server = https(move |request| match request.header("authorization") {
        Some(_) if uses.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 1 => Reply::new(401),
        _ => require_token(request),
    });
    let client = Client::new(config()).unwrap();
    for _ in 0..2 {
        client.resolve(&reference(&server), &ResolveOptions::default()).unwrap();
    }
    assert_eq!(server.lines(), [HEAD, TOKEN, HEAD, HEAD, HEAD, TOKEN, HEAD]);
}

#[test]
fn an_anonymous_token_request_may_be_redirected() {
    let elsewhere = Server::start(Some(Certificate::Server), |_| token("T"));
    let target = format!("{}/elsewhere", elsewhere.url());
    let server = https(move |request| match request.path() {
        "/token" => Reply::new(307).header("Location", &target),
        _ => require_token(request),
    });
    assert!(resolve(&server, config()).is_ok());
    assert_eq!(elsewhere.lines(), ["GET /elsewhere"]);
}

#[test]
fn a_token_request_with_credentials_is_not_redirected_to_another_origin() {
    let elsewhere = Server::start(Some(Certificate::Server), |_| token("T"));
    let target = format!("{}/elsewhere", elsewhere.url());
    let server = https(move |request| match request.path() {
        "/token" => Reply::new(307).header("Location", &target),
        _ => bearer_challenge(request),
    });
    let error = resolve_error(&server, config_with_password("ada", "secret"));
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.to_string().contains(&elsewhere.authority()), "{error}");
    assert_eq!(elsewhere.connections(), 0);
    // Redirects within the origin are followed.
    let server = https(|request| match request.path() {
        "/token" => Reply::new(308).header("Location", "/tokens/"),
        "/tokens/" => token("T"),
        _ => require_token(request),
    });
    assert!(resolve(&server, config_with_password("ada", "secret")).is_ok());
    assert_eq!(server.requests()[2].header("authorization"), Some("Basic YWRhOnNlY3JldA=="));
}

#[test]
fn a_token_for_all_repositories_is_requested_once() {
    let server = https(|request| match (request.path(), request.header("authorization")) {
        ("/token", Some("Basic YWRhOnNlY3JldA==")) => token("T"),
        (_, Some("Bearer T")) => manifest(),
        _ => unauthorized(
            request,
            r#"Bearer realm="https://HOST/token",service="ecr.example",scope="aws""#,
        ),
    });
    let client = Client::new(config_with_password("ada", "secret")).unwrap();
    for name in ["one", "two"] {
        let name = format!("{}/{name}/app:1", server.authority());
        client.resolve(&Reference::parse(&name).unwrap(), &ResolveOptions::default()).unwrap();
    }
    let (one, two) = ("HEAD /v2/one/app/manifests/1", "HEAD /v2/two/app/manifests/1");
    let token = "GET /token?service=ecr.example&scope=aws";
    assert_eq!(server.lines(), [one, token, one, two, two]);
}

#[test]
fn an_expired_token_for_all_repositories_is_replaced_for_all() {
    // The first token is valid for one request, the second for all.
    let issued = std::sync::atomic::AtomicUsize::new(0);
    let used = std::sync::atomic::AtomicBool::new(false);
    let order = std::sync::atomic::Ordering::SeqCst;
    let server = https(move |request| match (request.path(), request.header("authorization")) {
        ("/token", _) => token(&format!("T{}", issued.fetch_add(1, order))),
        (_, Some("Bearer T1")) => manifest(),
        (_, Some("Bearer T0")) if !used.swap(true, order) => manifest(),
        _ => unauthorized(request, r#"Bearer realm="https://HOST/token",scope="aws""#),
    });
    let client = Client::new(config()).unwrap();
    for name in ["one", "two"] {
        let name = format!("{}/{name}/app:1", server.authority());
        client.resolve(&Reference::parse(&name).unwrap(), &ResolveOptions::default()).unwrap();
    }
    let (one, two) = ("HEAD /v2/one/app/manifests/1", "HEAD /v2/two/app/manifests/1");
    let token = "GET /token?scope=aws";
    assert_eq!(server.lines(), [one, token, one, two, two, token, two]);
}

#[test]
fn a_reused_token_counts_towards_the_limit_of_two() {
    // The first token is accepted once. After that every response is a 401 for another scope.
    let refusals = std::sync::atomic::AtomicUsize::new(0);
    let accepted = std::sync::atomic::AtomicUsize::new(0);
    let order = std::sync::atomic::Ordering::SeqCst;
    let server = https(move |request| match (request.path(), request.header("authorization")) {
        ("/token", _) => token("T"),
        (_, Some("Bearer T")) if accepted.fetch_add(1, order) == 0 => manifest(),
        _ => {
            let scope = refusals.fetch_add(1, order);
            let challenge = r#"Bearer realm="https://HOST/token",scope="SCOPE""#;
            unauthorized(request, &challenge.replace("SCOPE", &format!("s{scope}")))
        }
    });
    let client = Client::new(config()).unwrap();
    let resolve = || client.resolve(&reference(&server), &ResolveOptions::default());
    resolve().unwrap();
    assert_eq!(server.lines(), [HEAD, "GET /token?scope=s0", HEAD]);
    assert_eq!(resolve().expect_err("refused").kind(), Kind::Denied);
    // The GET reads the registry's error message.
    let get = "GET /v2/team/app/manifests/1.0";
    assert_eq!(server.lines()[3..], [HEAD, "GET /token?scope=s1", HEAD, get]);
}
