//! Runs regq and checks its exit code and output.
//!
//! The environment holds only what a test sets, and stdin is empty unless given. Assertions compare exact text and
//! print the whole run when they fail. Output that contains one of the tests' secrets fails every test (`secrets`).
//!
//! `run` starts the real program. `run_in_process` (in `in_process.rs`) is faster, for tests with many runs.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

use super::secrets;

/// A run of regq that has not started yet.
pub(crate) struct Regq {
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) stdin: Vec<u8>,
    pub(crate) stdout: Stdout,
    pub(crate) script: Option<String>,
}

/// Where stdout goes.
#[derive(PartialEq)]
pub(crate) enum Stdout {
    Captured,
    Closed,
    Full,
}

impl Regq {
    /// regq without arguments.
    pub(crate) fn new() -> Regq {
        Regq {
            args: Vec::new(),
            env: Vec::new(),
            stdin: Vec::new(),
            stdout: Stdout::Captured,
            script: None,
        }
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Regq {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub(crate) fn args(self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Regq {
        args.into_iter().fold(self, Regq::arg)
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Regq {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Sets the contents of stdin.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Regq {
        self.stdin = bytes.into();
        self
    }

    /// Makes stdout a pipe without a reader.
    pub(crate) fn closed_stdout(mut self) -> Regq {
        self.stdout = Stdout::Closed;
        self
    }

    /// Makes stdout a full disk.
    pub(crate) fn full_stdout(mut self) -> Regq {
        self.stdout = Stdout::Full;
        self
    }

    /// Lets a shell script start the program, as `"$0" "$@"`, after setting limits, traps or another user.
    pub(crate) fn through(mut self, script: &str) -> Regq {
        self.script = Some(script.to_owned());
        self
    }

    /// Runs the real program until it exits.
    #[track_caller]
    pub(crate) fn run(self) -> Ran {
        let program = env!("CARGO_BIN_EXE_regq");
        let mut command = match &self.script {
            None => Command::new(program),
            Some(script) => {
                let mut command = Command::new("/bin/sh");
                command.args(["-c", script, program]);
                command
            }
        };
        command.args(&self.args).env_clear().envs(self.env);
        command.stdin(Stdio::piped()).stderr(Stdio::piped()).stdout(match self.stdout {
            Stdout::Captured => Stdio::piped(),
            Stdout::Closed => io::pipe().expect("a pipe").1.into(),
            Stdout::Full => {
                OpenOptions::new().write(true).open("/dev/full").expect("/dev/full").into()
            }
        });
        let mut child = command.spawn().expect("regq is built and starts");
        let mut stdin = child.stdin.take().expect("its stdin is a pipe");
        let bytes = self.stdin;
        // Written while the output is read: a full pipe in one direction would block both. regq need not read it
        // all, so write errors are ignored.
        let writer = thread::spawn(move || drop(stdin.write_all(&bytes)));
        let output = child.wait_with_output().expect("regq ends");
        writer.join().expect("the writer of stdin ends");
        let code = match (output.status.code(), output.status.signal()) {
            (Some(code), _) => code,
            (None, signal) => 128 + signal.unwrap_or_default(),
        };
        Ran::new(&self.args, code, output.stdout, output.stderr)
    }
}

/// A finished run of regq.
#[derive(Clone)]
pub(crate) struct Ran {
    pub(crate) command: String,
    /// The exit code, or 128 plus the signal's number, as in a shell.
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    /// Checks the output for secrets.
    #[track_caller]
    pub(crate) fn new(args: &[OsString], code: i32, stdout: Vec<u8>, stderr: Vec<u8>) -> Ran {
        for output in [&stdout, &stderr] {
            if let Some(secret) = secrets::leaked(output) {
                panic!("{secret} is in {}", String::from_utf8_lossy(output));
            }
        }
        let args = args.iter().map(|arg| format!(" {}", arg.to_string_lossy()));
        Ran {
            command: format!("regq{}", args.collect::<String>()),
            code,
            stdout,
            stderr: String::from_utf8(stderr).expect("stderr is UTF-8"),
        }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn code(&self, expected: i32) -> &Ran {
        assert!(self.code == expected, "expected exit code {expected}\n{self}");
        self
    }

    /// Asserts the exact bytes of stdout.
    #[track_caller]
    pub(crate) fn stdout(&self, expected: impl AsRef<[u8]>) -> &Ran {
        let text = String::from_utf8_lossy(expected.as_ref());
        assert!(self.stdout == expected.as_ref(), "expected stdout\n{}{self}", quoted(&text));
        self
    }

    /// Asserts the exact text of stderr.
    #[track_caller]
    pub(crate) fn stderr(&self, expected: impl AsRef<str>) -> &Ran {
        let text = expected.as_ref();
        assert!(self.stderr == text, "expected stderr\n{}{self}", quoted(text));
        self
    }

    /// Stdout as JSON, one value per line.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<Value> {
        assert!(matches!(self.stdout.last(), None | Some(b'\n')), "expected whole lines\n{self}");
        let lines = self.stdout.split_inclusive(|byte| *byte == b'\n');
        match lines.map(serde_json::from_slice).collect() {
            Ok(values) => values,
            Err(error) => panic!("expected one JSON value per line: {error}\n{self}"),
        }
    }

    /// Replaces `from` with `to` in the command, stdout (if it is text) and stderr, for what differs from run to
    /// run, such as a port.
    pub(crate) fn replace(mut self, from: impl AsRef<str>, to: &str) -> Ran {
        let from = from.as_ref();
        self.command = self.command.replace(from, to);
        self.stderr = self.stderr.replace(from, to);
        if let Ok(text) = std::str::from_utf8(&self.stdout) {
            self.stdout = text.replace(from, to).into_bytes();
        }
        self
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stdout = String::from_utf8_lossy(&self.stdout);
        writeln!(f, "command: {}\ncode: {}", self.command, self.code)?;
        write!(f, "stdout:\n{}stderr:\n{}", quoted(&stdout), quoted(&self.stderr))
    }
}

/// Puts a bar before every line, so that a missing or extra line end shows.
fn quoted(text: &str) -> String {
    if text.is_empty() {
        return "  (nothing)\n".to_owned();
    }
    let lines =
        text.split_inclusive('\n').map(|line| format!("  |{}\n", line.trim_end_matches('\n')));
    let quoted: String = lines.collect();
    if text.ends_with('\n') { quoted } else { format!("{quoted}  (no line end)\n") }
}
