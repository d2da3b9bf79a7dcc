//! Sends one request and returns its response: names, connections, TLS, time limits, retries.
//!
//! `agent` sets up the HTTP library: it switches proxies off, and chains the stages of a connection from `connector`, of which
//! a proxy would be one. `send` looks up and checks the address of the target (that of the proxy, then) and sends once;
//! `retry` repeats it.
//!
//! The only place that names ureq and rustls. It knows nothing about registries: `registry/` decides what a status
//! means, whether a redirect is followed, and who may receive a secret.

mod address_scope;
mod agent;
mod connector;
mod deadline;
mod error_map;
pub(crate) mod redirect;
mod request;
mod resolver;
mod response;
mod retry;
mod send;
mod settings;
mod tls;

pub(crate) use self::address_scope::AddressScope;
pub(crate) use self::agent::Transport;
pub(crate) use self::deadline::Deadline;
pub(crate) use self::request::{Method, Request};
pub(crate) use self::response::{Fetched, Limit};
pub(crate) use self::send::Call;
pub(crate) use self::settings::Settings;
