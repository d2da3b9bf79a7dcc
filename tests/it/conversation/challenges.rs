//! How the client reacts to a 401: which challenge it uses, and which ones it refuses.

use super::{
    HEAD, MANIFEST, TOKEN, bearer_challenge, config, config_with_password, https, manifest,
    resolve, resolve_error, sha256, token, unauthorized,
};
use crate::support::{Reply, Request, Server};
use regq::error::Kind;

/// Starts a registry that sends these challenges, issues the token `T`, and accepts it or the password of "ada".
fn server_with_challenges(lines: &'static [&'static str]) -> Server {
    https(move |request| {
        if request.path() == "/token" {
            return token("T");
        }
        match request.header("authorization") {
            Some("Bearer T" | "Basic YWRhOnNlY3JldA==") => manifest(),
            Some(other) => panic!("unexpected authorization: {other}"),
            None => {
                let host = request.header("host").unwrap();
                lines.iter().fold(Reply::new(401), |reply, line| {
                    reply.header("WWW-Authenticate", line.replace("HOST", host))
                })
            }
        }
    })
}

#[test]
fn a_usable_bearer_challenge_in_any_form_leads_to_a_token() {
    const BEARER: &str = r#"Bearer realm="https://HOST/token",service="s",scope="x""#;
    let rows: [&[&str]; 11] = [
        &[BEARER],
        &[r#"BEARER Realm = "https://HOST/token" , Service=s ,scope="x""#],
        &[r#"Basic realm="a", Bearer realm="https://HOST/token",service="s",scope="x""#],
        &[r#"Basic realm="a""#, BEARER],
        &["Negotiate", BEARER],
        &["Negotiate, NTLM, Bearer realm=\"https://HOST/token\",service=s,scope=x"],
        &["Negotiate oYG0MIGxoAMKAQE==", BEARER],
        &[r#"Bearer realm="","#, BEARER],
        &["Bearer realm=\"unterminated", BEARER],
        &[r#"Bearer realm="ftp://HOST/token""#, BEARER],
        // Non-ASCII bytes and a tab in a quoted string.
        &["Basic realm=\"caf\u{e9}\t\"", BEARER],
    ];
    for lines in rows {
        let server = server_with_challenges(lines);
        assert_eq!(resolve(&server, config()).unwrap().digest, sha256(MANIFEST), "{lines:?}");
        assert_eq!(server.lines(), [HEAD, "GET /token?service=s&scope=x", HEAD], "{lines:?}");
    }
}

#[test]
fn a_relative_realm_is_resolved_against_the_challenged_url() {
    for realm in ["/token", "//HOST/token", "../../../../token", "https://HOST:PORT/token"] {
        let server = https(move |request| match request.path() {
            "/token" => token("T"),
            _ if request.header("authorization").is_some() => manifest(),
            _ => {
                let host = request.header("host").unwrap();
                let realm = realm.replace("HOST:PORT", host).replace("HOST", host);
                unauthorized(request, &format!(r#"Bearer realm="{realm}",service="s",scope="x""#))
            }
        });
        assert!(resolve(&server, config()).is_ok(), "{realm}");
        assert_eq!(server.lines(), [HEAD, "GET /token?service=s&scope=x", HEAD], "{realm}");
    }
}

#[test]
fn a_401_without_a_usable_challenge_is_denied() {
    let rows: [(&[&str], &str); 5] = [
        (&[], "without a WWW-Authenticate challenge"),
        (&["Bearer"], "has no realm"),
        (&[r#"Bearer realm="""#], "has no realm"),
        (&["Negotiate", "NTLM"], "\"negotiate\" authentication"),
        (&[r#"Basic realm="a""#], "user name and password"),
    ];
    for (lines, message) in rows {
        let server = server_with_challenges(lines);
        let error = resolve_error(&server, config());
        assert_eq!(error.kind(), Kind::Denied, "{lines:?}: {error}");
        assert!(error.to_string().contains(message), "{lines:?}: {error}");
        assert_eq!(server.lines(), [HEAD], "{lines:?}");
    }
}

#[test]
fn a_malformed_or_unsafe_challenge_is_invalid() {
    let rows: [(&[&str], &str); 6] = [
        (&[r#"Bearer realm="https://HOST/token"#], "unterminated-quote"),
        (&[r#"Bearer realm="https://a/",realm="https://b/""#], "duplicate-param:realm"),
        (&[r#"Bearer realm="file:///etc/passwd""#], "neither http nor https"),
        (&[r#"Bearer realm="https://user:pw@HOST/token""#], "user name before the host"),
        (&[r#"Bearer realm="https://example.com:99999/token""#], "not a port"),
        (&[r#"Bearer realm="http://HOST/token""#], "plain HTTP"),
    ];
    for (lines, message) in rows {
        let server = server_with_challenges(lines);
        let error = resolve_error(&server, config());
        assert_eq!(error.kind(), Kind::Invalid, "{lines:?}: {error}");
        assert!(error.to_string().contains(message), "{lines:?}: {error}");
        assert_eq!(server.lines(), [HEAD], "{lines:?}");
    }
}

#[test]
fn challenges_are_ignored_unless_the_status_is_401() {
    let challenge = r#"Bearer realm="https://HOST/token",service="s""#;
    let server = https(move |request| {
        let host = request.header("host").unwrap();
        manifest().header("WWW-Authenticate", challenge.replace("HOST", host))
    });
    assert!(resolve(&server, config()).is_ok());
    assert_eq!(server.lines(), [HEAD]);
    let server = https(move |request| {
        let host = request.header("host").unwrap();
        Reply::new(404).header("WWW-Authenticate", challenge.replace("HOST", host))
    });
    assert_eq!(resolve_error(&server, config()).kind(), Kind::NotFound);
    assert_eq!(server.lines(), [HEAD]);
}

#[test]
fn basic_is_used_if_bearer_is_not_offered() {
    let server = server_with_challenges(&[r#"BASIC realm="Sonatype Nexus Repository Manager""#]);
    assert!(resolve(&server, config_with_password("ada", "secret")).is_ok());
    assert_eq!(server.lines(), [HEAD, HEAD]);
    let requests = server.requests();
    assert_eq!(requests[0].header("authorization"), None);
    assert_eq!(requests[1].header("authorization"), Some("Basic YWRhOnNlY3JldA=="));
}

#[test]
fn bearer_is_preferred_to_basic_with_credentials() {
    let server = server_with_challenges(&[
        r#"Basic realm="a""#,
        r#"Bearer realm="https://HOST/token",service="s",scope="x""#,
    ]);
    assert!(resolve(&server, config_with_password("ada", "secret")).is_ok());
    assert_eq!(server.lines(), [HEAD, "GET /token?service=s&scope=x", HEAD]);
    let requests = server.requests();
    assert_eq!(requests[1].header("authorization"), Some("Basic YWRhOnNlY3JldA=="));
    assert_eq!(requests[2].header("authorization"), Some("Bearer T"));
}

/// Starts a registry that responds to each HEAD with a 401 for the next of these scopes. The last one is repeated.
fn never_satisfied(scopes: &'static [&'static str]) -> Server {
    let requests = std::sync::atomic::AtomicUsize::new(0);
    https(move |request: &Request| {
        if request.path() == "/token" {
            return token(&request.query("scope").concat().replace(':', "-"));
        }
        if request.method == "GET" {
            return Reply::new(401).body("final");
        }
        let index = requests.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let scope = scopes[index.min(scopes.len() - 1)];
        let challenge = format!(r#"Bearer realm="https://HOST/token",service="s",scope="{scope}""#);
        unauthorized(request, &challenge)
    })
}

#[test]
fn a_second_token_is_fetched_only_for_another_scope() {
    let server = never_satisfied(&["a", "b", "c"]);
    let error = resolve_error(&server, config());
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.to_string().contains("\"final\""), "{error}");
    let token = |scope: &str| format!("GET /token?service=s&scope={scope}");
    let get = "GET /v2/team/app/manifests/1.0".to_owned();
    let head = HEAD.to_owned();
    assert_eq!(
        server.lines(),
        [head.clone(), token("a"), head.clone(), token("b"), head.clone(), get.clone()]
    );
    assert_eq!(server.requests()[4].header("authorization"), Some("Bearer b"));

    let server = never_satisfied(&["a"]);
    resolve_error(&server, config());
    assert_eq!(server.lines(), [head.clone(), token("a"), head, get]);
}

#[test]
fn the_order_of_scopes_does_not_matter() {
    let server = never_satisfied(&["x y", "y x"]);
    resolve_error(&server, config());
    let tokens = server.lines().iter().filter(|line| line.contains("/token")).count();
    assert_eq!(tokens, 1);
}

#[test]
fn a_second_token_for_another_scope_can_succeed() {
    let server = https(|request| match (request.path(), request.header("authorization")) {
        ("/token", _) => token(&format!("T{}", request.query("scope").concat().len())),
        (_, None) => bearer_challenge(request),
        (_, Some("Bearer T2")) => manifest(),
        (_, Some(_)) => unauthorized(
            request,
            r#"Bearer realm="https://HOST/token",service="registry",scope="xy",error="insufficient_scope""#,
        ),
    });
    assert!(resolve(&server, config()).is_ok());
    assert_eq!(server.lines(), [HEAD, TOKEN, HEAD, "GET /token?service=registry&scope=xy", HEAD]);
}

#[test]
fn a_basic_challenge_to_a_fetched_token_is_final() {
    let server = https(|request| match (request.path(), request.header("authorization")) {
        ("/token", _) => token("T"),
        (_, None) => bearer_challenge(request),
        (_, Some("Bearer T")) => unauthorized(request, r#"Basic realm="harbor""#),
        (_, Some(other)) => panic!("sent {other}"),
    });
    let error = resolve_error(&server, config_with_password("ada", "secret"));
    assert_eq!(error.kind(), Kind::Denied);
    assert_eq!(server.lines(), [HEAD, TOKEN, HEAD, "GET /v2/team/app/manifests/1.0"]);
}

#[test]
fn a_refused_password_is_not_sent_again() {
    let server = https(|request| unauthorized(request, r#"Basic realm="a""#));
    let error = resolve_error(&server, config_with_password("ada", "wrong"));
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.to_string().contains("the credentials of \"ada\""), "{error}");
    assert_eq!(server.lines(), [HEAD, HEAD]);
}

#[test]
fn a_control_character_in_a_header_is_an_invalid_response() {
    let server = https(|_| {
        Reply::raw(
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"\x1b[31m\"\r\nContent-Length: 0\r\n\r\n",
        )
    });
    assert_eq!(resolve_error(&server, config()).kind(), Kind::Invalid);
}

#[test]
fn the_first_usable_bearer_challenge_is_used() {
    const FIRST: &str = r#"Bearer realm="https://HOST/token",service="first",scope="x""#;
    const SECOND: &str = r#"Bearer realm="https://HOST/token",service="second",scope="x""#;
    let rows: [(&[&str], &str); 3] = [
        (&[FIRST, SECOND], "first"),
        (&[SECOND, FIRST], "second"),
        (&[r#"Bearer realm="http://HOST/token",service="none""#, SECOND, FIRST], "second"),
    ];
    for (lines, service) in rows {
        let server = server_with_challenges(lines);
        assert!(resolve(&server, config()).is_ok(), "{lines:?}");
        let token = format!("GET /token?service={service}&scope=x");
        assert_eq!(server.lines(), [HEAD, &token, HEAD], "{lines:?}");
    }
}

#[test]
fn a_refused_token_with_a_malformed_challenge_is_invalid() {
    let server = https(|request| match (request.path(), request.header("authorization")) {
        ("/token", _) => token("T"),
        (_, None) => bearer_challenge(request),
        (_, Some(_)) => unauthorized(request, r#"Bearer realm="https://HOST/token"#),
    });
    let error = resolve_error(&server, config());
    assert_eq!(error.kind(), Kind::Invalid, "{error}");
    assert!(error.to_string().contains("unterminated-quote"), "{error}");
    assert_eq!(server.lines(), [HEAD, TOKEN, HEAD, "GET /v2/team/app/manifests/1.0"]);
}
