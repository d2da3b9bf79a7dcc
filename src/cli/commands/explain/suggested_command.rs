//! The command that works, for what was found: words for a POSIX shell, with the flags that were given.

use std::time::Duration;

use regq::error::{Error, Kind};
use regq::explain::{Explanation, quoted_where_needed};
use regq::reference::Reference;

use crate::cli::args::values::Options;
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

/// The command line that works, after regq's own walk, where there was one. `None` where there is none to type
/// here, and where it has something in it that a page cannot show as it is.
pub(crate) fn command(
    reference: &Reference,
    typed: &str,
    explanation: &Explanation,
    own: Option<Result<(), &Error>>,
    options: &Options,
) -> Option<String> {
    let remedy = remedy(explanation, own);
    let typed = &quoted_where_needed(typed);
    let realm = explanation.realm_host().filter(|_| remedy == Remedy::TrustRealm);
    let connection = connection(options, realm, remedy == Remedy::AllowPrivate);
    let user = user(options);
    let command = match remedy {
        Remedy::Nothing => return None,
        Remedy::TrustRealm if realm.is_none() => return None,
        Remedy::Ask | Remedy::AskOrLogIn | Remedy::AllowPrivate | Remedy::TrustRealm => {
            let ask = words(&["regq", "digest"], &[&credentials(options), &connection], typed);
            if options.password_stdin { format!("{ask} < password.txt") } else { ask }
        }
        Remedy::Password => {
            let ask = words(&["regq", "digest"], &[&user, &connection], typed);
            format!("{ask} < password.txt")
        }
        Remedy::Parse => words(&["regq", "parse"], &[], typed),
        Remedy::LogIn => {
            // Whoever is logged in at the first host is nobody at the one that it leads to.
            let (registry, name) = match explanation.moved_to() {
                Some(there) => (registry_of(there)?, &quoted_where_needed(there)),
                None => (reference.registry().name(), typed),
            };
            let registry = quoted_where_needed(&registry);
            let login = words(&["regq", "login"], &[&user, &connection], &registry);
            let ask = words(&["regq", "digest"], &[&connection], name);
            format!("{login} < password.txt && {ask}")
        }
    };
    // Escaped it would be another command.
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

/// The registry of a reference that begins with a host. A host of one label begins no reference: it would be read
/// as the name of something at Docker Hub.
fn registry_of(there: &str) -> Option<String> {
    let reference = Reference::parse(there).ok()?;
    let registry = reference.registry();
    let (host, name) = (there.split('/').next(), registry.name());
    (host == Some(&name) || host == Some(registry.api_host())).then_some(name)
}

/// Who logs in, with the password on standard input.
fn user(options: &Options) -> Vec<String> {
    let user = options.user.as_deref().unwrap_or("NAME");
    vec!["--user".to_owned(), quoted_where_needed(user), "--password-stdin".to_owned()]
}

fn words(command: &[&str], flags: &[&[String]], operand: &str) -> String {
    let flags = flags.iter().copied().flatten().map(String::as_str);
    let words = command.iter().copied().chain(flags).chain([operand]);
    words.collect::<Vec<_>>().join(" ")
}

/// The flags that say who asks, as they were given.
fn credentials(options: &Options) -> Vec<String> {
    let mut flags = Vec::new();
    let mut given = |flag: &str, value: Option<String>| {
        if let Some(value) = value {
            flags.push(flag.to_owned());
            flags.push(quoted_where_needed(&value));
        }
    };
    let path =
        |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string());
    given("--user", options.user.clone());
    given("--password-file", path(&options.password_file));
    given("--token-file", path(&options.token_file));
    let switches =
        [("--password-stdin", options.password_stdin), ("--anonymous", options.anonymous)];
    flags.extend(switches.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag.to_owned()));
    flags
}

/// The flags that say how to connect and where credentials are, as they were given, and those that help, each
/// once.
fn connection(options: &Options, realm: Option<&str>, allow_private: bool) -> Vec<String> {
    let mut flags = Vec::new();
    let mut given = |flag: &str, value: &str| {
        flags.push(flag.to_owned());
        flags.push(quoted_where_needed(value));
    };
    if let Some(path) = &options.authfile {
        given("--authfile", &path.display().to_string());
    }
    let trusted = &options.trusted_realms;
    let realm = realm.filter(|realm| !trusted.iter().any(|host| host.eq_ignore_ascii_case(realm)));
    for realm in trusted.iter().map(String::as_str).chain(realm) {
        given("--trust-realm", realm);
    }
    for path in &options.ca_files {
        given("--ca-file", &path.display().to_string());
    }
    let times = [
        ("--timeout", options.timeout.map(typed)),
        ("--connect-timeout", options.connect_timeout.map(typed)),
        ("--retries", options.retries.map(|retries| retries.to_string())),
        ("--max-wait", options.max_wait.map(typed)),
    ];
    for (flag, value) in times {
        if let Some(value) = value {
            given(flag, &value);
        }
    }
    let switches = [
        ("--insecure", options.insecure),
        ("--plain-http", options.plain_http),
        ("--allow-private", options.allow_private || allow_private),
    ];
    flags.extend(switches.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag.to_owned()));
    flags
}

/// A duration as a flag takes it: `20s`, `250ms`, `0.5ms`.
fn typed(duration: Duration) -> String {
    match (duration.subsec_millis(), duration.subsec_nanos() % 1_000_000) {
        (0, 0) => format!("{}s", duration.as_secs()),
        (_, 0) => format!("{}ms", duration.as_millis()),
        (_, rest) => {
            let exact = format!("{}.{rest:06}", duration.as_millis());
            format!("{}ms", exact.trim_end_matches('0'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{registry_of, typed};
    use crate::cli::args::values::duration;

    #[test]
    fn what_begins_with_no_host_has_no_registry() {
        for (there, due) in [
            ("q.example/a:1", Some("q.example")),
            ("q.example:5000/a", Some("q.example:5000")),
            ("[::1]:5000/a", Some("[::1]:5000")),
            ("registry-1.docker.io/library/a", Some("docker.io")),
            ("registry/a/b", None),
            ("https://q.example/login", None),
        ] {
            assert_eq!(registry_of(there).as_deref(), due, "{there}");
        }
    }

    #[test]
    fn durations_are_read_back_as_they_were() {
        for (text, due) in [
            ("5", "5s"),
            ("1.5s", "1500ms"),
            ("2m", "120s"),
            ("0", "0s"),
            ("0.5ms", "0.5ms"),
            ("0.000001h", "3.6ms"),
            ("10.000010ms", "10.00001ms"),
        ] {
            let read = duration(text).map(typed);
            assert_eq!(read.as_deref(), Ok(due), "{text}");
            assert_eq!(duration(due), duration(text), "{text}");
        }
    }
}
