//! Runs credential helpers: programs named `docker-credential-NAME` that store credentials elsewhere.
//!
//! The protocol is docker's: an action as argument, the server's name or a credential on stdin, JSON on stdout. Helpers
//! run without a shell, their names cannot be paths, and their output and time are limited. This is the only place that
//! starts programs.

use std::io::{self, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::credentials::auth_file::{Object, from_password};
use crate::credentials::credential::{Credential, Password};
use crate::credentials::secret::Secret;
use crate::error::HelperFault;
use crate::files::check_size;

/// Maximum output of a helper in bytes, for stdout and stderr each.
const MAX_OUTPUT: u64 = 64 * 1024;

/// Maximum length of a helper's error message in characters.
const MAX_MESSAGE: usize = 200;

/// Maximum time for a helper. It may have to wait for a person, who unlocks a keychain.
pub(crate) const MAX_TIME: Duration = Duration::from_secs(30);

/// How often to check whether a helper has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// How long to read on after a helper has ended. A program that it left running may hold its output open.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// What a helper prints, before it fails, if it has no credential for a server.
const NOT_FOUND: &str = "credentials not found";

/// Gets the credential for a server. Returns `None` if the helper has none.
pub(crate) fn get(
    name: &str,
    server: &str,
    limit: Duration,
) -> Result<Option<Credential>, HelperFault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Response {
        #[serde(default)]
        username: String,
        secret: Secret,
    }
    let output = run(name, "get", server.as_bytes(), limit)?;
    if !output.success {
        return if output.is_not_found() { Ok(None) } else { Err(output.fault(&[])) };
    }
    let Object(response): Object<Response> =
        serde_json::from_slice(&output.stdout).map_err(|_| HelperFault::Malformed)?;
    if response.username.is_empty() && response.secret.expose().is_empty() {
        return Ok(None);
    }
    let password = Password::new(response.username, response.secret);
    password.ok().and_then(from_password).map(Some).ok_or(HelperFault::Malformed)
}

/// Stores the credential for a server.
pub(crate) fn store(
    name: &str,
    server: &str,
    password: &Password,
    limit: Duration,
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
    let input = serde_json::to_vec(&Stored { server, username, secret })
        .map_err(|_| HelperFault::Malformed)?;
    let output = run(name, "store", &input, limit)?;
    if output.success { Ok(()) } else { Err(output.fault(&password.secrets())) }
}

/// Erases the credential for a server. Returns false if the helper has none.
pub(crate) fn erase(name: &str, server: &str, limit: Duration) -> Result<bool, HelperFault> {
    let output = run(name, "erase", server.as_bytes(), limit)?;
    match output.success {
        true => Ok(true),
        false if output.is_not_found() => Ok(false),
        false => Err(output.fault(&[])),
    }
}

/// The output of a program that has ended.
#[derive(Debug)]
struct Output {
    success: bool,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Output {
    /// Whether the output begins with "credentials not found". Further inside, these words may belong to another message.
    fn is_not_found(&self) -> bool {
        [&self.stdout, &self.stderr]
            .iter()
            .any(|output| output.trim_ascii().starts_with(NOT_FOUND.as_bytes()))
    }

    /// The error for a program that failed, with its message unless that contains one of these secrets.
    ///
    /// Helpers print messages on stdout, too, where `get` prints the secret. So one or two words, and anything like JSON,
    /// are not taken for a message.
    fn fault(&self, secrets: &[Secret]) -> HelperFault {
        let (stdout, stderr) = (first_line(&self.stdout), first_line(&self.stderr));
        let is_sentence = stdout.split_whitespace().count() > 2 && !stdout.contains('{');
        let message = if is_sentence { stdout } else { stderr };
        let is_secret = secrets.iter().any(|secret| message.contains(secret.expose()));
        HelperFault::Failed(if is_secret { String::new() } else { message })
    }
}

fn first_line(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    text.lines().next().unwrap_or_default().chars().take(MAX_MESSAGE).collect()
}

/// Whether the name has only characters of helper names. Others could make it a path.
fn is_name(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !name.is_empty() && name.bytes().all(is_plain)
}

fn run(name: &str, action: &str, input: &[u8], limit: Duration) -> Result<Output, HelperFault> {
    if !is_name(name) {
        return Err(HelperFault::Missing);
    }
    let mut command = Command::new(format!("docker-credential-{name}"));
    command.arg(action);
    run_command(command, input, limit.min(MAX_TIME), Builder::new)
}

/// Runs a program to its end, with this input. On errors, the program is killed.
fn run_command(
    mut command: Command,
    input: &[u8],
    limit: Duration,
    new_thread: fn() -> Builder,
) -> Result<Output, HelperFault> {
    let deadline = Instant::now() + limit;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            let missing = error.kind() == io::ErrorKind::NotFound;
            if missing { HelperFault::Missing } else { start_fault(error) }
        })?;
    let result =
        communicate(&mut child, input, deadline, new_thread).map_err(|fault| match fault {
            Some(fault) => fault,
            None => HelperFault::TimedOut(limit),
        });
    if result.is_err() {
        // Fails if it has ended by itself. Waiting removes it from the process table.
        let _ = child.kill();
        let _ = child.wait();
    }
    result
}

/// Writes the input, reads the output, and waits for the program. The error `None` means that the deadline passed.
fn communicate(
    child: &mut Child,
    input: &[u8],
    deadline: Instant,
    new_thread: fn() -> Builder,
) -> Result<Output, Option<HelperFault>> {
    let mut stdout = PipeReader::start(child.stdout.take(), new_thread())?;
    let mut stderr = PipeReader::start(child.stderr.take(), new_thread())?;
    if let Some(mut stdin) = child.stdin.take() {
        // Writing may block: a password may exceed a pipe's capacity, and not every helper reads its input.
        let input = input.to_owned();
        let write = move || drop(stdin.write_all(&input));
        new_thread().spawn(write).map_err(start_fault)?;
    }
    let success = loop {
        stdout.poll()?;
        stderr.poll()?;
        match child.try_wait().map_err(start_fault)? {
            Some(status) => break status.success(),
            None if Instant::now() >= deadline => return Err(None),
            None => thread::sleep(POLL_INTERVAL),
        }
    };
    let drained = Instant::now() + DRAIN_TIMEOUT;
    Ok(Output { success, stdout: stdout.finish(drained)?, stderr: stderr.finish(drained)? })
}

fn start_fault(error: io::Error) -> HelperFault {
    HelperFault::Start(Arc::new(error))
}

/// The output of a running program, read by its own thread.
struct PipeReader {
    chunks: Receiver<Vec<u8>>,
    bytes: Vec<u8>,
}

impl PipeReader {
    /// Starts reading, up to one byte more than [`MAX_OUTPUT`].
    fn start(
        pipe: Option<impl Read + Send + 'static>,
        thread: Builder,
    ) -> Result<PipeReader, HelperFault> {
        let (sender, chunks) = mpsc::channel();
        if let Some(pipe) = pipe {
            let read = move || {
                let mut pipe = pipe.take(MAX_OUTPUT + 1);
                let mut buffer = [0; 4096];
                // A read error ends the output, as if the program had closed it.
                while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                    let chunk = buffer.get(..count).unwrap_or_default().to_owned();
                    if sender.send(chunk).is_err() {
                        break;
                    }
                }
            };
            thread.spawn(read).map_err(start_fault)?;
        }
        Ok(PipeReader { chunks, bytes: Vec::new() })
    }

    /// Collects what has been read so far.
    fn poll(&mut self) -> Result<(), HelperFault> {
        self.bytes.extend(self.chunks.try_iter().flatten());
        check_output(&self.bytes)
    }

    /// Returns the whole output, or what has been read by the deadline.
    fn finish(mut self, deadline: Instant) -> Result<Vec<u8>, HelperFault> {
        let left = || deadline.saturating_duration_since(Instant::now());
        while let Ok(chunk) = self.chunks.recv_timeout(left()) {
            self.bytes.extend(chunk);
        }
        check_output(&self.bytes)?;
        Ok(self.bytes)
    }
}

fn check_output(bytes: &[u8]) -> Result<(), HelperFault> {
    check_size(bytes, MAX_OUTPUT).map_err(|_| HelperFault::TooLarge(MAX_OUTPUT))
}

#[cfg(test)]
mod tests {
    use super::{Builder, HelperFault, MAX_OUTPUT, run_command};
    use std::process::Command;
    use std::time::{Duration, Instant};

    const LONG: Duration = Duration::from_secs(30);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_hanging_program_is_killed() {
        let started = Instant::now();
        // A megabyte exceeds the pipe's capacity, and the program does not read it.
        for input in [0, 1024 * 1024] {
            let limit = Duration::from_millis(50);
            let input = vec![b'x'; input];
            let result = run_command(shell("exec sleep 60"), &input, limit, Builder::new);
            assert!(matches!(result, Err(HelperFault::TimedOut(time)) if time == limit));
        }
        assert!(started.elapsed() < LONG);
    }

    #[test]
    fn the_whole_input_is_written() {
        let result = run_command(shell("wc -c"), &vec![b'x'; 1024 * 1024], LONG, Builder::new);
        let stdout = result.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        assert!(matches!(stdout.as_deref(), Ok("1048576")), "{stdout:?}");
    }

    #[test]
    fn output_may_be_as_large_as_the_limit() {
        for (length, expected) in [(MAX_OUTPUT, true), (MAX_OUTPUT + 1, false)] {
            let script = format!("head -c {length} /dev/zero");
            let result = run_command(shell(&script), b"", LONG, Builder::new);
            match result {
                Ok(output) => assert!(expected && output.success, "{length}"),
                Err(fault) => {
                    assert!(!expected && matches!(fault, HelperFault::TooLarge(MAX_OUTPUT)));
                }
            }
        }
    }

    #[test]
    fn without_threads_the_program_is_killed() {
        let started = Instant::now();
        // No machine has memory for such a stack, so the thread cannot be created.
        let too_large = || Builder::new().stack_size(1 << 60);
        let result = run_command(shell("exec sleep 60"), b"", LONG, too_large);
        assert!(matches!(result, Err(HelperFault::Start(_))), "{result:?}");
        assert!(started.elapsed() < LONG);
    }
}
