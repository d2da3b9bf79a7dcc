//! Ranks findings: which one decided the response, which would have failed next, which are only notes.
//!
//! A registry makes its checks in a fixed order and reports the first that fails. The findings of that check are
//! decisive. The response disproves findings of earlier checks; those of later checks would fail next.

use crate::error::Error;
use crate::explain::attempt::Attempt;
use crate::explain::rules::{self, Check, Rule};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It decided the response.
    Decisive,
    /// It would have failed once the decisive findings are fixed.
    WouldFailNext,
    /// Useful to know.
    Note,
}

impl Severity {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Decisive => "decisive",
            Severity::WouldFailNext => "would-fail-next",
            Severity::Note => "note",
        }
    }
}

/// A rule that detected something, with its severity and its texts.
#[derive(Debug, Clone)]
pub(super) struct RankedFinding {
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    pub(super) evidence: String,
    pub(super) advice: String,
}

/// Applies all rules to an attempt and ranks what they detect.
pub(super) fn rank(attempt: &Attempt<'_>) -> Vec<RankedFinding> {
    let applies = |rule: &&Rule| attempt.given || !rule.kind.is_given_only();
    let detect = |rule: &'static Rule| Some((rule, (rule.detect)(attempt)?));
    let detected: Vec<_> = rules::all().filter(applies).filter_map(detect).collect();
    // A response about the manifest proves that all checks before it passed, unless it is a 401.
    let about_manifest = |rule: &Rule| rule.kind.is_response() && rule.check == Check::Manifest;
    let manifest_reached =
        attempt.last.status != Some(401) && detected.iter().any(|(rule, _)| about_manifest(rule));
    let passed = first_open_check(attempt).max(if manifest_reached {
        Check::Manifest
    } else {
        Check::Transport
    });
    let is_note = |rule: &Rule, minor: bool| {
        let disproved = rule.check < passed && !rule.kind.is_response();
        rule.kind.is_note() || minor || disproved || attempt.succeeded()
    };
    // A status that no check of a registry returns comes from before all of them.
    let before_checks = !matches!(attempt.last.status, None | Some(200..=299 | 401 | 403 | 404));
    let causes = detected.iter().filter(|(rule, evidence)| !is_note(rule, evidence.minor));
    let failed_check = causes.map(|(rule, _)| rule.check).min().filter(|_| !before_checks);
    let severity = |rule: &Rule, minor: bool| match is_note(rule, minor) {
        true => Severity::Note,
        false if rule.kind.is_response() || Some(rule.check) == failed_check => Severity::Decisive,
        false => Severity::WouldFailNext,
    };
    detected
        .iter()
        .map(|(rule, evidence)| RankedFinding {
            rule,
            severity: severity(rule, evidence.minor),
            evidence: evidence.text.clone(),
            advice: advice(rule.advice, attempt),
        })
        .collect()
}

/// Merges findings of one rule, those of the supplied attempt first, and sorts them in reporting order.
pub(super) fn in_order(findings: impl Iterator<Item = RankedFinding>) -> Vec<RankedFinding> {
    let mut all: Vec<RankedFinding> = Vec::new();
    for finding in findings {
        let Some(known) = all.iter_mut().find(|known| known.rule.id == finding.rule.id) else {
            all.push(finding);
            continue;
        };
        let evidence = if known.evidence == finding.evidence {
            finding.evidence.clone()
        } else {
            format!("{}; in regq's own login: {}", known.evidence, finding.evidence)
        };
        let worse = finding.severity < known.severity;
        *known = RankedFinding { evidence, ..if worse { finding } else { known.clone() } };
    }
    let position = |id: &str| rules::all().position(|rule| rule.id == id);
    // Causes come before their effects. Among those that would fail next, earlier checks come first.
    all.sort_by_key(|finding| {
        let next = finding.severity == Severity::WouldFailNext;
        (finding.severity, next.then_some(finding.rule.check), position(finding.rule.id))
    });
    all
}

/// The first check that is not known to have passed.
fn first_open_check(attempt: &Attempt<'_>) -> Check {
    let last = &attempt.last;
    let after_token = if last.token_sent { Check::Token } else { Check::Transport };
    let reached = match attempt.token_exchange {
        Some(exchange) if exchange.response.is_some() => Check::TokenResponse,
        Some(_) if matches!(attempt.error, Some(Error::Connection(_) | Error::Deadline { .. })) => {
            Check::TokenResponse
        }
        Some(_) | None => Check::Transport,
    };
    let own = if attempt.given { Check::Transport } else { after_token.max(reached) };
    match (last.status, attempt.error_code()) {
        (Some(200..=299), _) => Check::Passed,
        (Some(404), _) => Check::Manifest,
        (Some(401), Some("insufficient_scope")) => Check::Access,
        (Some(401), Some("invalid_token")) => own.max(after_token),
        _ => own,
    }
}

/// Fills in the placeholders of an advice text.
fn advice(template: &str, attempt: &Attempt<'_>) -> String {
    fill(template, |name| {
        let (value, unknown) = match name {
            "service" => {
                (attempt.challenge_param("service").map(str::to_owned), "(the challenge's service)")
            }
            "repository" => (attempt.expected_repository(), "(the repository)"),
            "scope" => (attempt.correct_scope(), "(the challenge's scope)"),
            "required_scope" => (attempt.required_scope(), "(the challenge's scope)"),
            "realm" => (attempt.realm().map(|realm| realm.redacted()), "(the challenge's realm)"),
            "registry" => {
                let source = attempt.source.as_ref();
                (source.map(|source| source.url.origin().to_string()), "the registry")
            }
            _ => return None,
        };
        Some(value.unwrap_or_else(|| unknown.to_owned()))
    })
}

/// Replaces `{name}` in one pass: values come from servers, and may contain braces too. Unknown names stay.
fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, next)) = after.split_once('}') else { break };
        text.push_str(before);
        text.push_str(&value(name).unwrap_or_else(|| format!("{{{name}}}")));
        rest = next;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn values_with_braces_are_not_filled_in_again() {
        let value = |name: &str| match name {
            "service" => Some("{realm}".to_owned()),
            "realm" => Some("https://a.example/t".to_owned()),
            _ => None,
        };
        assert_eq!(
            fill("use {service} at {realm}, {other} {", value),
            "use {realm} at https://a.example/t, {other} {"
        );
    }
}
