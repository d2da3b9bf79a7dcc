//! Credential helpers: programs called `docker-credential-NAME` that keep credentials elsewhere.
//!
//! The protocol is docker's: an action as argument, a server's name on stdin, JSON on stdout. No shell, a name
//! that can be no path, bounded output and a deadline. The only place that starts programs.

use std::io::{self, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::credential::{Credential, Password};
use super::file::of_password;
use super::secret::Secret;
use crate::error::HelperFault;

/// A helper's answer is read so far, in bytes.
const OUTPUT: u64 = 64 * 1024;

/// A helper that waits for a person is given this time.
const DEADLINE: Duration = Duration::from_secs(30);

/// What helpers say on stdout, and fail with, when they have nothing for a server.
const NOT_FOUND: &str = "credentials not found";

/// Asks a helper for a server's credential; `None` when it has none.
pub(crate) fn get(name: &str, server: &str) -> Result<Option<Credential>, HelperFault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        #[serde(default)]
        username: String,
        secret: Secret,
    }
    let ended = run(name, "get", server.as_bytes())?;
    if !ended.success {
        return if ended.says(NOT_FOUND) { Ok(None) } else { Err(ended.fault()) };
    }
    let answer: Answer = serde_json::from_slice(&ended.stdout).map_err(|_| HelperFault::Answer)?;
    if answer.username.is_empty() && answer.secret.expose().is_empty() {
        return Ok(None);
    }
    let password = Password::new(answer.username, answer.secret);
    password.map(of_password).map(Some).map_err(|_| HelperFault::Answer)
}

/// Has a helper keep a server's credential.
pub(crate) fn store(name: &str, server: &str, password: &Password) -> Result<(), HelperFault> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Stored<'a> {
        #[serde(rename = "ServerURL")]
        server: &'a str,
        username: &'a str,
        secret: &'a str,
    }
    let (username, secret) = (password.user(), password.secret().expose());
    let text = serde_json::to_vec(&Stored { server, username, secret })
        .map_err(|_| HelperFault::Answer)?;
    let ended = run(name, "store", &text)?;
    if ended.success { Ok(()) } else { Err(ended.fault()) }
}

/// Has a helper forget a server's credential; false when it had none.
pub(crate) fn erase(name: &str, server: &str) -> Result<bool, HelperFault> {
    let ended = run(name, "erase", server.as_bytes())?;
    match ended.success {
        true => Ok(true),
        false if ended.says(NOT_FOUND) => Ok(false),
        false => Err(ended.fault()),
    }
}

struct Ended {
    success: bool,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Ended {
    fn says(&self, words: &str) -> bool {
        [&self.stdout, &self.stderr].iter().any(|out| String::from_utf8_lossy(out).contains(words))
    }

    /// What it said, which of `get` is no secret when it failed.
    fn fault(&self) -> HelperFault {
        let said = [&self.stdout, &self.stderr].into_iter().find(|out| !out.is_empty());
        let said = said.map(|out| String::from_utf8_lossy(out).into_owned()).unwrap_or_default();
        let line = said.lines().next().unwrap_or_default();
        HelperFault::Failed(line.chars().take(200).collect())
    }
}

/// The characters of a helper's name. Anything else could be a path, and is treated as a helper that is missing.
fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !name.is_empty() && name.bytes().all(plain)
}

fn run(name: &str, action: &str, input: &[u8]) -> Result<Ended, HelperFault> {
    if !is_name(name) {
        return Err(HelperFault::Missing);
    }
    let until = Instant::now() + DEADLINE;
    let mut child = Command::new(format!("docker-credential-{name}"))
        .arg(action)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            let missing = error.kind() == io::ErrorKind::NotFound;
            if missing { HelperFault::Missing } else { HelperFault::Start(error) }
        })?;
    let outcome = talk(&mut child, input, until);
    if outcome.is_err() {
        // It may have ended by itself; then there is nothing to kill. Waiting frees its entry.
        let _ = child.kill();
        let _ = child.wait();
    }
    outcome
}

fn talk(child: &mut Child, input: &[u8], until: Instant) -> Result<Ended, HelperFault> {
    let stdout = child.stdout.take().map(collect);
    let stderr = child.stderr.take().map(collect);
    if let Some(mut stdin) = child.stdin.take() {
        // A server's name and a password fit into a pipe; a helper that does not read them answers all the same.
        let _ = stdin.write_all(input);
    }
    let stdout = wait_for(stdout, until)?;
    let stderr = wait_for(stderr, until)?;
    loop {
        match child.try_wait().map_err(HelperFault::Start)? {
            Some(status) => return Ok(Ended { success: status.success(), stdout, stderr }),
            None if Instant::now() >= until => return Err(HelperFault::TimedOut(DEADLINE)),
            // Its output is closed, so it ends within moments.
            None => thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Reads an output on a thread of its own, so that a helper that hangs does not hang us.
fn collect(output: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before a failure is what there is.
        let _ = output.take(OUTPUT + 1).read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

fn wait_for(output: Option<Receiver<Vec<u8>>>, until: Instant) -> Result<Vec<u8>, HelperFault> {
    let Some(output) = output else { return Ok(Vec::new()) };
    let left = until.saturating_duration_since(Instant::now());
    let bytes = output.recv_timeout(left).map_err(|_| HelperFault::TimedOut(DEADLINE))?;
    let whole = u64::try_from(bytes.len()).is_ok_and(|length| length <= OUTPUT);
    if whole { Ok(bytes) } else { Err(HelperFault::TooMuch(OUTPUT)) }
}
