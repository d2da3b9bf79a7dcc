//! Secrets and who they are for.
//!
//! Here credentials are values only: a user name with a password, given by the caller. Which host one may be
//! sent to is decided where requests are made (`registry/trust.rs`), not here.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A password or token. Its `Debug` shows nothing of it and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself, to be sent and to nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What proves who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential {
    /// A user name and a password (or what a registry takes for one: a personal access token, a robot's key).
    Password {
        /// The user name. It cannot hold a colon, since HTTP's Basic scheme could not carry it.
        user: String,
        /// The password.
        password: Secret,
    },
}

impl Credential {
    /// A user name and a password.
    ///
    /// # Errors
    /// When the user name has a colon or a control character, or the password a control character: neither can
    /// be sent (RFC 7617 section 2).
    pub fn password(
        user: impl Into<String>,
        password: Secret,
    ) -> Result<Credential, CredentialError> {
        let user = user.into();
        if user.contains(':') || user.chars().any(char::is_control) {
            return Err(CredentialError::User);
        }
        if password.expose().chars().any(char::is_control) {
            return Err(CredentialError::Password);
        }
        Ok(Credential::Password { user, password })
    }

    /// The user name, for messages.
    pub fn user(&self) -> &str {
        match self {
            Credential::Password { user, .. } => user,
        }
    }

    /// The value of an `Authorization` header in HTTP's Basic scheme (RFC 7617).
    pub fn basic(&self) -> Secret {
        match self {
            Credential::Password { user, password } => {
                let pair = format!("{user}:{}", password.expose());
                Secret(format!("Basic {}", STANDARD.encode(pair)))
            }
        }
    }
}

/// Why a user name and password cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialError {
    /// The user name has a colon or a control character.
    User,
    /// The password has a control character.
    Password,
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CredentialError::User => "a user name cannot hold a colon or control characters",
            CredentialError::Password => "a password cannot hold control characters",
        })
    }
}

impl std::error::Error for CredentialError {}

/// Where credentials for a registry come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keychain {
    /// None: every registry is asked anonymously.
    #[default]
    Anonymous,
    /// This one, for the registries that the caller asks by name, and for no host that they lead to.
    Given(Credential),
}

impl Keychain {
    /// The credential for the registry that a question names.
    pub fn for_asked(&self) -> Option<&Credential> {
        match self {
            Keychain::Anonymous => None,
            Keychain::Given(credential) => Some(credential),
        }
    }
}
