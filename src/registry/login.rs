//! Does a registry take a credential: what a login asks before it keeps one.

use crate::error::{Identity, Result};
use crate::reference::Registry;
use crate::registry::client::Client;
use crate::registry::exchange::{Exchange, Question};
use crate::transport::{Limit, Method};

/// How a registry took a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginCheck {
    /// It asked for credentials and took these.
    Accepted,
    /// It let us in without asking for any.
    Open,
}

impl Client {
    /// Asks a registry's base, `GET /v2/`, with the client's credentials (distribution-spec, "Determining
    /// Support").
    ///
    /// # Errors
    /// Every kind but [`Kind::Usage`](crate::error::Kind::Usage); [`Kind::Denied`](crate::error::Kind::Denied)
    /// when the credentials are refused.
    pub fn check_login(&self, registry: &Registry) -> Result<LoginCheck> {
        let mut exchange = Exchange::new(&self.inner, registry, None);
        let reply = exchange.ask(Question {
            method: Method::Get,
            path: "/v2/",
            accept: "application/json",
            limit: Limit { what: "answer", bytes: 64 * 1024 },
        })?;
        let identity = reply.authorization.as_ref().map(|authorization| &authorization.identity);
        match (reply.answer.status(), identity) {
            (200, Some(Identity::Credential { .. })) => Ok(LoginCheck::Accepted),
            // Also where it led elsewhere and was let in there without the credentials.
            (200, _) => Ok(LoginCheck::Open),
            _ => Err(reply.into_error()),
        }
    }
}
