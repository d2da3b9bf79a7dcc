//! Runs regq's command line inside the test process.
//!
//! Everything below `main` is the program's own code. Starting no process makes a run several times faster; signals,
//! closed streams and real exit codes need [`Regq::run`].

use std::ffi::OsString;
use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex};

use crate::cli::{self, Environment, Process};
use crate::support::regq::Stdout;
use crate::support::{Ran, Regq};

impl Regq {
    /// Runs the command line in this process and captures its output.
    #[track_caller]
    pub(crate) fn run_in_process(self) -> Ran {
        assert!(self.stdout == Stdout::Captured && self.script.is_none(), "needs a process");
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let code = cli::run(Process {
            args: self.args.clone(),
            environment: environment(self.env),
            stdin: Box::new(Cursor::new(self.stdin)),
            stdin_is_terminal: false,
            stdout: Box::new(stdout.clone()),
            stdout_is_terminal: false,
            stderr: Box::new(stderr.clone()),
        });
        Ran::new(&self.args, code.into(), stdout.take(), stderr.take())
    }
}

/// The environment of a run in this process: only the variables that its tests need.
fn environment(variables: Vec<(OsString, OsString)>) -> Environment {
    let mut environment = Environment::default();
    for (name, value) in variables {
        match name.to_str() {
            Some("DOCKER_AUTH_CONFIG") => environment.docker_auth_config = Some(value),
            Some("DOCKER_CONFIG") => environment.docker_config = Some(value.into()),
            Some("HOME") => environment.home = Some(value.into()),
            _ => panic!("{name:?} is not known here"),
        }
    }
    environment
}

/// A stream that keeps what is written to it.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().expect("no panic while writing"))
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic while writing").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
