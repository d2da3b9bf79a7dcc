//! Malicious tokens cause no panic and no false finding, and the output is one line of JSON or plain text.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::given_builder::{CHALLENGE, DATE, NAME, claims, jwt};
use crate::support::{Ran, Regq};

const HEADER: &str = "{\"alg\":\"ES256\"}";
/// An `access` entry that allows the request.
const PULL: &str = "{\"type\":\"repository\",\"name\":\"team/app\",\"actions\":[\"pull\"]}";

/// A valid token with more text after its claims.
fn with(more: &str) -> String {
    jwt(HEADER, &format!("{{\"access\":[{PULL}]{more}}}"))
}

/// A valid token with this access claim.
fn access(text: &str) -> String {
    jwt(HEADER, &format!("{{\"access\":{text}}}"))
}

fn deep(open: &str, close: &str) -> String {
    format!("{}0{}", open.repeat(5_000), close.repeat(5_000))
}

/// Each token with a description and its findings.
fn tokens() -> Vec<(&'static str, String, &'static [&'static str])> {
    const NOTHING: &[&str] = &[];
    let raw = |header: &str, claims: &[u8]| {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    };
    let long = "x".repeat(64 * 1024);
    vec![
        ("parts that are not base64", "!!!.???.---".into(), &["token-damaged"]),
        ("empty parts", "..".into(), &["token-damaged"]),
        ("two parts", claims(json!({})).rsplit_once('.').unwrap().0.into(), &["token-damaged"]),
        ("claims that are a list", jwt(HEADER, "[]"), &["token-damaged"]),
        ("claims that are null", jwt(HEADER, "null"), &["token-damaged"]),
        ("truncated claims", jwt(HEADER, "{\"aud\":\"x\""), &["token-damaged"]),
        ("two claims objects", jwt(HEADER, "{}{}"), &["token-damaged"]),
        ("claims that are not UTF-8", raw(HEADER, b"{\"aud\":\"\xff\"}"), &["token-damaged"]),
        ("a header that is not JSON", jwt("ES256", "{}"), &["token-damaged"]),
        (
            "a deeply nested header",
            jwt(&format!("{{\"alg\":{}}}", deep("[", "]")), &format!("{{\"access\":[{PULL}]}}")),
            NOTHING,
        ),
        ("alg none", jwt("{\"alg\":\"none\"}", "{\"aud\":\"x\"}"), &["token-damaged"]),
        ("alg NONE", jwt("{\"alg\":\"NONE\"}", "{}"), &["token-damaged"]),
        ("many dots", "a.".repeat(20_000), &["token-opaque"]),
        ("longer than a header may be", "a".repeat(100_000), &["token-opaque"]),
        ("an empty token", String::new(), &["token-missing"]),
        ("only white space", " \r\n\t".into(), &["token-missing"]),
        ("only the word Bearer", "Bearer ".into(), &["token-missing"]),
        (
            "a line break in the claims",
            claims(json!({})).replace(".eyJ", ".ey\nJ"),
            &["token-not-printable", "token-damaged"],
        ),
        (
            "a line break in the signature",
            claims(json!({})).replace(".c2ln", ".c2\nln"),
            &["token-not-printable"],
        ),
        ("a terminal escape sequence", "b3Bh\u{1b}]0;x\u{7}cXVl".into(), &["token-not-printable"]),
        ("in quotes", format!("'{}'", claims(json!({}))), &["token-damaged"]),
        ("deeply nested lists", access(&deep("[", "]")), NOTHING),
        ("deeply nested objects", access(&deep("{\"a\":", "}")), NOTHING),
        ("a deeply nested audience", with(&format!(",\"aud\":{}", deep("[", "]"))), NOTHING),
        (
            "a deeply nested claim and a wrong audience",
            with(&format!(",\"x\":{},\"aud\":\"y\"", deep("[", "]"))),
            &["audience-mismatch"],
        ),
        ("a long claim", with(&format!(",\"jti\":\"{long}\"")), NOTHING),
        ("a long audience", with(&format!(",\"aud\":\"{long}\"")), &["audience-mismatch"]),
        (
            "many audiences",
            with(&format!(",\"aud\":[{}\"y\"]", "\"x\",".repeat(20_000))),
            &["audience-mismatch"],
        ),
        (
            "many entries",
            access(&format!("[{}{PULL}]", "{\"type\":\"a\",\"name\":\"b\"},".repeat(2_000))),
            NOTHING,
        ),
        (
            "a repeated audience with different values",
            with(",\"aud\":\"x\",\"aud\":\"reg.example.com\""),
            NOTHING,
        ),
        (
            "a repeated audience with equal values",
            with(",\"aud\":\"x\",\"a\\u0075d\":\"x\""),
            &["audience-mismatch"],
        ),
        (
            "a repeated access claim with different values",
            format!("{{{}", jwt(HEADER, &format!("{{\"access\":[],\"access\":[{PULL}]}}")))
                .split_off(1),
            NOTHING,
        ),
        ("a claim name in capitals", with(",\"AUD\":\"x\""), NOTHING),
        ("times as strings", with(",\"exp\":\"1\",\"nbf\":\"9999999999\""), NOTHING),
        ("times as exponents", with(",\"exp\":1e2,\"nbf\":9.9e99"), NOTHING),
        ("times of other types", with(",\"exp\":null,\"nbf\":false,\"iat\":{}"), NOTHING),
        ("times with fractions", with(",\"exp\":1474547283.999,\"nbf\":0.1"), NOTHING),
        ("expiry before 1970", with(",\"exp\":-5"), &["token-expired"]),
        ("expiry before the year 0", with(",\"exp\":-99999999999999"), &["token-expired"]),
        (
            "expiry below the smallest integer",
            with(",\"exp\":-99999999999999999999999"),
            &["token-expired"],
        ),
        ("valid since before 1970", with(",\"nbf\":-1,\"iat\":-99999999999999999999999"), NOTHING),
        ("expiry after the year 9999", with(",\"exp\":253402300800"), NOTHING),
        ("expiry above the largest integer", with(",\"exp\":99999999999999999999999"), NOTHING),
        ("valid only after the year 9999", with(",\"nbf\":253402300800"), &["token-not-yet-valid"]),
        (
            "valid from a time in milliseconds",
            with(",\"nbf\":1474546983000"),
            &["token-not-yet-valid"],
        ),
        ("a number as audience", with(",\"aud\":7"), NOTHING),
        ("a mixed list as audience", with(",\"aud\":[\"x\",{}]"), NOTHING),
        ("the right audience among others", with(",\"aud\":[\"x\",\"reg.example.com\"]"), NOTHING),
        ("a string as access", access("\"repository:team/app:pull\""), NOTHING),
        ("strings as access entries", access("[\"repository:team/app:pull\"]"), NOTHING),
        ("access entries without names", access("[{\"type\":\"repository\"}]"), NOTHING),
        (
            "a string as actions",
            access("[{\"type\":\"repository\",\"name\":\"team/app\",\"actions\":\"pull\"}]"),
            NOTHING,
        ),
        (
            "null as actions",
            access("[{\"type\":\"repository\",\"name\":\"team/app\",\"actions\":null}]"),
            &["access-no-actions"],
        ),
        ("unpaired surrogates", with(",\"aud\":\"\\ud800\",\"sub\":\"\\udc00\""), NOTHING),
        (
            "escapes in claims",
            with(",\"aud\":\"\\u001b[2J\\u009b31m\\u202ex\\u0000\",\"iss\":\"\\u2066\\ufeff\"")
                .replace('\u{0}', ""),
            &["audience-mismatch"],
        ),
        (
            "claims that are not ASCII",
            with(",\"aud\":\"größe 大 \u{1f600}\",\"sub\":\"\u{202e}\u{9b}\""),
            &["audience-mismatch"],
        ),
    ]
}

fn run(token: &str, around: impl Fn(&str) -> String, words: &[&str]) -> Ran {
    let run = Regq::new().args(["explain", "--offline", NAME, "--token", "-"]);
    let run = run.args(["--challenge", CHALLENGE, "--date", DATE]).args(words);
    run.stdin(around(token)).run_in_process()
}

/// Checks that the text is safe to print on a terminal, and wrapped.
#[track_caller]
pub(super) fn is_plain(ran: &Ran) {
    let text = std::str::from_utf8(&ran.stdout).expect("UTF-8");
    let invisible = |c: char| {
        matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    for line in text.split_inclusive('\n') {
        let line = line.strip_suffix('\n').expect("a whole line");
        assert!(super::is_wrapped(line), "{line:?} is too wide\n{}", ran.command);
        assert!(!line.chars().any(|c| c.is_control() || invisible(c)), "{line:?}\n{}", ran.command);
    }
}

fn ids(object: &Value) -> Vec<&str> {
    let findings = object["findings"].as_array().expect("a list");
    findings.iter().map(|finding| finding["id"].as_str().expect("a text")).collect()
}

#[test]
fn hostile_tokens_cause_no_false_finding() {
    for (about, token, expected) in tokens() {
        let ran = run(&token, str::to_owned, &["--json"]);
        let objects = ran.json();
        assert_eq!(objects.len(), 1, "{about}");
        assert_eq!(ids(&objects[0]), expected, "{about}: {}", objects[0]["findings"]);
        let text = run(&token, str::to_owned, &[]);
        is_plain(&text);
        text.code(ran.code).stderr("");
        assert!(
            token.trim().is_empty() || token.len() < 10 || !text.to_string().contains(&token),
            "{about}"
        );
    }
}

/// The format around the token makes no difference.
#[test]
fn hostile_tokens_are_read_alike_inside_a_response() {
    for (about, token, expected) in tokens() {
        if token.trim() != token || token.is_empty() {
            continue;
        }
        let answer = |token: &str| json!({"token": token, "expires_in": 300}).to_string();
        let ran = run(&token, answer, &["--json"]);
        assert_eq!(ids(&ran.json()[0]), expected, "{about}");
        let ran = run(&token, |token| format!("bearer  {token}\n"), &["--json"]);
        assert_eq!(ids(&ran.json()[0]), expected, "{about}");
    }
}

/// Claims are shown verbatim, even of unsigned tokens, unless they are nested too deeply.
#[test]
fn claims_are_shown_unless_nested_too_deeply() {
    let shown = |token: &str| run(token, str::to_owned, &["--json"]).json()[0]["token"].clone();
    let unsigned = shown(&jwt("{\"alg\":\"none\"}", "{ \"aud\" : \"x\" }"));
    assert_eq!(unsigned, json!({"kind": "jwt", "header": {"alg": "none"}, "claims": {"aud": "x"}}));
    let text =
        super::outcome::offline(&[NAME, "--token", &jwt("{\"alg\":\"none\"}", "{\"aud\":\"x\"}")]);
    let text = String::from_utf8(text.stdout).unwrap();
    let claims =
        "claims         of a damaged token: issuer unknown, audience \"x\", subject unknown\n";
    assert!(text.contains(claims), "{text}");
    let deep = shown(&access(&deep("[", "]")));
    assert_eq!(deep, json!({"kind": "jwt", "header": {"alg": "ES256"}, "claims": null}));
    assert_eq!(shown("b3BhcXVl"), json!({"kind": "opaque", "header": null, "claims": null}));
    assert_eq!(shown(""), Value::Null);
}

#[test]
fn token_with_invalid_utf8_is_not_printable() {
    let run = Regq::new().args(["explain", "--offline", "--json", "--token", "-"]);
    let ran = run.stdin(b"b3Bh\xffcXVl".to_vec()).run_in_process();
    assert_eq!(ids(&ran.json()[0])[0], "token-not-printable", "{ran}");
}
