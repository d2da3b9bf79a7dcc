//! The command line: arguments in, answers on stdout, everything else on stderr, an exit code out.
//!
//! Data flows one way: `parse` makes values of the arguments through the tables in `table`, a
//! command in its own file asks the library, and `output` makes text of what comes back. `run`
//! decides the exit code. Nothing here knows how a registry is talked to.

mod args;
mod commands;
mod docs;
mod failure;
mod output;
mod session;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{BufRead, Write};
use std::sync::Arc;

use regq::error::Kind;

use self::args::parser::{self, Detail, Request};
use self::args::values::{Generated, Verbosity};
use self::commands::context::Context;
pub(crate) use self::commands::context::Environment;
use self::docs::{completions, help, man};
use self::failure::Failure;
use self::output::{Messages, Stdout, StdoutError, Stop};

/// What the program was given by whoever started it.
pub(crate) struct Process {
    /// The arguments, without the program's name.
    pub(crate) args: Vec<OsString>,
    pub(crate) environment: Environment,
    pub(crate) stdin: Box<dyn BufRead>,
    pub(crate) stdout: Box<dyn Write>,
    pub(crate) stdin_is_terminal: bool,
    pub(crate) stdout_is_terminal: bool,
    pub(crate) stderr: Box<dyn Write + Send>,
}

/// Does what the arguments say, and gives the exit code.
pub(crate) fn run(process: Process) -> u8 {
    let Process { args, environment, stdin, stdout, stdout_is_terminal, stderr, .. } = process;
    let mut stdout = Stdout::new(stdout, stdout_is_terminal);
    let request = match parser::parse(args) {
        Ok(request) => request,
        Err(error) => {
            let messages = Messages::new(stderr, Verbosity::Quiet);
            messages.error(&error.message, Some(&error.hint));
            return Kind::Usage.exit_code();
        }
    };
    let (messages, ended) = match request {
        Request::Run(call) => {
            let messages = Arc::new(Messages::new(stderr, call.options.verbosity));
            let mut context = Context {
                options: call.options,
                operands: call.operands,
                environment,
                stdin,
                stdin_is_terminal: process.stdin_is_terminal,
                stdout,
                messages: Arc::clone(&messages),
            };
            let ended = (call.run)(&mut context);
            (messages, ended)
        }
        Request::Nothing => {
            Messages::new(stderr, Verbosity::Quiet).write(&help::help(None, Detail::Short));
            return Kind::Usage.exit_code();
        }
        Request::Help(command, detail) => told(&mut stdout, stderr, &help::help(command, detail)),
        Request::Version => told(&mut stdout, stderr, &help::version()),
        Request::Generate(generated) => told(&mut stdout, stderr, &generate(generated)),
    };
    let failure = match ended {
        Ok(code) => return code,
        Err(Stop::Stdout(StdoutError::Closed)) => return 0,
        Err(Stop::Stdout(StdoutError::Failed(error))) => {
            Failure::local(format!("standard output: {error}"))
        }
        Err(Stop::Failed(failure)) => failure,
    };
    messages.error(&failure.message, failure.hint.as_deref());
    failure.kind.exit_code()
}

/// An answer that is made of the tables alone.
fn told(
    stdout: &mut Stdout,
    stderr: Box<dyn Write + Send>,
    text: &str,
) -> (Arc<Messages>, Result<u8, Stop>) {
    let written = stdout.bytes(text.as_bytes()).map(|()| 0).map_err(Stop::from);
    (Arc::new(Messages::new(stderr, Verbosity::Quiet)), written)
}

fn generate(generated: Generated) -> String {
    match generated {
        Generated::Man => man::page(),
        Generated::Bash => completions::bash(),
        Generated::Zsh => completions::zsh(),
        Generated::Fish => completions::fish(),
    }
}
