//! Grammars of HTTP header fields. Pure: bytes in, values out.

pub mod challenge;
