//! Tables of findings on regq's own walk: a script that shows each finding, and one that nearly does.

pub(super) mod challenge;
pub(super) mod claims;
mod coverage;
pub(super) mod last;
pub(super) mod token;

use regq::{Client, Config, Kind, Reference};

use crate::explain::{Script, ScriptedResponse, run_script};

/// A finding with a script that shows it.
pub(super) struct Case {
    pub(super) id: &'static str,
    pub(super) severity: &'static str,
    /// Texts in the evidence. `HOST` is the registry, `ELSE` the second server.
    pub(super) names: &'static [&'static str],
    pub(super) shows: fn() -> Script,
    pub(super) nearly: fn() -> Script,
}

/// Runs every row.
#[track_caller]
pub(super) fn check(cases: &[Case]) {
    let mut wrong = Vec::new();
    for Case { id, severity, names, shows, nearly } in cases {
        let results = run_script(shows());
        match results.finding(id) {
            None => wrong.push(format!("{id} is not found: {results}")),
            Some((found, evidence)) => {
                let evidence = results.named(evidence);
                let missing: Vec<_> = names.iter().filter(|n| !evidence.contains(**n)).collect();
                if found != *severity {
                    wrong.push(format!("{id} is {found}, not {severity}: {results}"));
                }
                if !missing.is_empty() {
                    wrong.push(format!("{id} does not name {missing:?}: {evidence}"));
                }
            }
        }
        let results = run_script(nearly());
        if let Some((found, evidence)) = results.finding(id) {
            wrong.push(format!("{id} is {found} where it should be silent: {evidence}{results}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

#[test]
fn the_library_walks_and_explains() {
    let (server, _) = Script::new().last(ScriptedResponse::new(403)).start();
    let mut config = Config::default();
    config.plain_http = true;
    let client = Client::new(config).unwrap();
    let reference = Reference::parse(&format!("{}/team/app:1.0", server.authority())).unwrap();
    let walk = regq::explain::walk(&client, &reference);
    assert_eq!(walk.result.as_ref().unwrap_err().kind(), Kind::Denied);
    let explanation = walk.explain(&reference);
    assert_eq!(explanation.decisive().map(|finding| finding.id), Some("forbidden"));
    assert!(explanation.manual.is_some());
}
