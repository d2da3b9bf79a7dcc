//! Credentials: the forms they have, where docker, podman and credential helpers keep them, and which one is for which
//! registry.
//!
//! [`Keychain`] finds the credential for a registry; [`CredentialFile`] changes a file for login and logout. Which hosts a
//! credential may be sent to is decided where requests are made, in `registry/`. Follows docker's `config.json`, podman's
//! `containers-auth.json(5)` and the protocol of docker-credential-helpers.

mod auth_document;
mod auth_file;
mod auth_file_edit;
mod credential;
mod helper;
mod key;
mod keychain;
mod secret;

pub use self::auth_file_edit::{CredentialFile, Location, Removed};
pub use self::credential::{Credential, CredentialError, Password};
pub(crate) use self::helper::{MAX_TIME as HELPER_MAX_TIME, get as get_from_helper};
pub(crate) use self::keychain::{Found, Lookup, LookupContext};
pub use self::keychain::{Keychain, LookupResult};
pub use self::secret::Secret;
