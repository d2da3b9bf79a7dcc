//! The values of all flags, in one struct per group.
//!
//! `None` means that the flag was not given and the library's default applies.

use std::path::PathBuf;
use std::time::Duration;

use regq::platform::Platform;

use crate::cli::args::values::{Generated, TokenSource};

/// The values of all flags.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) answer: AnswerOptions,
    pub(crate) attempt: AttemptOptions,
    pub(crate) credentials: CredentialOptions,
    pub(crate) connection: ConnectionOptions,
    pub(crate) general: GeneralOptions,
}

/// What is printed, and how.
#[derive(Debug, Default)]
pub(crate) struct AnswerOptions {
    pub(crate) platform: Option<Platform>,
    pub(crate) full_ref: bool,
    pub(crate) verify: bool,
    pub(crate) json: bool,
    /// A dotted path of keys.
    pub(crate) get: Option<String>,
}

/// The login attempt of another client. `None` is unknown.
#[derive(Debug, Default)]
pub(crate) struct AttemptOptions {
    pub(crate) token_url: Option<String>,
    pub(crate) token: Option<TokenSource>,
    pub(crate) challenges: Option<Vec<String>>,
    pub(crate) status: Option<u16>,
    pub(crate) body: Option<PathBuf>,
    /// In seconds since 1970.
    pub(crate) date: Option<i64>,
    pub(crate) offline: bool,
    pub(crate) curl: bool,
}

/// The credentials, and the token servers that may receive them.
#[derive(Debug, Default)]
pub(crate) struct CredentialOptions {
    pub(crate) user: Option<String>,
    pub(crate) password_stdin: bool,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) authfile: Option<PathBuf>,
    pub(crate) anonymous: bool,
    /// Host names without ports.
    pub(crate) trusted_realms: Vec<String>,
}

/// TLS, addresses, time limits and retries.
#[derive(Debug, Default)]
pub(crate) struct ConnectionOptions {
    pub(crate) ca_files: Vec<PathBuf>,
    pub(crate) insecure: bool,
    pub(crate) plain_http: bool,
    pub(crate) allow_private: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) retries: Option<u32>,
    pub(crate) max_wait: Option<Duration>,
}

/// Flags of every command, and those that replace a command.
#[derive(Debug, Default)]
pub(crate) struct GeneralOptions {
    pub(crate) verbosity: Verbosity,
    pub(crate) generate: Option<Generated>,
}

/// The format of answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format<'a> {
    Text,
    Json,
    /// One value of the JSON object, by its dotted path.
    Get(&'a str),
}

/// Which messages are printed to stderr.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors and their hints.
    Quiet,
    /// Also notes, warnings, and waits of more than a second.
    #[default]
    Normal,
    /// Also every request.
    Trace,
}

impl AnswerOptions {
    /// The format that `--json` and `--get` select.
    pub(crate) fn format(&self) -> Format<'_> {
        match (&self.get, self.json) {
            (Some(key), _) => Format::Get(key),
            (None, true) => Format::Json,
            (None, false) => Format::Text,
        }
    }
}
