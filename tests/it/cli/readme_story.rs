//! The story behind regq: a token for the wrong service, without access, requested for a repository without `library/`.
//! `docs/explain.md` shows what regq reports; these tests keep it true. `UPDATE=1 cargo test` writes new output into it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::documents;

const JSON: &str = include_str!("../../vectors/story.json");

/// The example of the story in `docs/explain.md`: its command and its output.
fn block() -> (String, String) {
    let blocks = documents::blocks().unwrap();
    let examples = blocks.iter().filter(|block| block.page == "docs/explain.md");
    let mut examples = examples.flat_map(|block| block.examples().unwrap());
    let story = examples.find(|one| one.command.starts_with("regq explain --offline alpine "));
    let story = story.unwrap();
    (story.command, story.output)
}

/// Runs a command line in a shell, in the repository, with regq on its path.
fn shell(command: &str) -> Output {
    let regq = Path::new(env!("CARGO_BIN_EXE_regq")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", regq.display());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).env_clear().env("PATH", path).current_dir(documents::path(""));
    shell.output().unwrap()
}

#[test]
fn story_output_is_the_one_in_the_documentation() {
    let (command, shown) = block();
    let output = shell(&command);
    // `tests/it/documents.rs` updates the page.
    if !documents::updating() {
        assert_eq!(String::from_utf8(output.stdout).unwrap(), shown);
    }
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(4), &b""[..]));
    let fits = |line: &str| line.chars().count() <= 80 || line.starts_with("  curl ");
    assert!(shown.lines().all(|line| fits(line) || !line.trim().contains(' ')), "{shown}");
}

#[test]
fn story_is_printed_as_json() {
    let (command, _) = block();
    let output = shell(&command.replace("regq explain", "regq explain --json"));
    if documents::updating() {
        std::fs::write(documents::path("tests/vectors/story.json"), &output.stdout).unwrap();
        return;
    }
    assert_eq!(String::from_utf8(output.stdout).unwrap(), JSON);
    let findings = serde_json::from_str::<Value>(JSON).unwrap()["findings"].clone();
    let line = |finding: &Value| format!("{} {}", finding["severity"], finding["id"]);
    let lines: Vec<_> = findings.as_array().unwrap().iter().map(line).collect();
    assert_eq!(
        lines.join("\n").replace('"', ""),
        "decisive service-mismatch\n\
         decisive audience-mismatch\n\
         would-fail-next scope-lost-in-shell\n\
         would-fail-next library-prefix-missing\n\
         would-fail-next access-empty"
    );
}

#[test]
fn curl_commands_are_the_same_in_text_and_json() {
    let (command, shown) = block();
    let json: Value = serde_json::from_str(JSON).unwrap();
    assert!(shell(&command).status.code() == Some(4));
    // A function replaces curl and prints its arguments, one per line.
    let words = |script: &str| {
        let script = format!("curl() {{ printf '%s\\n' \"$@\"; }}\n{script}");
        String::from_utf8(shell(&script).stdout).unwrap()
    };
    let (_, by_hand) = shown.split_once("\n  curl ").unwrap();
    let both = json["curl"].as_array().unwrap().iter().map(|one| one.as_str().unwrap());
    let both: Vec<_> = both.collect();
    assert_eq!(words(&format!("  curl {by_hand}")), words(&both.join("\n")));
    let [first, second] = both[..] else { panic!("{both:?}") };
    let url = "https://auth.docker.io/token?service=registry.docker.io&scope=repository:library/alpine:pull";
    assert_eq!(words(first), format!("-sS\n{url}\n"));
    assert!(
        words(second)
            .ends_with("\nhttps://registry-1.docker.io/v2/library/alpine/manifests/latest\n")
    );
}
