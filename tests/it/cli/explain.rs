//! `regq explain` as a command: its arguments, its output and its exit code.

use super::regq;
use crate::support::{Auth, Content, Ran, Registry, Regq};

const STORY: &str = include_str!("../../vectors/story-token.txt");

#[test]
fn invalid_arguments_are_refused() {
    let see = "regq help explain shows its usage";
    for (line, message) in [
        ("explain", "explain requires a REF"),
        ("explain --token x", "explain requires a REF"),
        ("explain a b", "explain takes at most one REF, but 2 were given"),
        ("explain --offline a b", "explain takes at most one REF, but 2 were given"),
        ("explain -", "explain cannot read a list from standard input"),
        (
            "explain --token - --user ada --password-stdin a",
            "--token - and --password-stdin cannot both read standard input",
        ),
        ("explain --status 99 a", "--status: \"99\": must be an HTTP status from 100 to 599"),
        ("explain --status 600 a", "--status: \"600\": must be an HTTP status from 100 to 599"),
        (
            "explain --date yesterday a",
            "--date: \"yesterday\": must be a date such as \"Thu, 22 Sep 2016 12:23:03 GMT\"",
        ),
        ("explain --body - a", "--body: must be a file, not standard input"),
        ("digest --offline a", "digest has no flag --offline"),
    ] {
        let command = line.split(' ').next().unwrap();
        let see = see.replace("explain", command);
        regq(line).code(2).stdout("").stderr(format!("regq: {message}\nhint: {see}\n"));
    }
}

#[test]
fn invalid_reference_is_reported_as_usage_error() {
    let message = "repository names are lower case";
    regq("explain --offline Foo/bar")
        .code(2)
        .stdout("")
        .stderr(format!("regq: \"Foo/bar\": byte 0: {message}\nhint: did you mean foo/bar\n"));
    let objects = regq("explain --json Foo/bar").code(2).json();
    assert_eq!(
        (&objects[0]["reference"], &objects[0]["error"]["kind"]),
        (&"Foo/bar".into(), &"usage".into())
    );
}

#[test]
fn unreadable_files_stop_the_command() {
    regq("explain --offline --body /absent/body")
        .code(8)
        .stdout("")
        .stderr("regq: /absent/body: cannot be read: No such file or directory (os error 2)\n");
    regq("explain --ca-file /absent/ca localhost:1/a").code(8).stdout("");
}

#[test]
fn offline_without_data_checks_nothing() {
    regq("explain --offline")
        .code(0)
        .stdout("You passed no data, so nothing was checked.\n")
        .stderr("");
    let json = regq("explain --offline --json").code(0).stderr("").json();
    let object = &json[0];
    assert!(object["reference"].is_null() && object["token"].is_null(), "{object}");
    assert!(object["command"].is_null() && object["curl"].is_null(), "{object}");
    for list in ["steps", "challenges", "findings"] {
        assert_eq!(object[list], serde_json::json!([]), "{list}");
    }
    assert_eq!(object["outcome"], serde_json::json!({"exitCode": 0, "kind": null, "status": null}));
}

#[test]
fn get_prints_one_value_and_keeps_the_exit_code() {
    let run = |key: &str| {
        let line = ["explain", "--offline", "--status", "403", "--get", key, "alpine"];
        Regq::new().args(line).run()
    };
    run("outcome.kind").code(4).stdout("denied\n").stderr("");
    run("outcome.exitCode").code(4).stdout("4\n");
    run("findings.0.id").code(4).stdout("forbidden\n");
    // A missing value is exit code 1, as in other commands.
    run("token").code(1).stdout("");
    run("nonsense").code(1).stdout("");
}

#[test]
fn write_errors_of_stdout_are_reported() {
    let line = ["explain", "--offline", "--status", "404", "alpine"];
    Regq::new().args(line).full_stdout().run().code(8);
    Regq::new().args(line).closed_stdout().run().code(0).stderr("");
}

/// Runs regq with HOST replaced by the registry's address, in arguments and output.
fn run_with(registry: &Registry, args: &[&str], stdin: &str) -> Ran {
    let host = registry.authority();
    let args = args.iter().map(|arg| arg.replace("HOST", &host));
    Regq::new().arg("-q").args(args).stdin(stdin).run().replace(&host, "HOST")
}

#[test]
fn successful_login_is_reported_in_one_line() {
    let registry = Registry::start(Auth::Token, None);
    let image = Content::image("linux/amd64");
    registry.push("team/app", "1", &image);
    let ran = run_with(&registry, &["explain", "HOST/team/app:1"], "");
    ran.code(0).stderr("");
    let text = String::from_utf8(ran.stdout.clone()).unwrap();
    let line = format!("\nSuccess: {}\n", image.digest);
    assert!(text.contains(&line), "{text}");
    assert!(text.ends_with("\nThis works:\n  regq digest HOST/team/app:1\n"), "{text}");
    // The command repeats the flags that were given.
    let ran =
        run_with(&registry, &["explain", "--plain-http", "--anonymous", "HOST/team/app:1"], "");
    let text = String::from_utf8(ran.stdout).unwrap();
    let command = "\nThis works:\n  regq digest --anonymous --plain-http HOST/team/app:1\n";
    assert!(text.ends_with(command), "{text}");
}

#[test]
fn suggested_command_logs_in_if_a_login_is_required() {
    let registry = Registry::start(Auth::Basic, None);
    registry.push("team/app", "1", &Content::index());
    let ran = run_with(&registry, &["explain", "--plain-http", "HOST/team/app:1"], "");
    ran.code(4).stderr("");
    let text = String::from_utf8(ran.stdout).unwrap();
    assert!(text.contains("\n  basic-only: "), "{text}");
    assert!(text.ends_with(
        "\nTry:\n  regq login --user NAME --password-stdin --plain-http HOST < password.txt && regq digest --plain-http HOST/team/app:1\n"
    ), "{text}");
}

#[test]
fn unknown_cause_is_reported() {
    // No server listens on this port.
    let ran = regq("explain --retries 0 --plain-http 127.0.0.1:1/a:1");
    ran.code(6).stderr("");
    let text = String::from_utf8(ran.stdout).unwrap();
    assert!(text.contains("\nerror          cannot connect to 127.0.0.1:1: "), "{text}");
    assert!(text.contains("No cause was found: the error above is all that is known.\n"), "{text}");
    assert!(!text.contains("Try:") && !text.contains("This works:"), "{text}");
}

#[test]
fn token_is_read_from_stdin() {
    let run = |args: &[&str], stdin: &str| {
        Regq::new().args(["explain", "--offline", "--json"]).args(args).stdin(stdin).run().json()
    };
    let piped = run(&["--token", "-"], STORY);
    let typed = run(&["--token", STORY.trim()], "");
    assert_eq!(piped, typed);
    assert_eq!(piped[0]["token"]["claims"]["aud"], "index.docker.io");
}

#[test]
fn suggested_command_follows_from_regqs_own_walk() {
    let registry = Registry::start(Auth::Token, None);
    registry.push("team/app", "1", &Content::index());
    let command = |args: &[&str], stdin: &str| {
        let mut line = vec!["explain", "--json", "--plain-http", "HOST/team/app:1"];
        line.extend(args);
        run_with(&registry, &line, stdin).json()[0]["command"].clone()
    };
    // Whatever is wrong with the other client's attempt, the request that regq sent works.
    let works = "regq digest --plain-http HOST/team/app:1";
    assert_eq!(command(&["--token", "ghp_0123456789"], ""), works);
    // The password is read in the same way again.
    let login = ["--user", "me", "--password-stdin"];
    assert!(command(&login, "wrong").as_str().unwrap().starts_with("regq login --user me "));
    // Offline, regq sent no request that could be refused.
    let offline = ["explain", "--offline", "--json", "--get", "command", "quay.io/a/b", "--token"];
    let ran = Regq::new()
        .args(offline)
        .arg(STORY.trim())
        .args(["--challenge", r#"Bearer realm="https://quay.io/v2/auth",service="quay.io""#])
        .run();
    ran.code(4).stdout("regq digest quay.io/a/b\n");
}

/// Runs `explain --offline` and returns the ids of the findings above `note`.
fn causes(args: &[&str]) -> Vec<String> {
    let json = Regq::new().args(["explain", "--offline", "--json"]).args(args).run().json();
    let findings = json[0]["findings"].as_array().unwrap().clone();
    let causes = findings.iter().filter(|finding| finding["severity"] != "note");
    causes.map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn refusal_by_a_storage_server_proves_that_the_registry_accepted_the_token() {
    let body = format!("{}/forwarded-{}.xml", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let text = "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>";
    std::fs::write(&body, text).unwrap();
    let challenge = r#"Bearer realm="https://a.example/t",service="other""#;
    let args = ["--token", STORY.trim(), "--challenge", challenge, "--status", "400"];
    assert_eq!(causes(&args), ["audience-mismatch"]);
    assert_eq!(causes(&[&args[..], &["--body", &body]].concat()), ["authorization-forwarded"]);
    std::fs::remove_file(body).unwrap();
}

#[test]
fn challenges_count_with_status_401_only() {
    let args = ["--challenge", "Basic realm=\"x\""];
    assert_eq!(causes(&args), ["basic-only"]);
    assert_eq!(causes(&[&args[..], &["--status", "403"]].concat()), ["forbidden"]);
}

#[test]
fn steps_are_bounded() {
    let challenge =
        format!("Bearer realm=\"https://a.example/t\",service=\"{}\"", "s".repeat(60_000));
    let ran = Regq::new().args(["explain", "--offline", "--challenge", &challenge]).run();
    let lines = String::from_utf8(ran.stdout).unwrap().lines().count();
    assert!(lines < 100, "{lines}");
}
