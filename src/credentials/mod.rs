//! Secrets and who they are for: what people, docker, podman and helper programs keep.
//!
//! [`Keychain`] finds the credential for a registry; `write` changes the files for login and logout. Which host one
//! may be sent to is decided where requests are made (`registry/login.rs`), not here. Follows docker's
//! `config.json`, podman's `containers-auth.json(5)` and the protocol of docker-credential-helpers.

mod auth_file;
mod auth_file_edit;
mod credential;
mod helper;
mod key;
mod keychain;
mod secret;

pub use self::auth_file_edit::{Location, Removed, check, erase, store};
pub use self::credential::{Credential, CredentialError, Password};
pub(crate) use self::helper::{DEADLINE as HELPER_DEADLINE, get as ask_helper};
pub(crate) use self::keychain::{Found, Lookup, LookupContext};
pub use self::keychain::{Keychain, LookupResult};
pub use self::secret::Secret;
