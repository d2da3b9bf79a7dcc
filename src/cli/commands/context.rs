//! What a command works with: its flags and operands, and the streams.

use std::ffi::OsString;
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::args::values::Options;
use crate::cli::output::{Messages, Stdout, Stop};

/// The variables of the environment that mean something here. One that is set to nothing is not set.
#[derive(Default)]
pub(crate) struct Environment {
    /// `SSL_CERT_FILE`: a PEM file with authorities to trust.
    pub(crate) ssl_cert_file: Option<PathBuf>,
    /// `HOME`.
    pub(crate) home: Option<PathBuf>,
    /// `DOCKER_CONFIG`: the folder of docker's `config.json`.
    pub(crate) docker_config: Option<PathBuf>,
    /// `DOCKER_AUTH_CONFIG`: the text of a credential file.
    pub(crate) docker_auth_config: Option<OsString>,
    /// `REGISTRY_AUTH_FILE`: a credential file.
    pub(crate) registry_auth_file: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub(crate) xdg_runtime_dir: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub(crate) xdg_config_home: Option<PathBuf>,
    /// `REGQ_TRUST_REALM`: hosts of token servers, separated by commas.
    pub(crate) trusted_realms: Option<OsString>,
    /// `NO_COLOR` is set: no colour anywhere.
    pub(crate) no_color: bool,
    /// The user's number, where it can be told.
    pub(crate) uid: Option<u32>,
}

/// What a command is given.
pub(crate) struct Context {
    pub(crate) options: Options,
    pub(crate) operands: Vec<OsString>,
    pub(crate) environment: Environment,
    pub(crate) stdin: Box<dyn BufRead>,
    pub(crate) stdin_is_terminal: bool,
    pub(crate) stdout: Stdout,
    pub(crate) messages: Arc<Messages>,
}

/// A command: it answers, and gives the exit code.
pub(crate) type Run = fn(&mut Context) -> Result<u8, Stop>;
