//! Test support: a loopback HTTP server that records requests and can send any fault (`server`, `request`, `reply`), its
//! certificates (`tls`), a registry with token authentication (`registry`), images for it (`content`), a runner for the
//! program (`regq`), and the examples in the documentation (`documents`).
//!
//! Nothing here leaves loopback, sleeps, or shares state between tests. The demo and the end-to-end tests include this
//! folder too, without the runner, since cargo passes the program's path to integration tests only.
#![allow(dead_code, unused_imports, reason = "each program that includes this uses only a part")]

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
pub(crate) mod text;
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
