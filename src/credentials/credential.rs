//! What proves who asks, in the three forms in which people keep it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::credentials::secret::Secret;

/// A user name and a password, or what a registry takes for one: a personal access token, a robot's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Password {
    user: String,
    password: Secret,
}

impl Password {
    /// A user name and a password.
    ///
    /// # Errors
    /// When the user name has a colon or a control character, or the password a control character: neither can
    /// be sent (RFC 7617 section 2).
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

    /// The password in the forms in which it is sent.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        vec![self.encoded(), self.password.clone()]
    }

    /// The two joined by a colon, in base64: docker's `auth`.
    pub fn encoded(&self) -> Secret {
        Secret::new(STANDARD.encode(format!("{}:{}", self.user, self.password.expose())))
    }

    /// The value of an `Authorization` header in HTTP's Basic scheme (RFC 7617).
    pub fn basic(&self) -> Secret {
        Secret::new(format!("Basic {}", self.encoded().expose()))
    }
}

/// What proves who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Credential {
    /// A user name and a password.
    Password(Password),
    /// A refresh token, which the token server exchanges for a token (distribution's `oauth.md`).
    IdentityToken {
        /// The refresh token.
        token: Secret,
        /// A user name and password kept beside it, for token servers that do not exchange.
        password: Option<Password>,
    },
    /// A bearer token that is sent to the registry as it is.
    Token(Secret),
}

impl Credential {
    /// A user name and a password.
    ///
    /// # Errors
    /// As [`Password::new`].
    pub fn password(
        user: impl Into<String>,
        password: Secret,
    ) -> Result<Credential, CredentialError> {
        Password::new(user, password).map(Credential::Password)
    }

    /// A bearer token.
    ///
    /// # Errors
    /// When it is empty or has characters that cannot stand in a header.
    pub fn token(token: Secret) -> Result<Credential, CredentialError> {
        let text = token.expose();
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(CredentialError::Token);
        }
        Ok(Credential::Token(token))
    }

    /// The user name and password, where there are some.
    pub fn as_password(&self) -> Option<&Password> {
        match self {
            Credential::Password(password) => Some(password),
            Credential::IdentityToken { password, .. } => password.as_ref(),
            Credential::Token(_) => None,
        }
    }

    /// All of it that is secret, in the forms in which it is sent.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let token = match self {
            Credential::IdentityToken { token, .. } | Credential::Token(token) => Some(token),
            Credential::Password(_) => None,
        };
        let password = self.as_password().map(Password::secrets).unwrap_or_default();
        token.cloned().into_iter().chain(password).collect()
    }

    /// The user name, where there is one.
    pub fn user(&self) -> Option<&str> {
        self.as_password().map(Password::user)
    }
}

/// Why a credential cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialError {
    /// The user name has a colon or a control character.
    User,
    /// The password has a control character.
    Password,
    /// The token is empty or has characters that cannot stand in a header.
    Token,
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CredentialError::User => "a user name cannot hold a colon or control characters",
            CredentialError::Password => "a password cannot hold control characters",
            CredentialError::Token => "a token is one word of visible ASCII characters",
        })
    }
}

impl std::error::Error for CredentialError {}
