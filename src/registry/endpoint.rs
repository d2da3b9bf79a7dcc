//! Selects where a registry is asked, and builds the URLs of the distribution API there.
//!
//! Every path of the API is built here and nowhere else (distribution-spec, "Endpoints").

use std::fmt;

use crate::digest::Digest;
use crate::reference::{Reference, Registry};
use crate::registry::state::Registries;
use crate::url::{Origin, Scheme, Url, UrlError};

/// A place where the distribution API is served.
///
/// ```
/// use regq::reference::Registry;
/// use regq::registry::Endpoint;
///
/// let endpoint = Endpoint::of(&Registry::parse("docker.io")?, false);
/// assert_eq!(endpoint.to_string(), "https://registry-1.docker.io");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    origin: Origin,
    role: Role,
}

/// How the client got to know an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The user named the registry.
    Registry,
    /// A redirect led here.
    Redirected,
}

impl Endpoint {
    /// The endpoint of a registry: its API host, over https unless `plain_http`.
    #[must_use]
    pub fn of(registry: &Registry, plain_http: bool) -> Endpoint {
        let scheme = if plain_http { Scheme::Http } else { Scheme::Https };
        Endpoint::new(registry.origin(scheme, scheme.default_port()))
    }

    /// The endpoint at which a registry is contacted, given what is known so far. A loopback registry whose https port
    /// does not speak TLS is contacted over plain http, on that port.
    pub(super) fn select(
        registry: &Registry,
        plain_http: bool,
        registries: &Registries,
    ) -> Endpoint {
        let endpoint = Endpoint::of(registry, plain_http);
        if registries.state(&endpoint.origin).lacks_tls() {
            return Endpoint::new(registry.origin(Scheme::Http, Scheme::Https.default_port()));
        }
        endpoint
    }

    /// An endpoint that a redirect led to.
    pub(super) fn redirected(origin: Origin) -> Endpoint {
        Endpoint { origin, role: Role::Redirected }
    }

    pub(crate) fn new(origin: Origin) -> Endpoint {
        Endpoint { origin, role: Role::Registry }
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// True if the user named this endpoint.
    pub(crate) fn is_named_by_user(&self) -> bool {
        self.role == Role::Registry
    }

    /// `/v2/`: the base of the API.
    pub(crate) fn base(&self) -> Result<Url, UrlError> {
        self.url("/v2/")
    }

    /// `/v2/NAME/manifests/REFERENCE`: the manifest of a reference. The digest decides if it has both.
    pub(crate) fn manifest(&self, reference: &Reference) -> Result<Url, UrlError> {
        let name = reference.repository().path();
        self.url(&format!("/v2/{name}/manifests/{}", reference.tag_or_digest()))
    }

    /// `/v2/NAME/manifests/DIGEST`.
    pub(crate) fn manifest_of_digest(&self, name: &str, digest: &Digest) -> Result<Url, UrlError> {
        self.url(&format!("/v2/{name}/manifests/{digest}"))
    }

    /// `/v2/NAME/blobs/DIGEST`.
    pub(crate) fn blob(&self, name: &str, digest: &Digest) -> Result<Url, UrlError> {
        self.url(&format!("/v2/{name}/blobs/{digest}"))
    }

    fn url(&self, path: &str) -> Result<Url, UrlError> {
        Url::at(self.origin.clone(), path)
    }
}

/// The base URL, without a slash at its end.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.origin.fmt(f)
    }
}
