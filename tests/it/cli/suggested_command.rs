//! The command that `regq explain` suggests, and the cases without one.

use crate::support::{Auth, Content, Registry, Regq};
use serde_json::{Value, json};

/// Runs `explain --offline --json` and returns the object.
#[track_caller]
fn offline(args: &[&str]) -> Value {
    let ran = Regq::new().args(["explain", "--offline", "--json"]).args(args).run();
    ran.json()[0].clone()
}

/// Runs `explain --offline` and returns the text.
#[track_caller]
fn text(args: &[&str]) -> String {
    let ran = Regq::new().args(["explain", "--offline"]).args(args).run();
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn suggested_commands_repeat_the_given_flags() {
    let given = [
        "--authfile a.json --trust-realm t.example --ca-file ca.pem",
        "--timeout 5 --connect-timeout 1.5s --retries 0 --max-wait 2m",
        "--insecure --plain-http --allow-private",
    ];
    let given = given.join(" ");
    let command = |more: &str| {
        let args: Vec<_> = given.split(' ').chain(more.split(' ')).collect();
        offline(&args)["command"].clone()
    };
    assert_eq!(command("q.example/a/b"), format!("regq digest {given} q.example/a/b"));
    assert_eq!(
        command("--status 403 q.example/a/b"),
        format!(
            "regq login --user NAME --password-stdin {given} q.example < password.txt && \
             regq digest {given} q.example/a/b"
        )
    );
}

#[test]
fn flags_that_were_given_are_not_added_again() {
    let command = |flags: &[&str], realm: &str| {
        let challenge = format!("Bearer realm=\"{realm}\"");
        offline(&[flags, &["--challenge", &challenge, "q.example/a"]].concat())["command"].clone()
    };
    let private = "https://10.0.0.7/token";
    for flags in [&[][..], &["--allow-private"]] {
        assert_eq!(command(flags, private), "regq digest --allow-private q.example/a");
    }
    let flags = ["--trust-realm", "T.example"];
    let trusting = "regq digest --trust-realm T.example q.example/a";
    assert_eq!(command(&flags, "https://t.example/token"), trusting);
}

#[test]
fn commands_that_need_escaping_are_not_shown() {
    for name in ["a\nca", "a\u{1b}[31m", "a\u{202e}b"] {
        assert_eq!(offline(&["--ca-file", name, "alpine"])["command"], Value::Null, "{name:?}");
        assert!(!text(&["--ca-file", name, "alpine"]).contains("Try:"), "{name:?}");
    }
    let spaced = offline(&["--ca-file", "a ca", "alpine"])["command"].clone();
    assert_eq!(spaced, "regq digest --ca-file 'a ca' alpine");
}

#[test]
fn no_command_is_suggested_without_a_cause() {
    for (status, code) in [("503", 6), ("302", 7), ("404", 3), ("451", 4), ("401", 4)] {
        let object = offline(&["--status", status, "alpine"]);
        assert_eq!(object["findings"], json!([]), "{status}");
        assert_eq!(object["command"], Value::Null, "{status}");
        assert_eq!(object["outcome"]["exitCode"], code);
        let text = text(&["--status", status, "alpine"]);
        let end =
            format!("\n\nThe response is {status}, and the data you passed shows no cause.\n");
        assert!(text.ends_with(&end), "{text}");
    }
    // regq does not support Digest authentication.
    let digest = text(&["--challenge", "Digest realm=\"x\",nonce=\"y\"", "alpine"]);
    assert!(digest.ends_with("the data you passed shows no cause.\n"), "{digest}");
    let good = text(&["--status", "200", "alpine"]);
    assert!(good.contains("\nNo problem was found in the data you passed.\n"), "{good}");
}

#[test]
fn a_bearer_challenge_alone_is_not_a_failure() {
    let challenge = r#"Bearer realm="https://q.example/token",service="q.example""#;
    let text = text(&["--challenge", challenge, "q.example/a"]);
    let end = "\nThe response is 401, and the data you passed shows no cause.\n\n\
               Try:\n  regq digest q.example/a\n";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn password_is_passed_if_credentials_cannot_be_saved() {
    let registry = Registry::start(Auth::Basic, None);
    registry.push("team/app", "1", &Content::index());
    let folder = format!("{}/no-helper-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(format!("{folder}/config.json"), r#"{"credsStore":"absent"}"#).unwrap();
    let host = registry.authority();
    let name = format!("{host}/team/app:1");
    let run = Regq::new().env("DOCKER_CONFIG", &folder);
    let ran = run.args(["explain", "--json", "--plain-http", &name]).run();
    std::fs::remove_dir_all(&folder).unwrap();
    let command = ran.json()[0]["command"].as_str().unwrap().replace(&host, "HOST");
    let expected =
        "regq digest --user NAME --password-stdin --plain-http HOST/team/app:1 < password.txt";
    assert_eq!(command, expected, "{ran}");
}

#[test]
fn curl_does_not_expand_braces_in_a_realm() {
    let curl = |realm: &str| {
        let challenge = format!("Bearer realm=\"{realm}\"");
        offline(&["--curl", "--challenge", &challenge, "q.example/a"])["curl"][0].clone()
    };
    let scope = "scope=repository:a:pull";
    let plain = format!("curl -sS 'https://q.example/a?{scope}'");
    assert_eq!(curl("https://q.example/a"), plain);
    for realm in ["https://q.example/{a,b}", "https://q.example/[1-3]"] {
        assert_eq!(curl(realm), format!("curl -sSg '{realm}?{scope}'"));
    }
}
