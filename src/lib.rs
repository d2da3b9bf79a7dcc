//! regq asks container registries questions and gets trustworthy answers: which digest does this tag have, what
//! is in this image, and, when a registry says no, why.
//!
//! This is the library under the program of the same name. It blocks, prints nothing, reads no environment and
//! keeps no global state. The quickest way in is [`registry::Client`]:
//!
//! ```no_run
//! use regq::reference::Reference;
//! use regq::registry::{Client, Config, ResolveOptions};
//!
//! let client = Client::new(Config::default())?;
//! let reference = Reference::parse("alpine:3.20")?;
//! let resolved = client.resolve(&reference, &ResolveOptions::default())?;
//! println!("{}", resolved.digest);
//! # Ok::<(), regq::error::Error>(())
//! ```
//!
//! # The rooms of the house
//!
//! A file imports only from files of a lower rank; a test over the sources holds it.
//!
//! | rank | module | what lives there |
//! | --- | --- | --- |
//! | 0 | [`digest`], [`platform`], [`url`], `dates`, `decimal`, `json`, `redact` | values of the specifications; no I/O |
//! | 1 | [`reference`](mod@reference), [`oci`], [`http`] | names, HTTP heads, and the documents that registries send; no I/O |
//! | 2 | [`error`] | one error type, its kinds and exit codes |
//! | 3 | `files` | bounded reads and atomic replacement |
//! | 4 | [`credentials`] | secrets and whom they are for |
//! | 5 | `event`, `token` | what an observer is told; the token protocol without I/O |
//! | 6 | `transport` | one request and its response; the only place that names ureq and rustls |
//! | 7 | [`registry`] | the client: redirects, challenges, tokens, manifests |
//! | 8 | [`explain`](mod@explain) | a recorded exchange in, findings out; no I/O |
//! | 9 | `main.rs`, `cli/`, `signal.rs` | the program |
//!
//! # The way of the data
//!
//! It flows one way. A text becomes a [`reference::Reference`], the client makes questions of it, `transport`
//! asks them, and what comes back is a typed value or an [`error::Error`]:
//!
//! ```text
//! text -> Reference -> Client: question -> transport: request -> registry
//!                         |  ^                                      |
//!                         |  +-- 401: challenge -> token (no I/O) <-+
//!                         |
//!                         +-> Resolved, Manifest, LoginCheck, or Error -> Kind -> exit code
//! ```
//!
//! Explaining takes a second way beside the first, and changes nothing on it. While a client asks, it tells its
//! [`Observer`](registry::Observer) what happens, as [`Event`](registry::Event)s. A [`Recorder`](explain::Recorder)
//! keeps them and hands out a [`Recording`](explain::Recording); what somebody else asked and got is a
//! [`Given`](explain::Given). Both become attempts of one shape, every rule looks at every attempt, and what they find
//! is put into the order in which a registry checks:
//!
//! ```text
//! Client -> Event -> Recorder -> Recording -+
//!                                      +-> Case -> attempts -> rules -> findings in order -> Explanation
//! pieces of a terminal -> Given -------+
//! ```
//!
//! A walk holds secrets, since it holds the conversation; an [`Explanation`](explain::Explanation) shows none of them.

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
pub mod oci;
pub mod platform;
mod redact;
pub mod reference;
pub mod registry;
mod token;
mod transport;
pub mod url;
