//! Tables of findings on regq's own walk: a script that shows each finding, and one that nearly does.

pub(super) mod challenge;
pub(super) mod claims;
mod coverage;
pub(super) mod last;
pub(super) mod token;

use crate::explain::{Script, play};

/// A finding with a script that shows it.
pub(super) struct Case {
    pub(super) id: &'static str,
    pub(super) severity: &'static str,
    /// Texts in the evidence. `HOST` is the registry, `ELSE` the second server.
    pub(super) names: &'static [&'static str],
    pub(super) sign: fn() -> Script,
    pub(super) near: fn() -> Script,
}

/// Runs every row.
#[track_caller]
pub(super) fn check(cases: &[Case]) {
    let mut wrong = Vec::new();
    for Case { id, severity, names, sign, near } in cases {
        let played = play(sign());
        match played.finding(id) {
            None => wrong.push(format!("{id} is not found: {played}")),
            Some((found, evidence)) => {
                let evidence = played.named(evidence);
                let missing: Vec<_> = names.iter().filter(|n| !evidence.contains(**n)).collect();
                if found != *severity {
                    wrong.push(format!("{id} is {found}, not {severity}: {played}"));
                }
                if !missing.is_empty() {
                    wrong.push(format!("{id} does not name {missing:?}: {evidence}"));
                }
            }
        }
        let played = play(near());
        if let Some((found, evidence)) = played.finding(id) {
            wrong.push(format!("{id} is {found} where it should be silent: {evidence}{played}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}
