//! What of all that was seen decided the answer, what would have failed next, and what is only good to know.
//!
//! A registry makes its checks in an order and reports the first that fails. The findings of that check are
//! decisive; those of earlier checks are disproved by the answer, those of later ones come next.

use crate::error::Error;
use crate::explain::attempt::Attempt;
use crate::explain::rules::{self, Check, Rule};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It decided the answer.
    Decisive,
    /// It would have failed once the decisive ones are mended.
    WouldFailNext,
    /// Good to know.
    Note,
}

impl Severity {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Decisive => "decisive",
            Severity::WouldFailNext => "would-fail-next",
            Severity::Note => "note",
        }
    }
}

/// A finding, and where it stands in the order in which they are told.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    pub(super) evidence: String,
    pub(super) advice: String,
}

/// Judges an attempt by all rules.
pub(super) fn judge(attempt: &Attempt<'_>) -> Vec<Judged> {
    let may_judge = |rule: &&Rule| attempt.given || !rule.kind.is_given_only();
    let seen =
        rules::all().filter(may_judge).filter_map(|rule| Some((rule, (rule.sees)(attempt)?)));
    let seen: Vec<_> = seen.collect();
    // An answer to the question itself proves that all checks before it passed; a 401 is none.
    let answers = |rule: &Rule| rule.kind.is_answer() && rule.check == Check::Question;
    let answered = attempt.last.status != Some(401) && seen.iter().any(|(rule, _)| answers(rule));
    let passed = passed(attempt).max(if answered { Check::Question } else { Check::Door });
    let seen: Vec<_> = seen
        .into_iter()
        .map(|(rule, sign)| {
            let disproved = rule.check < passed && !rule.kind.is_answer();
            let note = rule.kind.is_note() || sign.slight || disproved || attempt.succeeded();
            (rule, sign.evidence, note)
        })
        .collect();
    // An answer that no check gives was given before any of them.
    let door = !matches!(attempt.last.status, None | Some(200..=299 | 401 | 403 | 404));
    let refused = seen.iter().filter(|(_, _, note)| !note).map(|(rule, ..)| rule.check).min();
    let refused = refused.filter(|_| !door);
    let severity = |rule: &Rule, note: bool| match note {
        true => Severity::Note,
        false if rule.kind.is_answer() || Some(rule.check) == refused => Severity::Decisive,
        false => Severity::WouldFailNext,
    };
    seen.into_iter()
        .map(|(rule, evidence, note)| Judged {
            rule,
            severity: severity(rule, note),
            evidence,
            advice: filled(rule.advice, attempt),
        })
        .collect()
}

/// All findings in the order in which they are told, each once: the given pieces' before regq's own.
pub(super) fn in_order(findings: impl Iterator<Item = Judged>) -> Vec<Judged> {
    let mut all: Vec<Judged> = Vec::new();
    for finding in findings {
        let Some(known) = all.iter_mut().find(|known| known.rule.id == finding.rule.id) else {
            all.push(finding);
            continue;
        };
        let (evidence, other) = (&known.evidence, &finding.evidence);
        let both = format!("{evidence}; on regq's own walk: {other}");
        let evidence = if evidence == other { evidence.clone() } else { both };
        let worse = finding.severity < known.severity;
        *known = Judged { evidence, ..if worse { finding } else { known.clone() } };
    }
    let place = |id: &str| rules::all().position(|rule| rule.id == id);
    // Causes come before what they cause; of what would fail next, earlier checks before later ones.
    all.sort_by_key(|finding| {
        let next = finding.severity == Severity::WouldFailNext;
        (finding.severity, next.then_some(finding.rule.check), place(finding.rule.id))
    });
    all
}

/// The first check that is not known to have passed.
fn passed(attempt: &Attempt<'_>) -> Check {
    let last = &attempt.last;
    let of_token = if last.token_sent { Check::Token } else { Check::Door };
    let reached = match attempt.server {
        Some(server) if server.reply.is_some() => Check::TokenAnswer,
        Some(_) if matches!(attempt.error, Some(Error::Connection(_) | Error::Deadline { .. })) => {
            Check::TokenAnswer
        }
        Some(_) | None => Check::Door,
    };
    let own = if attempt.given { Check::Door } else { of_token.max(reached) };
    match (last.status, attempt.error_code()) {
        (Some(200..=299), _) => Check::Passed,
        (Some(404), _) => Check::Question,
        (Some(401), Some("insufficient_scope")) => Check::Access,
        (Some(401), Some("invalid_token")) => own.max(of_token),
        _ => own,
    }
}

/// Fills in what the advice is about.
fn filled(advice: &str, attempt: &Attempt<'_>) -> String {
    let service = attempt.param("service").map(str::to_owned);
    let realm = attempt.realm().map(|realm| realm.redacted());
    let site = attempt.site.as_ref().map(|site| site.url.origin().to_string());
    let known = [
        ("{service}", service, "(the challenge's service)"),
        ("{repository}", attempt.wanted(), "(the repository)"),
        ("{scope}", attempt.right_scope(), "(the challenge's scope)"),
        ("{realm}", realm, "(the challenge's realm)"),
        ("{registry}", site, "the registry"),
    ];
    known.into_iter().fold(advice.to_owned(), |text, (name, value, unknown)| {
        text.replace(name, value.as_deref().unwrap_or(unknown))
    })
}
