//! Redirects: how many are followed, where to, and which headers are sent there.

use super::{
    HEAD, MANIFEST, TOKEN, bearer_challenge, config, config_with_password, https, manifest,
    reference, require_token, resolve, resolve_error, sha256, token, unauthorized,
};
use crate::support::{Certificate, Reply, Server};
use regq::error::Kind;
use regq::registry::{Client, ResolveOptions};

#[test]
fn a_redirect_within_an_origin_keeps_the_token() {
    for status in [301, 302, 303, 307, 308] {
        let server =
            https(move |request| match (request.path(), request.header("authorization")) {
                ("/moved", Some("Bearer T")) => manifest(),
                (_, Some("Bearer T")) => Reply::new(status).header("Location", "/moved"),
                ("/token", None) => token("T"),
                _ => bearer_challenge(request),
            });
        assert_eq!(resolve(&server, config()).unwrap().digest, sha256(MANIFEST), "{status}");
        assert_eq!(server.lines(), [HEAD, TOKEN, HEAD, "HEAD /moved"], "{status}");
    }
}

#[test]
fn another_origin_gets_no_credentials() {
    // Another port of the same host is another origin.
    let storage = https(|_| manifest());
    let target = format!("{}/blob?sig=x", storage.url());
    let server = https(move |request| match (request.path(), request.header("authorization")) {
        ("/token", _) => token("T"),
        (_, Some(_)) => Reply::new(307).header("Location", &target),
        (_, None) => bearer_challenge(request),
    });
    assert_eq!(
        resolve(&server, config_with_password("ada", "secret")).unwrap().digest,
        sha256(MANIFEST)
    );
    let request = storage.requests().remove(0);
    assert_eq!(request.line(), "HEAD /blob?sig=x");
    let mut names: Vec<_> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
}

#[test]
fn another_host_gets_its_own_token() {
    let second = https(|request| match (request.path(), request.header("authorization")) {
        ("/token", None) => token("SECOND"),
        (_, Some("Bearer SECOND")) => manifest(),
        (_, None) => bearer_challenge(request),
        (_, Some(other)) => panic!("sent {other}"),
    });
    let target = format!("{}/v2/team/app/manifests/1.0", second.url());
    let first = https(move |request| match (request.path(), request.header("authorization")) {
        ("/token", None) => token("FIRST"),
        (_, Some("Bearer FIRST")) => Reply::new(307).header("Location", &target),
        _ => bearer_challenge(request),
    });
    assert_eq!(resolve(&first, config()).unwrap().digest, sha256(MANIFEST));
    assert_eq!(first.lines(), [HEAD, TOKEN, HEAD]);
    assert_eq!(second.lines(), [HEAD, TOKEN, HEAD]);
}

#[test]
fn a_redirect_back_to_the_registry_carries_no_token() {
    let first = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let back = std::sync::Arc::clone(&first);
    let second =
        https(move |_| Reply::new(307).header("Location", format!("{}/back", back.get().unwrap())));
    let target = format!("{}/second", second.url());
    let server = https(move |request| match (request.path(), request.header("authorization")) {
        ("/back", None) => manifest(),
        ("/back", Some(_)) => panic!("a token was sent after a redirect from another host"),
        ("/token", None) => token("T"),
        (_, Some(_)) => Reply::new(307).header("Location", &target),
        _ => bearer_challenge(request),
    });
    first.set(server.url()).unwrap();
    assert!(resolve(&server, config()).is_ok());
}

#[test]
fn five_redirects_are_followed_and_no_more() {
    let chain = |length: usize| {
        https(move |request| {
            let hop: usize = request.path().trim_start_matches("/hop").parse().unwrap_or(0);
            if hop == length {
                manifest()
            } else {
                Reply::new(302).header("Location", format!("/hop{}", hop + 1))
            }
        })
    };
    let server = chain(5);
    assert!(resolve(&server, config()).is_ok());
    assert_eq!(server.requests().len(), 6);
    let server = chain(6);
    let error = resolve_error(&server, config());
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.to_string().contains("too many redirects"), "{error}");
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn a_redirect_from_https_to_http_is_refused() {
    let plain = Server::start(None, |_| manifest());
    let target = format!("{}/x", plain.url());
    let server = https(move |_| Reply::new(307).header("Location", &target));
    let error = resolve_error(&server, config());
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.to_string().contains("plain HTTP"), "{error}");
    assert_eq!(plain.connections(), 0);
}

#[test]
fn a_redirect_without_a_valid_target_is_invalid() {
    for location in [
        None,
        Some("ftp://example.com/"),
        Some("https://user@example.com/"),
        Some("https://example.com:0/"),
        Some("https://example.com:65536/"),
        Some("https://exa mple.com/"),
        Some("https:///x"),
        Some("caf\u{e9}"),
    ] {
        let server = https(move |_| {
            location.iter().fold(Reply::new(302), |reply, to| reply.header("Location", to))
        });
        let error = resolve_error(&server, config());
        assert_eq!(error.kind(), Kind::Invalid, "{location:?}: {error}");
        assert_eq!(server.lines(), [HEAD], "{location:?}");
    }
}

#[test]
fn a_token_for_the_second_host_is_reused_there() {
    let second = https(require_token);
    let target = format!("{}/v2/team/app/manifests/1.0", second.url());
    let first = https(move |_| Reply::new(307).header("Location", &target));
    let client = Client::new(config()).unwrap();
    for _ in 0..2 {
        client.resolve(&reference(&first), &ResolveOptions::default()).unwrap();
    }
    assert_eq!(first.lines(), [HEAD, HEAD]);
    // The second time, the known token is sent after its 401; no other token is fetched.
    assert_eq!(second.lines(), [HEAD, TOKEN, HEAD, HEAD, HEAD]);
    assert_eq!(second.requests()[3].header("authorization"), None);
}

#[test]
fn a_redirect_to_a_host_with_a_refused_certificate_sends_no_request() {
    let wrong = Server::start(Some(Certificate::WrongName), |_| manifest());
    let target = format!("{}/x", wrong.url());
    let server = https(move |_| Reply::new(307).header("Location", &target));
    assert_eq!(resolve_error(&server, config()).kind(), Kind::Unavailable);
    assert_eq!(wrong.requests().len(), 0);
}

#[test]
fn a_redirect_does_not_fall_back_to_plain_http() {
    let plain = Server::start(None, |_| manifest());
    let target = format!("https://{}/x", plain.authority());
    let server = https(move |_| Reply::new(307).header("Location", &target));
    assert_eq!(resolve_error(&server, config()).kind(), Kind::Unavailable);
    assert_eq!(plain.requests().len(), 0);
}

#[test]
fn the_credentials_of_a_registry_are_not_sent_to_the_target_of_a_redirect() {
    let second = https(|request| unauthorized(request, r#"Basic realm="x""#));
    let target = format!("{}/x", second.url());
    let first = https(move |_| Reply::new(307).header("Location", &target));
    assert_eq!(resolve_error(&first, config_with_password("ada", "secret")).kind(), Kind::Denied);
    assert!(second.requests().iter().all(|request| request.header("authorization").is_none()));
}

/// Two hosts that redirect to each other. The first requires a token that costs a password: one token for all its
/// paths, or one for each.
fn redirecting_to_each_other(token_per_path: bool) -> (Server, Server) {
    let first = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let back = std::sync::Arc::clone(&first);
    let second = https(move |request| match request.header("authorization") {
        Some(other) => panic!("sent {other}"),
        None => {
            let again = format!("{}/again{}", back.get().unwrap(), request.path());
            Reply::new(307).header("Location", again)
        }
    });
    let target = second.url();
    let server = https(move |request| {
        let scope = if token_per_path { request.path() } else { "all" };
        match (request.path(), request.header("authorization")) {
            ("/token", Some("Basic YWRhOnNlY3JldA==")) => token(&request.query("scope").concat()),
            (path, Some(sent)) if sent == format!("Bearer {scope}") => {
                Reply::new(307).header("Location", format!("{target}{path}"))
            }
            _ => {
                let challenge = r#"Bearer realm="https://HOST/token",scope="SCOPE""#;
                unauthorized(request, &challenge.replace("SCOPE", scope))
            }
        }
    });
    first.set(server.url()).unwrap();
    (server, second)
}

#[test]
fn a_redirect_loop_costs_at_most_two_tokens() {
    for (token_per_path, kind, tokens, visits) in
        [(false, Kind::Invalid, 1, 3), (true, Kind::Denied, 2, 2)]
    {
        let (server, second) = redirecting_to_each_other(token_per_path);
        let error = resolve_error(&server, config_with_password("ada", "secret"));
        assert_eq!(error.kind(), kind, "{error}");
        let token_requests =
            server.lines().iter().filter(|line| line.starts_with("GET /token")).count();
        assert_eq!(token_requests, tokens, "{:?}", server.lines());
        assert_eq!(second.requests().len(), visits);
    }
}
