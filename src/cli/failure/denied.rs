//! Describes a refusal by a registry: the cause in a few words, and the command that explains it.

use regq::error::{ChallengeFault, Error, Identity, Kind};
use regq::explain::{Case, Finding, Given, Recorder, Recording, Remedy, explain};
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
        let recording = recorder.take();
        let cause = cause(error, reference, &recording).map(|finding| {
            let logs_in = login_was_required(error)
                && !recording.has_credentials()
                && matches!(finding.remedy, Remedy::LogIn | Remedy::CorrectRequestOrLogIn);
            let command = reference.filter(|_| logs_in);
            let command = command.and_then(|reference| login_command(reference, given));
            command.map_or(finding.brief.to_owned(), |command| format!("log in: {command}"))
        });
        let parts = [failure.hint.take(), cause, command];
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

/// Whether the registry required a login: with a challenge that requires a password, or by issuing an anonymous token
/// that was not enough.
fn login_was_required(error: &Error) -> bool {
    if let Error::Challenge(challenge) = error {
        return challenge.faults.iter().any(|fault| matches!(fault, ChallengeFault::NoCredentials));
    }
    matches!(error, Error::Status(status) if status.identity == Identity::AnonymousToken)
}

/// Returns the `login` command for a registry that received no credentials. `None` if the user requested anonymous access,
/// or escaping would change the command.
fn login_command(reference: &Reference, given: &GivenFlags) -> Option<String> {
    if given.flags().any(|flag| flag.long == "anonymous") {
        return None;
    }
    let mut words = vec!["regq".to_owned(), "login".to_owned()];
    words.extend(given.without_identity().iter().map(|word| quote_if_needed(word)));
    words.extend(["--user", "NAME", "--password-stdin"].map(str::to_owned));
    words.push(quote_if_needed(&reference.registry().name()));
    let command = words.join(" ");
    (escaped(&command) == command).then_some(command)
}

/// Returns the finding that decided the refusal.
fn cause(error: &Error, reference: Option<&Reference>, recording: &Recording) -> Option<Finding> {
    let given = Given::default();
    let mut case = Case::new(&given).recording(recording, Some(error));
    if let Some(reference) = reference {
        case = case.reference(reference);
    }
    explain(&case).decisive().cloned()
}
