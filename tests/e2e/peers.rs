//! The programs that regq is held against, and how any program is run here.
//!
//! Programs are looked for in the folder that `PEERS` names, then on `PATH`. Every run has a clean
//! environment (a home of its own, the test CA, nobody's stored credentials) and a time limit, so
//! that a program that hangs is a failed check and not a hanging run.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::Outcome;

/// Seconds one program may take.
pub(crate) const TIME_LIMIT: &str = "60";

/// The folder in a home that is a session's runtime folder. Whoever makes the home makes it.
pub(crate) const RUNTIME: &str = "run";

/// What a program answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The exit code; 124 when the time limit was reached, -1 after a signal.
    pub(crate) code: i32,
    /// The bytes of stdout.
    pub(crate) stdout: Vec<u8>,
    /// The text of stderr.
    pub(crate) stderr: String,
    /// The command line, for messages.
    line: String,
}

impl Answer {
    /// What a program answered that was started elsewhere, by this command line.
    pub(crate) fn of(output: Output, line: String) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            line,
        }
    }

    /// The bytes of stdout of a program that succeeded.
    pub(crate) fn bytes(self) -> Outcome<Vec<u8>> {
        if self.code == 0 { Ok(self.stdout) } else { Err(self.describe()) }
    }

    /// The text of stdout of a program that succeeded, without the line end at its end.
    pub(crate) fn text(self) -> Outcome<String> {
        let text = String::from_utf8(self.bytes()?).map_err(|error| error.to_string())?;
        Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
    }

    /// Holds the exit code against the one that is due.
    pub(crate) fn exits(&self, code: i32) -> Outcome<()> {
        if self.code == code {
            Ok(())
        } else {
            Err(format!("exit code {code} expected: {}", self.describe()))
        }
    }

    /// It succeeded, and stdout has nothing.
    pub(crate) fn silent(&self) -> Outcome<()> {
        self.exits(0)?;
        if self.stdout.is_empty() { Ok(()) } else { Err(self.describe()) }
    }

    /// The run in words.
    pub(crate) fn describe(&self) -> String {
        format!(
            "`{}` exited with {}\nstdout: {}\nstderr: {}",
            self.line,
            self.code,
            String::from_utf8_lossy(&self.stdout).trim_end(),
            self.stderr.trim_end()
        )
    }
}

/// Where programs run: their home, the CA they trust, and what else they find around them.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    home: PathBuf,
    folder: Option<PathBuf>,
    variables: Vec<(&'static str, OsString)>,
}

impl Surroundings {
    /// A home folder of its own and no CA beside those of the machine.
    pub(crate) fn new(home: &Path) -> Self {
        Self { home: home.to_owned(), folder: None, variables: Vec::new() }
    }

    /// The home folder.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// The same with a variable.
    pub(crate) fn with(&self, name: &'static str, value: impl Into<OsString>) -> Self {
        let mut more = self.clone();
        more.variables.push((name, value.into()));
        more
    }

    /// The same in a working folder.
    pub(crate) fn within(&self, folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), ..self.clone() }
    }

    /// The same with a program found by its name, before all others of that name.
    pub(crate) fn with_program(&self, program: &Path) -> Self {
        let mut path = program.parent().unwrap_or(Path::new("/")).as_os_str().to_owned();
        path.push(":");
        path.push(search_path());
        self.with("PATH", path)
    }

    /// The same with a CA, named in `SSL_CERT_FILE`.
    pub(crate) fn trusting(&self, authority: &Path) -> Self {
        self.with("SSL_CERT_FILE", authority)
    }

    /// The same with docker's configuration folder, where credentials stand.
    pub(crate) fn with_docker_config(&self, folder: &Path) -> Self {
        self.with("DOCKER_CONFIG", folder)
    }

    /// Gives a command this environment and no other.
    pub(crate) fn dress(&self, command: &mut Command) {
        command.env_clear().env("PATH", search_path()).env("HOME", &self.home);
        // Without this variable credentials are looked for under /run, where there may be some.
        command.env("TMPDIR", &self.home).env("XDG_RUNTIME_DIR", self.home.join(RUNTIME));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
    }

    /// Runs a program and waits for it; `input` is all of its stdin.
    pub(crate) fn run<S: AsRef<OsStr>>(
        &self,
        program: &Path,
        arguments: &[S],
        input: &str,
    ) -> Outcome<Answer> {
        let mut command = Command::new("timeout");
        command.arg(TIME_LIMIT).arg(program).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.dress(&mut command);
        let name = program.display();
        let mut child = command.spawn().map_err(|error| format!("starting {name}: {error}"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read its stdin has closed it: nothing is wrong then. The
            // inputs are a few bytes, so this write cannot block on a full pipe.
            drop(stdin.write_all(input.as_bytes()));
        }
        let output =
            child.wait_with_output().map_err(|error| format!("waiting for {name}: {error}"))?;
        let words = arguments.iter().map(|word| word.as_ref().to_string_lossy().into_owned());
        let first = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Answer::of(output, std::iter::once(first).chain(words).collect::<Vec<_>>().join(" ")))
    }
}

/// Finds a program under `PEERS`, else on `PATH`, else where Debian keeps the administrator's.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let peers = env::var_os("PEERS").map(PathBuf::from);
    let peers = peers.and_then(|folder| folder.canonicalize().ok());
    let path = search_path();
    let folders = peers.into_iter().chain(env::split_paths(&path));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// `PATH`, with the folders that a plain user's lacks.
fn search_path() -> OsString {
    let mut path = env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    path
}

/// The clients that are held against regq.
#[derive(Debug)]
pub(crate) struct Peers {
    /// It pushes the images as well, so nothing goes without it.
    pub(crate) skopeo: PathBuf,
    /// The second opinion.
    pub(crate) crane: Option<PathBuf>,
    /// The third.
    pub(crate) regctl: Option<PathBuf>,
}

impl Peers {
    /// Finds them and says by name which are not there.
    pub(crate) fn find() -> Outcome<Self> {
        let skopeo =
            find_aloud("skopeo", "skopeo").ok_or("without skopeo nothing can be pushed")?;
        let (crane, regctl) = (find_aloud("crane", "crane"), find_aloud("regctl", "regctl"));
        Ok(Self { skopeo, crane, regctl })
    }

    /// The same without a word, for a program started again by this one.
    pub(crate) fn find_quietly() -> Outcome<Self> {
        let skopeo = find("skopeo").ok_or("skopeo has gone")?;
        Ok(Self { skopeo, crane: find("crane"), regctl: find("regctl") })
    }
}

/// Finds a program and says whether it is there, under the name it goes by in the report.
pub(crate) fn find_aloud(name: &str, command: &str) -> Option<PathBuf> {
    let found = find(command);
    match &found {
        Some(file) => println!("with {name}: {}", file.display()),
        None => println!("without {name}: no `{command}` under PEERS or on PATH"),
    }
    found
}
