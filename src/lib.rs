//! regq asks container registries questions and gets trustworthy answers.

pub mod challenge;
pub mod credentials;
pub mod digest;
pub mod error;
mod http_date;
pub mod oci;
pub mod platform;
pub mod reference;
pub mod registry;
mod token;
mod transport;
pub mod url;
