//! The program `regq`: collects arguments, environment and standard streams, and passes them to `cli` as values.
//!
//! They are read here and nowhere else, so that tests can run the program with other values.

mod bug;
mod cli;
mod signal;

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::ExitCode;

use cli::{Environment, Process};

fn main() -> ExitCode {
    bug::report_panics();
    signal::end_on_signals();
    let stdout = io::stdout();
    let process = Process {
        args: env::args_os().skip(1).collect(),
        environment: environment(),
        stdout_is_terminal: stdout.is_terminal(),
        stdin_is_terminal: io::stdin().is_terminal(),
        stdin: Box::new(io::stdin().lock()),
        stdout: Box::new(stdout),
        stderr: Box::new(io::stderr()),
    };
    ExitCode::from(cli::run(process))
}

fn environment() -> Environment {
    let text =
        |name: &str| -> Option<OsString> { env::var_os(name).filter(|value| !value.is_empty()) };
    let path = |name: &str| text(name).map(PathBuf::from);
    Environment {
        ssl_cert_file: path("SSL_CERT_FILE"),
        home: path("HOME"),
        docker_config: path("DOCKER_CONFIG"),
        docker_auth_config: text("DOCKER_AUTH_CONFIG"),
        registry_auth_file: path("REGISTRY_AUTH_FILE"),
        xdg_runtime_dir: path("XDG_RUNTIME_DIR"),
        xdg_config_home: path("XDG_CONFIG_HOME"),
        trusted_realms: text("REGQ_TRUST_REALM"),
        no_color: text("NO_COLOR").is_some(),
        // The user id of this process; unknown without /proc. Only the path of podman's credentials depends on it.
        uid: std::fs::metadata("/proc/self").ok().map(|process| process.uid()),
    }
}
