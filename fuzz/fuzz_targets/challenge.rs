//! Fuzzes the `WWW-Authenticate` parser with any bytes, as field lines separated by line feeds.
#![no_main]

#[path = "../../tests/it/properties_challenge.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::challenge_holds(data));
