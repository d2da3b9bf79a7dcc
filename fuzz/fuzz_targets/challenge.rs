//! The `WWW-Authenticate` parser: any bytes, as field lines with a line feed between them.
#![no_main]

#[path = "../../tests/it/properties_challenge.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::challenge_holds(data));
