//! An explanation contains no password or token, wherever servers repeat them, and no control characters.

use super::scripted::{CHALLENGE, date};
use super::{Results, Script, ScriptedResponse, jwt, run_script};
use crate::support::Request;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

/// A secret and a script that sends it.
type Sent = (&'static str, fn() -> Script);

// Not the secrets that every run is searched for: some of these are never sent, so regq cannot know them.
const PASSWORD: &str = "s3cret-p4ssword";
const IDENTITY: &str = "1dent1ty-of-many";
const READY: &str = "r3ady-made-token";
const GRANTED: &str = "gr4nt-of-the-day";

const SENT: &[Sent] = &[
    (PASSWORD, || Script::new().password(PASSWORD).token(ScriptedResponse::token(GRANTED))),
    (PASSWORD, || Script::new().password(PASSWORD).challenge(r#"Basic realm="x""#)),
    (IDENTITY, || Script::new().entry(format!(r#"{{"identitytoken":"{IDENTITY}"}}"#))),
    (READY, || Script::new().entry(format!(r#"{{"registrytoken":"{READY}"}}"#))),
    (GRANTED, || Script::new().token(ScriptedResponse::token(GRANTED))),
    // A secret that was not requested.
    (GRANTED, || {
        Script::new().token(ScriptedResponse::json(
            200,
            &json!({ "token": "opaque", "refresh_token": GRANTED }),
        ))
    }),
];

/// A place where a server repeats a secret.
type Place = fn(Script, &str) -> Script;

const PLACES: &[Place] = &[
    |script, text| {
        script.last(ScriptedResponse::again("").words(&[("UNAUTHORIZED", text), (text, "x")]))
    },
    |script, text| script.last(ScriptedResponse::new(403).body(format!("you sent {text}"))),
    |script, text| script.last(ScriptedResponse::new(404).words(&[("MANIFEST_UNKNOWN", text)])),
    |script, text| script.last(ScriptedResponse::page(text)),
    |script, text| script.last(ScriptedResponse::new(200).header("Content-Type", text)),
    |script, text| script.last(ScriptedResponse::manifest().header("Docker-Content-Digest", text)),
    |script, text| {
        let last = ScriptedResponse::new(429)
            .header("Retry-After", text)
            .header("RateLimit-Remaining", text);
        script.last(last)
    },
    |script, text| {
        script.last(ScriptedResponse::new(307).header("Location", format!("/{text}?x={text}")))
    },
    |script, text| {
        script
            .last(ScriptedResponse::new(307).header("Location", format!("http://{text}.invalid:x")))
    },
    |script, text| {
        script.last(ScriptedResponse::again(&format!(
            r#",error="{text}",error_description="{text}",{text}="1""#
        )))
    },
    |script, text| {
        script.last(ScriptedResponse::challenge(format!(r#"{text} {text}, {text} realm="{text}""#)))
    },
    |script, text| script.last(ScriptedResponse::challenge(format!(r#"Bearer realm="{text}"#))),
    |script, text| {
        let lines = ScriptedResponse::challenge(CHALLENGE).line(format!(r#"{text} a="{text}""#));
        script.first(lines.words(&[("UNAUTHORIZED", text)]))
    },
    |script, text| script.challenge(&format!(r#"Bearer realm="/{text}",service="{text}""#)),
    |script, text| script.challenge(&format!(r#"Bearer realm="SELF/?p={text}",scope="{text}""#)),
    |script, text| script.challenge(&format!(r#"Bearer realm="{text}" {text}"#)),
    |script, text| script.token(ScriptedResponse::new(401).words(&[("DENIED", text)])),
    |script, text| script.token(ScriptedResponse::new(400).body(text)),
    |script, text| script.token(ScriptedResponse::new(503).header("Retry-After", text).body(text)),
    |script, text| script.token(ScriptedResponse::page(text)),
    |script, text| script.token(ScriptedResponse::new(200).body(format!("{text}{{"))),
    |script, text| script.token(ScriptedResponse::token(format!("{text}\n"))),
    |script, text| {
        script.token(ScriptedResponse::new(307).header("Location", format!("/{text}?x={text}")))
    },
    |script, text| {
        let entry = json!({ "type": "repository", "name": text, "actions": [text] });
        let claims = json!({
            "iss": text, "sub": text, "aud": [text], "jti": text, "access": [entry], text: text,
            "exp": 1, "nbf": format!("{text}"),
        });
        let last = ScriptedResponse::again(r#",error="invalid_token""#).header("Date", date(37));
        script.token(ScriptedResponse::token(jwt(&claims))).last(last)
    },
];

/// Checks that the output contains no useful part of the secret.
#[track_caller]
fn assert_redacted(results: &Results, secret: &str) {
    let begins: String = secret.chars().take(7).collect();
    let unwrapped: String = results.text.split_whitespace().collect();
    for output in [results.object.to_string(), unwrapped] {
        assert!(!output.contains(&begins), "{secret} is in {output}{results}");
    }
}

/// Runs a script in which a server repeats a secret. Returns false if regq did not share the secret with the server.
#[track_caller]
fn check_repeated(script: Script, secret: &str) -> bool {
    let response = script.token_response().unwrap_or_default();
    let given = ["token", "refresh_token"].iter().any(|name| response[name] == secret);
    let results = run_script(script.alone());
    let requested_token =
        results.requests.iter().any(|request| !request.path().contains("/manifests/"));
    let shared =
        (given && requested_token) || results.requests.iter().any(|request| sent(request, secret));
    if shared {
        assert_redacted(&results, secret);
    }
    shared
}

fn sent(request: &Request, secret: &str) -> bool {
    let authorization = request.header("authorization").unwrap_or_default();
    let pair = authorization.strip_prefix("Basic ").map(|pair| STANDARD.decode(pair).unwrap());
    let pair = String::from_utf8(pair.unwrap_or_default()).unwrap();
    let posted = String::from_utf8_lossy(&request.body).contains(secret);
    pair.contains(secret) || authorization.contains(secret) || posted
}

#[test]
fn secrets_that_servers_repeat_are_redacted() {
    for (secret, script) in SENT {
        let repeated =
            PLACES.iter().filter(|place| check_repeated(place(script(), secret), secret)).count();
        assert!(repeated >= 10, "{repeated} of {}", PLACES.len());
    }
}

/// If a text repeats a secret many times, every cut falls within one. Two offsets, half a secret apart, leave at least
/// half of it in one of them.
#[test]
fn cut_texts_contain_no_part_of_a_secret() {
    for (secret, script) in [&SENT[0], &SENT[4], &SENT[5]] {
        for place in PLACES {
            for before in [0, secret.len() / 2] {
                let text = "x".repeat(before) + &secret.repeat(60);
                check_repeated(place(script(), &text), secret);
            }
        }
    }
}

#[test]
fn secrets_with_escaped_quotes_are_redacted() {
    let opaque = r#"gr4nted"-t0ken\of-ada"#;
    let claims = json!({ "iss": opaque, "sub": opaque, "access": [] });
    let answer = json!({ "token": jwt(&claims), "refresh_token": opaque });
    let results = run_script(Script::new().token(ScriptedResponse::json(200, &answer)));
    assert_redacted(&results, opaque);
}

/// A password with characters that JSON, URLs and HTML escape.
const ODD_PASSWORD: &str = "hunter2/&(\"\u{fc}\\')*tail";

/// The encodings of the password that servers use.
fn writings() -> Vec<String> {
    let each =
        |write: &dyn Fn(u8) -> String| -> String { ODD_PASSWORD.bytes().map(write).collect() };
    let percent = |plain: &str, lower: bool| {
        each(&|byte| match byte {
            byte if byte.is_ascii_alphanumeric() || plain.as_bytes().contains(&byte) => {
                char::from(byte).to_string()
            }
            byte if lower => format!("%{byte:02x}"),
            byte => format!("%{byte:02X}"),
        })
    };
    let unit = |unit: u16| match char::from_u32(unit.into()) {
        Some(c) if c.is_ascii_alphanumeric() => c.to_string(),
        _ => format!("\\u{unit:04x}"),
    };
    let html = ODD_PASSWORD.replace('&', "&amp;").replace('"', "&quot;");
    let pair = format!("ada:{ODD_PASSWORD}");
    vec![
        percent("", false),
        percent("", true),
        percent("!'()*~/", true),
        percent("&/", false),
        ODD_PASSWORD.encode_utf16().map(unit).collect(),
        json!(ODD_PASSWORD).to_string().replace('/', "\\/"),
        html.replace('\'', "&#39;"),
        html.replace('/', "&#x2F;"),
        STANDARD.encode(ODD_PASSWORD),
        URL_SAFE_NO_PAD.encode(ODD_PASSWORD),
        STANDARD.encode(&pair).replace('=', ""),
        URL_SAFE_NO_PAD.encode(&pair),
        STANDARD.encode(format!("eve:{ODD_PASSWORD}")),
    ]
}

#[test]
fn encoded_secrets_are_redacted() {
    for text in writings() {
        for last in [true, false] {
            for response in [
                ScriptedResponse::new(403).body(format!("login failed for {text}!")),
                ScriptedResponse::new(401).body(format!(r#"{{"msg":"login failed for {text}"}}"#)),
                ScriptedResponse::new(403).words(&[("DENIED", &text)]),
                ScriptedResponse::page(&text),
            ] {
                let script = Script::new().password(ODD_PASSWORD);
                let script = if last { script.last(response) } else { script.token(response) };
                let results = run_script(script.alone());
                let unwrapped: String = results.text.split_whitespace().collect();
                let whole = format!("{}{unwrapped}", results.object);
                let begins: String = text.trim_start_matches('"').chars().take(8).collect();
                assert!(!whole.contains("hunter2"), "{text} is in {results}");
                assert!(!whole.contains(&begins), "{text} is in {results}");
            }
        }
    }
}

#[test]
fn supplied_secrets_are_redacted() {
    let results = run_script(Script::new().args(&["--token", GRANTED]));
    assert_redacted(&results, GRANTED);
    assert!(results.steps("given")[0].contains("opaque, 16 characters, SHA-256 "), "{results}");
    let url =
        format!("http://ada:{PASSWORD}@HOST/token?service=x&password={PASSWORD}&code={GRANTED}");
    let results = run_script(Script::new().args(&["--token-url", &url]));
    assert_redacted(&results, PASSWORD);
    assert_redacted(&results, GRANTED);
    let line = format!(r#"Bearer realm="http://HOST/token?sig={GRANTED}",service="{GRANTED}""#);
    let token = ["--token", GRANTED, "--challenge", &line];
    assert_redacted(&run_script(Script::new().args(&token)), GRANTED);
}

/// Only their names show that these are secrets.
#[test]
fn unknown_tokens_in_error_bodies_are_redacted() {
    for response in [
        ScriptedResponse::page(&format!("signed in, access_token={GRANTED}")),
        ScriptedResponse::new(403).body(format!("access_token={GRANTED}")),
        ScriptedResponse::json(401, &json!({ "id_token": GRANTED })),
        ScriptedResponse::new(403).words(&[("DENIED", &jwt(&json!({ "sub": GRANTED })))]),
    ] {
        assert_redacted(&run_script(Script::new().token(response.clone()).alone()), GRANTED);
        let results = run_script(Script::new().last(response).alone());
        assert_redacted(&results, GRANTED);
        assert!(!results.object.to_string().contains("eyJ"), "{results}");
    }
}

/// Characters that control a terminal or reverse text.
const ODD: &str = "\u{1b}[31m\u{7}\u{9b}2J\u{202e}\u{200b}\r\u{8}x";

#[test]
fn control_characters_from_servers_are_escaped() {
    // Headers cannot contain ASCII control characters.
    let header = "\u{9b}2J\u{202e}\u{200b}x";
    for (place, text) in PLACES.iter().enumerate() {
        for odd in [ODD, header] {
            // Such a header could not be sent.
            if odd == ODD && in_header(place) {
                continue;
            }
            // `run_script` checks the output.
            run_script(text(Script::new(), odd));
        }
    }
}

/// Whether a place is a header value.
fn in_header(place: usize) -> bool {
    let script = PLACES[place](Script::new(), "MARK");
    script.responses().iter().any(|response| response.has_in_header("MARK"))
}
