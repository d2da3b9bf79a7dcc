//! Parses image references, registry, repository and tag names.
//!
//! Grammar and normalization are those of distribution/reference: a first part with a dot or a colon,
//! or `localhost`, is the registry; otherwise the registry is Docker Hub, where a one-part name is under
//! `library/`; without a tag and a digest the tag is `latest`. regq is stricter in three places: a port
//! is 1 to 65535, an address in brackets must be a valid IPv6 address, and upper case does not make a
//! word a registry. All host names of Docker Hub are one registry; `docker_hub`
//! lists them, its API host included.
//!
//! A parsed [`Reference`] is well-formed; whether the image exists is another question. URLs and
//! schemes are chosen elsewhere.

pub(crate) mod docker_hub;
mod error;
mod grammar;
mod names;
mod parse;

pub use self::error::{Ambiguity, ReferenceError, ReferenceErrorKind};
pub use self::names::{Reference, Registry, Repository, Tag};
