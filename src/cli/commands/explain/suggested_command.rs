//! Suggests a command for what was found: words for a POSIX shell, with the flags that were given.

use regq::error::{Error, Kind};
use regq::explain::{Explanation, quoted_where_needed};
use regq::reference::Reference;

use crate::cli::args::flags::Options;
use crate::cli::args::given::GivenFlags;
use crate::cli::output::escaped;

/// What helps against a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    /// Ask as regq asks.
    Ask,
    LogIn,
    /// The one, or the other where regq has just asked so and was refused.
    AskOrLogIn,
    /// Give the password along, since the place where credentials are kept is out of order.
    Password,
    TrustRealm,
    AllowPrivate,
    /// See how the name is read.
    Parse,
    /// Nothing that could be typed here.
    Nothing,
}

/// What decided, and what helps against it; against what is not named here it helps to ask as regq asks.
const REMEDIES: &[(&[&str], Remedy)] = &[
    (
        &[
            "basic-only",
            "credentials-rejected",
            "login-required",
            "token-denied",
            "access-no-actions",
            "access-without-pull",
            "subject-empty",
            "insufficient-scope",
            "challenge-flipped-to-basic",
            "private-or-missing",
            "forbidden",
            "rate-limited",
            "token-is-a-password",
        ],
        Remedy::LogIn,
    ),
    (
        &[
            "access-empty",
            "access-other-repository",
            "authorization-lost",
            "rejected-without-challenge",
            "registry-moved",
        ],
        Remedy::AskOrLogIn,
    ),
    (&["realm-untrusted"], Remedy::TrustRealm),
    (&["realm-private-address"], Remedy::AllowPrivate),
    (&["not-found"], Remedy::Parse),
    (
        &[
            "not-a-registry",
            "challenge-missing",
            "proxy-auth-required",
            "challenge-malformed",
            "realm-missing",
            "realm-plain-http",
            "realm-unreachable",
            "token-request-refused",
            "token-endpoint-not-found",
            "token-not-json",
            "token-missing",
            "token-not-printable",
            "token-redirected",
            "upstream-refused",
            "digest-mismatch",
            "not-a-manifest",
        ],
        Remedy::Nothing,
    ),
];

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
    let remedy = remedy(explanation, own);
    let user = options.credentials.user.as_deref().unwrap_or("NAME");
    let login = ["--user", user, "--password-stdin"].map(str::to_owned);
    let digest = |flags: &[String], name: &str| command_line(&["regq", "digest"], flags, name);
    let command = match remedy {
        Remedy::Nothing => return None,
        Remedy::Ask | Remedy::AskOrLogIn | Remedy::AllowPrivate | Remedy::TrustRealm => {
            let mut flags = given.for_requests();
            if remedy == Remedy::TrustRealm {
                flags.extend(trust_realm(explanation.realm_host()?, options));
            }
            if remedy == Remedy::AllowPrivate && !options.connection.allow_private {
                flags.push("--allow-private".to_owned());
            }
            let command = digest(&flags, typed);
            let reads_password = options.credentials.password_stdin;
            if reads_password { format!("{command} < password.txt") } else { command }
        }
        Remedy::Password => {
            let flags = [&login[..], &given.without_identity()].concat();
            format!("{} < password.txt", digest(&flags, typed))
        }
        Remedy::Parse => command_line(&["regq", "parse"], &[], typed),
        Remedy::LogIn => {
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

/// What helps, after regq's own walk, where there was one.
fn remedy(explanation: &Explanation, own: Option<Result<(), &Error>>) -> Remedy {
    let decisive = explanation.decisive();
    let found = |id: &str| REMEDIES.iter().find(|(ids, _)| ids.contains(&id));
    let remedy =
        decisive.and_then(|finding| found(finding.id)).map_or(Remedy::Ask, |(_, remedy)| *remedy);
    match (own, remedy) {
        // Whatever was wrong with somebody's own attempt.
        (Some(Ok(())), _) => Remedy::Ask,
        // To log in would meet the same trouble.
        (Some(Err(Error::CredentialsUnavailable { .. })), Remedy::LogIn | Remedy::AskOrLogIn) => {
            Remedy::Password
        }
        (Some(Err(error)), Remedy::AskOrLogIn) if error.kind() == Kind::Denied => Remedy::LogIn,
        // What just failed will fail again, and so will a login where nobody answers.
        (Some(Err(_)), Remedy::Ask | Remedy::AskOrLogIn) => Remedy::Nothing,
        (Some(Err(error)), Remedy::LogIn) if error.kind() == Kind::Unavailable => Remedy::Nothing,
        (None, _) if decisive.is_none() && is_unexplained(explanation) => Remedy::Nothing,
        (None, Remedy::AskOrLogIn) => Remedy::Ask,
        (_, remedy) => remedy,
    }
}

/// True for an answer of which it is not known what would lead to another. A challenge that names a token server
/// is how every login begins.
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
    let words = flags.iter().map(String::as_str).chain([operand]).map(quoted_where_needed);
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
