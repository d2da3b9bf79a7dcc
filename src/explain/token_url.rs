//! A token request as its URL says it, whoever wrote that URL: people's own are read as they are, faults and all.
//!
//! Not a URL parser: what is compared is what a token server sees, pair by pair. Scopes follow distribution's
//! `docs/content/spec/auth/scope.md`.

use crate::credentials::Secret;
use crate::url::{Url, form_decode};

/// What a token server was asked.
#[derive(Debug)]
pub(super) struct Asked {
    /// Scheme, host, port and path; `None` when that is no URL.
    pub(super) server: Option<Url>,
    /// What of it may not be shown.
    pub(super) secrets: Vec<Secret>,
    /// The user in `user:password@host`.
    user: Option<String>,
    pairs: Vec<Pair>,
}

/// A pair of the query: what is on the wire, and what it means.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) value: String,
    /// The value as it stands in the URL.
    pub(super) raw: String,
    /// True where there is a name alone.
    bare: bool,
}

/// A part of a scope: `type:name:actions`, of which any may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope<'a> {
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) actions: &'a str,
}

impl Asked {
    /// Reads a URL as it was written, without the quotes around it.
    pub(super) fn read(url: &str) -> Asked {
        let url = url.trim().trim_matches(['\'', '"']);
        let url = url.split_once('#').map_or(url, |(url, _)| url);
        let (server, query) = url.split_once('?').unwrap_or((url, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, raw) = pair.split_once('=').unwrap_or((pair, ""));
            let bare = !pair.contains('=');
            Pair { name: form_decode(name), value: form_decode(raw), raw: raw.to_owned(), bare }
        });
        let pairs: Vec<_> = pairs.collect();
        let (server, login) = without_login(server);
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let mut secrets = vec![Secret::new(password), Secret::new(form_decode(password))];
        for pair in pairs.iter().filter(|pair| pair.is_secret()) {
            secrets.extend([&pair.value, &pair.raw].into_iter().map(Secret::new));
        }
        let user = Some(form_decode(user)).filter(|user| !user.is_empty());
        Asked { server: Url::parse(&server).ok(), secrets, user, pairs }
    }

    /// The user whose password went along, or who is said to have asked.
    pub(super) fn user(&self) -> Option<&str> {
        self.value("account").or(self.user.as_deref())
    }

    /// The pairs with this name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().filter(move |pair| pair.name == name)
    }

    /// The first value with this name that is not empty.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .filter(|pair| pair.name == name)
            .map(|pair| pair.value.as_str())
            .find(|value| !value.is_empty())
    }

    /// The names, as they are on the wire.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|pair| pair.name.as_str())
    }

    /// The scopes that were asked for, each a part of its own.
    pub(super) fn scopes(&self) -> Vec<Scope<'_>> {
        self.all("scope").flat_map(|pair| scopes(&pair.value)).collect()
    }

    /// The URL for people, without the values of names that may be secret.
    pub(super) fn shown(&self) -> String {
        let mut text = match &self.server {
            Some(server) => format!("{}{}", server.origin(), server.path()),
            None => "(not a URL)".to_owned(),
        };
        for (at, pair) in self.pairs.iter().enumerate() {
            let Pair { name, value, raw, bare } = pair;
            text.push(if at == 0 { '?' } else { '&' });
            let value = match (pair.is_shown(), bare) {
                (_, true) => "",
                (true, _) if raw.contains('%') && !value.contains(['&', '#', '%']) => value,
                (true, _) => raw,
                (false, _) => "...",
            };
            text.push_str(if *bare && !pair.is_shown() { "..." } else { name });
            text.push_str(if *bare { "" } else { "=" });
            text.push_str(value);
        }
        text
    }
}

/// What a token request is made of; nothing of it is secret.
const SHOWN: [&str; 4] = ["service", "scope", "account", "client_id"];
/// Names of parameters with one of these in them have a secret for a value, wherever that turns up again.
const SECRET: [&str; 8] = ["pass", "pwd", "secret", "token", "key", "auth", "sig", "code"];

impl Pair {
    fn plain_name(&self) -> &str {
        self.name.strip_prefix("amp;").unwrap_or(&self.name)
    }

    fn is_shown(&self) -> bool {
        SHOWN.contains(&self.plain_name())
    }

    fn is_secret(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        !self.is_shown() && SECRET.iter().any(|word| name.contains(word))
    }
}

/// The URL without `user:password@`, and that without its `@`.
fn without_login(url: &str) -> (String, &str) {
    let split = || {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let (login, host) = authority.rsplit_once('@')?;
        Some((format!("{scheme}://{host}{path}"), login))
    };
    split().unwrap_or_else(|| (url.to_owned(), ""))
}

/// The parts of a scope's text.
pub(super) fn scopes(text: &str) -> impl Iterator<Item = Scope<'_>> {
    text.split(' ').filter(|part| !part.is_empty()).map(Scope::read)
}

impl<'a> Scope<'a> {
    /// Split at the first and the last colon: a name may hold a port.
    pub(super) fn read(text: &'a str) -> Scope<'a> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let (name, actions) = rest.rsplit_once(':').unwrap_or((rest, ""));
        Scope { kind, name, actions }
    }

    /// True when pulling is among the actions.
    pub(super) fn pulls(&self) -> bool {
        self.actions.split([',', ';']).any(|action| matches!(action.trim(), "pull" | "*"))
    }

    /// True for a repository, of whatever class.
    pub(super) fn is_repository(&self) -> bool {
        self.kind == "repository" || self.kind.starts_with("repository(")
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Scope, form_decode};

    #[test]
    fn a_url_is_read_as_a_server_reads_it() {
        let asked = Asked::read(
            " https://auth.example/token?service=a+b&scope=repository%3Ax%2Fy%3Apull&scope=r:z:pull&amp;account=ada#x",
        );
        let server = asked.server.as_ref().map(ToString::to_string);
        assert_eq!(server.as_deref(), Some("https://auth.example/token"));
        assert_eq!(asked.value("service"), Some("a b"));
        let names: Vec<_> = asked.scopes().iter().map(|scope| scope.name).collect();
        assert_eq!(names, ["x/y", "z"]);
        assert!(asked.names().any(|name| name == "amp;account"));
    }

    #[test]
    fn what_may_be_secret_is_not_shown() {
        let url = "https://u:secret1@auth.example/t?service=s&password=secret2&scope=repository%3Aa%3Apull&x=secret3";
        let shown = Asked::read(url).shown();
        assert!(!shown.contains("secret"), "{shown}");
        assert!(shown.contains("service=s&password=...&scope=repository:a:pull"), "{shown}");
    }

    #[test]
    fn scopes_are_split_at_the_first_and_the_last_colon() {
        let of = |text| {
            let Scope { kind, name, actions } = Scope::read(text);
            (kind, name, actions)
        };
        assert_eq!(of("repository:a/b:pull,push"), ("repository", "a/b", "pull,push"));
        let port = of("repository:h:5000/a:pull");
        assert_eq!(port, ("repository", "h:5000/a", "pull"));
        assert_eq!(of("aws"), ("aws", "", ""));
        assert_eq!(of("repository:a"), ("repository", "a", ""));
        assert!(Scope::read("repository(plugin):a:pull").is_repository());
    }

    #[test]
    fn percent_signs_that_encode_nothing_stay() {
        assert_eq!(form_decode("a%2Fb%zz%4"), "a/b%zz%4");
        assert_eq!(form_decode("%253A"), "%3A");
    }
}
