//! `--offline`: exit codes, null values, and no requests.

use serde_json::{Value, json};

use super::given_builder::{CHALLENGE, DATE, NAME, URL, claims};
use crate::support::{Ran, Regq};

/// Runs `regq explain --offline` with these arguments.
pub(super) fn offline(words: &[&str]) -> Ran {
    Regq::new().args(["explain", "--offline"]).args(words).run_in_process()
}

#[track_caller]
pub(super) fn object(words: &[&str]) -> Value {
    let ran = offline(&[&["--json"], words].concat());
    let objects = ran.json();
    assert_eq!(objects.len(), 1, "{ran}");
    assert_eq!(objects[0]["outcome"]["exitCode"], json!(ran.code), "{ran}");
    assert_eq!(ran.stderr, "", "{ran}");
    objects[0].clone()
}

#[test]
fn exit_code_follows_the_final_status() {
    let codes = [
        (4, "denied", &["401", "403", "451"][..]),
        (3, "not-found", &["404"]),
        (5, "rate-limited", &["429"]),
        (6, "unavailable", &["407", "408", "500", "502", "599"]),
        (7, "invalid", &["100", "301", "307", "400", "405", "410", "418", "431"]),
        (0, "", &["200", "201", "204", "299"]),
    ];
    for (code, kind, statuses) in codes {
        for status in statuses {
            for words in [&["--status", status][..], &[NAME, "--status", status, "--challenge", ""]]
            {
                let ran = offline(words);
                ran.code(code);
                let outcome = object(words)["outcome"].clone();
                assert_eq!(outcome["status"], json!(status.parse::<u16>().unwrap()), "{ran}");
                let kind = if kind.is_empty() { Value::Null } else { kind.into() };
                assert_eq!(outcome["kind"], kind, "{ran}");
            }
        }
    }
}

#[test]
fn a_challenge_without_a_status_is_a_401() {
    for challenge in ["", "Basic", CHALLENGE, "Bearer realm=\""] {
        let object = object(&["--challenge", challenge]);
        assert_eq!(object["outcome"], json!({"exitCode": 4, "kind": "denied", "status": 401}));
    }
}

#[test]
fn without_a_response_the_findings_set_the_exit_code() {
    let unknown = |code: u8| match code {
        0 => json!({"exitCode": 0, "kind": null, "status": null}),
        _ => json!({"exitCode": 4, "kind": "denied", "status": null}),
    };
    let (correct, opaque) = (claims(json!({})), "b3BhcXVl");
    for (code, words) in [
        (0, &[][..]),
        (0, &[NAME]),
        (0, &[NAME, "--token-url", URL, "--token", &correct]),
        (0, &[NAME, "--date", DATE]),
        // Notes are not failures.
        (0, &[NAME, "--token", opaque]),
        (4, &[NAME, "--token", "ghp_0123456789"]),
        (4, &[NAME, "--token-url", "https://a.example/t?scope=repository:a:push"]),
        (4, &["--token", ""]),
    ] {
        offline(words).code(code);
        assert_eq!(object(words)["outcome"], unknown(u8::try_from(code).unwrap()), "{words:?}");
    }
}

/// A 2xx response is a success unless it is not a manifest.
#[test]
fn a_successful_response_fails_only_for_decisive_findings() {
    let folder = std::env::temp_dir().join(format!("regq-explain-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, body, code) in [
        ("page", "<html>Log in</html>", 7),
        ("manifest", "{\"schemaVersion\":2}", 0),
        ("nothing", "", 0),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, body).unwrap();
        let file = file.to_str().unwrap();
        offline(&[NAME, "--status", "200", "--body", file]).code(code);
        // Even if the request has other faults.
        offline(&[NAME, "--status", "200", "--body", file, "--token", "ghp_0123456789"]).code(code);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn rules_that_need_a_reference_are_silent_without_one() {
    let found = object(&[
        "--token-url",
        "https://reg.example.com/token?scope=repository:reg.example.com/a:pull",
        "--challenge",
        "Bearer realm=\"http://10.0.0.7/token\",scope=\"repository:other/a:pull\"",
    ]);
    assert_eq!(found["reference"], Value::Null);
    assert_eq!(found["command"], Value::Null);
    assert_eq!(found["curl"], Value::Null);
    let ids: Vec<_> = found["findings"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["token-url-not-realm"]);
    // The reference is printed as typed.
    assert_eq!(object(&["alpine", "--status", "404"])["reference"], "alpine");
}

#[test]
fn token_is_read_from_stdin_with_text_around_it() {
    let token = claims(json!({"aud": "x"}));
    for text in [
        token.clone(),
        format!("{token}\n"),
        format!("Authorization: Bearer {token}\r\n"),
        format!("{{\"token\":\"{token}\",\"expires_in\":300}}\n"),
    ] {
        let run = Regq::new().args(["explain", "--offline", "--json", NAME, "--token", "-"]);
        let ran = run.args(["--challenge", CHALLENGE]).stdin(text).run_in_process();
        let object = &ran.json()[0];
        assert_eq!(object["findings"][0]["id"], "audience-mismatch", "{ran}");
        assert_eq!(object["token"]["kind"], "jwt", "{ran}");
        assert_eq!(object["token"]["claims"]["aud"], "x", "{ran}");
        assert_eq!(object["token"]["header"]["kid"], "K1", "{ran}");
    }
}

/// Expiry is checked against the attempt's own Date, not against another clock.
#[test]
fn times_are_checked_only_against_the_supplied_date() {
    let token = claims(json!({}));
    let explained = |words: &[&str]| {
        let all = [&[NAME, "--challenge", CHALLENGE, "--token", &token], words].concat();
        let object = object(&all);
        let ids: Vec<_> =
            object["findings"].as_array().unwrap().iter().map(|f| f["id"].clone()).collect();
        (ids, object["steps"].to_string())
    };
    let (found, steps) = explained(&[]);
    assert_eq!(found, Vec::<Value>::new());
    assert!(steps.contains("expires 2016-09-22 12:28:03 UTC"), "{steps}");
    assert!(!steps.contains("left") && !steps.contains("expired"), "{steps}");
    let (found, steps) = explained(&["--date", DATE]);
    assert_eq!(found, Vec::<Value>::new());
    assert!(steps.contains("293 s left"), "{steps}");
    for date in [
        "Thu, 22 Sep 2016 13:00:00 GMT",
        "date: Thu, 22 Sep 2016 13:00:00 GMT",
        "2016-09-22T13:00:00Z",
    ] {
        assert_eq!(explained(&["--date", date]).0, ["token-expired"]);
    }
}

/// Apostrophes in values of a registry are escaped for the shell.
#[test]
fn curl_commands_are_quoted() {
    let realm = format!("https://auth.example.com/it's{}", "x'y".repeat(80));
    let ran = offline(&[NAME, "--curl", "--challenge", &format!("Bearer realm=\"{realm}\"")]);
    super::hostile::is_plain(&ran);
    let text = String::from_utf8(ran.stdout.clone()).unwrap();
    let commands = text.split_once("  curl ").unwrap().1;
    let first = commands.split_once("  curl ").unwrap().0;
    let shell =
        std::process::Command::new("sh").args(["-c", &format!("printf '%s ' {first}")]).output();
    let read = String::from_utf8(shell.unwrap().stdout).unwrap();
    assert_eq!(read, format!("-sS {realm}?scope=repository:team/app:pull "), "{ran}");
}

/// Data that cannot be used alone is still listed.
#[test]
fn a_body_or_date_alone_is_reported_as_unused() {
    let file = format!("{}/body-alone-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::write(&file, "denied: go away").unwrap();
    let steps = |words: &[&str]| {
        let steps = object(&[&[NAME], words].concat())["steps"].clone();
        let given = |step: &&Value| step["step"] == "given";
        let steps: Vec<_> = steps.as_array().unwrap().iter().filter(given).cloned().collect();
        steps.iter().map(|step| step["detail"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let body = "body: 15 bytes; it says \"denied: go away\"; not used: the response's status is \
                unknown";
    assert_eq!(steps(&["--body", &file]), [body]);
    let response = "last response: 403; it says \"denied: go away\"";
    assert_eq!(steps(&["--body", &file, "--status", "403"]), [response]);
    let date = "date: 2016-09-22 12:23:10 UTC; not used: there is no token";
    assert_eq!(steps(&["--date", DATE]), [date]);
    let token = claims(json!({}));
    assert!(steps(&["--date", DATE, "--token", &token])[0].starts_with("token: "));
    std::fs::remove_file(file).unwrap();
}
