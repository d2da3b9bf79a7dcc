//! Checks whether a registry accepts a credential: what `regq login` does before it stores one.

use crate::error::{Identity, Result};
use crate::reference::Registry;
use crate::registry::client::Client;
use crate::registry::exchange::{Exchange, Question, Resource};
use crate::transport::{Limit, Method};

/// How a registry responded to a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginCheck {
    /// It required credentials and accepted these.
    Accepted,
    /// It allows anonymous access, so the credentials were not checked.
    Open,
}

impl Client {
    /// Requests a registry's base, `GET /v2/`, with the client's credentials (distribution-spec, "Determining
    /// Support").
    ///
    /// # Errors
    /// Every kind but [`Kind::Usage`](crate::error::Kind::Usage). [`Kind::Denied`](crate::error::Kind::Denied) if the
    /// credentials are refused.
    pub fn check_login(&self, registry: &Registry) -> Result<LoginCheck> {
        let mut exchange = Exchange::new(self, registry, None);
        let last = exchange.ask(Question {
            method: Method::Get,
            resource: Resource::Base,
            accept: "application/json",
            limit: Limit { what: "response", bytes: 64 * 1024 },
        })?;
        let identity = last.authorization.as_ref().map(|sent| sent.identity());
        match (last.response.status(), identity) {
            (200, Some(Identity::Credential { .. })) => Ok(LoginCheck::Accepted),
            // This includes a redirect to a host that allows anonymous access.
            (200, _) => Ok(LoginCheck::Open),
            _ => Err(last.into_error()),
        }
    }
}
