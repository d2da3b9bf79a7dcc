//! The tables, held against themselves and against everything that is made of them.

use std::collections::HashSet;
use std::ffi::OsString;

use regq::registry::Config;

use crate::cli::args::commands::{self, COMMANDS};
use crate::cli::args::flags::{self, Group};
use crate::cli::args::parser::{Detail, Invocation, parse};
use crate::cli::args::suggest::{self, FOREIGN};
use crate::cli::args::values;
use crate::cli::docs::help as help_text;
use crate::cli::docs::help::help;
use crate::cli::failure::hint;

mod readme;

#[test]
fn names_stand_for_one_thing() {
    let mut seen = HashSet::new();
    for command in COMMANDS {
        for name in std::iter::once(&command.name).chain(command.aliases) {
            assert!(seen.insert(name.to_string()), "{name} twice");
        }
    }
    for flag in flags::all() {
        assert!(seen.insert(format!("--{}", flag.long)), "--{} twice", flag.long);
        if let Some(short) = flag.short {
            assert!(seen.insert(format!("-{short}")), "-{short} twice");
        }
    }
    for word in FOREIGN.iter().flat_map(|foreign| foreign.theirs) {
        assert!(seen.insert(word.to_string()), "{word} is ours, or there twice");
    }
}

#[test]
fn flags_that_commands_name_are_declared_and_those_declared_are_named() {
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
fn texts_have_their_form() {
    let words = |text: &str| assert!(!text.is_empty() && !text.ends_with('.'), "{text:?}");
    for command in COMMANDS {
        words(command.summary);
        assert!(!command.examples.is_empty(), "{}", command.name);
        command.examples.iter().for_each(|(_, what)| words(what));
        command.about.iter().for_each(|text| assert!(text.ends_with('.'), "{text:?}"));
    }
    for flag in flags::all() {
        words(flag.help);
        let details = flag.details();
        assert!(details.is_empty() || details.ends_with('.'), "{details:?}");
        assert!(flag.long.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", flag.long);
        if let Some(name) = flag.value_name() {
            assert!(!name.is_empty() && name == name.to_uppercase(), "{name}");
        }
    }
    for foreign in FOREIGN {
        words(foreign.advice);
    }
    hint::ALL.iter().for_each(|text| words(text));
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

/// Flags and commands in running text: words with two dashes, and words behind `regq`.
#[track_caller]
fn names_only_what_there_is(text: &str) {
    let mut behind_regq = false;
    for word in text.split_whitespace() {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        if let Some(flag) = word.strip_prefix("--") {
            let flag = flag.split('=').next().unwrap_or_default();
            assert!(flags::long(flag).is_some(), "--{flag} in {text:?}");
        } else if behind_regq && !word.starts_with('-') {
            assert!(commands::command(word).is_some(), "regq {word} in {text:?}");
        }
        behind_regq = word == "regq";
    }
}

#[test]
fn advice_names_only_what_there_is() {
    FOREIGN.iter().for_each(|foreign| names_only_what_there_is(foreign.advice));
    hint::ALL.iter().for_each(|text| names_only_what_there_is(text));
    flags::all().for_each(|flag| names_only_what_there_is(flag.long_help));
    COMMANDS
        .iter()
        .flat_map(|command| command.about)
        .for_each(|text| names_only_what_there_is(text));
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

/// The words of a command line, without quotes, up to its comment or to what the shell does with it.
pub(super) fn shell_words(line: &str) -> Vec<String> {
    let quoted = quoted_words(line);
    let words = quoted.into_iter().filter(|word| !word.is_empty());
    let words = words.take_while(|word| !["#", "|", "<", ">", "&&"].contains(&word.as_str()));
    words.map(|word| word.replace(['\'', '"'], "")).collect()
}

#[test]
fn examples_are_command_lines() {
    for (line, _) in COMMANDS.iter().flat_map(|command| command.examples) {
        let words = shell_words(line).into_iter().skip(1).map(OsString::from).collect();
        assert!(line.starts_with("regq "), "{line}");
        assert!(
            matches!(parse(words), Ok(Invocation::Run(_) | Invocation::Help(..))),
            "{line} is no command line"
        );
    }
}

#[test]
fn other_words_have_advice_in_their_place() {
    for word in FOREIGN.iter().flat_map(|foreign| foreign.theirs) {
        let found =
            if word.starts_with('-') { suggest::flag(word, None) } else { suggest::command(word) };
        assert!(found.is_some(), "{word}");
    }
}

#[test]
fn near_misses_find_their_name() {
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
    // A flag that the command does not take is no help.
    assert_eq!(suggest::flag("--plattform", commands::command("parse")), None);
}
