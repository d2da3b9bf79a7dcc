//! Supplied challenges of a first response.

use crate::explain::given::{Row, decisive, note, silent};
use crate::explain::given_builder::{CHALLENGE, HUB, NAME, claims, correct, of};
use serde_json::json;

/// A challenge with this realm.
fn realm(realm: &str) -> String {
    format!("Bearer realm=\"{realm}\",service=\"reg.example.com\"")
}

/// A challenge with this scope.
fn scope(scope: &str) -> String {
    format!("Bearer realm=\"https://auth.example.com/token\",scope=\"{scope}\"")
}

pub(super) fn rows() -> Vec<Row> {
    let with = |line: &str| of(NAME).challenge(line);
    let token = || claims(json!({}));
    vec![
        decisive("not-a-registry", "Log in", of(NAME).status(200).body("<html><p>Log in</p>")),
        decisive("not-a-registry", "200", of(NAME).status(200).body(" \n<!DOCTYPE HTML>")),
        silent("not-a-registry", of(NAME).status(200).body("{\"schemaVersion\":2}")),
        silent("not-a-registry", of(NAME).status(404).body("<html><p>Not found</p>")),
        silent("not-a-registry", of(NAME).status(200)),
        //
        decisive("challenge-missing", "401", with("")),
        decisive("challenge-missing", "401", with("WWW-Authenticate:").status(401)),
        silent("challenge-missing", with("").token(token())),
        silent("challenge-missing", with("").status(200)),
        silent("challenge-missing", of(NAME).status(401)),
        silent("challenge-missing", with(CHALLENGE)),
        //
        decisive("proxy-auth-required", "negotiate, ntlm", with("Negotiate, NTLM")),
        decisive("proxy-auth-required", "407", of(NAME).status(407)),
        decisive("proxy-auth-required", "negotiate", with("Negotiate").token(token())),
        silent("proxy-auth-required", with("Negotiate").line(CHALLENGE)),
        silent("proxy-auth-required", with("Negotiate, Basic realm=\"a\"")),
        silent("proxy-auth-required", with("").status(401)),
        //
        decisive("basic-only", "Nexus", with("BASIC realm=\"Sonatype Nexus\"")),
        decisive("basic-only", "realm \"\"", with("Basic")),
        silent("basic-only", with("Basic realm=\"a\"").line(CHALLENGE)),
        silent("basic-only", with("Basic realm=\"a\"").token(token())),
        silent("basic-only", with("Negotiate, Basic realm=\"a\"")),
        //
        decisive("challenge-malformed", "byte 13 of line 1", with("Bearer realm=\"https://a")),
        decisive(
            "challenge-malformed",
            "duplicate-param:realm at byte 36 of line 2 of the challenge: Bearer",
            with("Digest x=\"y\"")
                .line("Bearer realm=\"https://a.example/t\", realm=\"https://b\""),
        ),
        decisive(
            "challenge-malformed",
            "realm=\"a",
            with("Bearer realm=\"a").line("Basic realm=\"b"),
        ),
        note("challenge-malformed", "line 2", with(CHALLENGE).line("Basic realm=\"a")),
        silent("challenge-malformed", with("Bearer realm=\"https://a/t\" , ,service=")),
        silent("challenge-malformed", with("Bearer realm=\"https://a/t\",realm=\"https://a/t\"")),
        //
        decisive("realm-missing", "no realm", with("Bearer service=\"s\"")),
        decisive("realm-missing", "empty", with("Bearer realm=\"\",service=\"s\"")),
        silent("realm-missing", with("Bearer service=\"s\"").line(CHALLENGE)),
        silent("realm-missing", with("Basic")),
        //
        decisive("realm-not-absolute", "https://reg.example.com/token", with(&realm("/token"))),
        decisive(
            "realm-not-absolute",
            "auth.example.com/token",
            with(&realm("auth.example.com/token")),
        ),
        decisive("realm-not-absolute", "file:///etc", with(&realm("file:///etc/passwd"))),
        decisive("realm-not-absolute", "\"/token\"", of("").challenge(realm("/token"))),
        silent("realm-not-absolute", with(&realm("HTTPS://AUTH.example.com"))),
        silent("realm-not-absolute", with(&realm("https://auth.example.com:8443/a?b=c"))),
        //
        decisive(
            "realm-plain-http",
            "http://auth.example.com/token",
            with(&realm("http://auth.example.com/token")),
        ),
        silent("realm-plain-http", with(&realm("http://auth.example.com/t")).plain_http()),
        silent(
            "realm-plain-http",
            of("localhost:5000/a").challenge(realm("http://localhost:5001/t")),
        ),
        silent("realm-plain-http", of("").challenge(realm("http://auth.example.com/token"))),
        silent("realm-plain-http", with(CHALLENGE)),
        //
        decisive("realm-private-address", "10.0.0.7", with(&realm("https://10.0.0.7/token"))),
        decisive("realm-private-address", "localhost", with(&realm("https://localhost:5001/t"))),
        decisive("realm-private-address", "[::1]", with(&realm("https://[::1]/t"))),
        silent(
            "realm-private-address",
            of("10.0.0.5/a").challenge(realm("https://10.0.0.7/token")),
        ),
        silent(
            "realm-private-address",
            of("reg.ns.svc/a").challenge(realm("https://10.0.0.7/token")),
        ),
        silent("realm-private-address", of("reg.lan/a").challenge(realm("https://10.0.0.7/token"))),
        silent("realm-private-address", with(&realm("https://203.0.114.7/token"))),
        silent("realm-private-address", of("").challenge(realm("https://10.0.0.7/token"))),
        //
        decisive(
            "realm-untrusted",
            "auth.evil.example",
            with(&realm("https://auth.evil.example/t"))
                .token_url("https://auth.evil.example/t?account=ada"),
        ),
        silent(
            "realm-untrusted",
            with(&realm("https://auth.evil.example/t"))
                .token_url("https://auth.evil.example/t?service=s"),
        ),
        silent(
            "realm-untrusted",
            with(CHALLENGE).token_url("https://auth.example.com/t?account=ada"),
        ),
        silent(
            "realm-untrusted",
            of("alpine").challenge(HUB).token_url("https://auth.docker.io/token?account=ada"),
        ),
        //
        decisive(
            "scope-other-repository",
            "\"prefix/team/app\"",
            with(&scope("repository:prefix/team/app:pull")),
        ),
        silent("scope-other-repository", with(&scope("repository:team/app:pull"))),
        silent("scope-other-repository", with(&scope("repository(plugin):team/app:pull"))),
        silent(
            "scope-other-repository",
            with(&scope("repository:base:pull repository:team/app:pull")),
        ),
        silent("scope-other-repository", with(&scope("repository:reg.example.com/team/app:pull"))),
        silent("scope-other-repository", with(&scope("registry:catalog:*"))),
        silent("scope-other-repository", with(&scope("*"))),
        silent("scope-other-repository", of("").challenge(scope("repository:prefix/a:pull"))),
        silent("scope-other-repository", of("alpine").challenge(scope("repository:alpine:pull"))),
        silent("scope-other-repository", correct()),
    ]
}
