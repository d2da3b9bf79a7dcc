//! Formats an explanation as text, for a terminal or an issue report.
//!
//! Prose is wrapped. Quoted values, URLs and commands are not broken, so that they can be searched for and copied.
//! Everything is escaped: most of it was sent by a server.

use regq::digest::Digest;
use regq::explain::{Explanation, Finding, Outcome, Severity};

use crate::cli::commands::explain::suggested_command::advice;
use crate::cli::docs::wrap::wrap;
use crate::cli::output::escaped;

/// The column at which the details of steps begin.
const DETAIL_COLUMN: usize = 15;

/// An explanation with everything that is printed about it.
pub(crate) struct Page<'a> {
    pub(crate) explanation: &'a Explanation,
    pub(crate) verdict: Verdict<'a>,
    pub(crate) command: Option<&'a str>,
    pub(crate) curl: Option<&'a [String; 2]>,
    /// Whether the curl commands were requested.
    pub(crate) wants_curl: bool,
}

/// How regq's own login attempt ended.
pub(crate) enum Verdict<'a> {
    /// It resolved the reference to this digest.
    Succeeded(&'a Digest),
    /// It failed. The hint is printed if no cause was found.
    Failed(Option<String>),
    /// regq made no attempt of its own.
    Offline,
}

const HEADINGS: [(Severity, &str); 3] = [
    (Severity::Decisive, "Cause"),
    (Severity::WouldFailNext, "Would fail next"),
    (Severity::Note, "Notes"),
];

impl Page<'_> {
    /// Returns the text, wrapped at `width` columns.
    pub(crate) fn text(&self, width: usize, color: bool) -> String {
        let mut out = Text { text: String::new(), width, color };
        let mut label = "";
        for step in &self.explanation.steps {
            let shown = if step.step == label { "" } else { step.step };
            label = step.step;
            out.wrapped(&format!("{shown:DETAIL_COLUMN$}"), DETAIL_COLUMN, &step.detail);
        }
        for (severity, heading) in HEADINGS {
            let findings = self.explanation.findings.iter();
            let mut findings = findings.filter(|one| one.severity == severity).peekable();
            if findings.peek().is_some() {
                out.heading(heading, severity);
            }
            findings.for_each(|finding| out.finding(finding));
        }
        self.verdict(&mut out);
        self.commands(&mut out);
        out.text
    }

    /// Prints how it ended, unless the findings above show it.
    fn verdict(&self, out: &mut Text) {
        let findings = &self.explanation.findings;
        let has_cause = findings.iter().any(|finding| finding.severity != Severity::Note);
        let no_data = self.explanation.steps.iter().all(|step| step.step == "name");
        let mut lines = Vec::new();
        match &self.verdict {
            Verdict::Succeeded(digest) => lines.push(format!("Success: {digest}")),
            Verdict::Failed(_) | Verdict::Offline if has_cause => {}
            Verdict::Failed(hint) => {
                lines.push("No cause was found: the error above is all that is known.".to_owned());
                lines.extend(hint.as_ref().map(|hint| format!("hint: {hint}")));
            }
            Verdict::Offline if no_data => {
                lines.push("You passed no data, so nothing was checked.".to_owned());
            }
            Verdict::Offline => {
                let Outcome { kind, status, .. } = self.explanation.outcome;
                lines.push(match status.filter(|_| kind.is_some()) {
                    None => "No problem was found in the data you passed.".to_owned(),
                    Some(status) => {
                        format!("The response is {status}, and the data you passed shows no cause.")
                    }
                });
            }
        }
        if !lines.is_empty() {
            out.blank();
        }
        for line in lines {
            out.wrapped("", 0, &line);
        }
    }

    /// Prints the suggested command and the curl commands.
    fn commands(&self, out: &mut Text) {
        let curl = self.curl.map(|commands| commands.as_slice()).unwrap_or_default();
        if self.command.is_none() && curl.is_empty() {
            return;
        }
        out.blank();
        if let Some(command) = self.command {
            // Only a command that regq has just carried out is known to work.
            let worked = matches!(self.verdict, Verdict::Succeeded(_));
            out.bold(if worked { "This works:" } else { "Try:" });
            out.command(command);
        }
        if let [first, second] = curl {
            out.wrapped("", 0, "With curl (put the token from the first response in T):");
            out.command(first);
            out.command(second);
        } else if self.wants_curl {
            out.wrapped("", 0, "No curl commands: the token server is unknown.");
        }
    }
}

/// The text so far.
struct Text {
    text: String,
    width: usize,
    color: bool,
}

impl Text {
    fn blank(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    fn painted(&mut self, code: &str, line: &str) {
        if self.color {
            self.text.push_str(&format!("\u{1b}[{code}m{line}\u{1b}[0m\n"));
        } else {
            self.line(line);
        }
    }

    fn bold(&mut self, line: &str) {
        self.painted("1", line);
    }

    fn heading(&mut self, line: &str, severity: Severity) {
        self.blank();
        let code = match severity {
            Severity::Decisive => "1;31",
            Severity::WouldFailNext => "1;33",
            Severity::Note => "1",
        };
        self.painted(code, line);
    }

    fn finding(&mut self, finding: &Finding) {
        self.bold(&format!("  {}: {}", finding.id, finding.brief));
        self.wrapped("    ", 4, &finding.evidence);
        self.wrapped("    fix: ", 9, &advice(finding));
    }

    /// Appends a label and a text. Continuation lines are indented to `column`.
    fn wrapped(&mut self, label: &str, column: usize, text: &str) {
        let mut prefix = label.to_owned();
        for line in wrap(&escaped(text), self.width.saturating_sub(column)) {
            self.line(&format!("{prefix}{line}"));
            prefix = " ".repeat(column);
        }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Appends a command on one line, so that it can be copied.
    fn command(&mut self, command: &str) {
        self.line(&format!("  {}", escaped(command)));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails should fail loudly")]
mod tests {
    use super::Text;
    use crate::cli::docs::wrap::columns;
    use crate::cli::{Environment, Process, run};
    use std::ffi::OsString;
    use std::io::Read;

    fn formatted(width: usize, write: impl FnOnce(&mut Text)) -> String {
        let mut text = Text { text: String::new(), width, color: false };
        write(&mut text);
        text.text
    }

    #[test]
    fn text_is_wrapped_at_spaces() {
        let text = formatted(20, |out| out.wrapped("label: ", 7, "one two three four five"));
        assert_eq!(text, "label: one two three\n       four five\n");
        assert_eq!(formatted(20, |out| out.wrapped("", 0, "\u{1b}[31m")), "\\u{1b}[31m\n");
    }

    #[test]
    fn urls_and_quoted_values_are_not_broken() {
        let url = format!("https://auth.example/token?service={}", "x".repeat(60));
        let text = formatted(40, |out| out.wrapped("", 0, &format!("GET {url} without")));
        assert_eq!(text, format!("GET\n{url}\nwithout\n"));
        let value = r#"scope "repository:a b:pull \" push""#;
        let text = formatted(40, |out| out.wrapped("", 0, &format!("challenge: Bearer, {value}")));
        assert_eq!(text, "challenge: Bearer, scope\n\"repository:a b:pull \\\" push\"\n");
    }

    #[test]
    fn quoted_text_that_is_longer_than_a_line_is_wrapped() {
        let text =
            formatted(20, |out| out.wrapped("", 0, &format!("says \"{}\"", "word ".repeat(9))));
        assert!(text.lines().all(|line| columns(line) <= 20), "{text}");
        let text = formatted(20, |out| out.wrapped("", 0, &format!("\"{}", "word ".repeat(9))));
        assert!(text.lines().all(|line| columns(line) <= 20), "{text}");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(columns("aé\u{301} \u{ac00}大ー！\u{1f600}\u{20000}"), 4 + 2 * 6);
        let text = formatted(20, |out| out.wrapped("", 0, &"大き い ".repeat(60)));
        assert_eq!(text.matches('い').count(), 60);
        assert!(text.lines().all(|line| columns(line) <= 20), "{text}");
    }

    #[test]
    fn commands_are_printed_on_one_line() {
        let command = format!("regq digest 'registry.example/{}'", "a b ".repeat(60));
        assert_eq!(formatted(40, |out| out.command(&command)), format!("  {command}\n"));
    }

    /// Runs an offline explanation and returns its text.
    fn printed(terminal: bool, no_color: bool) -> String {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let args = ["explain", "--offline", "--status", "403", "alpine"];
        let code = run(Process {
            args: args.map(OsString::from).to_vec(),
            environment: Environment { no_color, ..Environment::default() },
            stdin: Box::new(std::io::empty()),
            stdin_is_terminal: false,
            stdout: Box::new(writer),
            stdout_is_terminal: terminal,
            stderr: Box::new(std::io::sink()),
        });
        assert_eq!(code, 4);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn color_is_used_only_on_a_terminal() {
        let plain = printed(false, false);
        assert!(!plain.contains('\u{1b}'), "{plain}");
        assert_eq!(printed(true, true), plain);
        assert_eq!(printed(false, true), plain);
        let painted = printed(true, false);
        let bare: String = painted
            .split('\u{1b}')
            .enumerate()
            .map(|(at, part)| if at == 0 { part } else { part.split_once('m').unwrap().1 })
            .collect();
        assert!(painted.contains("\u{1b}[1;31mCause"), "{painted}");
        assert_eq!(bare, plain);
    }
}
