//! The requests of a correct login, for sending them by hand, and the name of a moved reference.
//!
//! This file only knows which requests to send. The program turns them into curl commands.

use crate::explain::attempt::Attempt;
use crate::registry::Endpoint;

/// The requests that get a token and then the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManualRequests {
    /// The URL that returns the token, with service and scope.
    pub token_url: String,
    /// The user whose password the token request needs, if any.
    pub user: Option<String>,
    /// The URL of the manifest, to be requested with the token.
    pub manifest_url: String,
}

impl ManualRequests {
    /// Returns `None` unless the realm and the reference are known.
    pub(super) fn of(attempt: &Attempt<'_>, user: Option<String>) -> Option<ManualRequests> {
        let mut token_url = attempt.realm()?;
        if let Some(service) = attempt.challenge_param("service") {
            token_url = token_url.with_query("service", service);
        }
        if let Some(scope) = attempt.correct_scope() {
            token_url = token_url.with_query("scope", &scope);
        }
        let origin = attempt.source.as_ref()?.url.origin().clone();
        let manifest_url = Endpoint::new(origin).manifest(attempt.reference?).ok()?.to_string();
        Some(ManualRequests { token_url: token_url.to_string(), user, manifest_url })
    }
}

/// The reference at the host that a redirect led to, if that host has its own challenge. Returns the URL if it is not
/// that of a manifest.
pub(super) fn moved_to(attempt: &Attempt<'_>) -> Option<String> {
    attempt.moved_from.as_ref().and(attempt.challenges.as_ref())?;
    let url = &attempt.source.as_ref()?.url;
    let path = url.path().strip_prefix("/v2/").and_then(|path| path.rsplit_once("/manifests/"));
    let Some((path, version)) = path else { return Some(url.redacted()) };
    let name = format!("{}/{path}", url.origin().authority());
    let tagged = attempt.reference.is_some_and(|reference| reference.tag().is_some());
    Some(match version {
        "latest" if !tagged => name,
        _ if version.contains(':') => format!("{name}@{version}"),
        _ => format!("{name}:{version}"),
    })
}
