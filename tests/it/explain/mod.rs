//! `regq explain`: causes found from their signs, and silence where they only nearly show.
//!
//! On its own walk the real program meets loopback registries that follow a script. A [`Script`] says what the
//! registry answers first, what the token server answers, and what the registry answers to whoever comes back.
//! Each run explains twice, as JSON and as text, and asks the same of `regq digest`: the three must end alike. On
//! given pieces nobody is asked.

mod beside;
mod challenges;
mod claims;
mod coverage;
mod disproved;
mod final_answer;
mod given;
mod given_secrets;
mod hostile;
mod innocent;
mod online;
mod order;
mod outcome;
mod pieces;
mod properties;
mod scripted;
mod secrecy;
mod shapes;
mod shapes_refused;
mod signs_challenge;
mod signs_claims;
mod signs_last;
mod signs_request;
mod start;
mod steps;
mod table;
mod token_server;

use self::scripted::{Played, Say, Script, entry, jwt, play};
