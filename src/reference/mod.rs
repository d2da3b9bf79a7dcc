//! References: how the name of an image is read, with Docker Hub's rules.
//!
//! The grammar and the normalisation are those of distribution/reference: a first part with a dot or
//! a colon, or `localhost`, is the registry; anything else is on Docker Hub, where a name of one part
//! belongs to `library/`; the tag is `latest` when neither tag nor digest is given. Stricter than it
//! in three things: a port is 1 to 65535, an address in brackets is a valid one, and upper case makes
//! no registry of a word. All of Docker Hub's host names are one registry.
//!
//! A [`Reference`] is a name that was understood, not one that exists. What is asked over which
//! scheme is decided elsewhere; this module knows no URLs and sends nothing.

mod error;
mod grammar;
mod names;
mod parse;

pub use self::error::{Ambiguity, Reason, ReferenceError};
pub use self::names::{Reference, Registry, Repository, Tag};
