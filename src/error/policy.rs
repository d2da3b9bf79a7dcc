//! The safety rules of regq's own, as what they met.
//!
//! The rules themselves live where requests are made; here is only what is said when one forbids to go on.

use std::fmt;
use std::net::IpAddr;

use crate::url::UrlError;

/// A safety rule of regq's own, and what it met.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// Credentials would go to a token server that is not the registry's by name.
    RealmUntrusted {
        /// The registry's host.
        registry: String,
        /// The realm's host.
        realm: String,
    },
    /// An https registry leads to plain http.
    PlainHttp {
        /// Who leads there.
        from: String,
        /// Where to.
        to: String,
    },
    /// A public registry leads to a private address, or a private one to a more private.
    PrivateAddress {
        /// The host that was led to.
        host: String,
        /// Its address.
        address: IpAddr,
    },
    /// A token request that carries a credential was redirected.
    TokenRedirect {
        /// The token server.
        from: String,
        /// Where it redirects to.
        to: String,
    },
    /// More redirects than regq follows.
    TooManyRedirects {
        /// The host that sent the last one.
        host: String,
    },
    /// A redirect without a target, or to none that can be asked.
    RedirectTarget {
        /// The host that sent it.
        host: String,
        /// What is wrong with the target; `None` when there is none.
        fault: Option<UrlError>,
    },
    /// Credentials would go over plain http.
    CredentialsInTheClear {
        /// The host.
        host: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::RealmUntrusted { registry, realm } => write!(
                f,
                "the registry {registry} wants its credentials sent to {realm}, which is not known to belong to it; nothing was sent"
            ),
            Refusal::PlainHttp { from, to } => {
                write!(f, "{from} leads from https to plain http ({to}), which is not followed")
            }
            Refusal::PrivateAddress { host, address } => write!(
                f,
                "{host} has the address {address}, more private than the registry that leads there; it was not asked"
            ),
            Refusal::TokenRedirect { from, to } => write!(
                f,
                "the token server {from} redirects to {to}, which is not followed with credentials"
            ),
            Refusal::TooManyRedirects { host } => {
                write!(f, "{host} redirects once more, after as many as are followed")
            }
            Refusal::RedirectTarget { host, fault: None } => {
                write!(f, "{host} redirects without saying where to")
            }
            Refusal::RedirectTarget { host, fault: Some(fault) } => {
                write!(f, "{host} redirects to something that cannot be asked: {fault}")
            }
            Refusal::CredentialsInTheClear { host } => {
                write!(f, "{host} wants credentials over plain http; nothing was sent")
            }
        }
    }
}
