//! What is said when a registry refuses: the cause in a few words, and where to hear the rest.

use regq::error::{Error, Kind};
use regq::explain::{Case, Given, Recorder, explain, quoted_where_needed};
use regq::reference::Reference;

use crate::cli::failure::Failure;

/// The failure of a question about a reference, as it was typed.
pub(crate) fn failure(
    error: &Error,
    reference: &Reference,
    typed: &str,
    recorder: &Recorder,
) -> Failure {
    explained(error, Some(reference), &quoted_where_needed(typed), recorder)
}

/// The failure of a login, which is about no repository yet.
pub(crate) fn of_login(error: &Error, registry: &str, recorder: &Recorder) -> Failure {
    explained(error, None, &format!("{registry}/REPOSITORY"), recorder)
}

/// The failure with its hint; where it is a refusal, with its cause too, and with what explain is to be asked.
fn explained(
    error: &Error,
    reference: Option<&Reference>,
    asked: &str,
    recorder: &Recorder,
) -> Failure {
    let mut failure = Failure::new(error, reference);
    if failure.kind == Kind::Denied {
        let run = format!("for details, run: regq explain {asked}");
        let parts = [failure.hint.take(), decisive(error, reference, recorder), Some(run)];
        failure.hint = Some(parts.into_iter().flatten().collect::<Vec<_>>().join("; "));
    }
    failure
}

/// What decided, in a few words.
fn decisive(error: &Error, reference: Option<&Reference>, recorder: &Recorder) -> Option<String> {
    let walk = recorder.take();
    let given = Given::default();
    let walk = Some((&walk, Some(error)));
    let explanation = explain(&Case { reference, given: &given, walk, plain_http: false });
    explanation.decisive().map(|finding| finding.brief.to_owned())
}
