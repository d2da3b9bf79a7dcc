//! The flags of regq, each declared once, for whichever commands take them.
//!
//! What a flag's text means is in `options`; which command takes it is in `table`.

use crate::cli::args::values::{self, Options, Verbosity};

/// A flag.
pub(crate) struct Flag {
    pub(crate) long: &'static str,
    pub(crate) short: Option<char>,
    pub(crate) group: Group,
    /// One line, without a dot at its end.
    pub(crate) help: &'static str,
    /// What else is worth knowing; wrapped when shown, empty where there is nothing.
    pub(crate) more: &'static str,
    pub(crate) take: Take,
}

/// Under which heading of the help a flag stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Answer,
    Attempt,
    Credentials,
    Connection,
    General,
    /// Asks for something that no command does, so none is given.
    Alone,
}

/// What a flag does.
#[derive(Clone, Copy)]
pub(crate) enum Take {
    Switch(fn(&mut Options)),
    /// The name of its value, and what it sets.
    Value(&'static str, fn(&mut Options, &str) -> Result<(), String>),
    Help,
    Version,
}

impl Group {
    /// All of them, in the order of the help.
    pub(crate) const ALL: [Group; 6] = [
        Group::Answer,
        Group::Attempt,
        Group::Credentials,
        Group::Connection,
        Group::General,
        Group::Alone,
    ];

    pub(crate) fn heading(self) -> &'static str {
        match self {
            Group::Answer => "Flags",
            Group::Attempt => "An attempt of your own",
            Group::Credentials => "Credentials",
            Group::Connection => "Connection",
            Group::General => "General",
            Group::Alone => "Without a command",
        }
    }
}

/// Finds a flag by its long name, without dashes.
pub(crate) fn long(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.long == name)
}

/// Finds a flag by its short name.
pub(crate) fn short(name: char) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.short == Some(name))
}

/// The flags, in the order of the help.
pub(crate) const FLAGS: &[Flag] = &[
    Flag {
        long: "platform",
        short: None,
        group: Group::Answer,
        help: "Answer for the image of this platform",
        more: "Such as linux/amd64 or linux/arm/v7; local is this machine. An older variant that \
               still runs there is taken where the platform itself is not to be had.",
        take: Take::Value("OS/ARCH[/VARIANT]", |options, text| {
            options.platform = Some(values::platform(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "full-ref",
        short: None,
        group: Group::Answer,
        help: "Print registry, repository and digest",
        more: "As docker.io/library/alpine@sha256:..., in place of the digest alone.",
        take: Take::Switch(|options| options.full_ref = true),
    },
    Flag {
        long: "verify",
        short: None,
        group: Group::Answer,
        help: "Fetch what is asked about and hash it",
        more: "Instead of believing the digest that the registry announces.",
        take: Take::Switch(|options| options.verify = true),
    },
    Flag {
        long: "json",
        short: None,
        group: Group::Answer,
        help: "Print one JSON object a line",
        more: "What failed is an object too, with an \"error\" of kind, message and hint.",
        take: Take::Switch(|options| options.json = true),
    },
    Flag {
        long: "get",
        short: None,
        group: Group::Answer,
        help: "Print one value of the JSON object",
        more: "KEY may be a dotted path. Strings are printed bare, anything else as JSON; a value \
               that is null or not there prints nothing and is exit code 1.",
        take: Take::Value("KEY", |options, text| {
            options.get = Some(values::key(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "token-url",
        short: None,
        group: Group::Attempt,
        help: "The URL that the token server was asked",
        more: "In single quotes: a shell ends a command at &.",
        take: Take::Value("URL", |options, text| {
            options.attempt.token_url = Some(text.to_owned());
            Ok(())
        }),
    },
    Flag {
        long: "token",
        short: None,
        group: Group::Attempt,
        help: "The token that came, or - for standard input",
        more: "The token alone, or the token server's whole answer. On a command line others can \
               see it.",
        take: Take::Value("TOKEN", |options, text| {
            options.attempt.token = Some(values::token(text));
            Ok(())
        }),
    },
    Flag {
        long: "challenge",
        short: None,
        group: Group::Attempt,
        help: "A WWW-Authenticate line of the answer",
        more: "With or without the header's name; empty when the answer had none. Several are \
               the lines of one answer: with --token the answer to it, else the first answer.",
        take: Take::Value("HEADER", |options, text| {
            options.attempt.challenges.get_or_insert_default().push(text.to_owned());
            Ok(())
        }),
    },
    Flag {
        long: "status",
        short: None,
        group: Group::Attempt,
        help: "The status of the final answer",
        more: "401 where a challenge is given and this is not.",
        take: Take::Value("CODE", |options, text| {
            options.attempt.status = Some(values::status(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "body",
        short: None,
        group: Group::Attempt,
        help: "The body of the final answer, in this file",
        more: "",
        take: Take::Value("FILE", |options, text| {
            options.attempt.body = Some(values::file(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "date",
        short: None,
        group: Group::Attempt,
        help: "The Date header of the final answer",
        more: "Without it nothing is said of a given token's times.",
        take: Take::Value("DATE", |options, text| {
            options.attempt.date = Some(values::date(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "offline",
        short: None,
        group: Group::Attempt,
        help: "Judge what is given and ask nobody",
        more: "REF may then be left out.",
        take: Take::Switch(|options| options.offline = true),
    },
    Flag {
        long: "curl",
        short: None,
        group: Group::Attempt,
        help: "Show the two curl commands that do the same",
        more: "They are shown with --token-url too.",
        take: Take::Switch(|options| options.curl = true),
    },
    Flag {
        long: "user",
        short: None,
        group: Group::Credentials,
        help: "Log in to the registry as this user",
        more: "Together with --password-stdin or --password-file.",
        take: Take::Value("NAME", |options, text| {
            options.user = Some(values::user(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "password-stdin",
        short: None,
        group: Group::Credentials,
        help: "Read the password from standard input",
        more: "One line end at its end is dropped, here and in a file.",
        take: Take::Switch(|options| options.password_stdin = true),
    },
    Flag {
        long: "password-file",
        short: None,
        group: Group::Credentials,
        help: "Read the password from this file",
        more: "",
        take: Take::Value("FILE", |options, text| {
            options.password_file = Some(values::file(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "token-file",
        short: None,
        group: Group::Credentials,
        help: "Send the bearer token in this file",
        more: "To the registry alone. It is final: when it is refused, no other is fetched.",
        take: Take::Value("FILE", |options, text| {
            options.token_file = Some(values::file(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "authfile",
        short: None,
        group: Group::Credentials,
        help: "Look for credentials in this file first",
        more: "As docker and podman write it. Otherwise the one that REGISTRY_AUTH_FILE names; \
               then DOCKER_AUTH_CONFIG, docker's and podman's own files. login and logout change \
               this file, and make it where it is not there.",
        take: Take::Value("FILE", |options, text| {
            options.authfile = Some(values::file(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "anonymous",
        short: None,
        group: Group::Credentials,
        help: "Use no credentials",
        more: "Neither those given nor those kept on this machine.",
        take: Take::Switch(|options| options.anonymous = true),
    },
    Flag {
        long: "trust-realm",
        short: None,
        group: Group::Credentials,
        help: "Let this token server have the credentials",
        more: "Credentials go to the registry, and to a token server whose name realm_is_trusted with the \
               registry's; any other has to be named here, or in REGQ_TRUST_REALM, separated by \
               commas. May be given several times.",
        take: Take::Value("HOST", |options, text| {
            options.trusted_realms.push(values::realm(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "ca-file",
        short: None,
        group: Group::Connection,
        help: "Trust the authorities in this PEM file too",
        more: "TempFile the built-in ones and those in the file that SSL_CERT_FILE names. May be \
               given several times.",
        take: Take::Value("FILE", |options, text| {
            options.ca_files.push(values::file(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "insecure",
        short: None,
        group: Group::Connection,
        help: "Use TLS without checking the certificate",
        more: "Whoever is in between can then read and change everything, passwords included.",
        take: Take::Switch(|options| options.insecure = true),
    },
    Flag {
        long: "plain-http",
        short: None,
        group: Group::Connection,
        help: "Use http, without TLS",
        more: "Not needed for a registry on this machine.",
        take: Take::Switch(|options| options.plain_http = true),
    },
    Flag {
        long: "allow-private",
        short: None,
        group: Group::Connection,
        help: "Follow a registry to private addresses",
        more: "Otherwise a token server or redirect with an address more private than the \
               registry's own is not asked.",
        take: Take::Switch(|options| options.allow_private = true),
    },
    Flag {
        long: "timeout",
        short: None,
        group: Group::Connection,
        help: "Give up on a reference after this time",
        more: "60s where not given; waits that a registry asks for do not count. A credential \
               helper is given 30s of it at most. Durations are seconds, or a number with ms, s, m \
               or h.",
        take: Take::Value("TIME", |options, text| {
            options.timeout = Some(values::deadline(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "connect-timeout",
        short: None,
        group: Group::Connection,
        help: "Give up on a connection after this time",
        more: "10s where not given, for name, connection and TLS handshake together, each time.",
        take: Take::Value("TIME", |options, text| {
            options.connect_timeout = Some(values::deadline(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "retries",
        short: None,
        group: Group::Connection,
        help: "Repeat a failed request so many times",
        more: "3 where not given.",
        take: Take::Value("N", |options, text| {
            options.retries = Some(values::count(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "max-wait",
        short: None,
        group: Group::Connection,
        help: "Wait at most so long when a registry asks to",
        more: "60s each time where not given; a longer wait ends the question at once.",
        take: Take::Value("TIME", |options, text| {
            options.max_wait = Some(values::duration(text)?);
            Ok(())
        }),
    },
    Flag {
        long: "verbose",
        short: Some('v'),
        group: Group::General,
        help: "Show the requests on standard error",
        more: "Secrets are never shown.",
        take: Take::Switch(|options| options.verbosity = Verbosity::Trace),
    },
    Flag {
        long: "quiet",
        short: Some('q'),
        group: Group::General,
        help: "Say nothing on standard error but errors",
        more: "",
        take: Take::Switch(|options| options.verbosity = Verbosity::Quiet),
    },
    Flag {
        long: "help",
        short: Some('h'),
        group: Group::General,
        help: "Explain, at length with --help",
        more: "",
        take: Take::Help,
    },
    Flag {
        long: "version",
        short: Some('V'),
        group: Group::General,
        help: "Print regq's version",
        more: "",
        take: Take::Version,
    },
    Flag {
        long: "generate",
        short: None,
        group: Group::Alone,
        help: "Print the man page, or a shell's completions",
        more: "KIND is man, bash, zsh or fish.",
        take: Take::Value("KIND", |options, text| {
            options.generate = Some(values::generated(text)?);
            Ok(())
        }),
    },
];
