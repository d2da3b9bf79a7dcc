//! Uses `regq explain --json --offline --challenge LINE...` as a parser of `WWW-Authenticate`.

use serde_json::{Map, Value, json};

use super::outcome::object;

const VECTORS: &str = include_str!("../../vectors/challenges.tsv");

/// The printed challenges for these lines, in the format of the vectors.
fn printed(lines: &[String], with_name: bool) -> Vec<Value> {
    let lines = lines.iter().map(|line| match with_name {
        true => format!("WWW-Authenticate: {line}"),
        false => line.clone(),
    });
    let words: Vec<String> = lines.flat_map(|line| ["--challenge".to_owned(), line]).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    object(&words)["challenges"].as_array().expect("a list").clone()
}

/// The printed element without members that the expected one omits: the position, or a null token68.
fn comparable(found: &Value, expected: Option<&Value>) -> Value {
    let mut found: Map<String, Value> = found.as_object().expect("an object").clone();
    let unsaid = |key: &str| expected.is_some_and(|expected| expected.get(key).is_none());
    if found.contains_key("error") {
        found.retain(|key, _| key == "error" || !unsaid(key));
    } else if unsaid("token68") && found.get("token68") == Some(&Value::Null) {
        found.remove("token68");
    }
    Value::Object(found)
}

#[track_caller]
fn check(row: &str, lines: &[String], expected: &[Value], with_name: bool) {
    let found = printed(lines, with_name);
    let found: Vec<_> =
        found.iter().enumerate().map(|(at, one)| comparable(one, expected.get(at))).collect();
    assert_eq!(found, expected, "row {row}: {lines:?}");
}

#[test]
fn every_challenge_vector_is_printed_as_expected() {
    let mut tried = 0;
    for line in VECTORS.lines().skip(1) {
        let fields: Vec<_> = line.split('\t').collect();
        let [row, lines, expected, ..] = fields[..] else { panic!("{line}") };
        let lines: Vec<String> = serde_json::from_str(lines).unwrap();
        let expected: Vec<Value> = serde_json::from_str(expected).unwrap();
        // Arguments cannot contain NUL.
        if lines.iter().any(|line| line.contains('\0')) {
            continue;
        }
        // The header name is removed once. White space after it is not part of the value.
        let named = lines.iter().any(|line| line.starts_with("WWW-Authenticate:"));
        if !named {
            check(row, &lines, &expected, false);
        }
        if !lines.iter().any(|line| line.starts_with([' ', '\t'])) {
            check(row, &lines, &expected, true);
        }
        tried += 1;
    }
    assert!(tried > 110, "{tried} rows");
}

#[test]
fn json_keys_do_not_change() {
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let found =
        object(&["--challenge", "BEARER Realm=\"a\", Negotiate YWJj==", "--challenge", "\""]);
    let expected = json!([
        {"scheme": "bearer", "params": {"realm": "a"}, "token68": null},
        {"scheme": "negotiate", "params": {}, "token68": "YWJj=="},
        {"error": "bad-char", "line": 2, "at": 0},
    ]);
    assert_eq!(found["challenges"], expected);
    let all =
        ["challenges", "command", "curl", "findings", "outcome", "reference", "steps", "token"];
    let mut names = keys(&found);
    names.sort_unstable();
    assert_eq!(names, all);
    assert_eq!(found["token"], Value::Null);
    for finding in found["findings"].as_array().unwrap() {
        let mut names = keys(finding);
        names.sort_unstable();
        assert_eq!(names, ["advice", "evidence", "id", "severity"]);
    }
}

/// Line and byte count empty lines and leading white space too.
#[test]
fn error_positions_refer_to_the_supplied_text() {
    for (lines, line, at) in [
        (&["", "Bearer realm=\"x"][..], 2, 13),
        (&["  Bearer realm=\"x"], 1, 15),
        (&["WWW-Authenticate:   Bearer realm=\"x\r\n"], 1, 13),
        (&["Basic", "", "\tB x=\"y\", \"z\"\r"], 3, 10),
        (&["Bearer realm=\"größe\", \u{e9}"], 1, 24),
    ] {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let found = printed(&lines, false);
        let error = found.iter().find(|one| one.get("error").is_some()).expect("an error");
        assert_eq!((&error["line"], &error["at"]), (&json!(line), &json!(at)), "{lines:?}");
    }
}

#[test]
fn get_prints_one_value() {
    let ran = super::outcome::offline(&[
        "--get",
        "challenges.0.params.realm",
        "--challenge",
        "Bearer realm=\"https://a.example/t\"",
    ]);
    ran.code(4).stdout("https://a.example/t\n");
}
