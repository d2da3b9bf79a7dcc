//! The environment variables that regq uses. They are read in `main.rs`, and described in
//! `docs/help.rs`.

use std::ffi::OsString;
use std::path::PathBuf;

use regq::error::Error;

use crate::cli::args::flags::Options;
use crate::cli::failure::Failure;

/// The values of environment variables. An empty variable counts as unset.
#[derive(Default)]
pub(crate) struct Environment {
    /// `SSL_CERT_FILE`: a PEM file with CA certificates.
    pub(crate) ssl_cert_file: Option<PathBuf>,
    /// `HOME`.
    pub(crate) home: Option<PathBuf>,
    /// `DOCKER_CONFIG`: the directory of docker's `config.json`.
    pub(crate) docker_config: Option<PathBuf>,
    /// `DOCKER_AUTH_CONFIG`: the contents of a credential file.
    pub(crate) docker_auth_config: Option<OsString>,
    /// `REGISTRY_AUTH_FILE`: a credential file.
    pub(crate) registry_auth_file: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub(crate) xdg_runtime_dir: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub(crate) xdg_config_home: Option<PathBuf>,
    /// `REGQ_TRUST_REALM`: hosts of token servers, separated by commas.
    pub(crate) trusted_realms: Option<OsString>,
    /// Whether `NO_COLOR` is set, which disables colors.
    pub(crate) no_color: bool,
    /// The user id of the process, if known.
    pub(crate) uid: Option<u32>,
}

/// The failure of a file that the user named. The message starts with the variable that names it, unless a flag does.
pub(crate) fn local_failure(
    error: &Error,
    options: &Options,
    environment: &Environment,
) -> Failure {
    let mut failure = Failure::new(error, None);
    let Error::Local { path, .. } = error else { return failure };
    let by_flag = options.connection.ca_files.contains(path);
    let certificates = environment.ssl_cert_file.as_ref().filter(|_| !by_flag);
    let by_flag = options.credentials.authfile.is_some();
    let credentials = environment.registry_auth_file.as_ref().filter(|_| !by_flag);
    let variables = [("SSL_CERT_FILE", certificates), ("REGISTRY_AUTH_FILE", credentials)];
    if let Some((name, _)) = variables.iter().find(|(_, named)| *named == Some(path)) {
        failure.message = format!("{name}: {}", failure.message);
    }
    failure
}
