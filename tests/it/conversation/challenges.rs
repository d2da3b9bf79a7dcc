//! What is done with a 401: which challenge is acted upon, and which lead nowhere.

use super::{
    HEAD, MANIFEST, TOKEN, bearer, config, config_of, https, manifest, refused, resolve, sha256,
    token, unauthorized,
};
use crate::support::{Reply, Request, Server};
use regq::error::Kind;

/// A registry whose first answer is a 401 with these lines, and that takes the token `T`.
fn challenging(lines: &'static [&'static str]) -> Server {
    https(move |request| {
        if request.path() == "/token" {
            return token("T");
        }
        match request.header("authorization") {
            Some("Bearer T" | "Basic YWRhOnNlY3JldA==") => manifest(),
            Some(other) => panic!("an authorization that nobody gave: {other}"),
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
fn shapes_that_lead_to_a_token() {
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
        // Bytes beyond ASCII and a tab inside quotes.
        &["Basic realm=\"caf\u{e9}\t\"", BEARER],
    ];
    for lines in rows {
        let server = challenging(lines);
        assert_eq!(resolve(&server, config()).unwrap().digest, sha256(MANIFEST), "{lines:?}");
        assert_eq!(server.lines(), [HEAD, "GET /token?service=s&scope=x", HEAD], "{lines:?}");
    }
}

#[test]
fn a_relative_realm_is_resolved_against_the_url_that_answered() {
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
fn a_challenge_that_leads_nowhere_is_denied() {
    let rows: [(&[&str], &str); 5] = [
        (&[], "without a WWW-Authenticate challenge"),
        (&["Bearer"], "has no realm"),
        (&[r#"Bearer realm="""#], "has no realm"),
        (&["Negotiate", "NTLM"], "\"negotiate\" authentication"),
        (&[r#"Basic realm="a""#], "user name and password"),
    ];
    for (lines, says) in rows {
        let server = challenging(lines);
        let error = refused(&server, config());
        assert_eq!(error.kind(), Kind::Denied, "{lines:?}: {error}");
        assert!(error.to_string().contains(says), "{lines:?}: {error}");
        assert_eq!(server.lines(), [HEAD], "{lines:?}");
    }
}

#[test]
fn a_challenge_that_does_not_parse_or_is_refused_is_invalid() {
    let rows: [(&[&str], &str); 6] = [
        (&[r#"Bearer realm="https://HOST/token"#], "unterminated-quote"),
        (&[r#"Bearer realm="https://a/",realm="https://b/""#], "duplicate-param:realm"),
        (&[r#"Bearer realm="file:///etc/passwd""#], "neither http nor https"),
        (&[r#"Bearer realm="https://user:pw@HOST/token""#], "user name before the host"),
        (&[r#"Bearer realm="https://example.com:99999/token""#], "not a port"),
        (&[r#"Bearer realm="http://HOST/token""#], "plain http"),
    ];
    for (lines, says) in rows {
        let server = challenging(lines);
        let error = refused(&server, config());
        assert_eq!(error.kind(), Kind::Invalid, "{lines:?}: {error}");
        assert!(error.to_string().contains(says), "{lines:?}: {error}");
        assert_eq!(server.lines(), [HEAD], "{lines:?}");
    }
}

#[test]
fn a_challenge_is_only_looked_at_on_401() {
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
    assert_eq!(refused(&server, config()).kind(), Kind::NotFound);
    assert_eq!(server.lines(), [HEAD]);
}

#[test]
fn basic_is_used_where_bearer_is_not_offered() {
    let server = challenging(&[r#"BASIC realm="Sonatype Nexus Repository Manager""#]);
    assert!(resolve(&server, config_of("ada", "secret")).is_ok());
    assert_eq!(server.lines(), [HEAD, HEAD]);
    let requests = server.requests();
    assert_eq!(requests[0].header("authorization"), None);
    assert_eq!(requests[1].header("authorization"), Some("Basic YWRhOnNlY3JldA=="));
}

#[test]
fn bearer_goes_before_basic_also_with_credentials() {
    let server = challenging(&[
        r#"Basic realm="a""#,
        r#"Bearer realm="https://HOST/token",service="s",scope="x""#,
    ]);
    assert!(resolve(&server, config_of("ada", "secret")).is_ok());
    assert_eq!(server.lines(), [HEAD, "GET /token?service=s&scope=x", HEAD]);
    let requests = server.requests();
    assert_eq!(requests[1].header("authorization"), Some("Basic YWRhOnNlY3JldA=="));
    assert_eq!(requests[2].header("authorization"), Some("Bearer T"));
}

/// Answers every question with 401 and the next of these scopes, and every token request with a new token.
fn insatiable(scopes: &'static [&'static str]) -> Server {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    https(move |request: &Request| {
        if request.path() == "/token" {
            return token(&request.query("scope").concat().replace(':', "-"));
        }
        if request.method == "GET" {
            return Reply::new(401).body("final");
        }
        let at = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let scope = scopes[at.min(scopes.len() - 1)];
        let challenge = format!(r#"Bearer realm="https://HOST/token",service="s",scope="{scope}""#);
        unauthorized(request, &challenge)
    })
}

#[test]
fn a_second_401_allows_one_more_token_when_it_asks_for_something_else() {
    let server = insatiable(&["a", "b", "c"]);
    let error = refused(&server, config());
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

    let server = insatiable(&["a"]);
    refused(&server, config());
    assert_eq!(server.lines(), [head.clone(), token("a"), head, get]);
}

#[test]
fn the_order_of_a_scopes_parts_is_no_other_scope() {
    let server = insatiable(&["x y", "y x"]);
    refused(&server, config());
    let tokens = server.lines().iter().filter(|line| line.contains("/token")).count();
    assert_eq!(tokens, 1);
}

#[test]
fn a_second_401_with_another_scope_can_succeed() {
    let server = https(|request| match (request.path(), request.header("authorization")) {
        ("/token", _) => token(&format!("T{}", request.query("scope").concat().len())),
        (_, None) => bearer(request),
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
fn a_flip_to_basic_after_a_token_is_final() {
    let server = https(|request| match (request.path(), request.header("authorization")) {
        ("/token", _) => token("T"),
        (_, None) => bearer(request),
        (_, Some("Bearer T")) => unauthorized(request, r#"Basic realm="harbor""#),
        (_, Some(other)) => panic!("sent {other}"),
    });
    let error = refused(&server, config_of("ada", "secret"));
    assert_eq!(error.kind(), Kind::Denied);
    assert_eq!(server.lines(), [HEAD, TOKEN, HEAD, "GET /v2/team/app/manifests/1.0"]);
}

#[test]
fn a_refused_password_is_not_sent_again() {
    let server = https(|request| unauthorized(request, r#"Basic realm="a""#));
    let error = refused(&server, config_of("ada", "wrong"));
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.to_string().contains("the credentials of \"ada\""), "{error}");
    assert_eq!(server.lines(), [HEAD, HEAD]);
}

#[test]
fn a_header_that_http_forbids_is_no_401() {
    let server = https(|_| {
        Reply::raw(
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"\x1b[31m\"\r\nContent-Length: 0\r\n\r\n",
        )
    });
    assert_eq!(refused(&server, config()).kind(), Kind::Invalid);
}

#[test]
fn of_two_bearer_challenges_the_first_that_can_be_used_is() {
    const FIRST: &str = r#"Bearer realm="https://HOST/token",service="first",scope="x""#;
    const SECOND: &str = r#"Bearer realm="https://HOST/token",service="second",scope="x""#;
    let rows: [(&[&str], &str); 3] = [
        (&[FIRST, SECOND], "first"),
        (&[SECOND, FIRST], "second"),
        (&[r#"Bearer realm="http://HOST/token",service="none""#, SECOND, FIRST], "second"),
    ];
    for (lines, service) in rows {
        let server = challenging(lines);
        assert!(resolve(&server, config()).is_ok(), "{lines:?}");
        let token = format!("GET /token?service={service}&scope=x");
        assert_eq!(server.lines(), [HEAD, &token, HEAD], "{lines:?}");
    }
}

#[test]
fn a_refused_token_with_a_challenge_that_does_not_parse_is_invalid() {
    let server = https(|request| match (request.path(), request.header("authorization")) {
        ("/token", _) => token("T"),
        (_, None) => bearer(request),
        (_, Some(_)) => unauthorized(request, r#"Bearer realm="https://HOST/token"#),
    });
    let error = refused(&server, config());
    assert_eq!(error.kind(), Kind::Invalid, "{error}");
    assert!(error.to_string().contains("unterminated-quote"), "{error}");
    assert_eq!(server.lines(), [HEAD, TOKEN, HEAD, "GET /v2/team/app/manifests/1.0"]);
}
