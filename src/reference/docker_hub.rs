//! Lists all names that are special to Docker Hub, the one registry that the reference grammar itself knows.
//!
//! Hosts, the `library/` prefix of official images, and the key under which docker keeps its credentials
//! (distribution/reference `normalize.go`, docker's `registry/config.go`).

/// The canonical name of Docker Hub in references.
pub(crate) const NAME: &str = "docker.io";
/// The host that serves its registry API.
pub(crate) const API_HOST: &str = "registry-1.docker.io";
/// The host of its token server.
pub(crate) const AUTH_HOST: &str = "auth.docker.io";
/// All hosts that mean Docker Hub in a reference. `index.docker.io` is the oldest one.
pub(crate) const HOSTS: [&str; 3] = [NAME, "index.docker.io", API_HOST];
/// The key of its credentials in docker's config and in credential helpers.
pub(crate) const CREDENTIAL_KEY: &str = "https://index.docker.io/v1/";
/// The namespace of official images: `alpine` is `library/alpine`.
pub(crate) const LIBRARY_PREFIX: &str = "library/";

/// Whether a host, in any case and without a port, means Docker Hub.
pub(crate) fn is_host(host: &str) -> bool {
    HOSTS.iter().any(|name| host.eq_ignore_ascii_case(name))
}
