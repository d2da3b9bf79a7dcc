//! Declares the commands of regq, each once.
//!
//! The parser, the help, the man page, the completions and the suggestions all come from this table and from that of the
//! flags. What a command does is in its own file.

use crate::cli::args::flags::{Flag, Group, Options};
use crate::cli::commands::context::Run;
use crate::cli::commands::digest;
use crate::cli::commands::explain;
use crate::cli::commands::login;
use crate::cli::commands::logout;
use crate::cli::commands::manifest;
use crate::cli::commands::parse;

/// A command.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// Other names for the same command.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) operands: Operands,
    /// One line, without a full stop.
    pub(crate) summary: &'static str,
    /// Paragraphs, to be wrapped when they are shown.
    pub(crate) about: &'static [&'static str],
    /// Command lines, each with its purpose.
    pub(crate) examples: &'static [(&'static str, &'static str)],
    /// The long names of its flags, except the flags that every command has.
    pub(crate) flags: &'static [&'static [&'static str]],
    pub(crate) action: CommandAction,
}

/// The operands of a command.
pub(crate) struct Operands {
    /// The name of one operand, for messages.
    pub(crate) name: &'static str,
    /// The operands as the usage line shows them.
    pub(crate) usage: &'static str,
    pub(crate) min: usize,
    pub(crate) max: usize,
    /// Whether `-` reads operands from standard input.
    pub(crate) list: bool,
    pub(crate) check: Option<CheckCount>,
}

/// A further check of the number of operands, which returns an error message.
type CheckCount = fn(&Options, usize) -> Result<(), String>;

/// What a command does.
#[derive(Clone, Copy)]
pub(crate) enum CommandAction {
    /// Shows help.
    Help,
    /// Runs a function that returns the exit code.
    Run(Run),
}

impl Operands {
    /// Exactly one operand.
    const fn one(name: &'static str) -> Operands {
        Operands { name, usage: name, min: 1, max: 1, list: false, check: None }
    }
}

const REFERENCES: Operands =
    Operands { name: "REF", usage: "REF...", min: 1, max: usize::MAX, list: true, check: None };

impl Command {
    /// Returns its name and its aliases.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Whether it takes a flag.
    pub(crate) fn takes(&self, flag: &Flag) -> bool {
        flag.group == Group::General || self.flags.iter().any(|group| group.contains(&flag.long))
    }

    /// Returns what follows its name in the usage line.
    pub(crate) fn synopsis(&self) -> String {
        let flags = if self.flags.is_empty() { "" } else { "[FLAGS] " };
        format!("{flags}{}", self.operands.usage)
    }
}

/// Finds a command by its name or an alias.
pub(crate) fn command(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name || command.aliases.contains(&name))
}

/// `explain` can check supplied values without a reference.
fn reference_unless_offline(options: &Options, count: usize) -> Result<(), String> {
    if count > 0 || options.attempt.offline {
        Ok(())
    } else {
        Err("explain requires a REF".to_owned())
    }
}

const TEXT: &[&str] = &["json", "get"];
const ATTEMPT: &[&str] =
    &["token-url", "token", "challenge", "status", "body", "date", "offline", "curl"];
const CREDENTIALS: &[&str] =
    &["user", "password-stdin", "password-file", "token-file", "authfile", "anonymous"];
const CONNECTION: &[&str] = &[
    "trust-realm",
    "ca-file",
    "insecure",
    "plain-http",
    "allow-private",
    "timeout",
    "connect-timeout",
    "retries",
    "max-wait",
];

/// All commands, in the order of the help.
pub(crate) const COMMANDS: &[Command] = &[
    Command {
        name: "digest",
        aliases: &[],
        operands: REFERENCES,
        summary: "Print the digest of a reference",
        about: &[
            "Asks the registry for the digest of each reference. For a single reference, prints \
             only the digest. For several references, or with -, prints one line for each: the \
             digest, two spaces and the reference. A reference that fails does not stop the \
             others; the exit code is that of the first failure.",
            "If REF is -, references are read from standard input, one per line; # starts a \
             comment.",
            "By default, the command prints the digest that the registry announces and downloads no \
             manifest. With --verify or --platform, or if the registry announces no digest, it \
             downloads the manifest or index and hashes it.",
        ],
        examples: &[
            ("regq digest alpine", "the digest of alpine:latest on Docker Hub"),
            (
                "regq digest --platform linux/arm64 alpine",
                "the digest of the image for one platform",
            ),
            ("regq digest --full-ref quay.io/podman/hello", "a reference that pins the image"),
            ("regq digest - < images.txt", "the digests of a list of images"),
        ],
        flags: &[&["platform", "full-ref", "verify"], TEXT, CREDENTIALS, CONNECTION],
        action: CommandAction::Run(digest::run),
    },
    Command {
        name: "manifest",
        aliases: &[],
        operands: Operands::one("REF"),
        summary: "Print a manifest or index, byte for byte",
        about: &[
            "Downloads the manifest or index, verifies it against the digest in the reference and \
             the one that the registry announces, and writes its exact bytes.",
        ],
        examples: &[
            ("regq manifest alpine", "the index of alpine:latest"),
            ("regq manifest --platform local alpine", "the manifest for this machine"),
        ],
        flags: &[&["platform"], CREDENTIALS, CONNECTION],
        action: CommandAction::Run(manifest::run),
    },
    Command {
        name: "explain",
        aliases: &[],
        operands: Operands {
            usage: "[REF]",
            min: 0,
            check: Some(reference_unless_offline),
            ..Operands::one("REF")
        },
        summary: "Explain why a registry refuses access",
        about: &[
            "Logs in as digest does and shows each step: the requests, the challenge, what the \
             token allows. Then it reports the cause of a refusal, what would fail next, and a \
             command to try. The exit code is the same as that of digest; with --offline, it is \
             derived from what you passed.",
            "To diagnose the login of another client, pass what it sent and received. These values \
             are checked locally and never sent. The challenge, if you leave it out, is taken \
             from a login that this command performs itself; with --offline it stays unknown.",
        ],
        examples: &[
            ("regq explain alpine", "log in step by step and report any problem"),
            (
                "regq explain --offline --challenge 'Bearer realm=\"/token\"' quay.io/a/b",
                "check a challenge without sending a request",
            ),
        ],
        flags: &[ATTEMPT, TEXT, CREDENTIALS, CONNECTION],
        action: CommandAction::Run(explain::run),
    },
    Command {
        name: "login",
        aliases: &[],
        operands: Operands::one("REGISTRY"),
        summary: "Verify credentials and save them",
        about: &[
            "Checks the user name and password with the registry, then saves them where docker \
             does: with the credential helper that docker's file names, otherwise in the file \
             itself. If the registry refuses them, nothing is changed.",
            "The file is the first of these: --authfile, REGISTRY_AUTH_FILE, config.json in the \
             directory DOCKER_CONFIG, ~/.docker/config.json. If it is missing, it is created.",
        ],
        examples: &[
            (
                "regq login --user ada --password-stdin registry.example.com < password.txt",
                "log in without showing the password",
            ),
            (
                "regq login --user ada --password-file token.txt docker.io",
                "log in to Docker Hub with an access token",
            ),
        ],
        flags: &[&["user", "password-stdin", "password-file", "authfile"], CONNECTION],
        action: CommandAction::Run(login::run),
    },
    Command {
        name: "logout",
        aliases: &[],
        operands: Operands::one("REGISTRY"),
        summary: "Remove the credentials for a registry",
        about: &[
            "Removes the credentials for the registry, under every spelling of its name, from the \
             file that login writes and from the credential helper that this file names. Other \
             files, such as podman's, are not changed. No request is sent.",
        ],
        examples: &[("regq logout registry.example.com", "remove its credentials")],
        flags: &[&["authfile", "timeout"]],
        action: CommandAction::Run(logout::run),
    },
    Command {
        name: "parse",
        aliases: &[],
        operands: REFERENCES,
        summary: "Show how a reference is parsed (no network)",
        about: &[
            "Shows the registry, repository, tag and digest of each reference, and the URL of the \
             registry. No request is sent. A note on standard error points out a reference that is \
             valid but may not mean what it seems to.",
            "If REF is -, references are read from standard input, one per line; # starts a \
             comment.",
        ],
        examples: &[
            ("regq parse alpine", "what a short name means"),
            ("regq parse --get registry quay.io/podman/hello:latest", "one part of a reference"),
        ],
        flags: &[TEXT, &["plain-http"]],
        action: CommandAction::Run(parse::run),
    },
    Command {
        name: "help",
        aliases: &[],
        operands: Operands { min: 0, usage: "[COMMAND]", ..Operands::one("COMMAND") },
        summary: "Show help for regq or a command",
        about: &["The same as --help after a command."],
        examples: &[("regq help digest", "help for one command")],
        flags: &[],
        action: CommandAction::Help,
    },
];
