//! Every finding on supplied data is found in data that shows it, and not in data that nearly does.
//!
//! The rows are in this folder's files, by the stage at which a login fails.

mod challenge;
mod claims;
mod last;
mod request;

use std::collections::BTreeSet;

use regq::explain::Severity;
use serde_json::json;

use crate::explain::given_builder::{self as builder, CHALLENGE, HUB, NAME, Supplied, correct, of};

const FINDINGS: &str = include_str!("../../../vectors/findings.tsv");

/// Supplied data, and whether it shows a finding.
pub(super) struct Row {
    id: &'static str,
    supplied: Supplied,
    expected: Expected,
}

enum Expected {
    /// It does, with this text in the evidence.
    Evidence(Severity, &'static str),
    /// It nearly does.
    Nothing,
}

pub(super) fn decisive(id: &'static str, evidence: &'static str, supplied: Supplied) -> Row {
    Row { id, supplied, expected: Expected::Evidence(Severity::Decisive, evidence) }
}

pub(super) fn next(id: &'static str, evidence: &'static str, supplied: Supplied) -> Row {
    Row { id, supplied, expected: Expected::Evidence(Severity::WouldFailNext, evidence) }
}

pub(super) fn note(id: &'static str, evidence: &'static str, supplied: Supplied) -> Row {
    Row { id, supplied, expected: Expected::Evidence(Severity::Note, evidence) }
}

pub(super) fn silent(id: &'static str, supplied: Supplied) -> Row {
    Row { id, supplied, expected: Expected::Nothing }
}

fn rows() -> Vec<Row> {
    let tables = [challenge::rows(), request::rows(), claims::rows(), last::rows()];
    tables.into_iter().flatten().collect()
}

/// Findings that supplied data cannot show, and why.
const WALK_ONLY: &[(&[&str], &str)] = &[
    (
        &[
            "credentials-rejected",
            "login-required",
            "token-denied",
            "token-request-refused",
            "token-endpoint-not-found",
            "token-method-not-allowed",
            "token-endpoint-unavailable",
            "token-redirected",
        ],
        "the status of the token server's response cannot be supplied",
    ),
    (&["realm-unreachable"], "this needs a connection"),
    (&["local-clock-skew"], "this needs the times of two responses"),
    (&["authorization-lost"], "this compares two responses"),
    (&["registry-moved"], "a redirect cannot be supplied"),
    (
        &["issuer-unexpected"],
        "the supplied token is compared with one that regq got: its tests are in `given_and_walk`",
    ),
];

#[test]
fn every_row_has_its_finding_or_none() {
    let mut wrong = Vec::new();
    for Row { id, supplied, expected } in rows() {
        let findings = supplied.explain().findings;
        let found = findings.iter().find(|finding| finding.id == id);
        let fits = match (&expected, found) {
            (Expected::Nothing, None) => true,
            (Expected::Evidence(severity, evidence), Some(found)) => {
                found.severity == *severity && found.evidence.contains(evidence)
            }
            (Expected::Nothing, Some(_)) | (Expected::Evidence(..), None) => false,
        };
        let expected = match expected {
            Expected::Nothing => "nothing".to_owned(),
            Expected::Evidence(severity, evidence) => {
                format!("{} with {evidence:?}", severity.as_str())
            }
        };
        if !fits {
            let found: Vec<_> = findings
                .iter()
                .map(|one| format!("{} {}: {}", one.severity.as_str(), one.id, one.evidence))
                .collect();
            wrong.push(format!("{id}: expected {expected}, found {found:#?}\nin {supplied:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// No row exceeds the severity in the list.
#[test]
fn every_finding_has_a_positive_and_a_negative_row() {
    let rows = rows();
    let elsewhere: BTreeSet<_> =
        WALK_ONLY.iter().flat_map(|(ids, _)| ids.iter().copied()).collect();
    let mut listed = BTreeSet::new();
    for line in FINDINGS.lines().skip(1) {
        let fields: Vec<_> = line.split('\t').collect();
        let [id, _, worst, ..] = fields[..] else { panic!("{line}") };
        listed.insert(id);
        let of: Vec<_> = rows.iter().filter(|row| row.id == id).collect();
        let worst_seen = of.iter().filter_map(|row| match row.expected {
            Expected::Evidence(severity, _) => Some(severity.as_str()),
            Expected::Nothing => None,
        });
        let has_positive_row = worst_seen.clone().any(|severity| severity == worst);
        let never_more =
            worst == "decisive" || worst_seen.clone().all(|severity| severity == worst);
        let has_miss = of.iter().any(|row| matches!(row.expected, Expected::Nothing));
        match elsewhere.contains(id) {
            true => assert!(worst_seen.count() == 0, "{id} is shown by supplied data"),
            false => assert!(has_positive_row && never_more && has_miss, "{id}"),
        }
    }
    assert!(elsewhere.is_subset(&listed), "{elsewhere:?}");
    assert!(rows.iter().all(|row| listed.contains(row.id)));
}

#[test]
fn a_correct_login_has_no_finding() {
    assert_eq!(correct().found(), Vec::<String>::new());
    // Checks that all data is used.
    let supplied = [correct(), correct().error("invalid_token"), correct().status(403)];
    assert!(supplied[1..].iter().all(|supplied| !supplied.found().is_empty()));
}

/// Advice contains the correct value if it is known, and never the wrong one.
#[test]
fn advice_contains_the_correct_value() {
    let url_with_scope =
        |scope: &str| format!("https://auth.example.com/token?service=s&scope={scope}");
    let tagged = || url_with_scope("repository:team/app:1:pull");
    let [more, read] =
        [":pull,push", ":metadata_read"].map(|actions| CHALLENGE.replace(":pull", actions));
    let library = HUB.replace("library/", "");
    let rows = [
        ("scope-has-tag", of(NAME).token_url(tagged()), "scope=repository:team/app:pull"),
        ("scope-has-tag", of("").token_url(tagged()), "scope=(the challenge's scope)"),
        (
            "scope-has-tag",
            of("").token_url(tagged()).challenge(CHALLENGE),
            "scope=repository:team/app:pull",
        ),
        (
            "scope-without-pull",
            of(NAME).token_url(url_with_scope("repository:team/app")),
            "repository:team/app:pull",
        ),
        (
            "insufficient-scope",
            correct().challenge(more).error("insufficient_scope"),
            ": repository:team/app:pull,push",
        ),
        (
            "insufficient-scope",
            correct().challenge(read).error("insufficient_scope"),
            ": repository:team/app:metadata_read",
        ),
        (
            "insufficient-scope",
            of("alpine").challenge(library).error("insufficient_scope"),
            ": repository:library/alpine:pull",
        ),
        (
            "service-mismatch",
            correct().token_url(url_with_scope("aws")),
            "service=reg.example.com,",
        ),
        (
            "token-url-not-realm",
            correct().token_url("https://a.example"),
            "https://auth.example.com/token",
        ),
        (
            "library-prefix-missing",
            of("alpine").token_url(url_with_scope("repository:alpine:pull")),
            "use library/alpine",
        ),
        (
            "access-empty",
            correct().token(builder::claims(json!({"access": []}))),
            "it should be repository:team/app:pull",
        ),
        // A value with braces is not filled in again.
        (
            "service-mismatch",
            of(NAME)
                .challenge(r#"Bearer realm="https://auth.example.com/token",service="{realm}""#)
                .token_url("https://auth.example.com/token?service=x"),
            "service={realm},",
        ),
        ("challenge-missing", of(NAME).challenge(""), "request https://reg.example.com/v2/"),
    ];
    for (id, supplied, advice) in rows {
        let findings = supplied.explain().findings;
        let found = findings.iter().find(|finding| finding.id == id).expect(id);
        assert!(found.advice.contains(advice), "{found:?}");
    }
}
