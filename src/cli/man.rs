//! The man page, made from the tables in the `man` macros of roff that groff and mandoc both know.
//!
//! Only what help does not say is written here. Text of the tables goes through [`Roff::text`] or
//! [`escaped`], so that none of it is a request or an escape of roff's.

use super::flags::{FLAGS, Flag, Group, Take};
use super::help::{ABOUT, ENVIRONMENT, EXIT_CODES, STREAMS, synopsis};
use super::table::{COMMANDS, Command};

/// The day is that of the version, not of the build, which has to give the same bytes on every day.
const TITLE: &str =
    concat!(".TH REGQ 1 2026-11-21 \"regq ", env!("CARGO_PKG_VERSION"), "\" \"User Commands\"");

/// Names are copied from the page, so that none of them is hyphenated.
const AS_TYPED: &str = ".nh\n.ad l";

const WORD_ORDER: &str = "Flags may stand anywhere, before the command too; -- ends them. A value \
                          is the next word, or follows =.";

const FILES: &[(&str, &str)] = &[
    ("~/.docker/config.json", "docker's credentials, which login and logout change"),
    ("$XDG_RUNTIME_DIR/containers/auth.json", "podman's credentials of this session"),
    ("~/.config/containers/auth.json", "podman's lasting credentials"),
];

const SEE_ALSO: &str = "docker-login(1), podman-login(1), skopeo(1), containers-auth.json(5)";

/// The page, `regq.1`.
pub(crate) fn page() -> String {
    let mut out = Roff::default();
    out.line(TITLE);
    out.line(AS_TYPED);
    out.section("NAME");
    out.line("regq \\- ask container registries questions");
    out.section("SYNOPSIS");
    out.line(".nf");
    for command in COMMANDS {
        out.term(&format!("regq {}", command.name), &synopsis(command));
    }
    out.term("regq --generate", "KIND");
    out.line(".fi");
    out.section("DESCRIPTION");
    for text in [ABOUT, STREAMS, &[WORD_ORDER]].into_iter().flatten() {
        out.paragraph(text);
    }
    out.section("COMMANDS");
    COMMANDS.iter().for_each(|command| out.command(command));
    out.section("FLAGS");
    for group in Group::ALL {
        let heading = if group == Group::Answer { "Answer" } else { group.heading() };
        out.line(&format!(".SS {heading}"));
        FLAGS.iter().filter(|flag| flag.group == group).for_each(|flag| out.flag(flag));
    }
    out.section("EXIT STATUS");
    out.entries(EXIT_CODES);
    out.section("ENVIRONMENT");
    out.entries(ENVIRONMENT);
    out.section("FILES");
    out.entries(FILES);
    out.section("EXAMPLES");
    COMMANDS.iter().filter_map(|command| command.examples.first()).for_each(|it| out.example(it));
    out.section("SEE ALSO");
    out.text(SEE_ALSO);
    out.text
}

/// A page under way.
#[derive(Default)]
struct Roff {
    text: String,
}

impl Roff {
    /// A line of roff.
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A line of text. A dot or an apostrophe at its beginning would make a request of it.
    fn text(&mut self, text: &str) {
        self.text.push_str("\\&");
        self.line(&escaped(text));
    }

    fn section(&mut self, heading: &str) {
        self.text.push_str(".SH ");
        self.line(heading);
    }

    /// Begins a paragraph; behind a heading there is one already.
    fn begin(&mut self) {
        if !self.text.lines().next_back().is_some_and(|line| line.starts_with(".S")) {
            self.line(".PP");
        }
    }

    fn paragraph(&mut self, text: &str) {
        self.begin();
        self.text(text);
    }

    /// A name in bold, and what stands behind it.
    fn term(&mut self, name: &str, behind: &str) {
        let line = format!("\\fB{}\\fR {}", escaped(name), escaped(behind));
        self.line(line.trim_end());
    }

    fn entries(&mut self, entries: &[(&str, &str)]) {
        for (term, meaning) in entries {
            self.line(".TP");
            self.term(term, "");
            self.text(meaning);
        }
    }

    fn command(&mut self, command: &Command) {
        self.line(&format!(".SS regq {} {}", command.name, escaped(&synopsis(command))));
        self.paragraph(&format!("{}.", command.summary));
        for alias in command.aliases {
            self.paragraph(&format!("{alias} is the same command."));
        }
        command.about.iter().for_each(|text| self.paragraph(text));
        let own = FLAGS.iter().filter(|flag| flag.group != Group::General && command.takes(flag));
        let own: Vec<_> = own.map(|flag| format!("--{}", flag.long)).collect();
        if !own.is_empty() {
            self.paragraph(&format!("Flags: {}.", own.join(", ")));
        }
        command.examples.iter().for_each(|example| self.example(example));
    }

    fn flag(&mut self, flag: &Flag) {
        let short = flag.short.map(|short| format!("-{short}, ")).unwrap_or_default();
        let value = match flag.take {
            Take::Value(name, _) => name,
            Take::Switch(_) | Take::Help | Take::Version => "",
        };
        self.line(".TP");
        self.term(&format!("{short}--{}", flag.long), value);
        self.text(format!("{}. {}", flag.help, flag.more).trim_end());
    }

    /// A command line, which stays one however long it is, and what it is for.
    fn example(&mut self, (line, what): &(&str, &str)) {
        self.begin();
        self.line(".EX");
        self.text(line);
        self.line(".EE\n.RS");
        self.text(what);
        self.line(".RE");
    }
}

/// The text with what roff would read, or show as a typographic relative of it, written as escapes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        escaped.push_str(match letter {
            '\\' => "\\(rs",
            '-' => "\\-",
            '\'' => "\\(aq",
            '`' => "\\(ga",
            '"' => "\\(dq",
            '~' => "\\(ti",
            '^' => "\\(ha",
            _ => {
                escaped.push(letter);
                continue;
            }
        });
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{Roff, escaped, page};
    use crate::cli::flags::FLAGS;
    use crate::cli::help::{ENVIRONMENT, EXIT_CODES};
    use crate::cli::table::COMMANDS;

    #[test]
    fn text_is_neither_request_nor_escape() {
        let mut out = Roff::default();
        out.text(".br");
        out.text("'br \\n it's \"~\" ^ `a-b`");
        assert_eq!(
            out.text,
            "\\&.br\n\\&\\(aqbr \\(rsn it\\(aqs \\(dq\\(ti\\(dq \\(ha \\(gaa\\-b\\(ga\n"
        );
    }

    #[test]
    fn requests_are_those_of_the_page_itself() {
        let known = [
            ".TH", ".SH", ".SS", ".PP", ".TP", ".EX", ".EE", ".RS", ".RE", ".nf", ".fi", ".nh",
            ".ad",
        ];
        for line in page().lines() {
            let word = line.split(' ').next().unwrap_or_default();
            assert!(known.contains(&word) || !line.starts_with(['.', '\'']), "{line}");
            assert!(!line.is_empty() && line.is_ascii(), "{line:?}");
        }
    }

    #[test]
    fn sections_are_in_order() {
        let page = page();
        assert!(page.starts_with(
            ".TH REGQ 1 2026-11-21 \"regq 0.1.0\" \"User Commands\"\n.nh\n.ad l\n.SH NAME\nregq \\- ask \
             container registries questions\n.SH SYNOPSIS\n.nf\n\\fBregq digest\\fR [FLAGS] REF...\n"
        ));
        let sections: Vec<_> = page.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
        assert_eq!(
            sections,
            [
                "NAME",
                "SYNOPSIS",
                "DESCRIPTION",
                "COMMANDS",
                "FLAGS",
                "EXIT STATUS",
                "ENVIRONMENT",
                "FILES",
                "EXAMPLES",
                "SEE ALSO"
            ]
        );
    }

    #[test]
    fn everything_is_in_it() {
        let page = page();
        let once = |part: String| assert_eq!(page.matches(&part).count(), 1, "{part}");
        for command in COMMANDS {
            once(format!(".SS regq {} ", command.name));
            command.about.iter().for_each(|text| assert!(page.contains(&escaped(text)), "{text}"));
            for (line, what) in command.examples {
                let (line, what) = (escaped(line), escaped(what));
                assert!(page.contains(&format!("\\&{line}\n.EE\n.RS\n\\&{what}\n")), "{line}");
            }
        }
        for flag in FLAGS {
            let name = escaped(&format!("--{}", flag.long));
            let found = page.matches(&format!("\n.TP\n\\fB{name}\\fR")).count();
            let short = page.matches(&format!(", {name}\\fR\n")).count();
            assert_eq!(found + usize::from(flag.short.is_some()) * short, 1, "{name}");
            assert!(page.contains(&escaped(flag.more)), "{name}");
        }
        for (term, meaning) in EXIT_CODES.iter().chain(ENVIRONMENT) {
            once(format!(".TP\n\\fB{term}\\fR\n\\&{}\n", escaped(meaning)));
        }
    }
}
