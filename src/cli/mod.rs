//! The command line: answers go to stdout, everything else to stderr, and the exit code reports the outcome.
//!
//! Data flows one way: `args` parses the arguments, `session` prepares a client, a command in `commands` calls the library,
//! and `output` prints what it returns. `run` determines the exit code. Nothing here knows the protocol of registries.

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

use self::args::flags::Verbosity;
use self::args::parser::{self, Call, Detail, Invocation};
use self::args::values::Generated;
use self::commands::context::Context;
use self::docs::{completions, help, man};
use self::failure::{CommandError, Failure};
use self::output::{Messages, Stdout, StdoutError};
pub(crate) use self::session::environment::Environment;

/// What the operating system passes to the program.
pub(crate) struct Process {
    /// The arguments, without the name of the program.
    pub(crate) args: Vec<OsString>,
    pub(crate) environment: Environment,
    pub(crate) stdin: Box<dyn BufRead>,
    pub(crate) stdout: Box<dyn Write>,
    pub(crate) stdin_is_terminal: bool,
    pub(crate) stdout_is_terminal: bool,
    pub(crate) stderr: Box<dyn Write + Send>,
}

/// Runs the program and returns its exit code.
pub(crate) fn run(mut process: Process) -> u8 {
    let args = std::mem::take(&mut process.args);
    let invocation = match parser::parse(args) {
        Ok(invocation) => invocation,
        Err(error) => {
            let messages = Messages::new(process.stderr, Verbosity::Quiet);
            messages.error(&error.message, Some(&error.hint));
            return Kind::Usage.exit_code();
        }
    };
    match invocation {
        Invocation::Run(call) => run_command(*call, process),
        Invocation::Empty => {
            let messages = Messages::new(process.stderr, Verbosity::Quiet);
            messages.write(&help::help(None, Detail::Short));
            Kind::Usage.exit_code()
        }
        Invocation::Help(command, detail) => print(&help::help(command, detail), process),
        Invocation::Version => print(&help::version(), process),
        Invocation::Generate(generated) => print(&generate(generated), process),
    }
}

fn run_command(call: Call, process: Process) -> u8 {
    let messages = Arc::new(Messages::new(process.stderr, call.options.general.verbosity));
    let mut context = Context {
        options: call.options,
        given: call.given,
        operands: call.operands,
        environment: process.environment,
        stdin: process.stdin,
        stdin_is_terminal: process.stdin_is_terminal,
        stdout: Stdout::new(process.stdout, process.stdout_is_terminal),
        messages: Arc::clone(&messages),
    };
    let result = (call.run)(&mut context);
    exit_code(result, &messages)
}

/// Prints text that is generated from the tables of commands and flags.
fn print(text: &str, process: Process) -> u8 {
    let mut stdout = Stdout::new(process.stdout, process.stdout_is_terminal);
    let result = stdout.bytes(text.as_bytes()).map(|()| 0).map_err(CommandError::from);
    exit_code(result, &Messages::new(process.stderr, Verbosity::Quiet))
}

fn generate(generated: Generated) -> String {
    match generated {
        Generated::Man => man::page(),
        Generated::Bash => completions::bash(),
        Generated::Zsh => completions::zsh(),
        Generated::Fish => completions::fish(),
    }
}

/// Returns the exit code of a command and prints its error, if any.
fn exit_code(result: Result<u8, CommandError>, messages: &Messages) -> u8 {
    let failure = match result {
        Ok(code) => return code,
        // A reader that stops early (`regq ... | head`) has what it needs.
        Err(CommandError::Stdout(StdoutError::Closed)) => return 0,
        Err(CommandError::Stdout(StdoutError::Failed(error))) => {
            Failure::local(format!("standard output: {error}"))
        }
        Err(CommandError::Failed(failure)) => failure,
    };
    messages.error(&failure.message, failure.hint.as_deref());
    failure.kind.exit_code()
}
