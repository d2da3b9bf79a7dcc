//! An explanation as text, for a terminal or an issue report: aligned, at most 100 columns wide, and without
//! anything in it that a server could use to mislead.

use regq::explain::{Explanation, Finding, Outcome, Severity};

use crate::cli::output::escaped;

/// How wide it is at most.
const WIDTH: usize = 100;
/// Where the details of steps begin.
const COLUMN: usize = 15;

/// An explanation, and what goes with it.
pub(crate) struct Page<'a> {
    pub(crate) explanation: &'a Explanation,
    pub(crate) verdict: Verdict<'a>,
    pub(crate) command: Option<&'a str>,
    pub(crate) curl: Option<&'a [String; 2]>,
    /// True when the curl commands were asked for.
    pub(crate) wants_curl: bool,
}

/// How it ended.
pub(crate) enum Verdict<'a> {
    /// With this digest.
    Worked(&'a str),
    /// Without, and what there is to say where no cause is known.
    Refused(Option<String>),
    /// Nobody was asked.
    Offline,
}

const HEADINGS: [(Severity, &str); 3] = [
    (Severity::Decisive, "This decided, and is reported first:"),
    (Severity::WouldFailNext, "Mended, this would have failed next:"),
    (Severity::Note, "Good to know:"),
];

impl Page<'_> {
    /// The whole text.
    pub(crate) fn text(&self, colour: bool) -> String {
        let mut out = Text { text: String::new(), colour };
        let mut label = "";
        for step in &self.explanation.steps {
            let shown = if step.step == label { "" } else { step.step };
            label = step.step;
            out.wrapped(&format!("{shown:COLUMN$}"), COLUMN, &step.detail);
        }
        for (severity, heading) in HEADINGS {
            let mut findings =
                self.explanation.findings.iter().filter(|f| f.severity == severity).peekable();
            if findings.peek().is_some() {
                out.heading(heading, severity);
            }
            findings.for_each(|finding| out.finding(finding));
        }
        self.end(&mut out);
        out.text
    }

    fn end(&self, out: &mut Text) {
        let above = self.explanation.findings.iter().any(|f| f.severity != Severity::Note);
        let empty = self.explanation.steps.iter().all(|step| step.step == "name");
        match &self.verdict {
            Verdict::Worked(digest) => {
                out.blank();
                out.wrapped("", 0, &format!("The login worked: {digest}"));
            }
            Verdict::Refused(None) | Verdict::Offline if above => {}
            Verdict::Refused(hint) => {
                if !above {
                    out.blank();
                    out.wrapped(
                        "",
                        0,
                        "No cause of a refused login was found: the error above is all there is.",
                    );
                }
                if let Some(hint) = hint.as_ref().filter(|_| !above) {
                    out.wrapped("hint: ", 6, hint);
                }
            }
            Verdict::Offline if empty => {
                out.blank();
                out.wrapped("", 0, "Nothing was given to judge.");
            }
            Verdict::Offline => {
                out.blank();
                let Outcome { kind, status, .. } = self.explanation.outcome;
                match status.filter(|_| kind.is_some()) {
                    None => out.wrapped("", 0, "Nothing wrong was found in what was given."),
                    Some(status) => {
                        let answer = format!("The answer was {status}, and no cause of it");
                        out.wrapped("", 0, &format!("{answer} was found in what was given."));
                    }
                }
            }
        }
        let curl = self.curl.map(|commands| commands.as_slice()).unwrap_or_default();
        if self.command.is_none() && curl.is_empty() {
            return;
        }
        out.blank();
        if let Some(command) = self.command {
            out.bold("This works:");
            out.command(command);
        }
        if let [first, second] = curl {
            out.wrapped(
                "",
                0,
                "By hand, with the token of the first answer in the variable T for the second:",
            );
            out.command(first);
            out.command(second);
        } else if self.wants_curl {
            out.wrapped(
                "",
                0,
                "There are no curl commands for it: no token server is known that could be asked.",
            );
        }
    }
}

/// A text under way.
struct Text {
    text: String,
    colour: bool,
}

impl Text {
    fn blank(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    fn painted(&mut self, code: &str, line: &str) {
        if self.colour {
            self.text.push_str(&format!("\u{1b}[{code}m{line}\u{1b}[0m\n"));
        } else {
            self.text.push_str(line);
            self.text.push('\n');
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
            _ => "1",
        };
        self.painted(code, line);
    }

    fn finding(&mut self, finding: &Finding) {
        self.bold(&format!("  {}: {}", finding.id, finding.brief));
        self.wrapped("      ", 6, &finding.evidence);
        self.wrapped("   -> ", 6, &finding.advice);
    }

    /// Words behind a label, in lines that begin at the same column.
    fn wrapped(&mut self, label: &str, column: usize, detail: &str) {
        let detail = escaped(detail);
        let width = WIDTH.saturating_sub(column);
        let mut begun = label.to_owned();
        let mut used = 0;
        for word in detail.split(' ') {
            let mut rest = word;
            if used > 0 && used + 1 + columns(rest) <= width {
                begun.push(' ');
                used += 1;
            } else if used > 0 {
                self.line(&begun);
                (begun, used) = (" ".repeat(column), 0);
            }
            while let Some((line, next)) = cut(rest, width.saturating_sub(used)) {
                begun.push_str(line);
                self.line(&begun);
                (begun, used, rest) = (" ".repeat(column), 0, next);
            }
            begun.push_str(rest);
            used += columns(rest);
        }
        self.line(&begun);
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// A command, in lines that a shell reads as one.
    fn command(&mut self, command: &str) {
        let mut line = " ".to_owned();
        let mut words = words(&escaped(command)).into_iter().peekable();
        while let Some(word) = words.next() {
            // A short flag stays with what it takes. Room for ` \` at the end.
            let with = words.peek().filter(|_| word.len() == 2 && word.starts_with('-'));
            let length = columns(&word) + with.map_or(0, |with| 1 + columns(with));
            if !line.trim().is_empty() && columns(&line) + 1 + length > WIDTH - 2 {
                self.line(&format!("{line} \\"));
                line = "   ".to_owned();
            }
            // A shell reads on behind it by itself.
            if word == "&&" {
                self.line(&format!("{line} &&"));
                line = "   ".to_owned();
                continue;
            }
            line.push(' ');
            let room = (WIDTH - 2).saturating_sub(columns(&line));
            let pieces = pieces(&word, room);
            for (at, piece) in pieces.iter().enumerate() {
                if at > 0 {
                    // At the beginning of a line, where a shell joins it to the word.
                    self.line(&format!("{line}\\"));
                    line = String::new();
                }
                line.push_str(piece);
            }
        }
        self.line(&line);
    }
}

/// Characters that a terminal gives two columns, as far as whole blocks of them go: Hangul, kana, Han, full-width
/// forms, emoji.
const WIDE: [(char, char); 9] = [
    ('\u{1100}', '\u{115f}'),
    ('\u{2e80}', '\u{a4cf}'),
    ('\u{ac00}', '\u{d7a3}'),
    ('\u{f900}', '\u{faff}'),
    ('\u{fe30}', '\u{fe6f}'),
    ('\u{ff00}', '\u{ff60}'),
    ('\u{ffe0}', '\u{ffe6}'),
    ('\u{1f300}', '\u{1faff}'),
    ('\u{20000}', '\u{3fffd}'),
];

/// How many columns a character takes at most.
fn width(character: char) -> usize {
    let wide = WIDE.iter().any(|(first, last)| (*first..=*last).contains(&character));
    if wide { 2 } else { 1 }
}

/// How many columns a text takes at most.
fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// Where the first character begins for which there is no room; `None` where there is room for all. One always
/// has room: what is cut must get shorter.
fn beyond(text: &str, room: usize) -> Option<usize> {
    let mut used = 0;
    let full = |(at, character): &(usize, char)| {
        used += width(*character);
        used > room && *at > 0
    };
    text.char_indices().find(full).map(|(at, _)| at)
}

/// The part of a word that fits, and the rest, where all of it does not: cut behind a character that separates
/// things where there is one late enough.
fn cut(word: &str, room: usize) -> Option<(&str, &str)> {
    let end = beyond(word, room)?;
    let (fits, _) = word.split_at_checked(end)?;
    let behind = fits.rfind([',', '&', '?', '/']).map(|at| at + 1).filter(|at| *at > end / 2);
    word.split_at_checked(behind.unwrap_or(end))
}

/// The words of a command line, quotes and all.
pub(crate) fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quote, mut escaped) = (None, false);
    for c in command.chars() {
        match (c, quote) {
            _ if std::mem::take(&mut escaped) => {}
            ('\\', None | Some('"')) => escaped = true,
            (' ', None) => {
                words.push(String::new());
                continue;
            }
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words
}

/// A word in pieces that a shell reads as that word when nothing is between them; whole where it fits, or where
/// cutting it is not safe.
fn pieces(word: &str, room: usize) -> Vec<String> {
    let quoted = word.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let (inside, quote) = match quoted {
        Some(inside) => (inside, "'"),
        None => (word, ""),
    };
    let safe = quoted.is_some() || !inside.contains(['\'', '"', '\\']);
    if columns(word) <= room || !safe {
        return vec![word.to_owned()];
    }
    let most = room.saturating_sub(2).max(1);
    let (mut pieces, mut rest) = (Vec::new(), inside);
    while let Some(end) = beyond(rest, most) {
        // A single quote within quotes is written in four characters, which stay together.
        let quotes = rest.match_indices(APOSTROPHE).map(|(at, _)| (at, at + APOSTROPHE.len()));
        let end = match quotes.take_while(|(at, _)| *at < end).last() {
            Some((at, behind)) if at > 0 && behind > end => at,
            Some((_, behind)) => end.max(behind),
            None => end,
        };
        let Some((piece, next)) = rest.split_at_checked(end) else { break };
        pieces.push(piece);
        rest = next;
    }
    pieces.push(rest);
    pieces.into_iter().map(|piece| format!("{quote}{piece}{quote}")).collect()
}

/// A single quote where single quotes are around it.
const APOSTROPHE: &str = r"'\''";

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that fails should fail loudly")]
mod tests {
    use super::{Text, WIDTH, columns};
    use crate::cli::{Environment, Process, run};
    use std::ffi::OsString;
    use std::io::Read;
    use std::process::Command;

    fn shown(write: impl FnOnce(&mut Text)) -> String {
        let mut text = Text { text: String::new(), colour: false };
        write(&mut text);
        assert!(text.text.lines().all(|line| columns(line) <= WIDTH), "{}", text.text);
        text.text
    }

    #[test]
    fn words_are_wrapped_and_what_is_longer_is_cut() {
        let long = "x".repeat(250);
        let text = shown(|out| out.wrapped("label: ", 7, &format!("a {long} b")));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.first(), Some(&"label: a"));
        assert!(lines.iter().skip(1).all(|line| line.starts_with("       ")));
        assert_eq!(text.matches('x').count(), 250);
        assert_eq!(shown(|out| out.wrapped("", 0, "\u{1b}[31m")), "\\u{1b}[31m\n");
    }

    #[test]
    fn what_takes_two_columns_is_counted_so() {
        assert_eq!(columns("aé\u{301} \u{ac00}大ー！\u{1f600}\u{20000}"), 4 + 2 * 6);
        let text = shown(|out| out.wrapped("label: ", 7, &format!("a {} b", "大".repeat(120))));
        assert_eq!(text.matches('大').count(), 120);
        assert_eq!(text.lines().nth(1).map(columns), Some(99), "{text}");
        let text = shown(|out| out.wrapped("", 0, &"大き い ".repeat(60)));
        assert_eq!(text.matches('い').count(), 60);
        shown(|out| out.command(&format!("regq '{}' {}", "大".repeat(120), "大 ".repeat(90))));
    }

    #[test]
    fn a_shell_reads_a_command_of_many_lines_as_one() {
        let url = format!("'https://auth.example/token?{}'", "service=x&scope=y ".repeat(30));
        let plain = format!("registry.example/{}", "a".repeat(240));
        let apostrophes = format!("'{}'", r"it'\''s x ".repeat(40));
        let apostrophe = format!(r"'https://a.example/it'\''s{}'", "x".repeat(150));
        for word in [&url, &plain, "'a b'", "short", &apostrophes, &apostrophe] {
            let command = format!(
                "printf %s {word} -H \"Accept: $T\" 'Accept: it'\\''s {}'",
                "m ".repeat(60)
            );
            let text = shown(|out| out.command(&command));
            let read = |script: &str| {
                let output = Command::new("sh").args(["-c", script]).env("T", "t").output();
                output.map(|output| output.stdout).unwrap_or_default()
            };
            let printed = read(&text);
            assert!(!printed.is_empty());
            assert_eq!(printed, read(&command), "{text}");
        }
    }

    /// What is printed of an attempt without anybody being asked.
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
    fn there_is_colour_on_a_terminal_and_only_there() {
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
        assert!(painted.contains("\u{1b}[1;31mThis decided"), "{painted}");
        assert_eq!(bare, plain);
    }
}
