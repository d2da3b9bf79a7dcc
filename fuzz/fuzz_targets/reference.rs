//! Fuzzes the parsers of references, repositories, registries, tags, digests and platforms with any text.
#![no_main]

#[path = "../../tests/it/properties_reference.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|text: &str| {
    properties::reference_never_panics(text);
    properties::digest_never_panics(text);
    properties::platform_never_panics(text);
    properties::any_split_gives_the_same_digest(text.as_bytes(), text.as_bytes());
});
