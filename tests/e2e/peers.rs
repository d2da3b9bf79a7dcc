//! Finds the clients that regq is compared with, and runs programs.
//!
//! Programs are searched in the folder `PEERS`, then on `PATH`. Each runs in a clean environment (its own home, the test CA,
//! no stored credentials) and with a time limit, so that a program that hangs fails a check.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::Outcome;

/// Time limit of a program, in seconds.
pub(crate) const TIME_LIMIT: &str = "60";

/// The runtime folder in a home. Created together with the home.
pub(crate) const RUNTIME: &str = "run";

/// The result of a program.
#[derive(Debug)]
pub(crate) struct RunResult {
    /// The exit code; 124 after the time limit, -1 after a signal.
    pub(crate) code: i32,
    /// The bytes of stdout.
    pub(crate) stdout: Vec<u8>,
    /// The text of stderr.
    pub(crate) stderr: String,
    /// The command line, for messages.
    command: String,
}

impl RunResult {
    /// The result of a program that was started elsewhere with this command line.
    pub(crate) fn of(output: Output, command: String) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            command,
        }
    }

    /// Stdout as bytes; an error if the program failed.
    pub(crate) fn bytes(self) -> Outcome<Vec<u8>> {
        if self.code == 0 { Ok(self.stdout) } else { Err(self.describe()) }
    }

    /// Stdout as text without the trailing newline; an error if the program failed.
    pub(crate) fn text(self) -> Outcome<String> {
        let text = String::from_utf8(self.bytes()?).map_err(|error| error.to_string())?;
        Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
    }

    /// Checks the exit code.
    pub(crate) fn exits(&self, code: i32) -> Outcome<()> {
        if self.code == code {
            Ok(())
        } else {
            Err(format!("exit code {code} expected: {}", self.describe()))
        }
    }

    /// Checks that the program succeeded and printed nothing on stdout.
    pub(crate) fn silent(&self) -> Outcome<()> {
        self.exits(0)?;
        if self.stdout.is_empty() { Ok(()) } else { Err(self.describe()) }
    }

    /// The command line with its result, for messages.
    pub(crate) fn describe(&self) -> String {
        format!(
            "`{}` exited with {}\nstdout: {}\nstderr: {}",
            self.command,
            self.code,
            String::from_utf8_lossy(&self.stdout).trim_end(),
            self.stderr.trim_end()
        )
    }
}

/// The environment of a program: its home, the CA it trusts, variables and working folder.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    home: PathBuf,
    folder: Option<PathBuf>,
    variables: Vec<(&'static str, OsString)>,
}

impl Surroundings {
    /// Surroundings with this home, without the test CA.
    pub(crate) fn new(home: &Path) -> Self {
        Self { home: home.to_owned(), folder: None, variables: Vec::new() }
    }

    /// The home folder.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Returns a copy with a variable.
    pub(crate) fn with(&self, name: &'static str, value: impl Into<OsString>) -> Self {
        let mut more = self.clone();
        more.variables.push((name, value.into()));
        more
    }

    /// Returns a copy with a working folder.
    pub(crate) fn within(&self, folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), ..self.clone() }
    }

    /// Returns a copy in which this program comes first on PATH.
    pub(crate) fn with_program(&self, program: &Path) -> Self {
        let mut path = program.parent().unwrap_or(Path::new("/")).as_os_str().to_owned();
        path.push(":");
        path.push(search_path());
        self.with("PATH", path)
    }

    /// Returns a copy that trusts a CA through `SSL_CERT_FILE`.
    pub(crate) fn trusting(&self, authority: &Path) -> Self {
        self.with("SSL_CERT_FILE", authority)
    }

    /// Returns a copy with docker's configuration folder, which contains credentials.
    pub(crate) fn with_docker_config(&self, folder: &Path) -> Self {
        self.with("DOCKER_CONFIG", folder)
    }

    /// Sets the environment of a command.
    pub(crate) fn apply_to(&self, command: &mut Command) {
        command.env_clear().env("PATH", search_path()).env("HOME", &self.home);
        // Without XDG_RUNTIME_DIR, clients look for credentials in /run.
        command.env("TMPDIR", &self.home).env("XDG_RUNTIME_DIR", self.home.join(RUNTIME));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
    }

    /// Runs a program with `input` on stdin, and waits for it.
    pub(crate) fn run<S: AsRef<OsStr>>(
        &self,
        program: &Path,
        arguments: &[S],
        input: &str,
    ) -> Outcome<RunResult> {
        let mut command = Command::new("timeout");
        command.arg(TIME_LIMIT).arg(program).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.apply_to(&mut command);
        let name = program.display();
        let mut child = command.spawn().map_err(|error| format!("starting {name}: {error}"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program may close its stdin without reading it. Inputs are short, so this cannot block on a full pipe.
            drop(stdin.write_all(input.as_bytes()));
        }
        let output =
            child.wait_with_output().map_err(|error| format!("waiting for {name}: {error}"))?;
        let words = arguments.iter().map(|word| word.as_ref().to_string_lossy().into_owned());
        let first = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(RunResult::of(output, std::iter::once(first).chain(words).collect::<Vec<_>>().join(" ")))
    }
}

/// Finds a program in `PEERS`, then on `PATH`, then in /usr/sbin and /sbin.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let peers = env::var_os("PEERS").map(PathBuf::from);
    let peers = peers.and_then(|folder| folder.canonicalize().ok());
    let path = search_path();
    let folders = peers.into_iter().chain(env::split_paths(&path));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// `PATH` and the folders of administration programs.
fn search_path() -> OsString {
    let mut path = env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    path
}

/// The clients that regq is compared with.
#[derive(Debug)]
pub(crate) struct Peers {
    /// Required: it also pushes the images.
    pub(crate) skopeo: PathBuf,
    pub(crate) crane: Option<PathBuf>,
    pub(crate) regctl: Option<PathBuf>,
}

impl Peers {
    /// Finds the clients and prints which are missing.
    pub(crate) fn find() -> Outcome<Self> {
        let skopeo = find_and_print("skopeo", "skopeo").ok_or("skopeo is required")?;
        let (crane, regctl) =
            (find_and_print("crane", "crane"), find_and_print("regctl", "regctl"));
        Ok(Self { skopeo, crane, regctl })
    }

    /// Finds the clients without printing, for a copy of this program.
    pub(crate) fn find_quietly() -> Outcome<Self> {
        let skopeo = find("skopeo").ok_or("skopeo is required")?;
        Ok(Self { skopeo, crane: find("crane"), regctl: find("regctl") })
    }
}

/// Finds a program and prints whether it is installed, under its name in the report.
pub(crate) fn find_and_print(name: &str, command: &str) -> Option<PathBuf> {
    let found = find(command);
    match &found {
        Some(file) => println!("with {name}: {}", file.display()),
        None => println!("without {name}: `{command}` is neither in PEERS nor on PATH"),
    }
    found
}
