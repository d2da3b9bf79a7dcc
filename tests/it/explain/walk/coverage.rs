//! Every cause that may be seen on regq's own walk has its row.

use super::{Case, challenge, claims, last, token};

const FINDINGS: &str = include_str!("../../../vectors/findings.tsv");

/// What no walk against this machine can show, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    // A registry on loopback may name any token server: the end-to-end test has public addresses.
    ("realm-private-address", "needs a registry with a public address"),
    // regq writes the prefix itself, so it is missing only where Docker Hub's challenge lacks it.
    ("library-prefix-missing", "needs Docker Hub"),
];

fn cases() -> impl Iterator<Item = &'static Case> {
    [challenge::CASES, token::CASES, claims::CASES, last::CASES].into_iter().flatten()
}

#[test]
fn every_cause_of_the_walk_is_shown() {
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

/// Those of which a walk shows no more than that they are good to know.
const SLIGHT: &[&str] = &["access-missing"];

#[test]
fn what_can_decide_does_so_in_a_row() {
    for line in FINDINGS.lines().skip(1).filter(|line| line.contains("\tdecisive\tboth\t")) {
        let id = line.split('\t').next().unwrap();
        let decides = cases().any(|case| case.id == id && case.severity == "decisive");
        let other = SLIGHT.contains(&id) || ELSEWHERE.iter().any(|(other, _)| *other == id);
        assert_eq!(decides, !other, "{id}");
    }
}
