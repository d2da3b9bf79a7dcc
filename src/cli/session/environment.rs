//! The environment variables that regq uses.

use std::ffi::OsString;
use std::path::PathBuf;

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
