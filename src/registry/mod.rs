//! Questions to registries: [`Client`] and what it answers.
//!
//! The client knows the protocol; it knows no command line, prints nothing and reads no environment.

mod challenge_plan;
mod client;
mod credential_lookup;
mod exchange;
mod login;
mod manifests;
mod realm_trust;
mod settings;
mod token_fetch;

pub use self::client::Client;
pub use self::login::LoginCheck;
pub use self::manifests::{Manifest, ResolveOptions, Resolved};
pub(crate) use self::realm_trust::realm_is_trusted;
pub use self::settings::{Config, endpoint};
pub use crate::event::{Event, Exchanged, Observer, TlsFacts};
