//! `regq explain`: causes found from their signs, and silence where they only nearly show.
//!
//! On its own walk the real program meets loopback registries that follow a script. A [`Script`] says what the
//! registry answers first, what the token server answers, and what the registry answers to whoever comes back.
//! Each run explains twice, as JSON and as text, and asks the same of `regq digest`: the three must end alike. On
//! given pieces nobody is asked.

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

use self::scripted::{Played, Say, Script, entry, jwt, play};
use crate::support::text::is_wrapped;
