//! Properties that hold for any supplied data, malicious and broken data included.

use std::collections::{BTreeMap, BTreeSet};

use arbtest::arbitrary::{Result as Drawn, Unstructured};
use arbtest::arbtest;
use regq::explain::{Explanation, Severity};
use serde_json::json;

use super::given_builder::{CHALLENGE, HUB, NAME, Supplied, URL, access, claims, jwt, of};
use super::hostile::is_plain;
use crate::support::Regq;

const FINDINGS: &str = include_str!("../../vectors/findings.tsv");

/// Fragments of pasted text, to be combined at random.
const FRAGMENTS: &[&str] = &[
    "https://",
    "http://",
    "auth.example.com",
    "auth.docker.io",
    "/token",
    "/",
    "?",
    "&",
    "&amp;",
    "#",
    "=",
    ":",
    "service=",
    "scope=",
    "account=ada",
    "password=",
    "repository:",
    "registry:catalog:*",
    "team/app",
    "alpine",
    "library/",
    ":pull",
    ":push",
    ",",
    ";",
    " ",
    "+",
    "%20",
    "%3A",
    "%253A",
    "%",
    "@",
    "@sha256:",
    "Bearer ",
    "Basic ",
    "Negotiate",
    "realm=",
    "\"",
    "\\",
    "'",
    "error=\"invalid_token\"",
    "error=\"insufficient_scope\"",
    "scope=\"repository:team/app:pull\"",
    "{",
    "}",
    "[]",
    "<html>",
    "{\"errors\":[{\"code\":\"DENIED\"}]}",
    "\n",
    "\r\n",
    "\t",
    "\u{1b}[31m",
    "\u{202e}",
    "größe",
    "\u{1f600}",
    "\u{7f}",
    ".",
    "..",
    "ey",
    "ghp_",
    "ya29.",
    "localhost:5000",
    "10.0.0.7",
    "[::1]",
    "WWW-Authenticate: ",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];
const NAMES: &[&str] = &[
    "",
    NAME,
    "alpine",
    "localhost:5000/a",
    "reg.example.com/a@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
];
const STATUSES: &[u16] =
    &[200, 201, 307, 400, 401, 403, 404, 405, 407, 408, 418, 429, 431, 500, 503];

fn fragments(u: &mut Unstructured<'_>, most: usize) -> Drawn<String> {
    let mut text = String::new();
    for _ in 0..u.int_in_range(0..=most)? {
        text.push_str(u.choose(FRAGMENTS)?);
    }
    Ok(text)
}

/// A text with a random insertion or deletion.
fn mutated(u: &mut Unstructured<'_>, text: &str) -> Drawn<String> {
    let mut text: Vec<char> = text.chars().collect();
    for _ in 0..u.int_in_range(0..=2)? {
        let at = u.int_in_range(0..=text.len())?;
        let end = u.int_in_range(at..=text.len().min(at + 8))?;
        let put = fragments(u, 1)?;
        text.splice(at..end, put.chars());
    }
    Ok(text.into_iter().collect())
}

fn token(u: &mut Unstructured<'_>) -> Drawn<String> {
    let value = |u: &mut Unstructured<'_>| fragments(u, 2);
    let token = match u.int_in_range(0..=5)? {
        0 => fragments(u, 4)?,
        1 => claims(json!({"aud": value(u)?, "sub": value(u)?, "iss": value(u)?})),
        2 => claims(json!({"exp": u.arbitrary::<i64>()?, "nbf": u.arbitrary::<i64>()?, "access": []})),
        3 => claims(access(&value(u)?, &["pull", &value(u)?])),
        4 => jwt(&value(u)?, &value(u)?),
        _ => json!({"token": claims(json!({})), "access_token": value(u)?, "expires_in": u.arbitrary::<i64>()?}).to_string(),
    };
    mutated(u, &token)
}

fn url(u: &mut Unstructured<'_>) -> Drawn<String> {
    let url =
        *u.choose(&["", URL, "https://auth.docker.io/token?service=index.docker.io&scope="])?;
    let end = fragments(u, 3)?;
    mutated(u, &format!("{url}{end}"))
}

fn line(u: &mut Unstructured<'_>) -> Drawn<String> {
    let line = *u.choose(&["", CHALLENGE, HUB, "Basic realm=\"harbor\""])?;
    let end = fragments(u, 3)?;
    mutated(u, &format!("{line}{end}"))
}

/// Random supplied data.
fn supplied(u: &mut Unstructured<'_>) -> Drawn<Supplied> {
    let mut supplied = of(u.choose(NAMES)?);
    if u.ratio(2, 3)? {
        supplied = supplied.token_url(url(u)?);
    }
    if u.ratio(2, 3)? {
        supplied = supplied.token(token(u)?);
    }
    for _ in 0..u.int_in_range(0..=2)? {
        supplied = supplied.line(line(u)?);
    }
    if u.ratio(1, 2)? {
        supplied = supplied.status(*u.choose(STATUSES)?);
    }
    if u.ratio(1, 3)? {
        supplied = supplied.body(fragments(u, 5)?);
    }
    if u.ratio(1, 3)? {
        supplied = supplied.date("Thu, 22 Sep 2016 12:23:10 GMT");
    }
    if u.ratio(1, 8)? {
        supplied = supplied.plain_http();
    }
    Ok(supplied)
}

/// The whole explanation as one text.
fn whole_text(explanation: &Explanation) -> String {
    let steps = explanation.steps.iter().map(|step| step.detail.clone());
    let findings =
        explanation.findings.iter().flat_map(|one| [one.evidence.clone(), one.advice.clone()]);
    let urls = explanation.manual.iter();
    let urls =
        urls.flat_map(|requests| [requests.token_url.clone(), requests.manifest_url.clone()]);
    let token =
        explanation.token.iter().flat_map(|token| [token.header.clone(), token.claims.clone()]);
    let challenges = explanation.challenges.iter().flatten().flat_map(|challenge| {
        let token68 = challenge.token68().map(str::to_owned);
        token68.into_iter().chain(challenge.params().iter().map(|(_, value)| value.clone()))
    });
    let challenges: Vec<_> = challenges.map(|text| explanation.without_secrets(&text)).collect();
    let all = steps.chain(findings).chain(urls).chain(token.flatten()).chain(challenges);
    all.collect::<Vec<_>>().join("\n")
}

#[test]
fn findings_are_well_formed_for_any_data() {
    let listed: BTreeMap<_, _> = FINDINGS
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<_> = line.split('\t').collect();
            (fields[0], fields[2])
        })
        .collect();
    let mut found_ids = BTreeSet::new();
    arbtest(|u| {
        let supplied = supplied(u)?;
        let explanation = supplied.explain();
        let findings = &explanation.findings;
        assert!(findings.is_sorted_by_key(|one| one.severity), "{supplied:?}");
        let mut ids = BTreeSet::new();
        for finding in findings {
            assert!(ids.insert(finding.id), "{} twice: {supplied:?}", finding.id);
            let worst = listed.get(finding.id).expect("a listed finding");
            assert!(*worst == "decisive" || finding.severity == Severity::Note, "{supplied:?}");
            assert!(!finding.evidence.is_empty(), "{finding:?}");
            let open = |name: &str| finding.advice.contains(&format!("{{{name}}}"));
            let names = ["service", "repository", "scope", "realm", "registry"];
            assert!(!names.into_iter().any(open), "{finding:?}");
            assert!(finding.evidence.chars().count() <= 603, "{finding:?}");
        }
        // If anything would fail next, something is decisive.
        let worst = findings.first().map(|one| one.severity);
        // A status that no check returns precedes all checks.
        let precedes_checks =
            !matches!(explanation.outcome.status, None | Some(200..=299 | 401 | 403 | 404));
        assert!(
            worst != Some(Severity::WouldFailNext) || precedes_checks,
            "{supplied:?} {findings:?}"
        );
        assert!(explanation.steps.iter().all(|step| !step.detail.is_empty()), "{supplied:?}");
        found_ids.extend(ids);
        Ok(())
    })
    .budget_ms(1_000);
    // Checks that enough cases ran. The property is limited by time, and machines differ.
    assert!(found_ids.len() > 8, "{found_ids:?}");
}

/// A text in one of the encodings of servers.
fn written(u: &mut Unstructured<'_>, text: &str) -> Drawn<String> {
    let percent = |c: char| match c {
        c if c.is_ascii_alphanumeric() => c.to_string(),
        c => c.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect(),
    };
    Ok(match u.int_in_range(0..=4)? {
        0 => text.chars().map(percent).collect(),
        1 => json!(text).to_string(),
        2 => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        3 => text.to_ascii_uppercase().to_ascii_lowercase(),
        _ => text.to_owned(),
    })
}

/// Random tokens and passwords, repeated anywhere.
#[test]
fn secrets_are_redacted_in_any_data() {
    const CORE: &str = "s3cr3t-c0re";
    let mut tried = 0;
    arbtest(|u| {
        let wrap = |u: &mut Unstructured<'_>| -> Drawn<String> {
            let around = ["", "a", "ey", ".", "~!*", "%2F", "+/=", "<>", "'", "{", "é", "\"", "\\"];
            Ok(format!("{}{CORE}{}", u.choose(&around)?, u.choose(&around)?))
        };
        let (token, password) = (wrap(u)?, wrap(u)?);
        let echoed = |u: &mut Unstructured<'_>| -> Drawn<String> {
            let secret = if u.arbitrary()? { &token } else { &password };
            let before = fragments(u, 2)?;
            let secret = written(u, secret)?;
            Ok(format!("{before}{secret}"))
        };
        let encoded = password
            .replace('%', "%25")
            .replace('/', "%2F")
            .replace('+', "%2B")
            .replace('#', "%23");
        let url = match u.int_in_range(0..=2)? {
            0 => format!("https://ada:{encoded}@auth.example.com/token?service=s"),
            1 => format!("{URL}&password={encoded}"),
            _ => format!("{URL}&access_token={encoded}&account=ada"),
        };
        let given =
            if u.ratio(1, 4)? { json!({"token": token}).to_string() } else { token.clone() };
        let mut supplied = of(u.choose(NAMES)?).token_url(url).token(given);
        for _ in 0..u.int_in_range(0..=2)? {
            let name = *u.choose(&[
                "realm=\"https://auth.example.com/",
                "service=\"",
                "scope=\"repository:",
                "error_description=\"",
                "",
            ])?;
            // Escaped for a quoted string.
            let value = echoed(u)?.replace('\\', "\\\\").replace('"', "\\\"");
            supplied = supplied.line(format!("Bearer {name}{value}\""));
        }
        let body = match u.int_in_range(0..=2)? {
            0 => echoed(u)?,
            1 => json!({"errors": [{"code": "DENIED", "message": echoed(u)?}]}).to_string(),
            _ => format!("<p>{}</p>", echoed(u)?),
        };
        supplied = supplied.status(*u.choose(STATUSES)?).body(body);
        let text = whole_text(&supplied.explain());
        let core = |text: &str| text.replace("%2d", "-").contains(CORE);
        assert!(!core(&text), "{token:?} and {password:?} in {supplied:?}:\n{text}");
        tried += 1;
        Ok(())
    })
    .budget_ms(1_000);
    assert!(tried > 5, "{tried}");
}

/// The program prints one line of JSON, or text that is safe for a terminal.
#[test]
fn output_is_one_line_of_json_or_plain_text() {
    arbtest(|u| {
        let mut words = vec!["explain".to_owned(), "--offline".into(), "--curl".into()];
        words.extend(Some((*u.choose(NAMES)?).to_owned()).filter(|name| !name.is_empty()));
        // With `=`, because a value that begins with a dash is not accepted as a separate argument.
        words.extend([format!("--token-url={}", url(u)?), format!("--challenge={}", line(u)?)]);
        words.extend(["--status".into(), u.choose(STATUSES)?.to_string()]);
        words.extend(["--token".into(), "-".into()]);
        let token = token(u)?;
        let run = |more: &[&str]| {
            Regq::new().args(&words).args(more).stdin(token.clone()).run_in_process()
        };
        let (json, text) = (run(&["--json"]), run(&[]));
        assert_eq!(json.json().len(), 1, "{json}");
        assert_eq!(json.json()[0]["outcome"]["exitCode"], json!(json.code), "{json}");
        text.code(json.code).stderr("");
        is_plain(&text);
        Ok(())
    })
    .budget_ms(1_500);
}
