//! Resolves a reference with a client and records the requests.

use crate::error::Result;
use crate::explain::recording::{Recorder, Recording};
use crate::reference::Reference;
use crate::registry::{Client, ResolveOptions, Resolved};

/// A recorded attempt to resolve a reference.
#[derive(Debug)]
#[non_exhaustive]
pub struct Walk {
    /// The requests and responses.
    pub recording: Recording,
    /// How the attempt ended.
    pub result: Result<Resolved>,
}

/// Resolves a reference and records all requests. Reads error bodies too, which takes one more request after a refusal.
/// The client's own observer receives the events as well.
pub fn walk(client: &Client, reference: &Reference) -> Walk {
    let recorder = Recorder::default();
    let client = client.also_observed_by(&recorder.observer());
    let options = ResolveOptions { error_details: true, ..ResolveOptions::default() };
    let result = client.resolve(reference, &options);
    Walk { recording: recorder.take(), result }
}
