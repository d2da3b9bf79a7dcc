//! Describes a refusal by a registry: the cause in a few words, and the command that explains it.

use regq::error::{ChallengeFault, Error, Identity, Kind, StatusError};
use regq::explain::{Case, Given, Recorder, Recording, Remedy, explain};
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
    explained(error, Some(reference), typed, given, &given.for_requests(), recorder)
}

/// Returns the failure of a login, which is not about a repository.
pub(crate) fn login_failure(
    error: &Error,
    registry: &str,
    given: &GivenFlags,
    recorder: &Recorder,
) -> Failure {
    let operand = format!("{registry}/REPOSITORY");
    explained(error, None, &operand, given, &given.for_explaining_login(), recorder)
}

fn explained(
    error: &Error,
    reference: Option<&Reference>,
    operand: &str,
    given: &GivenFlags,
    repeated_flags: &[String],
    recorder: &Recorder,
) -> Failure {
    let mut failure = Failure::new(error, reference);
    if failure.kind == Kind::Denied {
        let command = explain_command(operand, repeated_flags);
        let command = command.map(|command| format!("for details, run: {command}"));
        let cause = cause(error, reference, given, &recorder.take());
        let parts = [failure.hint.take(), cause, command];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        failure.hint = if parts.is_empty() { None } else { Some(parts.join("; ")) };
    }
    failure
}

/// Returns the `explain` command with these flags; `None` if escaping would change it.
fn explain_command(operand: &str, flags: &[String]) -> Option<String> {
    let mut words = vec!["regq".to_owned(), "explain".to_owned()];
    words.extend(flags.iter().map(|word| quote_if_needed(word)));
    words.push(quote_if_needed(operand));
    let command = words.join(" ");
    (escaped(&command) == command).then_some(command)
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

/// Returns what to do about the cause of a refusal, or the cause in a few words.
fn cause(
    error: &Error,
    reference: Option<&Reference>,
    given: &GivenFlags,
    recording: &Recording,
) -> Option<String> {
    let supplied = Given::default();
    let mut case = Case::new(&supplied).recording(recording, Some(error));
    if let Some(reference) = reference {
        case = case.reference(reference);
    }
    let explanation = explain(&case);
    let finding = explanation.decisive()?;
    let logs_in = matches!(finding.remedy, Remedy::LogIn | Remedy::CorrectRequestOrLogIn)
        && !recording.found_credentials()
        // A login at the registry is of no use to the host that a redirect led to.
        && explanation.moved_to().is_none();
    let command = reference.filter(|_| logs_in);
    let command = command.and_then(|reference| login_command(reference, given));
    Some(match (command, login_request(error)) {
        (Some(command), Some(LoginRequest::Always)) => format!("log in: {command}"),
        (Some(command), Some(LoginRequest::IfPrivate)) => {
            format!("if the repository is private, log in: {command}")
        }
        _ => finding.brief.to_owned(),
    })
}

/// How a registry required a login.
enum LoginRequest {
    /// It requires a user name and password.
    Always,
    /// It issued an anonymous token that was not enough. It does so for repositories that do not exist, too.
    IfPrivate,
}

fn login_request(error: &Error) -> Option<LoginRequest> {
    if let Error::Challenge(challenge) = error {
        let required = |fault: &ChallengeFault| matches!(fault, ChallengeFault::NoCredentials);
        return challenge.faults.iter().any(required).then_some(LoginRequest::Always);
    }
    let anonymous = |status: &StatusError| status.identity == Identity::AnonymousToken;
    matches!(error, Error::Status(status) if anonymous(status)).then_some(LoginRequest::IfPrivate)
}
