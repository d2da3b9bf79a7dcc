//! The three forms of a credential: password, identity token, bearer token.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::credentials::secret::Secret;

/// A user name and a password. Many registries accept a personal access token or a robot account's key as password.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Password {
    user: String,
    password: Secret,
}

impl Password {
    /// Checks a user name and a password.
    ///
    /// # Errors
    /// If the user name contains a colon or a control character, or the password a control character. HTTP's Basic
    /// scheme cannot carry these (RFC 7617 section 2).
    pub fn new(user: impl Into<String>, password: Secret) -> Result<Password, CredentialError> {
        let user = user.into();
        if user.contains(':') || user.chars().any(char::is_control) {
            return Err(CredentialError::User);
        }
        if password.expose().chars().any(char::is_control) {
            return Err(CredentialError::Password);
        }
        Ok(Password { user, password })
    }

    /// The user name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password.
    pub fn secret(&self) -> &Secret {
        &self.password
    }

    /// Returns the password in every form that is sent.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        vec![self.encoded(), self.password.clone()]
    }

    /// Returns user name and password, joined by a colon and encoded in base64: docker's `auth`.
    pub fn encoded(&self) -> Secret {
        Secret::new(STANDARD.encode(format!("{}:{}", self.user, self.password.expose())))
    }

    /// Returns the value of an `Authorization` header for HTTP's Basic scheme (RFC 7617).
    pub fn basic(&self) -> Secret {
        Secret::new(format!("Basic {}", self.encoded().expose()))
    }
}

/// A credential for a registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Credential {
    /// A user name and a password.
    Password(Password),
    /// A refresh token. The token server exchanges it for a bearer token (distribution's `oauth.md`).
    IdentityToken {
        /// The refresh token.
        token: Secret,
        /// A password from the same entry, for token servers that do not exchange refresh tokens.
        password: Option<Password>,
    },
    /// A bearer token, sent to the registry unchanged.
    Token(Secret),
}

impl Credential {
    /// Makes a credential from a user name and a password.
    ///
    /// # Errors
    /// The same as [`Password::new`].
    pub fn password(
        user: impl Into<String>,
        password: Secret,
    ) -> Result<Credential, CredentialError> {
        Password::new(user, password).map(Credential::Password)
    }

    /// Makes a credential from a bearer token.
    ///
    /// # Errors
    /// If it is empty or contains anything but visible ASCII characters.
    pub fn token(token: Secret) -> Result<Credential, CredentialError> {
        let text = token.expose();
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(CredentialError::Token);
        }
        Ok(Credential::Token(token))
    }

    /// The user name and password, if any.
    pub fn as_password(&self) -> Option<&Password> {
        match self {
            Credential::Password(password) => Some(password),
            Credential::IdentityToken { password, .. } => password.as_ref(),
            Credential::Token(_) => None,
        }
    }

    /// Returns every secret in it, in every form that is sent.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let token = match self {
            Credential::IdentityToken { token, .. } | Credential::Token(token) => Some(token),
            Credential::Password(_) => None,
        };
        let password = self.as_password().map(Password::secrets).unwrap_or_default();
        token.cloned().into_iter().chain(password).collect()
    }

    /// The user name, if any.
    pub fn user(&self) -> Option<&str> {
        self.as_password().map(Password::user)
    }
}

/// Why a credential is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialError {
    /// The user name contains a colon or a control character.
    User,
    /// The password contains a control character.
    Password,
    /// The token is empty or contains anything but visible ASCII characters.
    Token,
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CredentialError::User => "a user name cannot contain colons or control characters",
            CredentialError::Password => "a password cannot contain control characters",
            CredentialError::Token => "a token must be one word of visible ASCII characters",
        })
    }
}

impl std::error::Error for CredentialError {}
