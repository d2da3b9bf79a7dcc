//! Sends questions to registries: [`Client`] and what it returns.
//!
//! `exchange` is the loop that sends requests until a question is answered. `endpoint` selects where a registry is asked;
//! mirrors would be selected there and tried in `exchange`.
//!
//! The client knows the protocol. It does not know the command line, prints nothing, and reads no environment.

mod authentication;
mod authorization;
mod challenge_plan;
mod client;
mod credential_lookup;
mod endpoint;
mod exchange;
mod final_response;
mod helper_answers;
mod login;
mod lru;
mod manifests;
mod realm_trust;
mod settings;
mod state;
mod token_fetch;

pub use self::client::Client;
pub use self::endpoint::Endpoint;
pub use self::login::LoginCheck;
pub use self::manifests::{Manifest, ResolveOptions, Resolved};
pub(crate) use self::realm_trust::realm_is_trusted;
pub use self::settings::Config;
pub use crate::event::{Event, Exchanged, Observer, TlsFacts};
