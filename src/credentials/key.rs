//! Matches the keys of credential files with registries and repositories.
//!
//! podman keeps entries for registries and for leading parts of repositories. docker has spelled the same registry in
//! several ways over the years. Path parts match as a whole: a key for `HOST/tea` does not match `HOST/team`.

use crate::reference::{Registry, docker_hub};

/// The registry or repository that a credential is looked up for.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    authority: String,
    /// The repository's path; empty to look up the registry itself.
    path: String,
    /// The key under which docker stores the registry.
    pub(crate) name: String,
}

/// How well a key matches. The best match is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Match {
    /// The number of path parts in the key.
    parts: usize,
    /// Whether the key is spelled as docker spells it.
    canonical: bool,
}

impl Target {
    pub(crate) fn new(registry: &Registry, path: &str) -> Target {
        let authority = authority(&registry.name());
        let hub = authority == docker_hub::NAME;
        let name = if hub { docker_hub::CREDENTIAL_KEY.to_owned() } else { authority.clone() };
        Target { authority, path: path.to_owned(), name }
    }

    /// Whether a key matches.
    pub(super) fn matches(&self, key: &str) -> bool {
        self.match_key(key).is_some()
    }

    fn match_key(&self, key: &str) -> Option<Match> {
        let bare = without_decoration(key);
        let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
        if authority(host) != self.authority {
            return None;
        }
        let key_parts = || path.split('/').filter(|_| !path.is_empty());
        let mut own_parts = self.path.split('/');
        if !key_parts().all(|part| own_parts.next() == Some(part)) {
            return None;
        }
        let parts = key_parts().count();
        let canonical = if parts == 0 { key == self.name } else { key == bare };
        Some(Match { parts, canonical })
    }

    /// Returns the key that matches best, and its value: the most specific one, then docker's own spelling, then the
    /// first.
    pub(super) fn best<'a, T>(
        &self,
        keyed: impl IntoIterator<Item = (&'a str, T)>,
    ) -> Option<(&'a str, T)> {
        let mut best: Option<(Match, &str, T)> = None;
        for (key, value) in keyed {
            let Some(found) = self.match_key(key) else { continue };
            if best.as_ref().is_none_or(|(best, ..)| found > *best) {
                best = Some((found, key, value));
            }
        }
        best.map(|(_, key, value)| (key, value))
    }
}

/// Removes the scheme and slashes at the end, and `/v1` or `/v2` if only a host precedes it. After a repository it is
/// part of that repository's name.
fn without_decoration(key: &str) -> &str {
    let key = ["https://", "http://"].iter().find_map(|s| key.strip_prefix(s)).unwrap_or(key);
    let key = key.trim_end_matches('/');
    let host = ["/v1", "/v2"].iter().find_map(|s| key.strip_suffix(s));
    let host = host.map(|host| host.trim_end_matches('/')).filter(|host| !host.contains('/'));
    host.unwrap_or(key)
}

/// Normalizes a host with its port: lower case, without port 443, and with one name for Docker Hub.
fn authority(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    let text = text.strip_suffix(":443").unwrap_or(&text);
    let name = if docker_hub::is_host(text) { docker_hub::NAME } else { text };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::Target;
    use crate::reference::{Registry, Repository};

    fn matches(repository: &str, key: &str) -> bool {
        Repository::parse(repository)
            .is_ok_and(|name| Target::new(name.registry(), name.path()).matches(key))
    }

    #[test]
    fn keys_match_whole_parts_of_the_same_registry() {
        for (repository, key, expected) in [
            ("quay.io/org/repo", "quay.io", true),
            ("quay.io/org/repo", "quay.io/org", true),
            ("quay.io/org/repo", "quay.io/org/repo", true),
            ("quay.io/org/repo", "quay.io/org/repo/", true),
            ("quay.io/org/repo", "https://quay.io/", true),
            ("quay.io/org/repo", "https://quay.io/v1/", true),
            ("quay.io/org/repo", "https://quay.io/v2", true),
            ("quay.io/org/repo", "quay.io/v2/", true),
            // A repository may be called v1.
            ("quay.io/org/v1", "quay.io/org/v1", true),
            ("quay.io/org/v1/repo", "quay.io/org/v1/", true),
            ("quay.io/org/repo", "quay.io/org/v1", false),
            ("quay.io/org/repo", "https://quay.io/org/v2/", false),
            ("quay.io/org/repo", "https://quay.io//v1/", true),
            ("quay.io/org/repo", "QUAY.IO", true),
            ("quay.io/org/repo", "quay.io:443", true),
            ("quay.io:443/org/repo", "quay.io", true),
            ("quay.io/org/repo", "quay.io/or", false),
            ("quay.io/org/repo", "quay.io/org/rep", false),
            ("quay.io/org/repo", "quay.io/org/repo/more", false),
            ("quay.io/org/repo", "quay.io/repo", false),
            ("quay.io/org/repo", "quay.io:5000", false),
            ("quay.io:5000/org/repo", "quay.io", false),
            ("quay.io:5000/org/repo", "quay.io:5000/org", true),
            ("quay.io/org/repo", "evilquay.io", false),
            ("quay.io/org/repo", "quay.io.evil.example", false),
            ("quay.io/org/repo", "", false),
            ("quay.io/org/repo", "https://", false),
            ("quay.io/org/repo", "io", false),
            ("alpine", "https://index.docker.io/v1/", true),
            ("alpine", "docker.io", true),
            ("alpine", "registry-1.docker.io", true),
            ("alpine", "index.docker.io/v1/", true),
            ("alpine", "docker.io/library", true),
            ("alpine", "docker.io/library/alpine", true),
            ("alpine", "docker.io/alpine", false),
            ("alpine", "https://index.docker.io/v1/access-token", false),
            ("alpine", "auth.docker.io", false),
            ("localhost:5000/team/app", "localhost:5000/tea", false),
            ("localhost:5000/team/app", "localhost:5000/team", true),
            ("[::1]:5000/team/app", "[::1]:5000", true),
        ] {
            assert_eq!(matches(repository, key), expected, "{repository} {key}");
        }
    }

    #[test]
    fn a_registry_has_one_key_however_it_is_spelled() {
        for (spelled, name) in [
            ("quay.io", "quay.io"),
            ("quay.io:443", "quay.io"),
            ("QUAY.io:5000", "quay.io:5000"),
            ("LOCALHOST:5000", "localhost:5000"),
            ("127.0.0.1:443", "127.0.0.1"),
            ("[::1]:443", "[::1]"),
            ("docker.io", "https://index.docker.io/v1/"),
            ("docker.io:443", "https://index.docker.io/v1/"),
            ("Index.Docker.io", "https://index.docker.io/v1/"),
            ("docker.io:5000", "docker.io:5000"),
        ] {
            let registry = Registry::parse(spelled);
            let found = registry.map(|registry| Target::new(&registry, "").name).ok();
            assert_eq!(found.as_deref(), Some(name), "{spelled}");
        }
    }

    #[test]
    fn the_most_specific_key_wins_then_dockers_spelling_then_the_first() {
        for (repository, keys, chosen) in [
            ("quay.io/a/b", "quay.io quay.io/a quay.io/a/b", "quay.io/a/b"),
            ("quay.io/a/b", "quay.io/a/b quay.io/a quay.io", "quay.io/a/b"),
            ("quay.io/a/c", "quay.io quay.io/a quay.io/a/b", "quay.io/a"),
            ("quay.io/x/c", "https://quay.io/v1/ quay.io quay.io/a", "quay.io"),
            ("quay.io/x/c", "https://quay.io/v1/ https://quay.io", "https://quay.io/v1/"),
            ("alpine", "docker.io https://index.docker.io/v1/", "https://index.docker.io/v1/"),
            ("alpine", "index.docker.io docker.io", "index.docker.io"),
            ("alpine", "https://index.docker.io/v1/ docker.io/library", "docker.io/library"),
            ("quay.io/a/b", "https://quay.io/a quay.io/a", "quay.io/a"),
        ] {
            let found = Repository::parse(repository).ok().and_then(|name| {
                let keys = keys.split(' ').map(|key| (key, ()));
                Target::new(name.registry(), name.path()).best(keys).map(|(key, ())| key.to_owned())
            });
            assert_eq!(found.as_deref(), Some(chosen), "{repository} {keys}");
        }
    }
}
