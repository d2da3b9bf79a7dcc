//! The command of `regq explain` that works: what it is made of, and where there is none.

use crate::support::{Auth, Content, Registry, Regq};
use serde_json::{Value, json};

/// What is said offline of these words, as an object.
#[track_caller]
fn offline(args: &[&str]) -> Value {
    let ran = Regq::new().args(["explain", "--offline", "--json"]).args(args).run();
    ran.json()[0].clone()
}

/// The same for people.
#[track_caller]
fn text(args: &[&str]) -> String {
    let ran = Regq::new().args(["explain", "--offline"]).args(args).run();
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn the_flags_that_were_given_stand_in_every_command() {
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
fn what_was_allowed_already_is_allowed_once() {
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
fn a_command_that_a_page_cannot_show_as_it_is_is_not_shown() {
    for name in ["a\nca", "a\u{1b}[31m", "a\u{202e}b"] {
        assert_eq!(offline(&["--ca-file", name, "alpine"])["command"], Value::Null, "{name:?}");
        assert!(!text(&["--ca-file", name, "alpine"]).contains("Try:"), "{name:?}");
    }
    let spaced = offline(&["--ca-file", "a ca", "alpine"])["command"].clone();
    assert_eq!(spaced, "regq digest --ca-file 'a ca' alpine");
}

#[test]
fn where_no_cause_is_known_nothing_is_said_to_work() {
    for (status, code) in [("503", 6), ("302", 7), ("404", 3), ("451", 7), ("401", 4)] {
        let object = offline(&["--status", status, "alpine"]);
        assert_eq!(object["findings"], json!([]), "{status}");
        assert_eq!(object["command"], Value::Null, "{status}");
        assert_eq!(object["outcome"]["exitCode"], code);
        let text = text(&["--status", status, "alpine"]);
        let said = format!("\n\nThe response is {status}, and the supplied data shows no cause.\n");
        assert!(text.ends_with(&said), "{text}");
    }
    // There is no way to do what this asks for.
    let digest = text(&["--challenge", "Digest realm=\"x\",nonce=\"y\"", "alpine"]);
    assert!(digest.ends_with("the supplied data shows no cause.\n"), "{digest}");
    let good = text(&["--status", "200", "alpine"]);
    assert!(good.contains("\nNo problem was found in the supplied data.\n"), "{good}");
}

#[test]
fn a_challenge_alone_is_how_a_login_begins() {
    let challenge = r#"Bearer realm="https://q.example/token",service="q.example""#;
    let text = text(&["--challenge", challenge, "q.example/a"]);
    let end = "\nThe response is 401, and the supplied data shows no cause.\n\n\
               Try:\n  regq digest q.example/a\n";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn the_login_goes_along_where_credentials_cannot_be_kept() {
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
    let due =
        "regq digest --user NAME --password-stdin --plain-http HOST/team/app:1 < password.txt";
    assert_eq!(command, due, "{ran}");
}

#[test]
fn curl_asks_for_a_realm_as_it_is() {
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
