//! Checks the README and the pages in `docs/` against the parser, the flag tables and the kinds of failure.
//!
//! `UPDATE=1 cargo test` rewrites the tables of exit codes and variables.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use regq::error::Kind;

use crate::cli::args::commands::{COMMANDS, CommandAction};
use crate::cli::args::flags;
use crate::cli::args::parser::{Invocation, parse};
use crate::cli::docs::help::{ENVIRONMENT, EXIT_CODES};
use crate::cli::tests::shell_words;

const README: &str = "README.md";
const MANUAL: &str = "docs/manual.md";
const PAGES: [&str; 6] =
    [README, MANUAL, "docs/recipes.md", "docs/json.md", "docs/explain.md", "docs/static.md"];

/// The path of a file of the repository.
fn path(page: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(page)
}

/// Reads a file of the repository.
fn read(page: &str) -> String {
    let text = fs::read_to_string(path(page));
    assert!(text.is_ok(), "{page}: {text:?}");
    text.unwrap_or_default()
}

/// Returns all pieces of code: the lines of code blocks without their prompt, and what is between backticks.
fn code() -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for page in PAGES {
        let mut continued = false;
        let mut in_block = false;
        for line in read(page).lines() {
            if line.starts_with("```") {
                in_block = !in_block;
            } else if in_block {
                let (part, more) =
                    line.strip_suffix('\\').map_or((line, false), |part| (part, true));
                match pieces.last_mut().filter(|_| continued) {
                    Some(command) => command.push_str(part.trim_start()),
                    None => pieces.push(part.strip_prefix("$ ").unwrap_or(part).to_owned()),
                }
                continued = more;
            } else {
                pieces.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
            }
        }
    }
    pieces
}

/// The words of a command line, without redirections of its input, which `shell_words` takes for its end.
fn words(line: &str) -> Vec<String> {
    let mut line = line.to_owned();
    if let Some((before, after)) = line.split_once(" < ") {
        let rest = after.trim_start().split_once(' ').map_or("", |(_, rest)| rest);
        line = format!("{before} {rest}");
    }
    shell_words(&line)
}

#[test]
fn command_lines_in_the_pages_parse() {
    let lines: Vec<_> = code().into_iter().filter(|line| line.starts_with("regq ")).collect();
    assert!(lines.len() >= 30, "{lines:?}");
    for line in lines.iter().filter(|line| !line.starts_with("regq ... ")) {
        let mut words = words(line);
        // The name of a command alone, in a sentence.
        if words.len() == 2 {
            words.push("--help".to_owned());
        }
        // In `regq help COMMAND` any command will do.
        let words = words.into_iter().skip(1);
        let args = words.map(|word| if word == "COMMAND" { "digest".to_owned() } else { word });
        let request = parse(args.map(OsString::from).collect());
        assert!(
            matches!(
                request,
                Ok(Invocation::Run(_) | Invocation::Help(..) | Invocation::Generate(_))
            ),
            "{line}: {:?}",
            request.err()
        );
    }
}

#[test]
fn flags_in_the_pages_exist() {
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

/// The lines of the first table in a page whose first column has this heading, without heading and rule.
fn table_lines(page: &str, heading: &str) -> Vec<String> {
    let text = read(page);
    let lines = text.lines().skip_while(|line| !line.starts_with(&format!("| {heading} |")));
    lines.take_while(|line| line.starts_with('|')).skip(2).map(str::to_owned).collect()
}

/// The cells of a table's rows, without backticks.
fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let cells = |line: &String| {
        let inside = line.trim_matches('|');
        inside.split('|').map(|cell| cell.trim().replace('`', "")).collect()
    };
    table_lines(page, heading).iter().map(cells).collect()
}

/// Checks a table against the rows that the program declares, or writes them into the page with `UPDATE=1`. Rows that
/// did not change keep their backticks.
#[track_caller]
fn check_table(page: &str, heading: &str, expected: &[Vec<String>]) {
    let found = table(page, heading);
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") && found != expected {
        let old = table_lines(page, heading);
        let row = |cells: &Vec<String>| {
            let kept = found.iter().position(|row| row == cells).and_then(|at| old.get(at));
            kept.cloned().unwrap_or_else(|| format!("| {} |", cells.join(" | ")))
        };
        let new: Vec<_> = expected.iter().map(row).collect();
        let text = read(page).replacen(&old.join("\n"), &new.join("\n"), 1);
        let written = fs::write(path(page), text);
        assert!(written.is_ok(), "{page}: {written:?}");
    } else {
        assert_eq!(found, expected, "UPDATE=1 cargo test rewrites the table in {page}");
    }
}

#[test]
fn readme_lists_all_commands() {
    let rows = table(README, "command");
    let listed: Vec<_> = rows.iter().filter_map(|row| row.first()?.split(' ').nth(1)).collect();
    let commands = COMMANDS.iter().filter(|command| !matches!(command.action, CommandAction::Help));
    let names: Vec<_> = commands.map(|command| command.name).collect();
    assert_eq!(listed, names);
}

#[test]
fn readme_lists_all_exit_codes() {
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
    let names = kinds.map(|kind| (kind.exit_code().to_string(), kind.as_str().to_owned()));
    let rows: Vec<_> = std::iter::once(("0".to_owned(), String::new()))
        .chain(names)
        .zip(EXIT_CODES)
        .map(|((code, kind), (_, meaning))| vec![code, kind, (*meaning).to_owned()])
        .collect();
    check_table(README, "exit code", &rows);
    let codes: Vec<_> = EXIT_CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, ["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
}

#[test]
fn manual_lists_all_variables() {
    let rows: Vec<_> = ENVIRONMENT
        .iter()
        .map(|(name, meaning)| vec![(*name).to_owned(), (*meaning).to_owned()])
        .collect();
    check_table(MANUAL, "variable", &rows);
    // main.rs reads the environment; the names of variables are its strings in capitals.
    let strings = include_str!("../../main.rs").split('"').skip(1).step_by(2);
    let is_name = |text: &&str| text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let names: Vec<_> = strings.filter(is_name).collect();
    assert!(names.len() >= 9, "{names:?}");
    for name in names {
        assert!(ENVIRONMENT.iter().any(|(variable, _)| *variable == name), "{name}");
    }
}
