//! Supplied secrets are never printed. Every run is searched for the tests' secrets.

use std::fs;

use super::given_builder::NAME;
use super::scripted::{CHALLENGE, Script, ScriptedResponse};
use crate::support::Regq;
use crate::support::secrets::{GRANTED, IDENTITY, PASSWORD, READY};

/// Explains data in which everything repeats a secret.
#[track_caller]
fn explained(name: &str, token: &str, url: &str, secret: &str) {
    let body = std::env::temp_dir().join(format!("regq-secrecy-{}-{name}", std::process::id()));
    let bodies = [
        format!("{{\"errors\":[{{\"code\":\"DENIED\",\"message\":\"not {secret}!\"}}]}}"),
        format!("<html><p>not {secret}</p>"),
        secret.to_owned(),
    ];
    let realm = "Bearer realm=\"https://auth.example.com/";
    let challenges = [
        format!("{realm}{secret}\",service=\"{secret}\",scope=\"repository:{secret}:pull\""),
        format!("{realm}token?x={secret}\",error=\"invalid_token\",error_description=\"{secret}\""),
        format!("Bearer {secret}"),
        format!("Basic realm=\"{secret}"),
        secret.to_owned(),
    ];
    for (at, challenge) in challenges.iter().enumerate() {
        fs::write(&body, &bodies[at % bodies.len()]).unwrap();
        for more in [&["--json"][..], &["--curl"], &["-v"], &["--get", "challenges"]] {
            let words = ["--token-url", url, "--token", "-", "--challenge", challenge, "--body"];
            let run = Regq::new().args(["explain", "--offline", NAME]).args(words).arg(&body);
            let ran = run.args(more).stdin(token).run_in_process();
            assert!(!ran.stdout.is_empty(), "{ran}");
        }
    }
    fs::remove_file(&body).unwrap();
}

#[test]
fn supplied_token_is_redacted() {
    let url = "https://auth.example.com/token?service=s";
    for token in [
        GRANTED.to_owned(),
        format!("Bearer {GRANTED}\n"),
        format!("{{\"access_token\":\"{GRANTED}\",\"token\":\"{GRANTED}\"}}"),
    ] {
        explained("token", &token, url, GRANTED);
    }
    // Other members of the response are secret too.
    let answer = format!("{{\"token\":\"{GRANTED}\",\"refresh_token\":\"{IDENTITY}\"}}");
    explained("answer", &answer, url, IDENTITY);
    // Names are compared in lower case.
    explained("capitals", &GRANTED.to_ascii_uppercase(), url, &GRANTED.to_ascii_uppercase());
    // It may be in the URL as well.
    let url = format!("{url}&scope=repository:{GRANTED}:pull&{GRANTED}");
    explained("both", GRANTED, &url, GRANTED);
}

/// Pasted text may contain more than the token, or an incomplete response.
#[test]
fn supplied_token_is_redacted_with_text_around_it() {
    let url = "https://auth.example.com/token?service=s";
    for (name, token) in [
        ("quoted", format!("\"{GRANTED}\"")),
        ("single", format!("'Bearer {GRANTED}'")),
        ("header", format!("Authorization: Bearer \"{GRANTED}\"")),
        ("basic", format!("Authorization: Basic {GRANTED}")),
        ("scheme", format!("basic {GRANTED}")),
        ("broken", format!("{{\"token\":\"{GRANTED}")),
        ("member", format!("\"access_token\": \"{GRANTED}\", \"expires_in\": 300")),
        ("python", format!("{{'access_token': '{GRANTED}', 'expires_in': 300}}")),
        ("lines", format!("HTTP/1.1 200 OK\n\n{GRANTED}\n{IDENTITY}")),
        ("answer", format!("HTTP/1.1 200 OK\r\n\r\n{{\"token\":\"{GRANTED}\"}}")),
        ("assigned", format!("TOKEN={GRANTED}")),
        ("id", format!("{{\"token\":\"b3BhcXVl\",\"id_token\":\"{GRANTED}\"}}")),
    ] {
        explained(name, &token, url, GRANTED);
    }
}

/// Single words of a message that was pasted instead of a token are not secrets: explanations need them.
#[test]
fn words_of_a_pasted_message_are_not_secrets() {
    for token in [
        "<html><p>registry access denied</p></html>",
        "registry access denied",
        "{\"details\":\"registry access denied\", \"errors\": [",
        "Bearer",
        "{\"token_type\":\"Bearer\",\"message\":\"registry access\",}",
    ] {
        let words = ["--challenge", super::given_builder::CHALLENGE, "--body", "/dev/null"];
        let run = Regq::new().args(["explain", "--offline", NAME, "--token", "-"]).args(words);
        let output = String::from_utf8(run.stdin(token).run_in_process().stdout).unwrap();
        // The beginning of its hash.
        let cut = output.matches("SHA-256 ").count();
        assert_eq!(output.matches("...").count(), cut, "{token}:\n{output}");
    }
}

/// A token may be parsed as a parameter name.
#[test]
fn token_that_looks_like_a_parameter_name_is_redacted() {
    let challenge = format!("Bearer {GRANTED}=x, x={GRANTED}");
    for more in [&["--json"][..], &["--curl"], &["--get", "challenges"]] {
        let run = Regq::new().args(["explain", "--offline", NAME, "--token", GRANTED]);
        let ran = run.args(["--challenge", &challenge]).args(more).run_in_process();
        assert!(!ran.stdout.is_empty(), "{ran}");
    }
}

#[test]
fn secrets_in_a_token_url_are_redacted() {
    let server = "auth.example.com/token?service=s";
    let encoded = PASSWORD.replace('-', "%2D");
    for url in [
        format!("https://ada:{PASSWORD}@{server}"),
        format!("https://ada:{encoded}@{server}"),
        format!("https://{server}&account=ada&password={PASSWORD}"),
        format!("https://{server}&Password={encoded}#{PASSWORD}"),
        format!("https://{server}&amp;password={PASSWORD}"),
        format!("{server}&client_secret={PASSWORD}"),
        format!("'https://ada:{PASSWORD}@{server}'"),
    ] {
        explained("password", "b3BhcXVl", &url, PASSWORD);
    }
    let url = format!("https://{server}&grant_type=refresh_token&refresh_token={IDENTITY}");
    explained("identity", "b3BhcXVl", &url, IDENTITY);
    // A parameter without a value is never shown.
    let url = format!("https://{server}&{READY}");
    explained("word", "b3BhcXVl", &url, "b3BhcXVl");
}

#[test]
fn usage_errors_print_no_secret() {
    for words in [
        &["--token", GRANTED, "--status", "x"][..],
        &["--token", GRANTED, "--unknown"],
        &["--token", GRANTED, "a", "b"],
        &["--token", GRANTED, "--body", "/absent"],
        &["--token", GRANTED, "--token", GRANTED, "--date", "x"],
    ] {
        let ran = Regq::new().args(["explain", "--offline"]).args(words).run_in_process();
        assert!(ran.code != 0 && !ran.stderr.is_empty(), "{ran}");
    }
}

/// Supplied secrets are redacted on a walk too.
#[test]
fn walk_redacts_supplied_secrets() {
    let echo = format!("{CHALLENGE},error=\"invalid_token\",error_description=\"not {GRANTED}\"");
    let words = [("DENIED", GRANTED)];
    let script = Script::new().first(ScriptedResponse::challenge(echo.clone()).words(&words));
    let (server, _) = script.last(ScriptedResponse::challenge(echo).words(&words)).start();
    for more in ["--json", "--curl", "-v"] {
        let run =
            Regq::new().args(["explain", "--plain-http", "--retries", "0", "--token", GRANTED]);
        let ran = run.args([more, &format!("{}/team/app:1", server.authority())]).run_in_process();
        ran.code(4);
    }
}
