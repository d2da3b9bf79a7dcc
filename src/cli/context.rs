//! What a command works with: its flags and operands, and the streams.

use std::ffi::OsString;
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;

use super::options::Options;
use super::output::{Messages, Stdout, Stop};

/// What a command is given.
pub(crate) struct Context {
    pub(crate) options: Options,
    pub(crate) operands: Vec<OsString>,
    /// The file that `SSL_CERT_FILE` names, where it names one.
    pub(crate) ssl_cert_file: Option<PathBuf>,
    pub(crate) stdin: Box<dyn BufRead>,
    pub(crate) stdout: Stdout,
    pub(crate) messages: Arc<Messages>,
}

/// A command: it answers, and gives the exit code.
pub(crate) type Run = fn(&mut Context) -> Result<u8, Stop>;
