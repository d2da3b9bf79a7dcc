//! Questions to registries: [`Client`] and what it answers.
//!
//! The client knows the protocol; it knows no command line, prints nothing and reads no environment.

mod client;
mod config;
mod exchange;
mod login;
mod manifest;
mod trust;

pub use self::client::Client;
pub use self::config::{Config, endpoint};
pub use self::manifest::{Manifest, Resolve, Resolved};
pub use crate::transport::{Event, Observer, TlsFacts};
