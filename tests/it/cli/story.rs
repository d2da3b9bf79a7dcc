//! The story that regq began with: a token for the wrong service, for nothing, for a repository that is called
//! otherwise. The README opens with what regq says of it, and this keeps that true.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const README: &str = include_str!("../../../README.md");
const TOKEN: &str = include_str!("../../vectors/story-token.txt");
const JSON: &str = include_str!("../../vectors/story.json");

/// The first block of the README: a command behind a prompt, and what it prints.
fn block() -> (String, String) {
    let mut lines = README.lines().skip_while(|line| *line != "```text").skip(1);
    let mut command = lines.next().unwrap().strip_prefix("$ ").unwrap().to_owned();
    while let Some(part) = command.strip_suffix('\\') {
        command = format!("{part}{}", lines.next().unwrap().trim_start());
    }
    let shown = lines.take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
    (command, shown)
}

/// Has a shell run a command line, with the token in `T` and regq on its path.
fn shell(command: &str) -> Output {
    let regq = Path::new(env!("CARGO_BIN_EXE_regq")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", regq.display());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).env_clear().env("PATH", path).env("T", TOKEN.trim());
    shell.output().unwrap()
}

#[test]
fn the_readme_opens_with_what_explain_says_of_the_story() {
    let (command, shown) = block();
    assert!(command.starts_with("regq explain --offline alpine --token-url '"), "{command}");
    let output = shell(&command);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), shown);
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(4), &b""[..]));
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
}

#[test]
fn the_story_as_json() {
    let (command, _) = block();
    let output = shell(&command.replace("regq explain", "regq explain --json"));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), JSON);
    let findings = serde_json::from_str::<Value>(JSON).unwrap()["findings"].clone();
    let told = |finding: &Value| format!("{} {}", finding["severity"], finding["id"]);
    let told: Vec<_> = findings.as_array().unwrap().iter().map(told).collect();
    assert_eq!(
        told.join("\n").replace('"', ""),
        "decisive service-mismatch\n\
         decisive audience-mismatch\n\
         would-fail-next scope-lost-in-shell\n\
         would-fail-next library-prefix-missing\n\
         would-fail-next access-empty"
    );
}

#[test]
fn a_shell_reads_the_curl_commands_as_they_are_in_json() {
    let (command, shown) = block();
    let json: Value = serde_json::from_str(JSON).unwrap();
    assert!(shell(&command).status.code() == Some(4));
    // curl is played by what prints its arguments, a line each.
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
