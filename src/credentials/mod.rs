//! Secrets and who they are for: what people, docker, podman and helper programs keep.
//!
//! [`Keychain`] finds the credential for a registry; `write` changes the files for login and logout. Which host one
//! may be sent to is decided where requests are made (`registry/login.rs`), not here. Follows docker's
//! `config.json`, podman's `containers-auth.json(5)` and the protocol of docker-credential-helpers.

mod credential;
mod file;
mod helper;
mod key;
mod keychain;
mod secret;
mod write;

pub use self::credential::{Credential, CredentialError, Password};
pub(crate) use self::helper::{DEADLINE as HELPER_DEADLINE, get as ask_helper};
pub(crate) use self::keychain::{Found, Search, Searcher};
pub use self::keychain::{Keychain, Look};
pub use self::secret::Secret;
pub use self::write::{Erased, Kept, check, erase, store};
