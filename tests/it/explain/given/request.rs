//! Supplied token URLs.

use crate::explain::given::{Row, decisive, next, note, silent};
use crate::explain::given_builder::{
    CHALLENGE, HUB, NAME, Supplied, URL, access, claims, correct, of,
};
use serde_json::json;

const SERVER: &str = "https://auth.example.com/token?service=reg.example.com";

/// A request with this scope that got an empty access claim.
fn with_scope(scope: &str) -> Supplied {
    of(NAME).token_url(format!("{SERVER}&scope={scope}")).challenge(CHALLENGE)
}

fn nothing() -> String {
    claims(json!({"access": []}))
}

pub(super) fn rows() -> Vec<Row> {
    let given = |url: &str| of(NAME).token_url(url).challenge(CHALLENGE);
    let digest = format!("team/app@sha256:{}", "0".repeat(64));
    let hub = |url: &str| of("alpine").token_url(format!("https://auth.docker.io/token?{url}"));
    vec![
        decisive("url-html-escaped", "\"amp;scope\"", given(&format!("{SERVER}&amp;scope=repository:team/app:pull"))),
        next("url-html-escaped", "amp;service", given("https://auth.example.com/token?service=x&amp;service=reg.example.com")),
        silent("url-html-escaped", given(URL)),
        silent("url-html-escaped", given("https://auth.example.com/token?service=a&scope=amp;")),
        silent("url-html-escaped", given("https://auth.example.com/amp;/token?service=a&ramp;=1")),
        //
        decisive("service-mismatch", "requested: \"other\", challenge: \"reg.example.com\"", given("https://auth.example.com/token?service=other")),
        decisive("service-mismatch", "Reg.example.com", given("https://auth.example.com/token?service=Reg.example.com")),
        silent("service-mismatch", given("https://auth.example.com/token?service=reg%2Eexample.com")),
        silent("service-mismatch", given("https://auth.example.com/token")),
        silent("service-mismatch", given("https://auth.example.com/token?service=x").no_challenge()),
        silent("service-mismatch", given("https://auth.example.com/token?service=x").challenge("Bearer realm=\"https://auth.example.com/token\"")),
        silent("service-mismatch", given("https://auth.example.com/token?service=a+b").challenge("Bearer realm=\"https://auth.example.com/token\",service=\"a b\"")),
        //
        decisive("token-url-not-realm", "requested: auth.other.example/token", given("https://auth.other.example/token?service=reg.example.com")),
        decisive("token-url-not-realm", "requested: auth.example.com/tokens", given("https://auth.example.com/tokens")),
        decisive("token-url-not-realm", "realm: auth.example.com/token", given("https://auth.example.com/token/")),
        decisive("token-url-not-realm", "other.example", given("https://ada:secret-of-ada@other.example/token")),
        silent("token-url-not-realm", given("HTTPS://AUTH.EXAMPLE.COM:443/token?service=reg.example.com")),
        silent("token-url-not-realm", given("https://ada:secret-of-ada@auth.example.com/token")),
        silent("token-url-not-realm", given("https://auth.example.com/token?x=y").challenge("Bearer realm=\"https://auth.example.com/token?z=y\"")),
        silent("token-url-not-realm", given("https://reg.example.com/token").challenge("Bearer realm=\"/token\"")),
        silent("token-url-not-realm", given("https://other.example/token").no_challenge()),
        silent("token-url-not-realm", given("what I typed")),
        //
        decisive("scope-lost-in-shell", "has no scope", given(SERVER).token(nothing())),
        decisive("scope-lost-in-shell", "follows an &", given(URL).token(nothing())),
        silent("scope-lost-in-shell", given(URL).token(claims(json!({})))),
        silent("scope-lost-in-shell", given(URL)),
        silent("scope-lost-in-shell", given("https://auth.example.com/token?scope=repository:team/app:pull&service=reg.example.com").token(nothing())),
        silent("scope-lost-in-shell", given(&URL.replace('&', "&amp;")).token(nothing())),
        silent("scope-lost-in-shell", of(NAME).challenge(CHALLENGE).token(nothing())),
        //
        decisive("library-prefix-missing", "the token URL names \"alpine\"", hub("service=registry.docker.io&scope=repository:alpine:pull").challenge(HUB)),
        decisive("library-prefix-missing", "\"alpine:3.20\"", hub("scope=repository:alpine:3.20:pull")),
        decisive("library-prefix-missing", "the challenge names \"alpine\"", of("alpine").challenge(HUB.replace("library/", ""))),
        decisive("library-prefix-missing", "alpine", of("").challenge(HUB.replace("library/", ""))),
        silent("library-prefix-missing", hub("scope=repository:library/alpine:pull").challenge(HUB)),
        silent("library-prefix-missing", hub("scope=repository%3Alibrary%2Falpine%3Apull").challenge(HUB)),
        silent("library-prefix-missing", hub("scope=registry:catalog:*")),
        silent("library-prefix-missing", of("reg.example.com/app").challenge(CHALLENGE.replace("team/", "")).token_url(URL.replace("team/", ""))),
        //
        decisive("scope-has-registry-host", "\"reg.example.com/team/app\"", with_scope("repository:reg.example.com/team/app:pull")),
        decisive("scope-has-registry-host", "REG.example.com", with_scope("repository:REG.example.com/team/app:pull")),
        decisive("scope-has-registry-host", "localhost:5000/app", of("localhost:5000/app").token_url("http://localhost:5001/?scope=repository:localhost:5000/app:pull")),
        decisive("scope-has-registry-host", "docker.io/library", hub("scope=repository:docker.io/library/alpine:pull")),
        decisive("scope-has-registry-host", "registry-1", hub("scope=repository:registry-1.docker.io/library/alpine:pull")),
        silent("scope-has-registry-host", with_scope("repository:team/app:pull")),
        silent("scope-has-registry-host", with_scope("repository:reg.example.community/app:pull")),
        silent("scope-has-registry-host", of("reg.example.com/reg.example.com/app").token_url("https://auth.example.com/token?scope=repository:reg.example.com/app:pull")),
        silent("scope-has-registry-host", with_scope("repository:reg.example.com/team/app:pull").challenge(CHALLENGE.replace("team/", "reg.example.com/team/"))),
        //
        decisive("scope-has-tag", "\"team/app:1\"", with_scope("repository:team/app:1:pull")),
        decisive("scope-has-tag", "@sha256", with_scope(&format!("repository:{digest}:pull"))),
        decisive("scope-has-tag", "reg.example.com:5000/team/app:1", with_scope("repository:reg.example.com:5000/team/app:1:pull")),
        silent("scope-has-tag", with_scope("repository:reg.example.com:5000/team/app:pull")),
        silent("scope-has-tag", with_scope("repository:team/app:pull,push")),
        silent("scope-has-tag", with_scope("repository:team/app")),
        //
        decisive("scope-double-encoded", "%253A", with_scope("repository%253Ateam%252Fapp%253Apull")),
        decisive("scope-double-encoded", "repository:team%252Fapp:pull", with_scope("repository:team%252Fapp:pull")),
        decisive("scope-double-encoded", "\"team/app%3Apull\"", correct().token(claims(access("team/app%3Apull", &["pull"])))),
        silent("scope-double-encoded", with_scope("repository%3Ateam%2Fapp%3Apull")),
        silent("scope-double-encoded", given(&format!("{URL}&state=%253A"))),
        silent("scope-double-encoded", correct()),
        //
        decisive("scope-bad-joiner", "pull,repository:team/base:pull", with_scope("repository:team/app:pull,repository:team/base:pull")),
        decisive("scope-bad-joiner", "pull;repository", with_scope("repository:team/app:pull;repository:team/base:pull")),
        decisive("scope-bad-joiner", "pull,repository", with_scope("repository%3Ateam/app%3Apull%2Crepository%3Ateam/base%3Apull")),
        decisive("scope-bad-joiner", "pull, repository", with_scope("repository:team/app:pull,%20repository:team/base:pull")),
        silent("scope-bad-joiner", with_scope("repository:team/app:pull,push")),
        silent("scope-bad-joiner", with_scope("repository:team/app:pull+repository:team/base:pull")),
        silent("scope-bad-joiner", with_scope("repository:team/app:pull&scope=repository:team/base:pull")),
        silent("scope-bad-joiner", with_scope("repository:team/repository:pull,push")),
        //
        decisive("scope-without-pull", "\"push\" for \"team/app\"", with_scope("repository:team/app:push")),
        decisive("scope-without-pull", "\"\" for \"team/app\"", with_scope("repository:team/app")),
        decisive("scope-without-pull", "\"Pull\"", with_scope("repository:team/app:Pull")),
        silent("scope-without-pull", with_scope("repository:team/app:push,pull")),
        silent("scope-without-pull", with_scope("repository:team/app:*")),
        silent("scope-without-pull", with_scope("repository:team/base:push&scope=repository:team/app:pull")),
        silent("scope-without-pull", with_scope("registry:catalog:*")),
        silent("scope-without-pull", with_scope("aws")),
        silent("scope-without-pull", with_scope("repository:team/app:metadata_read").challenge(CHALLENGE.replace(":pull", ":metadata_read"))),
        //
        decisive("repository-uppercase", "\"Team/app\"", with_scope("repository:Team/app:pull")),
        decisive("repository-uppercase", "team/App", with_scope("repository:REG.example.com/team/App:pull")),
        silent("repository-uppercase", with_scope("repository:REG.example.com/team/app:pull")),
        silent("repository-uppercase", with_scope("repository:team/app:V1:pull")),
        silent("repository-uppercase", with_scope("repository:team%2Fapp:pull")),
        silent("repository-uppercase", with_scope("repository:Team/app:pull").challenge(CHALLENGE.replace("team", "Team"))),
        note("repository-uppercase", "Team/app", with_scope("repository:Team/app:pull").status(404)),
    ]
}
