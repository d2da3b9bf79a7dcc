//! `regq explain` on its own walk: the real program against loopback registries that follow a script.
//!
//! A [`Script`] says what the registry answers first, what the token server answers, and what the registry answers
//! to whoever comes back. Each run explains twice, as JSON and as text, and asks the same of `regq digest`: the
//! three must end alike.

mod claims;
mod coverage;
mod final_answer;
mod scripted;
mod shapes;
mod start;
mod table;
mod token_server;

use self::scripted::{Say, Script, entry, jwt, play};
