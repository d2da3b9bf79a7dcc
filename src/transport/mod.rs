//! One request and its answer: connections, TLS, names, limits, time, retries.
//!
//! The only place that names ureq and rustls. It knows nothing of registries: what a status means, whether a
//! redirect is followed and who may be sent what is decided in `registry/`.

mod address_scope;
mod connector;
mod error_map;
mod event;
pub(crate) mod redirect;
mod resolver;
mod response;
mod retry;
mod send;
mod settings;
mod tls;

pub(crate) use self::address_scope::AddressScope;
pub use self::event::{Event, Exchanged, Observer, TlsFacts};
pub use self::response::Answer;
pub(crate) use self::retry::Deadline;
pub(crate) use self::send::{Limit, Method, Request, Transport};
pub(crate) use self::settings::Settings;
