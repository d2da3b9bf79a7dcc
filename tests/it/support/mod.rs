//! What the tests stand on: a loopback HTTP server that records and misbehaves
//! on request (`server`, `request`, `reply`), its certificates (`tls`), a registry
//! with token authentication on top of it (`registry`) and images to put there
//! (`content`), and the runner of the real program (`regq`).
//!
//! Nothing here reaches past loopback, sleeps, or shares state between tests.
//! The demo includes this folder too; the runner is left out there, because
//! only a test is told where the program is.
#![allow(
    dead_code,
    unused_imports,
    reason = "each program that includes this uses its own part of it"
)]

pub(crate) mod content;
pub(crate) mod documents;
pub(crate) mod registry;
#[cfg(all(test, feature = "cli"))]
pub(crate) mod regq;
pub(crate) mod reply;
pub(crate) mod request;
#[cfg(all(test, feature = "cli"))]
pub(crate) mod secrets;
pub(crate) mod server;
pub(crate) mod tls;
mod wire;

pub(crate) use content::Content;
pub(crate) use registry::{Auth, Registry};
#[cfg(all(test, feature = "cli"))]
pub(crate) use regq::{Ran, Regq};
pub(crate) use reply::Reply;
pub(crate) use request::Request;
pub(crate) use server::Server;
pub(crate) use tls::Certificate;
