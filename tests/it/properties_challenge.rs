//! What holds for every `WWW-Authenticate`, as one plain function: the tests here call it with generated
//! values, a fuzz target with its own.
//!
//! It names regq and std only, since the fuzz target includes this very file.

use regq::http::challenge::{
    Challenge, ChallengeError, ChallengeErrorCode, MAX_CHALLENGES, MAX_PARAMS, parse,
};

type Parsed = Vec<Result<Challenge, ChallengeError>>;

/// Panics when something that must hold does not. `data` is field lines with a line feed between them.
pub(crate) fn challenge_holds(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let parsed = parse(lines.iter().copied());
    is_well_formed(&parsed, &lines);
    case_does_not_matter(&parsed, &lines);
    reads_what_it_would_write(&parsed);
    joining_changes_nothing(&parsed, &lines);
}

/// Limits, alphabets, and errors that point into their line.
fn is_well_formed(parsed: &Parsed, lines: &[&[u8]]) {
    let good = parsed.iter().filter(|item| item.is_ok()).count();
    assert!(good <= MAX_CHALLENGES, "{good} challenges");
    assert!(parsed.len() <= MAX_CHALLENGES + lines.len(), "{} elements", parsed.len());
    let mut line = 0;
    for item in parsed {
        match item {
            Ok(challenge) => challenge_is_well_formed(challenge),
            Err(error) => {
                assert!(error.line >= line, "errors come in order of their lines");
                line = error.line;
                points_at_its_cause(error, lines[line - 1]);
            }
        }
    }
}

fn challenge_is_well_formed(challenge: &Challenge) {
    assert!(is_lower_token(challenge.scheme()), "{challenge:?}");
    assert!(challenge.params().len() <= MAX_PARAMS, "{challenge:?}");
    assert!(challenge.token68().is_none() || challenge.params().is_empty(), "{challenge:?}");
    assert_ne!(challenge.token68(), Some(""));
    for (name, value) in challenge.params() {
        assert!(is_lower_token(name), "{challenge:?}");
        assert!(!value.bytes().any(|b| b.is_ascii_control() && b != b'\t'), "{challenge:?}");
        assert_eq!(challenge.param(&name.to_ascii_uppercase()), Some(value.as_str()));
    }
}

fn is_lower_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| is_tchar(b) && !b.is_ascii_uppercase())
}

fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The byte at the error's place is of the kind that the code speaks of.
fn points_at_its_cause(error: &ChallengeError, line: &[u8]) {
    let from_there = line.get(error.at..).expect("the place is within the line");
    let byte = from_there.first().copied();
    let control = byte.is_some_and(|b| b.is_ascii_control() && b != b'\t');
    let fits = match &error.code {
        ChallengeErrorCode::ControlChar => control,
        ChallengeErrorCode::UnterminatedQuote => byte == Some(b'"'),
        ChallengeErrorCode::ParamWithoutScheme => byte == Some(b'='),
        ChallengeErrorCode::DuplicateParam(name) => {
            let there = from_there.get(..name.len()).expect("the name is there");
            there.eq_ignore_ascii_case(name.as_bytes())
        }
        ChallengeErrorCode::TooMany => byte.is_some_and(is_tchar),
        ChallengeErrorCode::BadChar => byte.is_some() && !control,
        // These two may also miss something at the end of the line.
        ChallengeErrorCode::ExpectedComma => byte.is_some_and(|b| b != b',') && !control,
        ChallengeErrorCode::ExpectedParam => !control,
        other => panic!("a new code, {other}: say here what it points at"),
    };
    assert!(fits, "{error} in {:?}", line.escape_ascii().to_string());
}

/// With the case of all letters turned round, names and schemes stay and values turn round.
fn case_does_not_matter(parsed: &Parsed, lines: &[&[u8]]) {
    let turned: Vec<Vec<u8>> =
        lines.iter().map(|line| line.iter().map(turn_byte).collect()).collect();
    let other = parse(turned.iter().map(Vec::as_slice));
    let expected: Vec<_> = parsed.iter().map(|item| item.as_ref().map(turned_values)).collect();
    let found: Vec<_> = other.iter().map(|item| item.as_ref().map(plain_values)).collect();
    assert_eq!(found, expected);
}

type Values = (String, Vec<(String, String)>, Option<String>);

fn plain_values(challenge: &Challenge) -> Values {
    let token68 = challenge.token68().map(str::to_owned);
    (challenge.scheme().to_owned(), challenge.params().to_vec(), token68)
}

fn turned_values(challenge: &Challenge) -> Values {
    let (scheme, params, token68) = plain_values(challenge);
    let params = params.into_iter().map(|(name, value)| (name, turn(&value))).collect();
    (scheme, params, token68.map(|value| turn(&value)))
}

fn turn(text: &str) -> String {
    text.chars().map(turn_char).collect()
}

fn turn_char(char: char) -> char {
    if char.is_ascii_uppercase() { char.to_ascii_lowercase() } else { char.to_ascii_uppercase() }
}

fn turn_byte(byte: &u8) -> u8 {
    if byte.is_ascii_uppercase() { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() }
}

/// What was read, written down as the RFC has it, reads as the same.
fn reads_what_it_would_write(parsed: &Parsed) {
    let good: Vec<&Challenge> = parsed.iter().flatten().collect();
    let line = good.iter().map(|challenge| written(challenge)).collect::<Vec<_>>().join(", ");
    let again = parse([line.as_bytes()]);
    let again: Vec<&Challenge> =
        again.iter().map(|item| item.as_ref().unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
    assert_eq!(again, good, "{line}");
}

fn written(challenge: &Challenge) -> String {
    let params = challenge.params().iter().map(|(name, value)| {
        format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    });
    let rest: Vec<String> =
        challenge.token68().map(str::to_owned).into_iter().chain(params).collect();
    format!("{} {}", challenge.scheme(), rest.join(", "))
}

/// Lines without errors mean the same when a comma joins them.
fn joining_changes_nothing(parsed: &Parsed, lines: &[&[u8]]) {
    if parsed.iter().all(Result::is_ok) {
        assert_eq!(parse([lines.join(&b',').as_slice()]), *parsed);
    }
}
