//! HTTP response heads and the grammars of their fields. Pure: bytes in, values out.

pub mod challenge;
mod head;
pub(crate) mod retry_after;
pub(crate) mod warning;

pub use self::head::Head;
