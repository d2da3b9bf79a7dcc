//! The one integration test binary.
//!
//! It includes the program's own `cli` module, so that tests can also run the program inside this process: see
//! `in_process`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should fail loudly"
)]

mod challenge;
#[cfg(feature = "cli")]
#[path = "../../src/cli/mod.rs"]
mod cli;
#[cfg(feature = "cli")]
#[path = "cli/mod.rs"]
mod cli_tests;
mod conversation;
#[cfg(feature = "cli")]
mod credentials;
mod digest;
#[cfg(feature = "cli")]
mod documents;
mod errors;
#[cfg(feature = "cli")]
mod explain;
#[cfg(feature = "cli")]
mod in_process;
mod literal_grammar;
mod platform;
mod properties_challenge;
mod properties_reference;
mod reference;
mod support;
mod support_tests;
mod tidy;
mod url;
