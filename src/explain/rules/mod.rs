//! The findings: one row for each cause of failure, with its sign, its worst severity, and what to do.
//!
//! The names are a promise to scripts. What of all that is seen decided the answer is judged in `decide`, not
//! here. Each file holds the rows and the signs of one stage.

mod challenge;
mod claims;
mod final_response;
mod rule;
mod token_request;
mod token_response;

pub(super) use self::rule::{Check, Rule};

/// All rules in the order in which they are told: causes before what they cause.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    [
        challenge::RULES,
        token_request::RULES,
        token_response::RULES,
        claims::RULES,
        final_response::RULES,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::all;

    /// `id stage severity from sign cause advice number`, one line each.
    const FINDINGS: &str = include_str!("../../../tests/vectors/findings.tsv");

    #[test]
    fn every_finding_of_the_list_has_a_rule_of_its_severity_and_source() {
        let mut listed: Vec<_> = FINDINGS
            .lines()
            .skip(1)
            .map(|line| {
                let mut fields = line.split('\t');
                let (id, _stage) = (fields.next(), fields.next());
                (id, fields.next() == Some("note"), fields.next() == Some("given"))
            })
            .collect();
        let mut rules: Vec<_> = all()
            .map(|rule| (Some(rule.id), rule.kind.is_note(), rule.kind.is_given_only()))
            .collect();
        listed.sort_unstable();
        rules.sort_unstable();
        assert_eq!(rules, listed);
    }

    #[test]
    fn rules_speak_in_few_words_and_end_without_a_dot() {
        for rule in all() {
            assert!(rule.brief.len() <= 66, "{}", rule.id);
            assert!(!rule.brief.ends_with('.') && !rule.advice.ends_with('.'), "{}", rule.id);
        }
    }

    #[test]
    fn the_list_for_people_is_this_one() {
        let list = include_str!("../../../docs/findings.md");
        let row = |rule: &super::Rule| {
            let judged = if rule.kind.is_given_only() { "given" } else { "both" };
            let most = if rule.kind.is_note() { "note" } else { "decisive" };
            format!("| `{}` | {} | {} | {most} | {judged} |", rule.id, rule.brief, rule.advice)
        };
        let rows: Vec<_> = all().map(row).collect();
        let listed: Vec<_> = list.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(listed, rows, "\n{}", rows.join("\n"));
    }
}
