//! Explains why a registry refused a request.
//!
//! Input is what is known about a login: a [`Recording`] of regq's requests, data that a user supplies about their own
//! attempt ([`Given`]), or both. Output is an [`Explanation`]: the steps of the login and all findings, in the order in
//! which a registry would report them.
//!
//! [`explain`] is pure: it sends no request and reads no clock. [`walk()`] sends the requests of a login and records them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a rule matches the one error it is about; new variants concern other rules"
)]

mod attempt;
mod by_hand;
mod jwt;
mod narrative;
mod ranking;
mod recording;
mod rules;
mod supplied;
mod token_url;
mod walk;

pub use self::by_hand::ManualRequests;
pub use self::narrative::Step;
pub use self::ranking::Severity;
pub use self::recording::{Recorder, Recording};
pub use self::rules::Remedy;
pub use self::supplied::{Given, parse_date};
pub use self::walk::{Walk, walk};

use self::attempt::Attempt;
use self::jwt::Form;
use self::ranking::RankedFinding;
use self::rules::Rule;
use crate::credentials::Secret;
use crate::error::{Error, Identity, Kind, Party, kind_of_status};
use crate::http::challenge::{Challenge, ChallengeError};
use crate::redact::Redactor;
use crate::reference::Reference;

/// The input of [`explain`].
#[derive(Debug)]
pub struct Case<'a> {
    given: &'a Given,
    reference: Option<&'a Reference>,
    recording: Option<&'a Recording>,
    error: Option<&'a Error>,
    plain_http: bool,
}

impl<'a> Case<'a> {
    /// A case with supplied data only. The data may be empty.
    pub fn new(given: &'a Given) -> Case<'a> {
        Case { given, reference: None, recording: None, error: None, plain_http: false }
    }

    /// Sets the requested reference.
    #[must_use]
    pub fn reference(self, reference: &'a Reference) -> Case<'a> {
        Case { reference: Some(reference), ..self }
    }

    /// Adds the recording of regq's requests, and the error that ended them.
    #[must_use]
    pub fn recording(self, recording: &'a Recording, error: Option<&'a Error>) -> Case<'a> {
        Case { recording: Some(recording), error, ..self }
    }

    /// Sets whether the registry is contacted without TLS.
    #[must_use]
    pub fn plain_http(self, plain_http: bool) -> Case<'a> {
        Case { plain_http, ..self }
    }
}

/// The result of [`explain`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// The challenges of the response that started the login. Empty if there were none.
    pub challenges: Vec<Result<Challenge, ChallengeError>>,
    /// The token, if any.
    pub token: Option<TokenFacts>,
    /// All findings, the most important first.
    pub findings: Vec<Finding>,
    /// How the login ended.
    pub outcome: Outcome,
    /// The requests of a correct login, to be sent by hand. `None` unless the reference and a token server are known.
    pub manual: Option<ManualRequests>,
    moved_to: Option<String>,
    realm_host: Option<String>,
    redactor: Redactor,
}

/// The readable parts of a token. Its signature is not verified.
#[derive(Debug)]
#[non_exhaustive]
pub struct TokenFacts {
    /// Whether it is a JWT, valid or damaged. Only the registry can read other tokens.
    pub jwt: bool,
    /// The header as JSON without white space.
    pub header: Option<String>,
    /// The claims as JSON without white space.
    pub claims: Option<String>,
}

/// A cause of failure, or a note.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The stable name, such as `service-mismatch`.
    pub id: &'static str,
    /// The cause in a few words.
    pub brief: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was detected, and where.
    pub evidence: String,
    /// What to do, as an imperative.
    pub advice: String,
    /// What a client can do about it.
    pub remedy: Remedy,
}

/// How a login ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The kind of failure; `None` if the login succeeded.
    pub kind: Option<Kind>,
    /// The HTTP status of the final response, if known.
    pub status: Option<u16>,
}

/// The maximum length of evidence and advice, in characters. They quote text of any length from servers.
const MAX_EVIDENCE: usize = 600;
/// The maximum length of a step, in characters. Long enough for any real challenge.
const MAX_DETAIL: usize = 3000;

/// Marks where a text was cut.
const CUT: &str = "...";

/// Explains a case.
///
/// Supplied data needs no network:
///
/// ```
/// use regq::explain::{Case, Given, Severity, explain};
/// use regq::reference::Reference;
///
/// let reference = Reference::parse("alpine")?;
/// let mut given = Given::default();
/// given.token_url = Some("https://auth.docker.io/token?service=index.docker.io".to_owned());
/// given.challenges = Some(vec![
///     r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",error="invalid_token""#.to_owned(),
/// ]);
///
/// let explanation = explain(&Case::new(&given).reference(&reference));
/// let finding = explanation.decisive().ok_or("no finding is decisive")?;
/// assert_eq!((finding.id, finding.severity), ("service-mismatch", Severity::Decisive));
/// assert_eq!(finding.advice, "use service=registry.docker.io, exactly as in the challenge");
/// assert_eq!(explanation.outcome.exit_code(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`walk()`] records the requests of a client:
///
/// ```no_run
/// use regq::explain::walk;
/// use regq::{Client, Config, Reference};
///
/// let client = Client::new(Config::default())?;
/// let reference = Reference::parse("registry.example.com/team/app")?;
/// for finding in walk(&client, &reference).explain(&reference).findings {
///     println!("{}: {} ({})", finding.id, finding.advice, finding.evidence);
/// }
/// # Ok::<(), regq::Error>(())
/// ```
pub fn explain(case: &Case<'_>) -> Explanation {
    let Case { given, reference, recording, error, plain_http } = *case;
    let own = recording.map(|recording| Attempt::recorded(recording, reference, error));
    let supplied =
        (!given.is_empty()).then(|| Attempt::given(given, reference, plain_http, own.as_ref()));
    let findings = supplied.iter().chain(&own).flat_map(ranking::rank);
    let findings = ranking::in_order(findings);
    let mut steps: Vec<_> = reference.map(narrative::name).into_iter().collect();
    if let Some(supplied) = &supplied {
        steps.extend(narrative::given(supplied, given.challenges.is_some()));
    }
    if let (Some(recording), Some(own)) = (recording, &own) {
        steps.extend(narrative::recorded(recording, own));
        steps.extend(error.map(narrative::ended));
    }
    let outcome = match &own {
        Some(own) => Outcome { kind: own.error.map(Error::kind), status: final_status(own) },
        None => outcome_of_supplied(supplied.as_ref(), &findings),
    };
    // Supplied data has precedence. What it lacks is taken from regq's own attempt.
    let with_challenge = supplied.as_ref().filter(|supplied| supplied.challenges.is_some());
    let with_challenge = with_challenge.or(own.as_ref());
    let token = [supplied.as_ref(), own.as_ref()];
    let token = token.into_iter().flatten().find_map(|attempt| attempt.token.as_ref());
    let secrets: Vec<Secret> =
        supplied.iter().chain(&own).flat_map(|attempt| attempt.secrets.clone()).collect();
    let user = recording.and_then(user);
    let mut explanation = Explanation {
        steps,
        challenges: with_challenge.and_then(|one| one.challenges.clone()).unwrap_or_default(),
        token: token.map(|token| TokenFacts {
            jwt: !matches!(token.form, Form::Opaque),
            header: token.header().and_then(|header| header.shallow_json()).map(str::to_owned),
            claims: token.claims_json().map(str::to_owned),
        }),
        findings: findings.into_iter().map(Finding::from).collect(),
        outcome,
        manual: with_challenge.and_then(|attempt| ManualRequests::of(attempt, user)),
        moved_to: own.as_ref().and_then(by_hand::moved_to),
        realm_host: with_challenge.and_then(Attempt::realm).map(|realm| realm.host().to_owned()),
        redactor: Secret::redactor(&secrets),
    };
    explanation.redact();
    explanation
}

impl Walk {
    /// Explains this attempt.
    pub fn explain(&self, reference: &Reference) -> Explanation {
        let given = Given::default();
        let error = self.result.as_ref().err();
        explain(&Case::new(&given).reference(reference).recording(&self.recording, error))
    }
}

/// The user whose credentials were sent.
fn user(recording: &Recording) -> Option<String> {
    recording.exchanges().find_map(|exchange| match &exchange.identity {
        Identity::Credential { user, .. } => user.clone(),
        _ => None,
    })
}

/// The status that ended regq's own walk, from the registry or the token server.
fn final_status(own: &Attempt<'_>) -> Option<u16> {
    let of_error = match own.error {
        Some(Error::Status(error)) => Some(error.status),
        Some(Error::CredentialsUnavailable { response, .. }) => match response.as_ref() {
            Error::Status(error) => Some(error.status),
            _ => None,
        },
        _ => None,
    };
    of_error.or(own.last.status)
}

/// The outcome of an attempt of which only supplied data is known.
fn outcome_of_supplied(supplied: Option<&Attempt<'_>>, findings: &[RankedFinding]) -> Outcome {
    let status = supplied.and_then(|supplied| supplied.last.status);
    let worst = findings.first().map(|finding| finding.severity);
    let kind = match status {
        Some(200..=299) if worst != Some(Severity::Decisive) => None,
        Some(status) => Some(kind_of_status(Party::Registry, status)),
        None => worst.filter(|worst| *worst != Severity::Note).map(|_| Kind::Denied),
    };
    Outcome { kind, status }
}

impl Outcome {
    /// The program's exit code for this outcome.
    pub fn exit_code(&self) -> u8 {
        self.kind.map_or(0, Kind::exit_code)
    }
}

impl Explanation {
    /// The most important finding, if it is decisive.
    pub fn decisive(&self) -> Option<&Finding> {
        self.findings.first().filter(|finding| finding.severity == Severity::Decisive)
    }

    /// The host of the challenge's realm.
    pub fn realm_host(&self) -> Option<&str> {
        self.realm_host.as_deref()
    }

    /// The reference at the host that a redirect led to, if that host has its own challenge. It is a URL if the target
    /// is not a manifest.
    pub fn moved_to(&self) -> Option<&str> {
        self.moved_to.as_deref()
    }

    /// Removes the case's secrets from a text: servers repeat what they receive.
    pub fn without_secrets(&self, text: &str) -> String {
        self.redactor.redact(text)
    }

    /// Removes secrets from all texts, and limits their length.
    fn redact(&mut self) {
        let redactor = std::mem::take(&mut self.redactor);
        let clean = |text: &mut String| *text = redactor.redact(text);
        let cut = |text: &mut String, max_chars| {
            if let Some((end, _)) = text.char_indices().nth(max_chars) {
                text.truncate(end);
                text.push_str(CUT);
            }
        };
        for step in &mut self.steps {
            clean(&mut step.detail);
            cut(&mut step.detail, MAX_DETAIL);
        }
        for finding in &mut self.findings {
            for text in [&mut finding.evidence, &mut finding.advice] {
                clean(text);
                cut(text, MAX_EVIDENCE);
            }
        }
        if let Some(manual) = &mut self.manual {
            [&mut manual.token_url, &mut manual.manifest_url].into_iter().for_each(clean);
            manual.user.iter_mut().for_each(clean);
        }
        self.moved_to.iter_mut().for_each(clean);
        if let Some(token) = &mut self.token {
            token.header.iter_mut().chain(&mut token.claims).for_each(clean);
        }
        self.redactor = redactor;
    }
}

impl From<RankedFinding> for Finding {
    fn from(ranked: RankedFinding) -> Finding {
        let RankedFinding { rule, severity, evidence, advice } = ranked;
        let Rule { id, brief, remedy, .. } = *rule;
        Finding { id, brief, severity, evidence, advice, remedy }
    }
}
