//! Turns values into text on stdout and stderr; nothing else prints, except `bug.rs` after a panic.
//!
//! Much of the text was sent by a registry and is not trusted. Characters that control a terminal or hide text are escaped
//! in everything on stderr, and on stdout if it is a terminal. Exact bytes are never changed. Each answer is flushed when
//! it is written, so that a pipe delivers it at once and no write error is lost.

pub(crate) mod escape;
mod json_path;
pub(crate) mod messages;
pub(crate) mod report;
pub(crate) mod shell;
pub(crate) mod stdout;

pub(crate) use self::escape::escaped;
pub(crate) use self::messages::Messages;
pub(crate) use self::report::{ItemKey, Report};
pub(crate) use self::stdout::{Stdout, StdoutError};
