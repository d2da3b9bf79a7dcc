//! The program `regq`: takes what the process was given and hands it down as values.
//!
//! Arguments, environment and standard streams are read here and nowhere else; everything below
//! gets them as a [`Process`] and could be run on others. What is printed and which code the
//! program ends with is decided in `cli`.

mod cli;
mod signal;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use cli::{Environment, Process};

fn main() -> ExitCode {
    signal::end_on_signals();
    let stdout = io::stdout();
    let process = Process {
        args: std::env::args_os().skip(1).collect(),
        environment: Environment { ssl_cert_file: std::env::var_os("SSL_CERT_FILE") },
        stdout_is_terminal: stdout.is_terminal(),
        stdin: Box::new(io::stdin().lock()),
        stdout: Box::new(stdout),
        stderr: Box::new(io::stderr()),
    };
    ExitCode::from(cli::run(process))
}
