//! Questions to registries: [`Client`] and what it answers.
//!
//! The client knows the protocol; it knows no command line, prints nothing and reads no environment.

mod check;
mod client;
mod config;
mod exchange;
mod login;
mod manifest;
mod search;
mod tokens;
mod trust;

pub use self::check::LoginCheck;
pub use self::client::Client;
pub use self::config::{Config, endpoint};
pub use self::manifest::{Manifest, Resolve, Resolved};
pub(crate) use self::trust::belongs;
pub use crate::transport::{Answer, Event, Exchanged, Observer, TlsFacts};
