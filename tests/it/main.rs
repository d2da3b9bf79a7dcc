//! The one integration test binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should fail loudly"
)]

mod challenge;
#[cfg(feature = "cli")]
mod cli;
mod conversation;
#[cfg(feature = "cli")]
mod credentials;
mod digest;
#[cfg(feature = "cli")]
mod explain;
mod literal_grammar;
mod platform;
mod properties_challenge;
mod properties_reference;
mod reference;
mod support;
mod support_tests;
mod tidy;
mod url;
