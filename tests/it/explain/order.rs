//! Which finding is decisive: that of the first failed check, or the one that the response itself states.

use super::given_builder::{
    CHALLENGE, DATE, HUB, NAME, Supplied, URL, access, claims, correct, jwt, of,
};
use serde_json::json;

/// The original story: three faults, of which the registry reports one.
pub(super) fn story() -> Supplied {
    of("alpine")
        .token_url(
            "https://auth.docker.io/token?service=index.docker.io&scope=repository:alpine:pull",
        )
        .token(jwt(
            "{\"typ\":\"JWT\",\"alg\":\"RS256\"}",
            "{\"access\":[],\"aud\":\"index.docker.io\",\"exp\":1474547283,\"iat\":1474546983,\
             \"iss\":\"auth.docker.io\",\"jti\":\"x7Ha\",\"nbf\":1474546983,\"sub\":\"\"}",
        ))
        .challenge(HUB.replace("library/", ""))
        .error("invalid_token")
}

#[track_caller]
fn order(supplied: Supplied, expected: &[&str]) {
    assert_eq!(supplied.found(), expected, "{supplied:#?}");
}

#[test]
fn first_failed_check_of_three_is_decisive() {
    let expected = [
        "decisive service-mismatch",
        "decisive audience-mismatch",
        "would-fail-next scope-lost-in-shell",
        "would-fail-next library-prefix-missing",
        "would-fail-next access-empty",
    ];
    order(story(), &expected);
    assert_eq!(story().explain().decisive().map(|one| one.id), Some("service-mismatch"));
    // Expiry is checked only if the Date is known. That check precedes access.
    order(
        story().date("Thu, 22 Sep 2016 13:00:00 GMT"),
        &[&expected[..2], &["would-fail-next token-expired"], &expected[2..]].concat(),
    );
}

/// Distribution checks signature, issuer, audience and times before access, so this proves that those passed.
#[test]
fn insufficient_scope_proves_that_audience_and_times_passed() {
    let supplied = || story().challenge(HUB.replace("library/", "")).error("insufficient_scope");
    let expected = [
        "decisive scope-lost-in-shell",
        "decisive library-prefix-missing",
        "decisive access-empty",
        "decisive insufficient-scope",
        "note service-mismatch",
        "note audience-mismatch",
    ];
    order(supplied(), &expected);
    let expired = [&expected[..], &["note token-expired"]].concat();
    order(supplied().date("Thu, 22 Sep 2030 13:00:00 GMT"), &expired);
}

#[test]
fn invalid_token_with_a_right_audience_is_about_the_key() {
    order(
        correct().token(claims(json!({"access": []}))).error("invalid_token"),
        &[
            "decisive token-rejected",
            "would-fail-next scope-lost-in-shell",
            "would-fail-next access-empty",
        ],
    );
    // It also proves that challenge, realm and token server worked.
    order(
        correct().challenge(CHALLENGE.replace("https", "http")).error("invalid_token"),
        &["decisive token-rejected", "note realm-plain-http"],
    );
}

#[test]
fn later_checks_are_listed_in_order() {
    let faulty = || {
        let other = json!({"aud": "x", "exp": 1_474_546_000, "access": [
            {"type": "repository", "name": "team/app", "actions": []}]});
        correct().token(claims(other)).error("invalid_token").date(DATE)
    };
    order(
        faulty(),
        &[
            "decisive audience-mismatch",
            "would-fail-next token-expired",
            "would-fail-next access-no-actions",
        ],
    );
    order(
        faulty().token_url("https://other.example/token?service=x&scope=repository:team/app:push"),
        &[
            "decisive token-url-not-realm",
            "would-fail-next service-mismatch",
            "would-fail-next audience-mismatch",
            "would-fail-next token-expired",
            "would-fail-next scope-without-pull",
            "would-fail-next access-no-actions",
        ],
    );
    order(
        faulty().token(jwt("{\"alg\":\"none\"}", "{}")).token_url(URL.replace("reg.", "r.")),
        &["decisive token-damaged", "would-fail-next service-mismatch"],
    );
}

#[test]
fn without_a_token_the_challenge_is_decisive() {
    let requested = || of(NAME).token_url(URL.replace("=reg.", "=r.").replace(":pull", ":push"));
    let rest = ["would-fail-next service-mismatch", "would-fail-next scope-without-pull"];
    let plain = requested().challenge(CHALLENGE.replace("https:", "http:"));
    order(plain, &[&["decisive realm-plain-http"], &rest[..]].concat());
    order(
        requested().challenge(CHALLENGE),
        &["decisive service-mismatch", "would-fail-next scope-without-pull"],
    );
    order(requested().challenge("Basic realm=\"a\""), &["decisive basic-only", rest[1]]);
    order(requested().challenge(""), &["decisive challenge-missing", rest[1]]);
}

#[test]
fn causes_stated_by_the_response_are_decisive() {
    let faulty = || {
        correct().no_challenge().challenge(CHALLENGE).token_url(URL.replace("team/", "team%252F"))
    };
    let expected = |id| ["decisive scope-double-encoded".to_owned(), format!("decisive {id}")];
    let forbidden = faulty().status(403);
    assert_eq!(forbidden.found(), expected("forbidden"));
    assert_eq!(
        faulty().status(429).found(),
        ["decisive rate-limited", "would-fail-next scope-double-encoded"]
    );
    assert_eq!(
        faulty().status(407).found(),
        ["decisive proxy-auth-required", "would-fail-next scope-double-encoded"]
    );
    assert_eq!(
        faulty().status(404).codes(&["NAME_UNKNOWN"]).found(),
        ["decisive not-found", "note scope-double-encoded"]
    );
    assert_eq!(faulty().status(404).found(), ["note scope-double-encoded"]);
    let manifest = faulty().status(200).body("{\"schemaVersion\":2}");
    assert_eq!(manifest.found(), ["note scope-double-encoded"]);
    assert_eq!(
        faulty().status(200).body("<html>").found(),
        ["decisive not-a-registry", "decisive not-a-manifest", "note scope-double-encoded"]
    );
    let flipped =
        correct().token(claims(access("team/app", &[]))).challenge("Basic realm=\"harbor\"");
    order(flipped, &["decisive access-no-actions", "decisive challenge-flipped-to-basic"]);
}

/// With a token, the challenge belongs to the response to the token; otherwise to the first response.
#[test]
fn with_a_token_the_challenge_belongs_to_the_final_response() {
    let token = claims(json!({}));
    for (line, first, second) in [
        ("", "challenge-missing", "rejected-without-challenge"),
        ("Basic realm=\"a\"", "basic-only", "challenge-flipped-to-basic"),
    ] {
        let supplied = || of(NAME).challenge(line);
        order(supplied(), &[&format!("decisive {first}")]);
        order(supplied().token(token.clone()), &[&format!("decisive {second}")]);
    }
    let invalid = of(NAME).challenge(CHALLENGE).error("invalid_token");
    order(invalid, &[]);
}

/// Missing data is unknown, never absent.
#[test]
fn missing_data_is_unknown_not_absent() {
    for supplied in [
        of(NAME),
        of(""),
        of(NAME).status(401),
        of(NAME).token_url(URL),
        of(NAME).challenge(CHALLENGE),
        of(NAME).token(claims(json!({"access": [], "aud": "x", "exp": 1}))),
        of(NAME).token(claims(json!({}))).status(401),
        of("").challenge(CHALLENGE).token_url(URL).token(claims(json!({}))),
        of(NAME).date(DATE),
        of(NAME).body("denied"),
    ] {
        order(supplied, &[]);
    }
}
