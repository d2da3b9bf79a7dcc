//! `regq explain`: causes found from their signs, and silence where they only nearly show.

mod challenges;
mod given;
mod hostile;
mod innocent;
mod order;
mod outcome;
mod pieces;
mod properties;
mod signs_challenge;
mod signs_claims;
mod signs_last;
mod signs_request;
