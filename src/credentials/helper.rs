//! Credential helpers: programs called `docker-credential-NAME` that keep credentials elsewhere.
//!
//! The protocol is docker's: an action as argument, a server's name on stdin, JSON on stdout. No shell, a name
//! that can be no path, bounded output and a deadline. The only place that starts programs.

use std::io::{self, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::credentials::auth_file::{Object, of_password};
use crate::credentials::credential::{Credential, Password};
use crate::credentials::secret::Secret;
use crate::error::HelperFault;

/// A helper's answer is read so far, in bytes.
const OUTPUT: u64 = 64 * 1024;

/// A helper that waits for a person is given this time.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// How often it is looked whether a helper has ended.
const LOOK: Duration = Duration::from_millis(5);

/// What a helper wrote before it ended is read within moments, also when a program that it left behind holds its
/// output open.
const AFTER: Duration = Duration::from_secs(1);

/// What helpers say on stdout, and fail with, when they have nothing for a server.
const NOT_FOUND: &str = "credentials not found";

/// Asks a helper for a server's credential, and waits so long at most; `None` when it has none.
pub(crate) fn get(
    name: &str,
    server: &str,
    time: Duration,
) -> Result<Option<Credential>, HelperFault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        #[serde(default)]
        username: String,
        secret: Secret,
    }
    let ended = run(name, "get", server.as_bytes(), time.min(DEADLINE))?;
    if !ended.success {
        return if ended.says(NOT_FOUND) { Ok(None) } else { Err(ended.fault(&[])) };
    }
    let Object(answer): Object<Answer> =
        serde_json::from_slice(&ended.stdout).map_err(|_| HelperFault::Malformed)?;
    if answer.username.is_empty() && answer.secret.expose().is_empty() {
        return Ok(None);
    }
    let password = Password::new(answer.username, answer.secret);
    password.ok().and_then(of_password).map(Some).ok_or(HelperFault::Malformed)
}

/// Has a helper keep a server's credential.
pub(crate) fn store(
    name: &str,
    server: &str,
    password: &Password,
    time: Duration,
) -> Result<(), HelperFault> {
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
        .map_err(|_| HelperFault::Malformed)?;
    let ended = run(name, "store", &text, time.min(DEADLINE))?;
    if ended.success { Ok(()) } else { Err(ended.fault(&password.secrets())) }
}

/// Has a helper forget a server's credential; false when it had none.
pub(crate) fn erase(name: &str, server: &str, time: Duration) -> Result<bool, HelperFault> {
    let ended = run(name, "erase", server.as_bytes(), time.min(DEADLINE))?;
    match ended.success {
        true => Ok(true),
        false if ended.says(NOT_FOUND) => Ok(false),
        false => Err(ended.fault(&[])),
    }
}

struct Ended {
    success: bool,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Ended {
    /// True when what it says begins with these words: somewhere inside they may be a reason for a failure.
    fn says(&self, words: &str) -> bool {
        [&self.stdout, &self.stderr]
            .iter()
            .any(|out| out.trim_ascii().starts_with(words.as_bytes()))
    }

    /// What it said, without what it was given. Helpers speak of failures on stdout, where a `get` answers, so one
    /// word or two, and anything like JSON, may be the secret itself and are not taken for a message.
    fn fault(&self, given: &[Secret]) -> HelperFault {
        let said = |out: &[u8]| {
            let text = String::from_utf8_lossy(out).into_owned();
            text.lines().next().unwrap_or_default().chars().take(200).collect::<String>()
        };
        let (stdout, stderr) = (said(&self.stdout), said(&self.stderr));
        let sentence = stdout.split_whitespace().count() > 2 && !stdout.contains('{');
        let line = if sentence { stdout } else { stderr };
        let told = given.iter().any(|secret| line.contains(secret.expose()));
        HelperFault::Failed(if told { String::new() } else { line })
    }
}

/// The characters of a helper's name. Anything else could be a path, and is treated as a helper that is missing.
fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !name.is_empty() && name.bytes().all(plain)
}

fn run(name: &str, action: &str, input: &[u8], time: Duration) -> Result<Ended, HelperFault> {
    if !is_name(name) {
        return Err(HelperFault::Missing);
    }
    let mut command = Command::new(format!("docker-credential-{name}"));
    command.arg(action);
    talk(command, input, time)
}

/// Starts a program, gives it its input and takes its output. The program has ended when this returns; what it
/// started itself may not have.
fn talk(mut command: Command, input: &[u8], time: Duration) -> Result<Ended, HelperFault> {
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            let missing = error.kind() == io::ErrorKind::NotFound;
            if missing { HelperFault::Missing } else { HelperFault::Start(Arc::new(error)) }
        })?;
    let outcome = converse(&mut child, input, begun, time);
    if outcome.is_err() {
        // It may have ended by itself; then there is nothing to kill. Waiting frees its entry.
        let _ = child.kill();
        let _ = child.wait();
    }
    outcome
}

fn converse(
    child: &mut Child,
    input: &[u8],
    begun: Instant,
    time: Duration,
) -> Result<Ended, HelperFault> {
    let stdout = child.stdout.take().map(Output::collect);
    let stderr = child.stderr.take().map(Output::collect);
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_owned();
        // On a thread of its own: a password may be more than a pipe holds, and a helper that does not read it
        // may answer all the same.
        thread::spawn(move || stdin.write_all(&input));
    }
    let mut outputs = [stdout, stderr].into_iter().flatten();
    let (stdout, stderr) = (outputs.next(), outputs.next());
    let status = loop {
        // A helper that writes too much is not waited for.
        if [&stdout, &stderr].into_iter().flatten().any(Output::is_too_much) {
            return Err(HelperFault::TooLarge(OUTPUT));
        }
        match child.try_wait().map_err(|error| HelperFault::Start(Arc::new(error)))? {
            Some(status) => break status,
            None if begun.elapsed() >= time => return Err(HelperFault::TimedOut(time)),
            None => thread::sleep(LOOK),
        }
    };
    ended(status, stdout, stderr)
}

fn ended(
    status: ExitStatus,
    stdout: Option<Output>,
    stderr: Option<Output>,
) -> Result<Ended, HelperFault> {
    let until = Instant::now() + AFTER;
    let [stdout, stderr] = [stdout, stderr].map(|output| match output {
        Some(output) => output.finish(until),
        None => Ok(Vec::new()),
    });
    Ok(Ended { success: status.success(), stdout: stdout?, stderr: stderr? })
}

/// What a program writes, read on a thread of its own.
#[derive(Clone, Default)]
struct Output(Arc<(Mutex<Written>, Condvar)>);

#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    ended: bool,
}

impl Output {
    fn collect(mut source: impl io::Read + Send + 'static) -> Output {
        let output = Output::default();
        let shared = output.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // What came before a failure is what there is.
            while let Ok(count) = source.read(&mut buffer) {
                let new = buffer.get(..count).unwrap_or_default();
                let mut read = shared.read();
                read.bytes.extend_from_slice(new);
                if new.is_empty() || is_too_much(&read.bytes) {
                    break;
                }
            }
            shared.read().ended = true;
            shared.0.1.notify_one();
        });
        output
    }

    fn read(&self) -> MutexGuard<'_, Written> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_too_much(&self) -> bool {
        is_too_much(&self.read().bytes)
    }

    /// All that was written. When the end does not come in time, somebody else holds the output open.
    fn finish(self, until: Instant) -> Result<Vec<u8>, HelperFault> {
        let left = until.saturating_duration_since(Instant::now());
        let waited = self.0.1.wait_timeout_while(self.read(), left, |read| !read.ended);
        let (mut read, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if is_too_much(&read.bytes) {
            return Err(HelperFault::TooLarge(OUTPUT));
        }
        Ok(std::mem::take(&mut read.bytes))
    }
}

fn is_too_much(bytes: &[u8]) -> bool {
    u64::try_from(bytes.len()).is_ok_and(|length| length > OUTPUT)
}

#[cfg(test)]
mod tests {
    use super::{HelperFault, talk};
    use std::process::Command;
    use std::time::{Duration, Instant};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    /// A program that ends by itself only after a minute, to be stopped.
    fn hanging() -> Command {
        shell("exec sleep 60")
    }

    #[test]
    fn a_program_that_hangs_is_stopped() {
        let begun = Instant::now();
        // With more for its stdin than a pipe holds, which it does not read.
        for input in [0, 1024 * 1024] {
            let time = Duration::from_millis(50);
            let ended = talk(hanging(), &vec![b'x'; input], time);
            assert!(matches!(ended, Err(HelperFault::TimedOut(limit)) if limit == time));
        }
        assert!(begun.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn all_of_the_input_arrives() {
        let ended = talk(shell("wc -c"), &vec![b'x'; 1024 * 1024], Duration::from_secs(30));
        let said = ended.map(|ended| String::from_utf8_lossy(&ended.stdout).trim().to_owned());
        assert!(matches!(said.as_deref(), Ok("1048576")), "{:?}", said.err());
    }
}
