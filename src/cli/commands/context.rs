//! The input and output of a command.

use std::ffi::OsString;
use std::io::BufRead;
use std::sync::Arc;

use crate::cli::args::flags::Options;
use crate::cli::args::given::GivenFlags;
use crate::cli::failure::CommandError;
use crate::cli::output::{Messages, Stdout};
use crate::cli::session::environment::Environment;

/// What a command is called with.
pub(crate) struct Context {
    pub(crate) options: Options,
    pub(crate) given: GivenFlags,
    pub(crate) operands: Vec<OsString>,
    pub(crate) environment: Environment,
    pub(crate) stdin: Box<dyn BufRead>,
    pub(crate) stdin_is_terminal: bool,
    pub(crate) stdout: Stdout,
    pub(crate) messages: Arc<Messages>,
}

/// A command: prints its answer and returns the exit code.
pub(crate) type Run = fn(&mut Context) -> Result<u8, CommandError>;
