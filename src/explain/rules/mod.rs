//! The rules: one for each cause of failure, with its evidence, its worst severity, its advice and its remedy.
//!
//! Rule ids are stable; scripts rely on them. Rules only detect. Which finding was decisive is decided in `ranking`.
//! Each file holds the rules of one stage of the login.

mod challenge;
mod claims;
mod final_response;
mod rule;
mod token_request;
mod token_response;

pub use self::rule::Remedy;
pub(super) use self::rule::{Check, Rule};

/// All rules in the order in which findings are reported: causes before their effects.
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

    /// One finding per line: `id stage severity from sign cause advice number`.
    const FINDINGS: &str = include_str!("../../../tests/vectors/findings.tsv");

    #[test]
    fn every_listed_finding_has_a_rule_of_its_severity_and_source() {
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
    fn texts_are_short_have_no_final_dot_and_name_no_flag() {
        for rule in all() {
            // A finding's heading is `  id: brief`.
            assert!(rule.id.len() + rule.brief.len() + 4 <= 80, "{}", rule.id);
            for text in [rule.brief, rule.advice] {
                assert!(!text.ends_with('.') && !text.contains("--"), "{}", rule.id);
            }
        }
    }

    #[test]
    fn the_documentation_lists_every_rule() {
        let document = include_str!("../../../docs/findings.md");
        let row = |rule: &super::Rule| {
            let from = if rule.kind.is_given_only() { "given" } else { "both" };
            let worst = if rule.kind.is_note() { "note" } else { "decisive" };
            format!("| `{}` | {} | {} | {worst} | {from} |", rule.id, rule.brief, rule.advice)
        };
        let rows: Vec<_> = all().map(row).collect();
        let listed: Vec<_> = document.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(listed, rows, "\n{}", rows.join("\n"));
    }
}
