//! `regq explain REF`: reports the steps of a login, what was wrong with it, and which command to try next.

mod curl;
mod page;
mod suggested_command;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use regq::credentials::Secret;
use regq::error::{Error, Kind};
use regq::explain::{Case, Explanation, Given, Walk, explain, walk};
use regq::files;
use regq::http::challenge::{Challenge, ChallengeError};
use regq::reference::Reference;
use serde::Serialize;
use serde_json::value::RawValue;

use self::page::{Page, Verdict};
use crate::cli::args::flags::Format;
use crate::cli::args::values::TokenSource;
use crate::cli::commands::context::Context;
use crate::cli::failure::hint;
use crate::cli::failure::{CommandError, Failure};
use crate::cli::output::{ItemKey, Report};
use crate::cli::session::client;
use crate::cli::session::references;

/// The maximum size of a token, token response or body that is read, in bytes.
const MAX_INPUT: u64 = 4 * 1024 * 1024;

/// The width of the text, in columns.
const WIDTH: usize = 80;

/// The object that `--json` prints.
#[derive(Serialize)]
struct Object<'a> {
    reference: Option<&'a str>,
    steps: Vec<StepObject<'a>>,
    challenges: Vec<ChallengeObject>,
    token: Option<TokenObject<'a>>,
    findings: Vec<FindingObject<'a>>,
    outcome: OutcomeObject,
    command: Option<&'a str>,
    curl: Option<&'a [String; 2]>,
}

#[derive(Serialize)]
struct StepObject<'a> {
    step: &'a str,
    detail: &'a str,
}

#[derive(Serialize)]
struct ChallengeObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    scheme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token68: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<usize>,
}

#[derive(Serialize)]
struct TokenObject<'a> {
    kind: &'static str,
    header: Option<&'a RawValue>,
    claims: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct FindingObject<'a> {
    id: &'a str,
    severity: &'a str,
    evidence: &'a str,
    advice: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutcomeObject {
    exit_code: u8,
    kind: Option<&'static str>,
    status: Option<u16>,
}

/// Runs the command.
pub(crate) fn run(context: &mut Context) -> Result<u8, CommandError> {
    let given = given(context)?;
    let operand = context.operands.first();
    let item = operand.map(|operand| references::item(operand.as_encoded_bytes()));
    let (typed, reference) = match item {
        None => (None, None),
        Some(item) => match item.reference {
            Ok(reference) => (Some(item.typed), Some(reference)),
            Err(failure) => {
                let (stdout, messages) = (&mut context.stdout, &context.messages);
                let form = context.options.answer.format();
                let mut report = Report::new(stdout, messages, form, ItemKey::Reference);
                report.failed(&item.typed, &failure)?;
                return Ok(report.code());
            }
        },
    };
    let walk = match &reference {
        Some(reference) if !context.options.attempt.offline => {
            Some(walk(&client::client(context)?, reference))
        }
        Some(_) | None => None,
    };
    let mut case = Case::new(&given).plain_http(context.options.connection.plain_http);
    if let Some(reference) = &reference {
        case = case.reference(reference);
    }
    if let Some(walk) = &walk {
        case = case.recording(&walk.recording, walk.result.as_ref().err());
    }
    print(context, typed.as_deref(), reference.as_ref(), &explain(&case), walk.as_ref())
}

fn print(
    context: &mut Context,
    typed: Option<&str>,
    reference: Option<&Reference>,
    explanation: &Explanation,
    walk: Option<&Walk>,
) -> Result<u8, CommandError> {
    let Context { options, given, stdout, messages, environment, .. } = context;
    let own = walk.map(|walk| walk.result.as_ref().map(|_| ()));
    let command = reference.zip(typed).and_then(|(reference, typed)| {
        suggested_command::command(reference, typed, explanation, own, options, given)
    });
    let wants_curl = options.attempt.curl || options.attempt.token_url.is_some();
    let curl = explanation.manual.as_ref().filter(|_| wants_curl).map(curl::commands);
    let curl = curl.as_ref();
    let code = explanation.outcome.exit_code();
    match options.answer.format() {
        Format::Text => {
            let verdict = match walk.map(|walk| &walk.result) {
                Some(Ok(resolved)) => Verdict::Succeeded(&resolved.digest),
                Some(Err(error)) => Verdict::Failed(hint::hint(error, reference)),
                None => Verdict::Offline,
            };
            let color = stdout.is_terminal() && !environment.no_color;
            let page = Page { explanation, verdict, command: command.as_deref(), curl, wants_curl };
            stdout.bytes(page.text(WIDTH, color).as_bytes())?;
            Ok(code)
        }
        form @ (Format::Json | Format::Get(_)) => {
            let object = object(typed, explanation, command.as_deref(), curl);
            let mut report = Report::new(stdout, messages, form, ItemKey::Reference);
            report.answer(&object, &[])?;
            Ok(if report.code() == 0 { code } else { report.code() })
        }
    }
}

fn object<'a>(
    typed: Option<&'a str>,
    explanation: &'a Explanation,
    command: Option<&'a str>,
    curl: Option<&'a [String; 2]>,
) -> Object<'a> {
    let steps = explanation.steps.iter();
    let findings = explanation.findings.iter();
    let json = |text: &'a Option<String>| serde_json::from_slice(text.as_deref()?.as_bytes()).ok();
    Object {
        reference: typed,
        steps: steps.map(|step| StepObject { step: step.step, detail: &step.detail }).collect(),
        challenges: explanation.challenges.iter().map(|one| challenge(one, explanation)).collect(),
        token: explanation.token.as_ref().map(|token| TokenObject {
            kind: if token.jwt { "jwt" } else { "opaque" },
            header: json(&token.header),
            claims: json(&token.claims),
        }),
        findings: findings
            .map(|finding| FindingObject {
                id: finding.id,
                severity: finding.severity.as_str(),
                evidence: &finding.evidence,
                advice: suggested_command::advice(finding),
            })
            .collect(),
        outcome: OutcomeObject {
            exit_code: explanation.outcome.exit_code(),
            kind: explanation.outcome.kind.map(Kind::as_str),
            status: explanation.outcome.status,
        },
        command,
        curl,
    }
}

fn challenge(
    challenge: &Result<Challenge, ChallengeError>,
    explanation: &Explanation,
) -> ChallengeObject {
    let clean = |text: &str| explanation.without_secrets(text);
    let nothing = ChallengeObject {
        scheme: None,
        params: None,
        token68: None,
        error: None,
        line: None,
        at: None,
    };
    match challenge {
        Ok(challenge) => {
            let params = challenge.params().iter().map(|(name, value)| (clean(name), clean(value)));
            ChallengeObject {
                scheme: Some(clean(challenge.scheme())),
                params: Some(params.collect()),
                token68: Some(challenge.token68().map(clean)),
                ..nothing
            }
        }
        Err(ChallengeError { code, line, at }) => ChallengeObject {
            error: Some(clean(&code.to_string())),
            line: Some(*line),
            at: Some(*at),
            ..nothing
        },
    }
}

/// Reads the data about the user's own attempt.
fn given(context: &mut Context) -> Result<Given, Failure> {
    let Context { options, stdin, .. } = context;
    let attempt = &options.attempt;
    let mut given = Given::default();
    given.token_url.clone_from(&attempt.token_url);
    given.challenges.clone_from(&attempt.challenges);
    given.status = attempt.status;
    given.date = attempt.date;
    given.token = match &attempt.token {
        None => None,
        Some(TokenSource::Text(token)) => Some(token.clone()),
        Some(TokenSource::Stdin) => {
            let bytes = read("standard input", stdin)?;
            // Invalid UTF-8 is reported as a finding.
            Some(Secret::new(String::from_utf8_lossy(&bytes)))
        }
    };
    if let Some(path) = &attempt.body {
        let source = path.display().to_string();
        let unreadable = |error| Failure::local(format!("{source}: cannot be read: {error}"));
        given.body = Some(read(&source, File::open(path).map_err(unreadable)?)?);
    }
    Ok(given)
}

/// Reads a source up to the limit.
fn read(source: &str, reader: impl Read) -> Result<Vec<u8>, Failure> {
    files::read_to_limit(reader, MAX_INPUT)
        .map_err(|fault| Failure::new(&Error::Local { path: source.into(), fault }, None))
}
