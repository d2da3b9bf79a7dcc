//! Requests that regq's own safety rules forbid.
//!
//! `registry` and `transport` enforce the rules; this file only describes the violations.

use std::fmt;
use std::net::IpAddr;

use crate::url::UrlError;

/// A request that a safety rule forbids. It was not sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The registry names a token server that is not known to belong to it, so it gets no credentials.
    RealmUntrusted {
        /// The registry's host.
        registry: String,
        /// The realm's host.
        realm: String,
    },
    /// An https server points to a plain-http URL.
    PlainHttp {
        /// The host that sent the URL.
        from: String,
        /// The host in the URL.
        to: String,
    },
    /// A registry points to a host whose address is more private than its own.
    PrivateAddress {
        /// The host that the registry points to.
        host: String,
        /// The address of that host.
        address: IpAddr,
    },
    /// A token request that carries a credential was redirected.
    TokenRedirect {
        /// The token server.
        from: String,
        /// The host that it redirects to.
        to: String,
    },
    /// More redirects in a row than regq follows.
    TooManyRedirects {
        /// The host that sent the last one.
        host: String,
    },
    /// A redirect without a usable target.
    RedirectTarget {
        /// The host that sent it.
        host: String,
        /// What is wrong with the target; `None` if it is missing.
        fault: Option<UrlError>,
    },
    /// Credentials would be sent over plain http.
    CredentialsInTheClear {
        /// The host that requires them.
        host: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::RealmUntrusted { registry, realm } => write!(
                f,
                "refusing to send the credentials for {registry} to {realm}, which is not known to belong to it"
            ),
            Refusal::PlainHttp { from, to } => {
                write!(f, "refusing to go from HTTPS on {from} to plain HTTP on {to}")
            }
            Refusal::PrivateAddress { host, address } => write!(
                f,
                "refusing to connect to {host}: its address {address} is more private than the registry's"
            ),
            Refusal::TokenRedirect { from, to } => write!(
                f,
                "refusing to follow a redirect from the token server {from} to {to} with credentials"
            ),
            Refusal::TooManyRedirects { host } => {
                write!(f, "too many redirects, the last one from {host}")
            }
            Refusal::RedirectTarget { host, fault: None } => {
                write!(f, "{host} sent a redirect without a Location header")
            }
            Refusal::RedirectTarget { host, fault: Some(fault) } => {
                write!(f, "{host} sent a redirect to an invalid URL: {fault}")
            }
            Refusal::CredentialsInTheClear { host } => {
                write!(f, "refusing to send credentials to {host} over plain HTTP")
            }
        }
    }
}
