//! Why a registry said no: a recorded exchange in, findings out.
//!
//! Pure: no request is made here and no clock is read. What regq's own walk did comes in as a [`Recording`], which a
//! [`Recorder`] keeps while a [`Client`](crate::registry::Client) asks; what somebody else asked and got comes in
//! as [`Given`]. All faults are found at once, and put into the order in which a registry would report them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a rule names what it is about; all else, what is to come included, is another's business"
)]

mod attempt;
mod curl;
mod jwt;
mod narrative;
mod ranking;
mod recording;
mod rules;
mod supplied;
mod token_url;

pub use self::curl::{quoted, quoted_where_needed};
pub use self::narrative::Step;
pub use self::ranking::Severity;
pub use self::recording::{Recorder, Recording};
pub use self::supplied::{Given, read_date};

use self::attempt::Attempt;
use self::jwt::Form;
use self::ranking::Judged;
use crate::credentials::Secret;
use crate::error::{Error, Identity, Kind};
use crate::http::challenge::{Challenge, ChallengeError};
use crate::redact::Redactor;
use crate::reference::Reference;

/// What is to be explained.
#[derive(Debug)]
pub struct Case<'a> {
    /// What was asked about, where that is known.
    pub reference: Option<&'a Reference>,
    /// The pieces of somebody's own attempt.
    pub given: &'a Given,
    /// regq's own walk, and the error that ended it.
    pub walk: Option<(&'a Recording, Option<&'a Error>)>,
    /// True when the registry is asked without TLS.
    pub plain_http: bool,
}

/// What there is to say.
#[derive(Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// The challenges of the answer that the login began with; empty when there are none.
    pub challenges: Vec<Result<Challenge, ChallengeError>>,
    /// The token, where there is one.
    pub token: Option<TokenFacts>,
    /// What was found, what matters most first.
    pub findings: Vec<Finding>,
    /// How it ended.
    pub outcome: Outcome,
    /// Two command lines for a POSIX shell: the first prints the token server's answer, the second asks for the
    /// manifest with the token in the variable `T`.
    pub curl: Option<[String; 2]>,
    moved_to: Option<String>,
    realm_host: Option<String>,
    redactor: Redactor,
}

/// What can be said of a token without checking its signature.
#[derive(Debug)]
#[non_exhaustive]
pub struct TokenFacts {
    /// True for a JWT, false for a token that only its registry can read.
    pub jwt: bool,
    /// Its header, as JSON without white space.
    pub header: Option<String>,
    /// Its claims, as JSON without white space. Nobody verified them.
    pub claims: Option<String>,
}

/// A cause of failure that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Its name, a promise to scripts.
    pub id: &'static str,
    /// The same for people, in a few words.
    pub brief: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was seen, and where.
    pub evidence: String,
    /// What to do.
    pub advice: String,
}

/// How a login ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The kind of failure; `None` when there was none.
    pub kind: Option<Kind>,
    /// The HTTP status of the final answer, where one is known.
    pub status: Option<u16>,
}

/// Evidence and advice are cut here, in characters: what servers send has no end.
const MAX_EVIDENCE: usize = 600;
/// Steps are cut here: a challenge or a realm may be long and still be looked at.
const MAX_DETAIL: usize = 3000;

/// What stands where a text was cut.
const CUT: &str = "...";

/// Explains a case.
///
/// What somebody asked and got is judged without a network:
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
/// let case = Case { reference: Some(&reference), given: &given, walk: None, plain_http: false };
///
/// let explanation = explain(&case);
/// let finding = explanation.decisive().ok_or("nothing decided it")?;
/// assert_eq!((finding.id, finding.severity), ("service-mismatch", Severity::Decisive));
/// assert_eq!(finding.advice, "ask for service=registry.docker.io, exactly as the challenge has it");
/// assert_eq!(explanation.outcome.exit_code(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A walk of regq's own is kept by a [`Recorder`] while a client asks:
///
/// ```no_run
/// use regq::explain::{Case, Given, Recorder, explain};
/// use regq::reference::Reference;
/// use regq::event::Observer;
/// use regq::registry::{Client, Config, ResolveOptions};
///
/// let recorder = Recorder::default();
/// let mut config = Config::default();
/// let (events, exchanges) = (recorder.clone(), recorder.clone());
/// config.observer = Observer::with_conversation(
///     move |event| events.record(event),
///     move |exchange| exchanges.record_exchange(exchange),
/// );
/// let reference = Reference::parse("registry.example.com/team/app")?;
/// let options = ResolveOptions { error_details: true, ..ResolveOptions::default() };
/// let error = Client::new(config)?.resolve(&reference, &options).err();
///
/// let (given, walk) = (Given::default(), recorder.take());
/// let case = Case {
///     reference: Some(&reference),
///     given: &given,
///     walk: Some((&walk, error.as_ref())),
///     plain_http: false,
/// };
/// for finding in explain(&case).findings {
///     println!("{}: {} ({})", finding.id, finding.advice, finding.evidence);
/// }
/// # Ok::<(), regq::error::Error>(())
/// ```
pub fn explain(case: &Case<'_>) -> Explanation {
    let Case { reference, given, walk, plain_http } = case;
    let own = walk.map(|(walk, error)| Attempt::walked(walk, *reference, error));
    let theirs =
        (!given.is_empty()).then(|| Attempt::given(given, *reference, *plain_http, own.as_ref()));
    let judged = theirs.iter().chain(&own).flat_map(ranking::judge);
    let judged = ranking::in_order(judged);
    let mut steps: Vec<_> = reference.map(narrative::name).into_iter().collect();
    if let Some(theirs) = &theirs {
        steps.extend(narrative::given(theirs, given.challenges.is_some()));
    }
    if let (Some((walk, error)), Some(own)) = (walk, &own) {
        steps.extend(narrative::walked(walk, own));
        steps.extend(error.map(narrative::ended));
    }
    let outcome = match &own {
        Some(own) => Outcome { kind: own.error.map(Error::kind), status: status(own) },
        None => offline(theirs.as_ref(), &judged),
    };
    let user = walk.and_then(|(walk, _)| {
        walk.hops().find_map(|hop| match &hop.identity {
            Identity::Credential { user, .. } => user.clone(),
            _ => None,
        })
    });
    // What was given counts for more than what regq saw; what was not given is taken from there.
    let told = theirs.as_ref().filter(|theirs| theirs.challenges.is_some()).or(own.as_ref());
    let token = [theirs.as_ref(), own.as_ref()];
    let token = token.into_iter().flatten().find_map(|attempt| attempt.token.as_ref());
    let redactor: Vec<Secret> =
        theirs.iter().chain(&own).flat_map(|attempt| attempt.hidden.clone()).collect();
    let mut explanation = Explanation {
        steps,
        challenges: told.and_then(|attempt| attempt.challenges.clone()).unwrap_or_default(),
        token: token.map(|token| TokenFacts {
            jwt: !matches!(token.form, Form::Opaque),
            header: token.header().and_then(|header| header.shallow()).map(str::to_owned),
            claims: token.shown_claims().map(str::to_owned),
        }),
        findings: judged.into_iter().map(Finding::from).collect(),
        outcome,
        curl: told.and_then(|attempt| curl::commands(attempt, user.as_deref())),
        moved_to: own.as_ref().and_then(curl::moved),
        realm_host: told.and_then(Attempt::realm).map(|realm| realm.host().to_owned()),
        redactor: Secret::redactor(&redactor),
    };
    explanation.conceal();
    explanation
}

/// The status that ended regq's own walk, whoever sent it.
fn status(own: &Attempt<'_>) -> Option<u16> {
    let of_error = match own.error {
        Some(Error::Status(answer)) => Some(answer.status),
        Some(Error::CredentialsUnavailable { response, .. }) => match response.as_ref() {
            Error::Status(answer) => Some(answer.status),
            _ => None,
        },
        _ => None,
    };
    of_error.or(own.last.status)
}

/// How an attempt ended of which only the pieces are known.
fn offline(theirs: Option<&Attempt<'_>>, findings: &[Judged]) -> Outcome {
    let status = theirs.and_then(|theirs| theirs.last.status);
    let worst = findings.first().map(|finding| finding.severity);
    let kind = match status {
        Some(401 | 403) => Some(Kind::Denied),
        Some(404) => Some(Kind::NotFound),
        Some(429) => Some(Kind::RateLimited),
        Some(407 | 408 | 500..=599) => Some(Kind::Unavailable),
        Some(200..=299) if worst != Some(Severity::Decisive) => None,
        Some(_) => Some(Kind::Invalid),
        None => worst.filter(|worst| *worst != Severity::Note).map(|_| Kind::Denied),
    };
    Outcome { kind, status }
}

impl Outcome {
    /// The exit code of the program.
    pub fn exit_code(&self) -> u8 {
        self.kind.map_or(0, Kind::exit_code)
    }
}

impl Explanation {
    /// The finding that decided the answer, or else matters most.
    pub fn decisive(&self) -> Option<&Finding> {
        self.findings.first().filter(|finding| finding.severity == Severity::Decisive)
    }

    /// The host of the challenge's realm.
    pub fn realm_host(&self) -> Option<&str> {
        self.realm_host.as_deref()
    }

    /// The reference at the host that a redirect led to, where that has a challenge of its own; a text that is
    /// none where what it led to cannot be named so.
    pub fn moved_to(&self) -> Option<&str> {
        self.moved_to.as_deref()
    }

    /// Takes every secret out of a text: servers repeat what they were sent.
    pub fn without_secrets(&self, text: &str) -> String {
        self.redactor.redact(text)
    }

    fn conceal(&mut self) {
        let redactor = std::mem::take(&mut self.redactor);
        let clean = |text: &mut String| *text = redactor.redact(text);
        let cut = |text: &mut String, most| {
            if let Some((end, _)) = text.char_indices().nth(most) {
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
        self.curl.iter_mut().flatten().chain(&mut self.moved_to).for_each(clean);
        if let Some(token) = &mut self.token {
            token.header.iter_mut().chain(&mut token.claims).for_each(clean);
        }
        self.redactor = redactor;
    }
}

impl From<Judged> for Finding {
    fn from(judged: Judged) -> Finding {
        let Judged { rule, severity, evidence, advice } = judged;
        Finding { id: rule.id, brief: rule.brief, severity, evidence, advice }
    }
}
