//! `regq explain`: causes found from their signs, and silence where they only nearly show.
//!
//! On its own walk the real program meets loopback registries that follow a script. A [`Script`] says what the
//! registry answers first, what the token server answers, and what the registry answers to whoever comes back.
//! Each run explains twice, as JSON and as text, and asks the same of `regq digest`: the three must end alike. On
//! given pieces nobody is asked.

mod challenges;
mod claims;
mod coverage;
mod final_answer;
mod given;
mod innocent;
mod order;
mod outcome;
mod pieces;
mod scripted;
mod shapes;
mod signs_challenge;
mod signs_claims;
mod signs_last;
mod signs_request;
mod start;
mod table;
mod token_server;

use self::scripted::{Say, Script, entry, jwt, play};
