//! The README and the manual, held against the parser, the tables and the kinds of failure: what they show
//! must work as it stands.

use std::collections::BTreeSet;
use std::ffi::OsString;

use regq::error::Kind;

use crate::cli::args::commands::{Action, COMMANDS};
use crate::cli::args::flags;
use crate::cli::args::parser::{Request, parse};
use crate::cli::docs::help::{ENVIRONMENT, EXIT_CODES};
use crate::cli::tests::shell_words;

const README: &str = include_str!("../../../README.md");
const MANUAL: &str = include_str!("../../../docs/manual.md");

/// Every piece of code: the lines of blocks, without the prompt, and what stands between backticks.
fn code() -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut open = false;
    let mut in_block = false;
    for line in README.lines().chain(MANUAL.lines()) {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            // A line that ends in a backslash goes on in the next.
            let (part, more) = line.strip_suffix('\\').map_or((line, false), |part| (part, true));
            match pieces.last_mut().filter(|_| open) {
                Some(begun) => begun.push_str(part.trim_start()),
                None => pieces.push(part.strip_prefix("$ ").unwrap_or(part).to_owned()),
            }
            open = more;
        } else {
            pieces.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    pieces
}

#[test]
fn command_lines_are_taken_by_the_parser() {
    let lines: Vec<_> = code().into_iter().filter(|line| line.starts_with("regq ")).collect();
    assert!(lines.len() >= 12, "{lines:?}");
    for line in lines {
        // `regq help COMMAND` is for each of them.
        let words = shell_words(&line).into_iter().skip(1);
        let given = words.map(|word| if word == "COMMAND" { "digest".to_owned() } else { word });
        let request = parse(given.map(OsString::from).collect());
        assert!(
            matches!(request, Ok(Request::Run(_) | Request::Help(..) | Request::Generate(_))),
            "{line}: {:?}",
            request.err()
        );
    }
}

#[test]
fn flags_are_ours() {
    let flags: BTreeSet<_> = code()
        .into_iter()
        .filter(|piece| piece.starts_with("--"))
        .filter_map(|piece| Some(shell_words(&piece).first()?.strip_prefix("--")?.to_owned()))
        .collect();
    assert!(flags.len() >= 10, "{flags:?}");
    for flag in flags {
        assert!(flags::long(&flag).is_some(), "--{flag}");
    }
}

/// The cells of the table whose first column has this heading.
fn table_under(heading: &str) -> Vec<Vec<String>> {
    let cells = |line: &'static str| {
        let inside = line.strip_prefix('|').and_then(|line| line.strip_suffix('|'));
        inside.map(|line| line.split('|').map(|cell| cell.trim().replace('`', "")).collect())
    };
    let lines = README.lines().skip_while(|line| !line.starts_with(&format!("| {heading} |")));
    lines.map_while(cells).skip(2).collect()
}

#[test]
fn commands_are_those_there_are() {
    let rows = table_under("command");
    let shown: Vec<_> = rows.iter().filter_map(|row| row.first()?.split(' ').nth(1)).collect();
    let commands = COMMANDS.iter().filter(|command| !matches!(command.action, Action::Help));
    let names: Vec<_> = commands.map(|command| command.name).collect();
    assert_eq!(shown, names);
}

#[test]
fn exit_codes_are_those_there_are() {
    let kinds = [
        Kind::No,
        Kind::Usage,
        Kind::NotFound,
        Kind::Denied,
        Kind::RateLimited,
        Kind::Unavailable,
        Kind::Invalid,
        Kind::Local,
    ];
    let of_kinds = kinds.map(|kind| (kind.exit_code().to_string(), kind.as_str().to_owned()));
    let done = [("0".to_owned(), String::new())];
    let due: Vec<_> = done
        .into_iter()
        .chain(of_kinds)
        .zip(EXIT_CODES)
        .map(|((code, kind), (_, meaning))| [code, kind, (*meaning).to_owned()])
        .collect();
    assert_eq!(table_under("exit code"), due);
    let codes: Vec<_> = EXIT_CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, ["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
}

#[test]
fn variables_are_those_there_are() {
    let due: Vec<_> = ENVIRONMENT.iter().map(|(name, meaning)| vec![*name, *meaning]).collect();
    assert_eq!(table_under("variable"), due);
    // Each that is read has its name between quotes, in capitals.
    let read = include_str!("../../main.rs").split('"').skip(1).step_by(2);
    let upper = |name: &&str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let read: Vec<_> = read.filter(upper).collect();
    assert!(read.len() >= 9, "{read:?}");
    for name in read {
        assert!(ENVIRONMENT.iter().any(|(variable, _)| *variable == name), "{name}");
    }
}
