//! The commands of regq, each declared once.
//!
//! The parser, the help, the man page, the completions and the suggestions are made of this table and that of the flags, and know no
//! name that is not in them. What a command does is in its own file.

use crate::cli::args::flags::{Flag, Group};
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
    /// Other names for it, which work too.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) operands: Operands,
    /// One line, without a dot at its end.
    pub(crate) summary: &'static str,
    /// Paragraphs, each one line here, wrapped when shown.
    pub(crate) about: &'static [&'static str],
    /// Command lines, each with what it is for.
    pub(crate) examples: &'static [(&'static str, &'static str)],
    /// The long names of its flags, besides those that every command takes.
    pub(crate) flags: &'static [&'static [&'static str]],
    pub(crate) action: Action,
}

/// What a command takes beside flags.
#[derive(Clone, Copy)]
pub(crate) enum Operands {
    /// Exactly one.
    One(&'static str),
    /// One or more, and `-` for those on stdin.
    Many(&'static str),
    /// None or one.
    Maybe(&'static str),
    /// One, which may be left out where no request is made.
    OneUnlessOffline(&'static str),
}

/// What a command does.
#[derive(Clone, Copy)]
pub(crate) enum Action {
    /// Shows help, which needs the tables and nothing else.
    Help,
    /// Answers, and gives the exit code.
    Run(Run),
}

impl Command {
    /// Its name and the others for it.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Its flags in the order of the flag table, those of every command included.
    pub(crate) fn takes(&self, flag: &Flag) -> bool {
        flag.group == Group::General || self.flags.iter().any(|group| group.contains(&flag.long))
    }
}

/// Finds a command by its name or an alias.
pub(crate) fn command(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name || command.aliases.contains(&name))
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

/// The commands, in the order of the help.
pub(crate) const COMMANDS: &[Command] = &[
    Command {
        name: "digest",
        aliases: &[],
        operands: Operands::Many("REF"),
        summary: "Print the digest that a reference has",
        about: &[
            "Asks the registry which digest each reference has and prints it: alone for one \
             reference, as lines of digest and reference for several. The references are tried \
             one after the other, and one that fails does not stop the others; the exit code is \
             that of the first that failed.",
            "- as REF reads references from standard input, one a line; # starts a comment.",
            "The digest is the one that the registry announces, for which it sends no manifest. \
             Where it announces none, the manifest is fetched and hashed.",
        ],
        examples: &[
            ("regq digest alpine", "the digest of alpine:latest on Docker Hub"),
            ("regq digest --platform linux/arm64 alpine", "that of the image for one platform"),
            ("regq digest --full-ref quay.io/podman/hello", "in the form to pin an image with"),
            ("regq digest - < images.txt", "those of a list"),
        ],
        flags: &[&["platform", "full-ref", "verify"], TEXT, CREDENTIALS, CONNECTION],
        action: Action::Run(digest::run),
    },
    Command {
        name: "manifest",
        aliases: &[],
        operands: Operands::One("REF"),
        summary: "Print a manifest or index, byte for byte",
        about: &[
            "Fetches the manifest or index of one reference, checks it against the digest in the \
             reference or the one that the registry announces, and writes its exact bytes and \
             nothing else.",
        ],
        examples: &[
            ("regq manifest alpine", "the index of alpine:latest"),
            ("regq manifest --platform local alpine", "the manifest for this machine"),
        ],
        flags: &[&["platform"], CREDENTIALS, CONNECTION],
        action: Action::Run(manifest::run),
    },
    Command {
        name: "explain",
        aliases: &[],
        operands: Operands::OneUnlessOffline("REF"),
        summary: "Say why a registry refuses, all of it at once",
        about: &[
            "Walks the whole login as digest does and shows each step: who was asked, what the \
             challenge says, what the token allows. Then it says what decided the answer, what \
             would have failed next, and which command works. The exit code is that of digest.",
            "Pieces of an attempt of your own are held against each other, and never sent. What \
             is not given is unknown; without --offline it is asked for as well, which supplies \
             what is missing.",
        ],
        examples: &[
            ("regq explain alpine", "walk through the login and say what is wrong"),
            (
                "regq explain --offline --challenge 'Bearer realm=\"/token\"' quay.io/a/b",
                "what is wrong with a challenge, without asking",
            ),
        ],
        flags: &[ATTEMPT, TEXT, CREDENTIALS, CONNECTION],
        action: Action::Run(explain::run),
    },
    Command {
        name: "login",
        aliases: &[],
        operands: Operands::One("REGISTRY"),
        summary: "Check credentials, then keep them",
        about: &[
            "Asks the registry whether it takes the user name and the password, then keeps them \
             where docker keeps its own: in the helper that the file names, else in the file. \
             When the registry refuses them, nothing is changed.",
            "The file is that of --authfile, else that of REGISTRY_AUTH_FILE, else config.json in \
             the folder that DOCKER_CONFIG names, else ~/.docker/config.json.",
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
        action: Action::Run(login::run),
    },
    Command {
        name: "logout",
        aliases: &[],
        operands: Operands::One("REGISTRY"),
        summary: "Forget the credentials for a registry",
        about: &[
            "Removes what is kept for the registry in the file that login would write, however \
             its name is spelled there, and in the helper that this file names. Other files, such \
             as podman's, are left alone. Nobody is asked.",
        ],
        examples: &[("regq logout registry.example.com", "forget what is kept for it")],
        flags: &[&["authfile", "timeout"]],
        action: Action::Run(logout::run),
    },
    Command {
        name: "parse",
        aliases: &[],
        operands: Operands::Many("REF"),
        summary: "Show how a name is read, without asking anyone",
        about: &[
            "Shows for each name the registry, the repository, the tag and the digest in it, and \
             where the registry would be asked. Nothing is sent. A name that is legal but looks \
             like something else is pointed out on standard error.",
            "- as REF reads names from standard input, one a line; # starts a comment.",
        ],
        examples: &[
            ("regq parse alpine", "Docker Hub's rules, made visible"),
            ("regq parse --get registry quay.io/podman/hello:latest", "one part of a name"),
        ],
        flags: &[TEXT, &["plain-http"]],
        action: Action::Run(parse::run),
    },
    Command {
        name: "help",
        aliases: &[],
        operands: Operands::Maybe("COMMAND"),
        summary: "Explain regq, or one of its commands",
        about: &["The same as --help behind a command."],
        examples: &[("regq help digest", "all about one command")],
        flags: &[],
        action: Action::Help,
    },
];
