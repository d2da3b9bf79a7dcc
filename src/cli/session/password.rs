//! Reads the password that belongs to `--user`.

use std::fs::File;
use std::io::Read;

use regq::credentials::{Password, Secret};
use regq::error::Error;
use regq::files;

use crate::cli::commands::context::Context;
use crate::cli::failure::Failure;

/// The maximum length of a password in bytes.
const MAX_PASSWORD: u64 = 64 * 1024;

/// Returns the user name and password that the flags select; `None` without `--user`.
///
/// # Errors
///
/// Fails if the password cannot be read or is invalid.
pub(crate) fn read_password(context: &mut Context) -> Result<Option<Password>, Failure> {
    let Context { options, stdin, stdin_is_terminal, messages, .. } = context;
    let options = &options.credentials;
    let Some(user) = &options.user else { return Ok(None) };
    if *stdin_is_terminal && options.password_stdin {
        messages.note("type the password (it is visible), then press Enter and Ctrl-D");
    }
    let (source, secret) = match &options.password_file {
        Some(path) => {
            let source = path.display().to_string();
            let unreadable = |error| Failure::local(format!("{source}: cannot be read: {error}"));
            let secret = read(&source, File::open(path).map_err(unreadable)?)?;
            (source, secret)
        }
        None => {
            let source = "standard input".to_owned();
            let secret = read(&source, stdin)?;
            (source, secret)
        }
    };
    let password = Password::new(user.clone(), secret);
    password.map(Some).map_err(|error| Failure::local(format!("{source}: {error}")))
}

/// Reads one line. A trailing newline, which editors and `echo` add, is not part of the password.
fn read(source: &str, reader: impl Read) -> Result<Secret, Failure> {
    let error = |reason: &str| Failure::local(format!("{source}: {reason}"));
    let bytes = files::read_to_limit(reader, MAX_PASSWORD)
        .map_err(|fault| Failure::new(&Error::Local { path: source.into(), fault }, None))?;
    let text = String::from_utf8(bytes).map_err(|_| error("the password is not UTF-8 text"))?;
    let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let line = line.unwrap_or(&text);
    if line.is_empty() {
        return Err(error("the password is empty"));
    }
    if line.contains('\n') {
        return Err(error("the password has more than one line"));
    }
    Ok(Secret::new(line))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::io;

    use crate::cli::tests::Sink;
    use crate::cli::{Environment, Process, run};

    /// Runs `login` with an empty password. Returns the exit code and stderr.
    fn login(stdin_is_terminal: bool, flags: &[&str]) -> (u8, String) {
        let sink = Sink::default();
        let args = ["login", "h.example", "--user", "ada"];
        let code = run(Process {
            args: args.iter().chain(flags).map(OsString::from).collect(),
            environment: Environment { docker_config: Some("/".into()), ..Environment::default() },
            stdin: Box::new(io::empty()),
            stdin_is_terminal,
            stdout: Box::new(io::sink()),
            stdout_is_terminal: false,
            stderr: Box::new(sink.clone()),
        });
        (code, sink.text())
    }

    #[test]
    fn terminal_users_learn_that_the_password_is_visible() {
        let empty = "regq: standard input: the password is empty\n";
        let note = "note: type the password (it is visible), then press Enter and Ctrl-D\n";
        for (terminal, flags, expected) in [
            (true, &["--password-stdin"][..], format!("{note}{empty}")),
            (true, &["-q", "--password-stdin"], empty.to_owned()),
            (false, &["--password-stdin"], empty.to_owned()),
        ] {
            assert_eq!(login(terminal, flags), (8, expected), "{flags:?}");
        }
        let (_, stderr) = login(true, &["--password-file", "/dev/null"]);
        assert_eq!(stderr, "regq: /dev/null: the password is empty\n");
    }
}
