//! One request and its answer: connections, TLS, names, limits, time, retries.
//!
//! The only place that names ureq and rustls. It knows nothing of registries: what a status means, whether a
//! redirect is followed and who may be sent what is decided in `registry/`.

mod answer;
mod connect;
mod event;
mod fault;
mod names;
mod patience;
mod reach;
pub(crate) mod redirect;
mod send;
mod settings;
mod tls;

pub use self::answer::Answer;
pub use self::event::{Event, Exchanged, Observer, TlsFacts};
pub(crate) use self::patience::Deadline;
pub(crate) use self::reach::Reach;
pub(crate) use self::send::{Limit, Method, Request, Transport};
pub(crate) use self::settings::Settings;
