//! The keys of credential files: which one is for a repository.
//!
//! podman keeps entries for registries and for the leading parts of repositories, docker has spelled the same
//! registry in several ways over the years. Whole parts only: a key for `HOST/tea` is none for `HOST/team`.

use crate::reference::{Registry, docker_hub};

/// What credentials are wanted for.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    authority: String,
    /// The repository's path; empty for the registry itself.
    path: String,
    /// The name that docker gives the registry.
    pub(crate) name: String,
}

/// How well a key fits; the greater one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fit {
    /// How many parts of the repository it names.
    parts: usize,
    /// True for docker's own spelling.
    own: bool,
}

impl Target {
    pub(crate) fn new(registry: &Registry, path: &str) -> Target {
        let authority = authority(&registry.name());
        let hub = authority == docker_hub::NAME;
        let name = if hub { docker_hub::CREDENTIAL_KEY.to_owned() } else { authority.clone() };
        Target { authority, path: path.to_owned(), name }
    }

    /// How well a key fits, if it does.
    pub(super) fn fit(&self, key: &str) -> Option<Fit> {
        let bare = bare(key);
        let (host, parts) = bare.split_once('/').unwrap_or((bare, ""));
        if authority(host) != self.authority {
            return None;
        }
        let named = || parts.split('/').filter(|_| !parts.is_empty());
        let mut mine = self.path.split('/');
        if !named().all(|part| mine.next() == Some(part)) {
            return None;
        }
        let count = named().count();
        let own = if count == 0 { key == self.name } else { key == bare };
        Some(Fit { parts: count, own })
    }

    /// The best of several keys, the first of those that are alike.
    pub(super) fn best<'a, T>(
        &self,
        keyed: impl IntoIterator<Item = (&'a str, T)>,
    ) -> Option<(&'a str, T)> {
        let mut best: Option<(Fit, &str, T)> = None;
        for (key, value) in keyed {
            let Some(fit) = self.fit(key) else { continue };
            if best.as_ref().is_none_or(|(found, ..)| fit > *found) {
                best = Some((fit, key, value));
            }
        }
        best.map(|(_, key, value)| (key, value))
    }
}

/// A key without its scheme and without `/v1`, `/v2` and `/` at its end.
fn bare(key: &str) -> &str {
    let key = ["https://", "http://"].iter().find_map(|s| key.strip_prefix(s)).unwrap_or(key);
    let key = key.trim_end_matches('/');
    let key = ["/v1", "/v2"].iter().find_map(|s| key.strip_suffix(s)).unwrap_or(key);
    key.trim_end_matches('/')
}

/// Host and port in one form: lower case, https' own port left out, all names of Docker Hub one.
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

    fn fits(repository: &str, key: &str) -> bool {
        Repository::parse(repository)
            .is_ok_and(|name| Target::new(name.registry(), name.path()).fit(key).is_some())
    }

    #[test]
    fn every_row() {
        for (repository, key, expected) in [
            ("quay.io/org/repo", "quay.io", true),
            ("quay.io/org/repo", "quay.io/org", true),
            ("quay.io/org/repo", "quay.io/org/repo", true),
            ("quay.io/org/repo", "quay.io/org/repo/", true),
            ("quay.io/org/repo", "https://quay.io/", true),
            ("quay.io/org/repo", "https://quay.io/v1/", true),
            ("quay.io/org/repo", "https://quay.io/v2", true),
            ("quay.io/org/repo", "quay.io/v2/", true),
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
            assert_eq!(fits(repository, key), expected, "{repository} {key}");
        }
    }

    #[test]
    fn a_registry_is_kept_under_one_name_however_it_is_spelled() {
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
    fn the_longest_wins_then_dockers_own_spelling_then_the_first() {
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
