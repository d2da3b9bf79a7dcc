//! Runs `regq explain` against real registries: it reports no cause if the login works, the right cause if not, and exits
//! with the code of `regq digest`. Also runs the curl commands that it prints.

use serde_json::Value;

use crate::Outcome;
use crate::peers::{RunResult, Surroundings, find};
use crate::report::Report;
use crate::stage::{Open, Stage};
use crate::support::text::is_wrapped;
use crate::token_server::{OTHER_USER, OWNER};

/// A run of `explain` and its expected result.
struct Case {
    what: &'static str,
    name: &'static str,
    user: Option<(&'static str, &'static str)>,
    /// The exit code, and the possible first findings; empty if the login works.
    expected: (i32, &'static [&'static str]),
}

const WRONG: (&str, &str) = (OWNER.0, "wrong");
const WORKS: (i32, &[&str]) = (0, &[]);
const NO_ACCESS: &[&str] = &["access-empty", "access-no-actions"];

const CASES: [Case; 8] = [
    Case { what: "a public image", name: "public/single:1", user: None, expected: WORKS },
    Case { what: "a public index", name: "public/index:1", user: None, expected: WORKS },
    Case { what: "a private image", name: "private/single:1", user: Some(OWNER), expected: WORKS },
    Case { what: "no credentials", name: "private/single:1", user: None, expected: (4, NO_ACCESS) },
    Case {
        what: "a wrong password",
        name: "private/single:1",
        user: Some(WRONG),
        expected: (4, &["credentials-rejected"]),
    },
    Case {
        what: "another user",
        name: "private/single:1",
        user: Some(OTHER_USER),
        expected: (4, NO_ACCESS),
    },
    Case {
        what: "no such tag",
        name: "public/single:absent",
        user: None,
        expected: (3, &["not-found"]),
    },
    Case {
        what: "no such repository",
        name: "public/absent:1",
        user: None,
        expected: (3, &["not-found"]),
    },
];

/// Runs all checks against a registry.
pub(crate) fn against(stage: &Stage, open: &Open, report: &mut Report) {
    for case in &CASES {
        let outcome = check_case(stage, open, case);
        report.check(&format!("explain: {}", case.what), outcome);
    }
    report.check("explain: examines a token in addition to its own login", story(stage, open));
    report.check("explain: the curl commands work", run_curl_commands(stage, open));
}

fn check_case(stage: &Stage, open: &Open, case: &Case) -> Outcome<()> {
    let name = open.name(case.name);
    let user = case.user.map(|(user, _)| ["--user", user, "--password-stdin"]);
    let user = user.as_ref().map(|words| words.as_slice()).unwrap_or_default();
    let password = case.user.map(|(_, password)| password).unwrap_or_default();
    let run = |words: &[&str]| stage.regq_with_input(&[words, user, &[&name]].concat(), password);
    let (code, causes) = case.expected;
    run(&["digest"])?.exits(code)?;
    let result = run(&["explain", "--json"])?;
    result.exits(code)?;
    let json = read(&result)?;
    let findings = json["findings"].as_array().cloned().unwrap_or_default();
    let causes_found = findings.iter().filter(|finding| finding["severity"] != "note");
    let first = causes_found.map(|finding| finding["id"].as_str().unwrap_or_default()).next();
    let right = match first {
        None => causes.is_empty(),
        Some(id) => causes.contains(&id),
    };
    let steps = json["steps"].as_array().map(Vec::len).unwrap_or_default();
    let complete = json["outcome"]["exitCode"] == code && steps > 5;
    let text = run(&["explain"])?;
    text.exits(code)?;
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    let wrapped = text.lines().all(is_wrapped);
    let secret = !password.is_empty() && text.contains(password);
    if right && complete && wrapped && !secret { Ok(()) } else { Err(format!("{json}\n{text}")) }
}

/// A token without access next to a login that works.
fn story(stage: &Stage, open: &Open) -> Outcome<()> {
    let name = open.name("public/single:1");
    let token = include_str!("../vectors/story-token.txt");
    let words = ["explain", "--json", "--token", "-", &name];
    let result = stage.regq_with_input(&words, token)?;
    result.exits(0)?;
    let json = read(&result)?;
    let found = |id: &str, severity: &str| {
        let findings = json["findings"].as_array().cloned().unwrap_or_default();
        findings.iter().any(|finding| finding["id"] == id && finding["severity"] == severity)
    };
    let right = found("audience-mismatch", "decisive") && found("issuer-unexpected", "note");
    if right { Ok(()) } else { Err(json.to_string()) }
}

/// Runs the printed commands in a shell: the first gets a token, the second uses it.
fn run_curl_commands(stage: &Stage, open: &Open) -> Outcome<()> {
    find("curl").ok_or("curl is not on PATH")?;
    let name = open.name("public/index:1");
    let json = read(&stage.regq(&["explain", "--curl", "--json", &name])?)?;
    let commands = json["curl"].as_array().cloned().unwrap_or_default();
    let [Value::String(token), Value::String(manifest)] = commands.as_slice() else {
        return Err(json.to_string());
    };
    let authority = stage.certificates.authority();
    let around = Surroundings::new(&stage.folder.join("home")).with("CURL_CA_BUNDLE", authority);
    let shell = std::path::Path::new("/bin/sh");
    let run = |around: &Surroundings, command: &str| around.run(shell, &["-c", command], "");
    let token = read(&run(&around, token)?)?;
    let token = ["access_token", "token"].iter().find_map(|name| token[*name].as_str());
    let around = around.with("T", token.ok_or("the response has no token")?);
    let head = run(&around, manifest)?.text()?;
    let digest = &stage.images.index.top.digest;
    if head.contains(" 200") && head.contains(digest.as_str()) { Ok(()) } else { Err(head) }
}

fn read(result: &RunResult) -> Outcome<Value> {
    let json = serde_json::from_slice(&result.stdout);
    json.map_err(|error| format!("{error}: {}", result.describe()))
}
