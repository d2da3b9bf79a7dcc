//! Tests of `regq explain`: every finding is found from its evidence, and not without it.
//!
//! `walk/` runs it against loopback registries that follow a [`Script`]: a first response, a token response and a final
//! response. Each case runs `explain --json`, `explain` and `digest`, which must end alike. `given/` checks supplied data,
//! without any request.

mod challenges;
mod disproved;
mod given;
mod given_and_walk;
mod given_builder;
mod given_secrets;
mod hostile;
mod no_false_alarm;
mod online;
mod order;
mod outcome;
mod properties;
mod registries;
mod registries_refusing;
mod scripted;
mod secrecy;
mod steps;
mod walk;

use self::scripted::{Results, Script, ScriptedResponse, entry, jwt, run_script};
use crate::support::text::is_wrapped;
