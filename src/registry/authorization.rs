//! Holds what is sent in an `Authorization` header, where it came from, and which secrets it contains.

use crate::credentials::{Credential, Found, Password, Secret};
use crate::error::{CredentialForm, Identity};
use crate::token::TokenRequest;

/// The content of an `Authorization` header.
///
/// Cheap to clone: secrets are shared. The header's text is built when it is sent.
#[derive(Debug, Clone)]
pub(super) struct Authorization {
    kind: AuthorizationKind,
    /// Whose access rights are used.
    identity: Identity,
}

#[derive(Debug, Clone)]
enum AuthorizationKind {
    /// A user name and password, in HTTP's Basic scheme.
    Basic(Password),
    /// A bearer token from the user, sent unchanged and not renewed.
    ReadyToken(Secret),
    /// A bearer token that a token server issued.
    IssuedToken {
        token: Secret,
        request: TokenRequest,
        /// The credential it was issued for. A registry that is its own token server may echo its secrets.
        credential: Option<Credential>,
    },
}

impl Authorization {
    /// The user name and password of a credential, if it has them.
    pub(super) fn basic(found: &Found) -> Option<Authorization> {
        let password = found.credential.as_password()?.clone();
        let kind = AuthorizationKind::Basic(password);
        Some(Authorization { kind, identity: identity(found) })
    }

    /// The token of a credential that is a ready token.
    pub(super) fn ready_token(found: &Found) -> Option<Authorization> {
        let Credential::Token(token) = &found.credential else { return None };
        let kind = AuthorizationKind::ReadyToken(token.clone());
        Some(Authorization { kind, identity: identity(found) })
    }

    /// A token that was issued for a credential, or anonymously.
    pub(super) fn issued_token(
        token: Secret,
        request: TokenRequest,
        found: Option<&Found>,
    ) -> Authorization {
        let credential = found.map(|found| found.credential.clone());
        Authorization {
            kind: AuthorizationKind::IssuedToken { token, request, credential },
            identity: found.map_or(Identity::AnonymousToken, identity),
        }
    }

    /// The header's value.
    pub(super) fn header(&self) -> Secret {
        match &self.kind {
            AuthorizationKind::Basic(password) => password.basic(),
            AuthorizationKind::ReadyToken(token) | AuthorizationKind::IssuedToken { token, .. } => {
                Secret::new(format!("Bearer {}", token.expose()))
            }
        }
    }

    /// Whose access rights are used.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The request that the token was issued for. `None` for passwords and ready tokens.
    pub(super) fn token_request(&self) -> Option<&TokenRequest> {
        match &self.kind {
            AuthorizationKind::IssuedToken { request, .. } => Some(request),
            AuthorizationKind::Basic(_) | AuthorizationKind::ReadyToken(_) => None,
        }
    }

    /// The credential that the token was issued for. `None` for anonymous tokens, passwords and ready tokens.
    pub(super) fn issued_for(&self) -> Option<&Credential> {
        match &self.kind {
            AuthorizationKind::IssuedToken { credential, .. } => credential.as_ref(),
            AuthorizationKind::Basic(_) | AuthorizationKind::ReadyToken(_) => None,
        }
    }

    /// The password, if this is one.
    pub(super) fn password(&self) -> Option<&Password> {
        match &self.kind {
            AuthorizationKind::Basic(password) => Some(password),
            AuthorizationKind::ReadyToken(_) | AuthorizationKind::IssuedToken { .. } => None,
        }
    }

    /// What must not be shown if a server echoes it.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        match &self.kind {
            AuthorizationKind::Basic(password) => password.secrets(),
            AuthorizationKind::ReadyToken(token) => vec![token.clone()],
            AuthorizationKind::IssuedToken { token, credential, .. } => {
                let credential = credential.as_ref().map(Credential::secrets).unwrap_or_default();
                credential.into_iter().chain([token.clone()]).collect()
            }
        }
    }
}

/// Describes a credential for messages, without its secrets.
pub(super) fn identity(found: &Found) -> Identity {
    let form = match &found.credential {
        Credential::Password(_) => CredentialForm::Password,
        Credential::IdentityToken { .. } => CredentialForm::IdentityToken,
        Credential::Token(_) => CredentialForm::Token,
    };
    let user = found.credential.user().map(str::to_owned);
    Identity::Credential { form, user, source: found.source.clone() }
}
