//! Describes a refusal by a registry: the cause in a few words, and the command that explains it.

use regq::error::{Error, Kind};
use regq::explain::{Case, Given, Recorder, explain};
use regq::reference::Reference;

use crate::cli::args::given::GivenFlags;
use crate::cli::failure::Failure;
use crate::cli::output::escape::escaped;
use crate::cli::output::shell::quote_if_needed;

/// Returns the failure of a request about a reference. If access was denied, its hint names the cause and the command.
pub(crate) fn failure(
    error: &Error,
    reference: &Reference,
    typed: &str,
    given: &GivenFlags,
    recorder: &Recorder,
) -> Failure {
    explained(error, Some(reference), typed, given, recorder)
}

/// Returns the failure of a login, which is not about a repository.
pub(crate) fn login_failure(
    error: &Error,
    registry: &str,
    given: &GivenFlags,
    recorder: &Recorder,
) -> Failure {
    explained(error, None, &format!("{registry}/REPOSITORY"), given, recorder)
}

fn explained(
    error: &Error,
    reference: Option<&Reference>,
    operand: &str,
    given: &GivenFlags,
    recorder: &Recorder,
) -> Failure {
    let mut failure = Failure::new(error, reference);
    if failure.kind == Kind::Denied {
        let command = explain_command(operand, given);
        let command = command.map(|command| format!("for details, run: {command}"));
        let parts = [failure.hint.take(), cause(error, reference, recorder), command];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        failure.hint = if parts.is_empty() { None } else { Some(parts.join("; ")) };
    }
    failure
}

/// Returns the `explain` command with the flags that were given; `None` if escaping would change it.
fn explain_command(operand: &str, given: &GivenFlags) -> Option<String> {
    let mut words = vec!["regq".to_owned(), "explain".to_owned()];
    words.extend(given.for_requests().iter().map(|word| quote_if_needed(word)));
    words.push(quote_if_needed(operand));
    let command = words.join(" ");
    (escaped(&command) == command).then_some(command)
}

/// Returns the cause in a few words.
fn cause(error: &Error, reference: Option<&Reference>, recorder: &Recorder) -> Option<String> {
    let (recording, given) = (recorder.take(), Given::default());
    let mut case = Case::new(&given).recording(&recording, Some(error));
    if let Some(reference) = reference {
        case = case.reference(reference);
    }
    let explanation = explain(&case);
    explanation.decisive().map(|finding| finding.brief.to_owned())
}
