//! Checks the tables of commands and flags, and everything that is generated from them.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use regq::registry::Config;

use crate::cli::args::commands::{self, COMMANDS};
use crate::cli::args::flags::{self, Flag, Group};
use crate::cli::args::parser::{Detail, Invocation, parse};
use crate::cli::args::suggest::{self, FOREIGN};
use crate::cli::args::values;
use crate::cli::docs::help as help_text;
use crate::cli::docs::help::help;
use crate::cli::failure::hint;

mod readme;

/// A stderr that can be read afterwards.
#[derive(Clone, Default)]
pub(crate) struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    pub(crate) fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn names_are_unique() {
    let mut names = HashSet::new();
    for command in COMMANDS {
        for name in std::iter::once(&command.name).chain(command.aliases) {
            assert!(names.insert(name.to_string()), "{name} twice");
        }
    }
    for flag in flags::all() {
        assert!(names.insert(format!("--{}", flag.long)), "--{} twice", flag.long);
        if let Some(short) = flag.short {
            assert!(names.insert(format!("-{short}")), "-{short} twice");
        }
    }
    for word in FOREIGN.iter().flat_map(|foreign| foreign.names) {
        assert!(names.insert(word.to_string()), "{word} is a name of regq, or in the table twice");
    }
}

#[test]
fn commands_and_flags_refer_to_each_other() {
    let named: HashSet<&str> =
        COMMANDS.iter().flat_map(|command| command.flags).copied().flatten().copied().collect();
    for name in &named {
        assert!(flags::long(name).is_some(), "--{name}");
    }
    for flag in flags::all() {
        let of_no_command = matches!(flag.group, Group::General | Group::Alone);
        assert_ne!(of_no_command, named.contains(flag.long), "--{}", flag.long);
    }
}

#[test]
fn texts_have_the_right_form() {
    let phrase = |text: &str| assert!(!text.is_empty() && !text.ends_with('.'), "{text:?}");
    for command in COMMANDS {
        phrase(command.summary);
        assert!(!command.examples.is_empty(), "{}", command.name);
        command.examples.iter().for_each(|(_, purpose)| phrase(purpose));
        command.about.iter().for_each(|text| assert!(text.ends_with('.'), "{text:?}"));
    }
    for flag in flags::all() {
        phrase(flag.help);
        let details = flag.details();
        assert!(details.is_empty() || details.ends_with('.'), "{details:?}");
        assert!(flag.long.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", flag.long);
        if let Some(name) = flag.value_name() {
            assert!(!name.is_empty() && name == name.to_uppercase(), "{name}");
        }
    }
    for foreign in FOREIGN {
        phrase(foreign.advice);
    }
    hint::ALL.iter().for_each(|text| phrase(text));
}

#[test]
fn defaults_are_those_of_the_library() {
    let config = Config::default();
    let default = |flag: &str| flags::long(flag).and_then(|flag| flag.default);
    let duration = |flag| default(flag).map(values::duration);
    assert_eq!(duration("timeout"), Some(Ok(config.timeout)));
    assert_eq!(duration("connect-timeout"), Some(Ok(config.connect_timeout)));
    assert_eq!(duration("max-wait"), Some(Ok(config.max_wait)));
    assert_eq!(default("retries").map(values::count), Some(Ok(config.retries)));
}

/// Commands that are suggested repeat given flags without a look at the table.
#[test]
fn suggested_commands_take_the_flags_they_repeat() {
    let takes = |name, flag| commands::command(name).is_some_and(|command| command.takes(flag));
    let repeated = |flag: &&Flag| matches!(flag.group, Group::Credentials | Group::Connection);
    for flag in flags::all().filter(repeated) {
        assert!(takes("digest", flag) && takes("explain", flag), "--{}", flag.long);
        assert!(flag.identity || takes("login", flag), "--{}", flag.long);
        assert!(!flag.secret, "--{}", flag.long);
    }
}

fn pages() -> Vec<String> {
    let commands = std::iter::once(None).chain(COMMANDS.iter().map(Some));
    commands
        .flat_map(|command| [Detail::Short, Detail::Long].map(|detail| help(command, detail)))
        .chain([help_text::version()])
        .collect()
}

#[test]
fn help_fits_80_columns() {
    for line in pages().iter().flat_map(|page| page.lines()) {
        assert!(line.chars().count() <= 80, "{line:?}");
        assert_eq!(line, line.trim_end(), "{line:?}");
    }
}

/// Checks the names in a text: flags are words with two dashes, commands are words after `regq`.
#[track_caller]
fn expect_known_names(text: &str) {
    let mut after_regq = false;
    for word in text.split_whitespace() {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        if let Some(flag) = word.strip_prefix("--") {
            let flag = flag.split('=').next().unwrap_or_default();
            assert!(flags::long(flag).is_some(), "--{flag} in {text:?}");
        } else if after_regq && !word.starts_with('-') {
            assert!(commands::command(word).is_some(), "regq {word} in {text:?}");
        }
        after_regq = word == "regq";
    }
}

#[test]
fn texts_contain_known_names_only() {
    FOREIGN.iter().for_each(|foreign| expect_known_names(foreign.advice));
    hint::ALL.iter().for_each(|text| expect_known_names(text));
    flags::all().for_each(|flag| expect_known_names(flag.long_help));
    COMMANDS.iter().flat_map(|command| command.about).for_each(|text| expect_known_names(text));
}

/// Splits a command line into words; quotes are kept.
fn quoted_words(command: &str) -> Vec<String> {
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

/// Returns the words of a command line without quotes, up to a comment, pipe or redirection.
pub(super) fn shell_words(line: &str) -> Vec<String> {
    let quoted = quoted_words(line);
    let words = quoted.into_iter().filter(|word| !word.is_empty());
    let words = words.take_while(|word| !["#", "|", "<", ">", "&&"].contains(&word.as_str()));
    words.map(|word| word.replace(['\'', '"'], "")).collect()
}

#[test]
fn examples_are_valid_command_lines() {
    for (line, _) in COMMANDS.iter().flat_map(|command| command.examples) {
        let words = shell_words(line).into_iter().skip(1).map(OsString::from).collect();
        assert!(line.starts_with("regq "), "{line}");
        assert!(matches!(parse(words), Ok(Invocation::Run(_) | Invocation::Help(..))), "{line}");
    }
}

#[test]
fn names_of_other_clients_have_hints() {
    for word in FOREIGN.iter().flat_map(|foreign| foreign.names) {
        let found =
            if word.starts_with('-') { suggest::flag(word, None) } else { suggest::command(word) };
        assert!(found.is_some(), "{word}");
    }
}

#[test]
fn misspelled_names_are_found() {
    for (typed, expected) in [
        ("digset", Some("did you mean regq digest")),
        ("DIGEST", Some("did you mean regq digest")),
        ("man", Some("did you mean regq manifest")),
        ("halp", Some("did you mean regq help")),
        (
            "docker.io/alpine",
            Some("the command comes first, for example: regq digest docker.io/alpine"),
        ),
        ("frobnicate", None),
        ("", None),
    ] {
        assert_eq!(suggest::command(typed).as_deref(), expected, "{typed}");
    }
    for (typed, expected) in [
        ("--plattform", Some("did you mean --platform")),
        ("--plain", Some("did you mean --plain-http")),
        ("--retrys", Some("did you mean --retries")),
        ("--frobnicate", None),
        ("-x", None),
    ] {
        assert_eq!(suggest::flag(typed, None).as_deref(), expected, "{typed}");
    }
    // A flag that the command does not take is not suggested.
    assert_eq!(suggest::flag("--plattform", commands::command("parse")), None);
}
