//! Suggests a command for what was found: words for a POSIX shell, with the flags that were given.

use regq::error::{Error, Kind};
use regq::explain::{Explanation, Finding, Remedy};
use regq::reference::Reference;

use crate::cli::args::flags::Options;
use crate::cli::args::given::GivenFlags;
use crate::cli::output::escaped;
use crate::cli::output::shell::quote_if_needed;

/// The command to suggest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suggestion {
    Digest,
    LogIn,
    /// Send a password, because the credential sources are unusable.
    DigestWithPassword,
    TrustRealm,
    AllowPrivate,
    Parse,
    Nothing,
}

/// Returns the advice for a finding, with the flag or command that carries it out, if any.
pub(crate) fn advice(finding: &Finding) -> String {
    let how = match finding.remedy {
        Remedy::TrustRealm => "--trust-realm HOST",
        Remedy::AllowPrivate => "--allow-private",
        Remedy::CheckReference => "regq parse REF",
        Remedy::CorrectRequest
        | Remedy::LogIn
        | Remedy::CorrectRequestOrLogIn
        | Remedy::Nothing => return finding.advice.clone(),
    };
    format!("{} ({how})", finding.advice)
}

/// Returns the command to try, with the flags that were given. `own` is how regq's own walk ended, if there was one. `None`
/// if no command helps, or if escaping would change the command.
pub(crate) fn command(
    reference: &Reference,
    typed: &str,
    explanation: &Explanation,
    own: Option<Result<(), &Error>>,
    options: &Options,
    given: &GivenFlags,
) -> Option<String> {
    let suggestion = suggestion(explanation, own);
    let user = options.credentials.user.as_deref().unwrap_or("NAME");
    let login = ["--user", user, "--password-stdin"].map(str::to_owned);
    let digest = |flags: &[String], name: &str| command_line(&["regq", "digest"], flags, name);
    let command = match suggestion {
        Suggestion::Nothing => return None,
        Suggestion::Digest | Suggestion::AllowPrivate | Suggestion::TrustRealm => {
            let mut flags = given.for_requests();
            if suggestion == Suggestion::TrustRealm {
                flags.extend(trust_realm(explanation.realm_host()?, options));
            }
            if suggestion == Suggestion::AllowPrivate && !options.connection.allow_private {
                flags.push("--allow-private".to_owned());
            }
            let command = digest(&flags, typed);
            let reads_password = options.credentials.password_stdin;
            if reads_password { format!("{command} < password.txt") } else { command }
        }
        Suggestion::DigestWithPassword => {
            let flags = [&login[..], &given.without_identity()].concat();
            format!("{} < password.txt", digest(&flags, typed))
        }
        Suggestion::Parse => command_line(&["regq", "parse"], &[], typed),
        Suggestion::LogIn => {
            // A login at the first host does not help at a host that it redirects to.
            let (registry, name) = match explanation.moved_to() {
                Some(target) => (registry_of(target)?, target),
                None => (reference.registry().name(), typed),
            };
            let others = given.without_identity();
            let flags = [&login[..], &others].concat();
            let login = command_line(&["regq", "login"], &flags, &registry);
            format!("{login} < password.txt && {}", digest(&others, name))
        }
    };
    (escaped(&command) == command).then_some(command)
}

/// Chooses the command, given how regq's own walk ended, if there was one.
fn suggestion(explanation: &Explanation, own: Option<Result<(), &Error>>) -> Suggestion {
    let decisive = explanation.decisive();
    let remedy = decisive.map_or(Remedy::CorrectRequest, |finding| finding.remedy);
    match (own, remedy) {
        // Whatever was wrong with the supplied attempt, regq's own works.
        (Some(Ok(())), _) => Suggestion::Digest,
        // `regq login` would fail for the same reason as the credential lookup.
        (
            Some(Err(Error::CredentialsUnavailable { .. })),
            Remedy::LogIn | Remedy::CorrectRequestOrLogIn,
        ) => Suggestion::DigestWithPassword,
        (Some(Err(error)), Remedy::CorrectRequestOrLogIn) if error.kind() == Kind::Denied => {
            Suggestion::LogIn
        }
        // A request that has just failed will fail again, and so will a login at a server that is down.
        (Some(Err(_)), Remedy::CorrectRequest | Remedy::CorrectRequestOrLogIn) => {
            Suggestion::Nothing
        }
        (Some(Err(error)), Remedy::LogIn) if error.kind() == Kind::Unavailable => {
            Suggestion::Nothing
        }
        (None, _) if decisive.is_none() && is_unexplained(explanation) => Suggestion::Nothing,
        (_, Remedy::CorrectRequest | Remedy::CorrectRequestOrLogIn) => Suggestion::Digest,
        (_, Remedy::LogIn) => Suggestion::LogIn,
        (_, Remedy::TrustRealm) => Suggestion::TrustRealm,
        (_, Remedy::AllowPrivate) => Suggestion::AllowPrivate,
        (_, Remedy::CheckReference) => Suggestion::Parse,
        (_, Remedy::Nothing) => Suggestion::Nothing,
    }
}

/// Whether it is unknown why the request failed. A challenge with a token server is not a failure: every login begins
/// with one.
fn is_unexplained(explanation: &Explanation) -> bool {
    let begins = explanation.realm_host().is_some();
    explanation.outcome.kind.is_some_and(|kind| kind != Kind::Denied || !begins)
}

/// Returns the registry of a reference that starts with a host. `None` for a host without a dot or port, which would be
/// parsed as part of a Docker Hub repository.
fn registry_of(target: &str) -> Option<String> {
    let reference = Reference::parse(target).ok()?;
    let registry = reference.registry();
    let (host, name) = (target.split('/').next(), registry.name());
    (host == Some(&name) || host == Some(registry.api_host())).then_some(name)
}

/// Returns the flag that trusts a realm, unless it was given.
fn trust_realm(realm: &str, options: &Options) -> Vec<String> {
    let mut trusted = options.credentials.trusted_realms.iter();
    if trusted.any(|host| host.eq_ignore_ascii_case(realm)) {
        return Vec::new();
    }
    vec!["--trust-realm".to_owned(), realm.to_owned()]
}

/// Joins words to a command line for a POSIX shell.
fn command_line(command: &[&str], flags: &[String], operand: &str) -> String {
    let words = flags.iter().map(String::as_str).chain([operand]).map(quote_if_needed);
    let words = command.iter().map(|word| (*word).to_owned()).chain(words);
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::registry_of;

    #[test]
    fn only_references_that_start_with_a_host_have_a_registry() {
        for (target, expected) in [
            ("q.example/a:1", Some("q.example")),
            ("q.example:5000/a", Some("q.example:5000")),
            ("[::1]:5000/a", Some("[::1]:5000")),
            ("registry-1.docker.io/library/a", Some("docker.io")),
            ("registry/a/b", None),
            ("https://q.example/login", None),
        ] {
            assert_eq!(registry_of(target).as_deref(), expected, "{target}");
        }
    }
}
