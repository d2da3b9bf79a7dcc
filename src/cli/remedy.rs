//! The command that works, for what was found: words for a POSIX shell, with the flags that were given.

use regq::error::Kind;
use regq::explain::{Finding, quoted_where_needed};
use regq::reference::Reference;

use super::options::Options;

/// What helps against a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    /// Ask as regq asks.
    Ask,
    LogIn,
    /// The one, or the other where regq has just asked so and was refused.
    AskOrLogIn,
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
/// here.
pub(crate) fn command(
    reference: &Reference,
    typed: &str,
    decisive: Option<&Finding>,
    own: Option<Result<(), Kind>>,
    realm: Option<&str>,
    options: &Options,
) -> Option<String> {
    let found = |id: &str| REMEDIES.iter().find(|(ids, _)| ids.contains(&id));
    let remedy = decisive.map_or(Remedy::Ask, |finding| {
        found(finding.id).map_or(Remedy::Ask, |(_, remedy)| *remedy)
    });
    let remedy = match (own, remedy) {
        // Whatever was wrong with somebody's own attempt.
        (Some(Ok(())), _) => Remedy::Ask,
        (Some(Err(Kind::Denied)), Remedy::AskOrLogIn) => Remedy::LogIn,
        // What just failed will fail again.
        (Some(Err(_)), Remedy::Ask | Remedy::AskOrLogIn) => Remedy::Nothing,
        (None, Remedy::AskOrLogIn) => Remedy::Ask,
        (_, remedy) => remedy,
    };
    let typed = quoted_where_needed(typed);
    let (connection, credentials) = (connection(options), credentials(options));
    let ask = |more: &[String]| {
        let ask = words(&["regq", "digest"], &[more, &credentials, &connection], &typed);
        if options.password_stdin { format!("{ask} < password.txt") } else { ask }
    };
    match remedy {
        Remedy::Nothing => None,
        Remedy::Ask | Remedy::AskOrLogIn => Some(ask(&[])),
        Remedy::AllowPrivate => Some(ask(&["--allow-private".to_owned()])),
        Remedy::TrustRealm => {
            realm.map(|realm| ask(&["--trust-realm".to_owned(), quoted_where_needed(realm)]))
        }
        Remedy::Parse => Some(words(&["regq", "parse"], &[], &typed)),
        Remedy::LogIn => {
            let user = options.user.clone().unwrap_or_else(|| "NAME".to_owned());
            let user =
                ["--user".to_owned(), quoted_where_needed(&user), "--password-stdin".to_owned()];
            let registry = quoted_where_needed(&reference.registry().name());
            let login = words(&["regq", "login"], &[&user, &connection], &registry);
            let ask = words(&["regq", "digest"], &[&connection], &typed);
            Some(format!("{login} < password.txt && {ask}"))
        }
    }
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

/// The flags that say how to connect and where credentials are, as they were given.
fn connection(options: &Options) -> Vec<String> {
    let mut flags = Vec::new();
    let mut given = |flag: &str, value: &str| {
        flags.push(flag.to_owned());
        flags.push(quoted_where_needed(value));
    };
    if let Some(path) = &options.authfile {
        given("--authfile", &path.display().to_string());
    }
    for realm in &options.trusted_realms {
        given("--trust-realm", realm);
    }
    for path in &options.ca_files {
        given("--ca-file", &path.display().to_string());
    }
    let switches = [
        ("--insecure", options.insecure),
        ("--plain-http", options.plain_http),
        ("--allow-private", options.allow_private),
    ];
    flags.extend(switches.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag.to_owned()));
    flags
}
