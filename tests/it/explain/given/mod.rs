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

use crate::explain::given_builder::{self as builder, CHALLENGE, HUB, NAME, Pieces, of, sound};

const FINDINGS: &str = include_str!("../../../vectors/findings.tsv");

/// Supplied data, and whether it shows a finding.
pub(super) struct Row {
    id: &'static str,
    pieces: Pieces,
    says: Says,
}

enum Says {
    /// It does, with this text in the evidence.
    Sign(Severity, &'static str),
    /// It nearly does.
    Silent,
}

pub(super) fn decisive(id: &'static str, evidence: &'static str, pieces: Pieces) -> Row {
    Row { id, pieces, says: Says::Sign(Severity::Decisive, evidence) }
}

pub(super) fn next(id: &'static str, evidence: &'static str, pieces: Pieces) -> Row {
    Row { id, pieces, says: Says::Sign(Severity::WouldFailNext, evidence) }
}

pub(super) fn note(id: &'static str, evidence: &'static str, pieces: Pieces) -> Row {
    Row { id, pieces, says: Says::Sign(Severity::Note, evidence) }
}

pub(super) fn silent(id: &'static str, pieces: Pieces) -> Row {
    Row { id, pieces, says: Says::Silent }
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
        "the status of the token server's answer cannot be given",
    ),
    (&["realm-unreachable"], "it takes a connection"),
    (&["local-clock-skew"], "it takes the time at which two answers came"),
    (&["authorization-lost"], "two answers are compared"),
    (&["registry-moved"], "a redirect cannot be given"),
    (
        &["issuer-unexpected"],
        "the given token is held against one that regq got: its rows are in `beside`",
    ),
];

#[test]
fn every_row_has_its_finding_or_none() {
    let mut wrong = Vec::new();
    for Row { id, pieces, says } in rows() {
        let findings = pieces.explain().findings;
        let found = findings.iter().find(|finding| finding.id == id);
        let fits = match (&says, found) {
            (Says::Silent, None) => true,
            (Says::Sign(severity, evidence), Some(found)) => {
                found.severity == *severity && found.evidence.contains(evidence)
            }
            (Says::Silent, Some(_)) | (Says::Sign(..), None) => false,
        };
        let expected = match says {
            Says::Silent => "nothing".to_owned(),
            Says::Sign(severity, evidence) => format!("{} with {evidence:?}", severity.as_str()),
        };
        if !fits {
            let found: Vec<_> = findings
                .iter()
                .map(|one| format!("{} {}: {}", one.severity.as_str(), one.id, one.evidence))
                .collect();
            wrong.push(format!("{id}: expected {expected}, found {found:#?}\nin {pieces:?}"));
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
        let worst_seen = of.iter().filter_map(|row| match row.says {
            Says::Sign(severity, _) => Some(severity.as_str()),
            Says::Silent => None,
        });
        let has_sign = worst_seen.clone().any(|severity| severity == worst);
        let never_more =
            worst == "decisive" || worst_seen.clone().all(|severity| severity == worst);
        let has_miss = of.iter().any(|row| matches!(row.says, Says::Silent));
        match elsewhere.contains(id) {
            true => assert!(worst_seen.count() == 0, "{id} does show in pieces"),
            false => assert!(has_sign && never_more && has_miss, "{id}"),
        }
    }
    assert!(elsewhere.is_subset(&listed), "{elsewhere:?}");
    assert!(rows.iter().all(|row| listed.contains(row.id)));
}

#[test]
fn a_correct_login_has_no_finding() {
    assert_eq!(sound().found(), Vec::<String>::new());
    // Checks that all data is used.
    let pieces = [sound(), sound().error("invalid_token"), sound().status(403)];
    assert!(pieces[1..].iter().all(|pieces| !pieces.found().is_empty()));
}

/// Advice contains the correct value if it is known, and never the wrong one.
#[test]
fn advice_contains_the_correct_value() {
    let asked = |scope: &str| format!("https://auth.example.com/token?service=s&scope={scope}");
    let tagged = || asked("repository:team/app:1:pull");
    let [more, read] =
        [":pull,push", ":metadata_read"].map(|actions| CHALLENGE.replace(":pull", actions));
    let library = HUB.replace("library/", "");
    let rows = [
        ("scope-has-tag", of(NAME).asked(tagged()), "scope=repository:team/app:pull"),
        ("scope-has-tag", of("").asked(tagged()), "scope=(the challenge's scope)"),
        (
            "scope-has-tag",
            of("").asked(tagged()).challenge(CHALLENGE),
            "scope=repository:team/app:pull",
        ),
        (
            "scope-without-pull",
            of(NAME).asked(asked("repository:team/app")),
            "repository:team/app:pull",
        ),
        (
            "insufficient-scope",
            sound().challenge(more).error("insufficient_scope"),
            ": repository:team/app:pull,push",
        ),
        (
            "insufficient-scope",
            sound().challenge(read).error("insufficient_scope"),
            ": repository:team/app:metadata_read",
        ),
        (
            "insufficient-scope",
            of("alpine").challenge(library).error("insufficient_scope"),
            ": repository:library/alpine:pull",
        ),
        ("service-mismatch", sound().asked(asked("aws")), "service=reg.example.com,"),
        (
            "token-url-not-realm",
            sound().asked("https://a.example"),
            "https://auth.example.com/token",
        ),
        (
            "library-prefix-missing",
            of("alpine").asked(asked("repository:alpine:pull")),
            "use library/alpine",
        ),
        (
            "access-empty",
            sound().token(builder::claims(json!({"access": []}))),
            "the challenge's is repository:team/app:pull",
        ),
        ("challenge-missing", of(NAME).challenge(""), "request https://reg.example.com/v2/"),
    ];
    for (id, pieces, advice) in rows {
        let findings = pieces.explain().findings;
        let found = findings.iter().find(|finding| finding.id == id).expect(id);
        assert!(found.advice.contains(advice), "{found:?}");
    }
}
