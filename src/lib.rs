//! regq asks container registries questions and gets trustworthy answers.

pub mod challenge;
pub mod digest;
pub mod platform;
pub mod reference;
