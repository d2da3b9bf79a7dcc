//! `regq explain`: causes found from their signs, and silence where they only nearly show.

mod challenges;
mod given;
mod innocent;
mod order;
mod outcome;
mod pieces;
mod signs_challenge;
mod signs_claims;
mod signs_last;
mod signs_request;
