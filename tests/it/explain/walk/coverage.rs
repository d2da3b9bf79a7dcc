//! Checks that every finding of a walk has a row in the tables of this folder.

use super::{Case, challenge, claims, last, token};

const FINDINGS: &str = include_str!("../../../vectors/findings.tsv");

/// Findings that no walk on loopback can show, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    // A loopback registry may name any token server. The end-to-end tests use public addresses.
    ("realm-private-address", "needs a registry with a public address"),
    // regq adds the prefix itself, so only Docker Hub's challenge could lack it.
    ("library-prefix-missing", "needs Docker Hub"),
];

fn cases() -> impl Iterator<Item = &'static Case> {
    [challenge::CASES, token::CASES, claims::CASES, last::CASES].into_iter().flatten()
}

#[test]
fn every_finding_of_the_walk_has_a_row() {
    for line in FINDINGS.lines().skip(1) {
        let fields: Vec<_> = line.split('\t').collect();
        let [id, _, worst, from, ..] = fields.as_slice() else { panic!("{line}") };
        let shown: Vec<_> = cases().filter(|case| case.id == *id).collect();
        let elsewhere = ELSEWHERE.iter().any(|(other, _)| other == id);
        assert_eq!(!shown.is_empty(), *from == "both" && !elsewhere, "{id}");
        for case in &shown {
            assert!(*worst == "decisive" || case.severity == "note", "{id} is {}", case.severity);
        }
    }
}

/// Findings that are only notes on a walk.
const SLIGHT: &[&str] = &["access-missing"];

#[test]
fn every_decisive_finding_is_decisive_in_a_row() {
    for line in FINDINGS.lines().skip(1).filter(|line| line.contains("\tdecisive\tboth\t")) {
        let id = line.split('\t').next().unwrap();
        let decides = cases().any(|case| case.id == id && case.severity == "decisive");
        let other = SLIGHT.contains(&id) || ELSEWHERE.iter().any(|(other, _)| *other == id);
        assert_eq!(decides, !other, "{id}");
    }
}
