//! Generates the man page from the tables of commands and flags, in the `man` macros of roff that groff and mandoc support.
//!
//! Texts from the tables are inserted as values of a template, which escapes them. `\&` before a value keeps roff from
//! reading it as a request.

use crate::cli::args::commands::COMMANDS;
use crate::cli::args::flags::{self, Group};
use crate::cli::docs::help::{ABOUT, ENVIRONMENT, EXIT_CODES, STREAMS};
use crate::cli::docs::template::{Escapes, fill};

/// Characters that are special in roff, or that it prints as a typographic variant.
const ESCAPES: &Escapes = &[
    ('\\', "\\(rs"),
    ('-', "\\-"),
    ('\'', "\\(aq"),
    ('`', "\\(ga"),
    ('"', "\\(dq"),
    ('~', "\\(ti"),
    ('^', "\\(ha"),
];

/// The date is that of the version: a build must give the same bytes on every day. Hyphenation is off, so that names can be
/// copied from the page.
const BEGIN: &str = concat!(
    ".TH REGQ 1 2026-11-21 \"regq ",
    env!("CARGO_PKG_VERSION"),
    "\" \"User Commands\"
.nr HY 0
.nh
.ad l
.SH NAME
regq \\- query container registries
.SH SYNOPSIS
.nf
"
);
const DESCRIPTION: &str = "\
\\fBregq \\-\\-generate\\fR KIND
.fi
.SH DESCRIPTION
";
const COMMANDS_BEGIN: &str = "\
.PP
Flags can be given anywhere, also before the command; \\-\\- ends them.
A value is the next word, or follows =.
.SH COMMANDS
";

const ENTRY: &str = ".TP\n\\fB%n\\fR\n\\&%h\n";
/// Command lines are not wrapped.
const EXAMPLE: &str = ".PP\n.EX\n\\&%n\n.EE\n.RS\n\\&%h\n.RE\n";

/// Lists of terms and their meanings.
const ENTRIES: [(&str, &[(&str, &str)]); 3] = [
    (".SH EXIT STATUS\n", EXIT_CODES),
    (".SH ENVIRONMENT\n", ENVIRONMENT),
    (
        ".SH FILES\n",
        &[
            ("~/.docker/config.json", "credentials of docker; login and logout change this file"),
            ("$XDG_RUNTIME_DIR/containers/auth.json", "credentials of podman for this session"),
            ("~/.config/containers/auth.json", "permanent credentials of podman"),
        ],
    ),
];

const EXAMPLES: &str = "\
.SH EXAMPLES
One for each command; COMMANDS has more.
";

const SEE_ALSO: &str = "\
.SH SEE ALSO
docker\\-login(1), podman\\-login(1), skopeo(1), containers\\-auth.json(5)
";

/// Returns the man page, `regq.1`.
pub(crate) fn page() -> String {
    let mut page = BEGIN.to_owned();
    let out = &mut page;
    for command in COMMANDS {
        add(out, "\\fBregq %n\\fR %h\n", command.name, &command.synopsis());
    }
    out.push_str(DESCRIPTION);
    ABOUT.iter().for_each(|text| add(out, "\\&%h\n", "", text));
    paragraphs(out, STREAMS);
    out.push_str(COMMANDS_BEGIN);
    for command in COMMANDS {
        add(out, ".SS regq %n %h\n", command.name, &command.synopsis());
        add(out, "\\&%h.\n", "", command.summary);
        for alias in command.aliases {
            add(out, ".PP\n\\&%n is the same command.\n", alias, "");
        }
        paragraphs(out, command.about);
        let mut heading = ".PP\nFlags:\n";
        for flag in flags::all().filter(|flag| flag.group != Group::General && command.takes(flag))
        {
            add(out, heading, "", "");
            add(out, "\\-\\-%n\n", flag.long, "");
            heading = "";
        }
        command.examples.iter().for_each(|(line, purpose)| add(out, EXAMPLE, line, purpose));
    }
    out.push_str(".SH FLAGS\n");
    for group in Group::ALL {
        add(out, ".SS %n\n", group.heading(), "");
        for flag in flags::all().filter(|flag| flag.group == group) {
            let short = flag.short.map(|short| format!("-{short}, ")).unwrap_or_default();
            add(out, ".TP\n\\fB%n\\-\\-%h\\fR", &short, flag.long);
            if let Some(name) = flag.value_name() {
                add(out, " %n", name, "");
            }
            add(out, "\n\\&%h.\n", "", &flag.help_with_default());
            let details = flag.details();
            if !details.is_empty() {
                add(out, "\\&%h\n", "", &details);
            }
        }
    }
    for (heading, entries) in ENTRIES {
        out.push_str(heading);
        entries.iter().for_each(|(term, meaning)| add(out, ENTRY, term, meaning));
    }
    out.push_str(EXAMPLES);
    for (line, purpose) in COMMANDS.iter().filter_map(|command| command.examples.first()) {
        add(out, EXAMPLE, line, purpose);
    }
    out.push_str(SEE_ALSO);
    page
}

/// Appends paragraphs. The first paragraph after a heading needs none of this.
fn paragraphs(out: &mut String, texts: &[&str]) {
    texts.iter().for_each(|text| add(out, ".PP\n\\&%h\n", "", text));
}

/// Appends a template with a name for `%n` and a text for `%h`.
fn add(out: &mut String, template: &str, name: &str, text: &str) {
    fill(out, ESCAPES, template, &[('n', name), ('h', text)]);
}

#[cfg(test)]
mod tests {
    use super::{ENTRIES, add, page};
    use crate::cli::args::commands::COMMANDS;
    use crate::cli::args::flags;

    /// Escapes a text for the page.
    fn escaped(text: &str) -> String {
        let mut out = String::new();
        add(&mut out, "%n", text, "");
        out
    }

    #[test]
    fn texts_are_escaped() {
        let expected = "\\(aqbr \\(rsn it\\(aqs \\(dq\\(ti\\(dq \\(ha \\(gaa\\-b\\(ga";
        assert_eq!(escaped("'br \\n it's \"~\" ^ `a-b`"), expected);
    }

    #[test]
    fn only_known_requests_are_used() {
        let known = [
            ".TH", ".SH", ".SS", ".PP", ".TP", ".EX", ".EE", ".RS", ".RE", ".nf", ".fi", ".nr",
            ".nh", ".ad",
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
            ".TH REGQ 1 2026-11-21 \"regq 0.1.0\" \"User Commands\"\n.nr HY 0\n.nh\n.ad l\n.SH NAME\nregq \\- query \
             container registries\n.SH SYNOPSIS\n.nf\n\\fBregq digest\\fR [FLAGS] REF...\n"
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
    fn page_contains_all_commands_and_flags() {
        let page = page();
        let expect_once = |part: String| assert_eq!(page.matches(&part).count(), 1, "{part}");
        let expect =
            |text: &str| assert!(page.contains(&format!("\n\\&{}", escaped(text))), "{text}");
        for command in COMMANDS {
            expect_once(format!("\n.SS regq {} ", command.name));
            expect(command.summary);
            command.about.iter().for_each(|text| expect(text));
            for (line, purpose) in command.examples {
                let (line, purpose) = (escaped(line), escaped(purpose));
                assert!(page.contains(&format!("\n\\&{line}\n.EE\n.RS\n\\&{purpose}\n")), "{line}");
            }
        }
        for flag in flags::all() {
            let short = flag.short.map(|short| format!("\\-{short}, ")).unwrap_or_default();
            expect_once(format!("\n.TP\n\\fB{short}{}\\fR", escaped(&format!("--{}", flag.long))));
            expect(&flag.help_with_default());
            expect(&flag.details());
        }
        for (term, meaning) in ENTRIES.iter().flat_map(|(_, entries)| *entries) {
            expect_once(format!(".TP\n\\fB{}\\fR\n\\&{}\n", escaped(term), escaped(meaning)));
        }
    }
}
