//! regq asks container registries questions: which digest does this tag have, what is in its manifest, and, when a
//! registry refuses, why.
//!
//! This is the library behind the program of the same name. It blocks, prints nothing, does not read the environment and
//! has no global state. Start with [`registry::Client`]:
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
//! # Layers
//!
//! A file imports only from files of a lower rank. A test checks the sources and this table.
//!
//! | rank | module | purpose |
//! | --- | --- | --- |
//! | 0 | [`digest`], [`platform`], [`url`], `dates`, `decimal`, `json`, `redact` | values of the specifications; no I/O |
//! | 1 | [`reference`](mod@reference), [`oci`], [`http`] | names, HTTP heads, and the documents that registries send; no I/O |
//! | 2 | [`error`] | one error type, its kinds and exit codes |
//! | 3 | `files` | bounded reads and atomic replacement |
//! | 4 | [`credentials`] | secrets, and the hosts they are for |
//! | 5 | `event`, `token` | what an observer gets; the token protocol, no I/O |
//! | 6 | `transport` | one request and its response; the only module that uses ureq and rustls |
//! | 7 | [`registry`] | the client: redirects, challenges, tokens, manifests |
//! | 8 | [`explain`](mod@explain) | a recorded exchange in, findings out; no I/O |
//! | 9 | `main.rs`, `cli/`, `signal.rs` | the program |
//!
//! # Data flow
//!
//! Data flows one way. A text is parsed into a [`reference::Reference`], the client turns it into requests, `transport`
//! sends them, and the result is a typed value or an [`error::Error`]:
//!
//! ```text
//! text -> Reference -> Client: question -> transport: request -> registry
//!                         |  ^                                      |
//!                         |  +-- 401: challenge -> token (no I/O) <-+
//!                         |
//!                         +-> Resolved, Manifest, LoginCheck, or Error -> Kind -> exit code
//! ```
//!
//! Explaining does not change this flow. While a client works, it sends [`Event`](registry::Event)s to its
//! [`Observer`](registry::Observer). A [`Recorder`](explain::Recorder) collects them in a
//! [`Recording`](explain::Recording). An attempt of the user's own is a [`Given`](explain::Given). Both become attempts of
//! the same form, each rule examines each attempt, and the findings are sorted in the order in which a registry checks:
//!
//! ```text
//! Client -> Event -> Recorder -> Recording -+
//!                                      +-> Case -> attempts -> rules -> findings in order -> Explanation
//! the user's attempt -> Given ----------+
//! ```
//!
//! A recording contains secrets; an [`Explanation`](explain::Explanation) does not.

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
