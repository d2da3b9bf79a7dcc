//! Asks container registries questions: which digest does this tag have, what does its manifest contain, and, if a
//! registry refuses, why.
//!
//! This is the library behind the program of the same name. It blocks, prints nothing, reads no environment variables
//! and has no global state. Start with [`Client`]:
//!
//! ```no_run
//! use regq::registry::ResolveOptions;
//! use regq::{Client, Config, Reference};
//!
//! let client = Client::new(Config::default())?;
//! let reference = Reference::parse("alpine:3.20")?;
//! let resolved = client.resolve(&reference, &ResolveOptions::default())?;
//! println!("{}", resolved.digest);
//! # Ok::<(), regq::Error>(())
//! ```
//!
//! # Layers
//!
//! A file imports only from files of a lower rank. A test over the sources enforces this.
//!
//! | rank | module | contents |
//! | --- | --- | --- |
//! | 0 | [`digest`], [`platform`], [`url`], `dates`, `decimal`, `json`, `lock`, `redact` | value types from the specifications; no I/O |
//! | 1 | [`reference`](mod@reference), [`oci`], [`http`] | names, documents of registries, grammars of header fields; no I/O |
//! | 2 | [`error`] | one error type, its kinds and exit codes |
//! | 3 | [`files`] | bounded reads, atomic replacement |
//! | 4 | [`credentials`] | secrets, and which registry they are for |
//! | 5 | [`event`], `token` | all that a client reports while it works; the token protocol without I/O |
//! | 6 | `transport` | one request and its response; the only module that names ureq and rustls |
//! | 7 | [`registry`] | the client: redirects, challenges, tokens, manifests |
//! | 8 | [`explain`](mod@explain) | from recorded requests to findings; only `walk` does I/O |
//! | 9 | `main.rs`, `cli/`, `signal.rs`, `bug.rs` | the program |
//!
//! # Data flow
//!
//! Data flows one way. Text is parsed into a [`Reference`], the client turns it into a question, `transport` sends the
//! requests, and the result is a typed value or an [`Error`]:
//!
//! ```text
//! text -> Reference -> Client: question -> transport: request -> registry
//!                         |  ^                                      |
//!                         |  +-- 401: challenge -> token (no I/O) <-+
//!                         |
//!                         +-> Resolved, Manifest, LoginCheck, or Error -> Kind -> exit code
//! ```
//!
//! While a client works on a question, it reports to the question's [`Observer`](event::Observer). A
//! [`Recorder`](explain::Recorder) observes a question and returns a [`Recording`](explain::Recording) of it. A
//! [`Given`](explain::Given) holds what a user knows about their own attempt. [`explain`](explain::explain) turns both
//! into attempts of one form, applies every rule to every attempt, and orders the findings as a registry would report
//! them:
//!
//! ```text
//! Client -> Event, Exchanged -> Recorder -> Recording -+
//!                                                      +-> attempts -> rules -> findings -> Explanation
//! a user's token, challenge, ... -> Given -------------+
//! ```
//!
//! A recording contains secrets, since it is the whole conversation. An [`Explanation`](explain::Explanation) contains
//! none.

/// Compiles the Rust program of the recipes together with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../docs/recipes.md")]
struct Recipes;

pub mod credentials;
mod dates;
mod decimal;
pub mod digest;
pub mod error;
pub mod event;
pub mod explain;
pub mod files;
pub mod http;
mod json;
mod lock;
pub mod oci;
pub mod platform;
mod redact;
pub mod reference;
pub mod registry;
mod token;
mod transport;
pub mod url;

pub use self::digest::Digest;
pub use self::error::{Error, Kind};
pub use self::platform::Platform;
pub use self::reference::Reference;
pub use self::registry::{Client, Config};
