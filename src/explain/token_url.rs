//! Parses the URL of a token request, mistakes included.
//!
//! This is not a strict URL parser: the URL may have been typed by a person, and rules look for the mistakes in it.
//! Names and values are read as a token server reads them.

use crate::credentials::Secret;
use crate::token::{ScopeParts, scopes};
use crate::url::{Url, form_decode};

/// The URL of a token request.
#[derive(Debug)]
pub(super) struct TokenUrl {
    /// Scheme, host, port and path; `None` if they are not a valid URL.
    pub(super) server: Option<Url>,
    /// The secrets in the URL.
    pub(super) secrets: Vec<Secret>,
    /// The user in `user:password@host`.
    user: Option<String>,
    pairs: Vec<Pair>,
}

/// A name and value of the query.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) value: String,
    /// The value before decoding.
    pub(super) raw: String,
    /// Whether the pair is only a name, without `=`.
    name_only: bool,
}

impl TokenUrl {
    /// Parses a URL. Quotes around it are ignored.
    pub(super) fn parse(url: &str) -> TokenUrl {
        let url = url.trim().trim_matches(['\'', '"']);
        let url = url.split_once('#').map_or(url, |(url, _)| url);
        let (server, query) = url.split_once('?').unwrap_or((url, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, raw) = pair.split_once('=').unwrap_or((pair, ""));
            let name_only = !pair.contains('=');
            Pair {
                name: form_decode(name),
                value: form_decode(raw),
                raw: raw.to_owned(),
                name_only,
            }
        });
        let pairs: Vec<_> = pairs.collect();
        let (server, login) = split_login(server);
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let mut secrets = vec![Secret::new(password), Secret::new(form_decode(password))];
        for pair in pairs.iter().filter(|pair| pair.is_secret()) {
            secrets.extend([&pair.value, &pair.raw].into_iter().map(Secret::new));
        }
        let user = Some(form_decode(user)).filter(|user| !user.is_empty());
        TokenUrl { server: Url::parse(&server).ok(), secrets, user, pairs }
    }

    /// The user in `account`, or else the one in `user:password@host`.
    pub(super) fn user(&self) -> Option<&str> {
        self.value("account").or(self.user.as_deref())
    }

    /// The pairs with this name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().filter(move |pair| pair.name == name)
    }

    /// The first non-empty value with this name.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .filter(|pair| pair.name == name)
            .map(|pair| pair.value.as_str())
            .find(|value| !value.is_empty())
    }

    /// The names of all pairs.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|pair| pair.name.as_str())
    }

    /// The requested scopes.
    pub(super) fn scopes(&self) -> Vec<ScopeParts<'_>> {
        self.all("scope").flat_map(|pair| scopes(&pair.value)).collect()
    }

    /// The URL for display. Values that may be secret are replaced by `...`.
    pub(super) fn redacted(&self) -> String {
        let mut text = match &self.server {
            Some(server) => format!("{}{}", server.origin(), server.path()),
            None => "(not a URL)".to_owned(),
        };
        for (at, pair) in self.pairs.iter().enumerate() {
            let Pair { name, value, raw, name_only } = pair;
            text.push(if at == 0 { '?' } else { '&' });
            let value = match (pair.is_public(), name_only) {
                (_, true) => "",
                (true, _) if raw.contains('%') && !value.contains(['&', '#', '%']) => value,
                (true, _) => raw,
                (false, _) => "...",
            };
            text.push_str(if *name_only && !pair.is_public() { "..." } else { name });
            text.push_str(if *name_only { "" } else { "=" });
            text.push_str(value);
        }
        text
    }
}

/// The parameters of token requests. Their values are not secret.
const PUBLIC_PARAMS: [&str; 4] = ["service", "scope", "account", "client_id"];
/// A parameter whose name contains one of these has a secret value.
const SECRET_WORDS: [&str; 8] = ["pass", "pwd", "secret", "token", "key", "auth", "sig", "code"];

impl Pair {
    fn plain_name(&self) -> &str {
        self.name.strip_prefix("amp;").unwrap_or(&self.name)
    }

    fn is_public(&self) -> bool {
        PUBLIC_PARAMS.contains(&self.plain_name())
    }

    fn is_secret(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        !self.is_public() && SECRET_WORDS.iter().any(|word| name.contains(word))
    }
}

/// Splits `user:password` off the URL.
fn split_login(url: &str) -> (String, &str) {
    let split = || {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let (login, host) = authority.rsplit_once('@')?;
        Some((format!("{scheme}://{host}{path}"), login))
    };
    split().unwrap_or_else(|| (url.to_owned(), ""))
}

#[cfg(test)]
mod tests {
    use super::{TokenUrl, form_decode};

    #[test]
    fn urls_are_decoded_as_servers_decode_them() {
        let parsed = TokenUrl::parse(
            " https://auth.example/token?service=a+b&scope=repository%3Ax%2Fy%3Apull&scope=r:z:pull&amp;account=ada#x",
        );
        let server = parsed.server.as_ref().map(ToString::to_string);
        assert_eq!(server.as_deref(), Some("https://auth.example/token"));
        assert_eq!(parsed.value("service"), Some("a b"));
        let names: Vec<_> = parsed.scopes().iter().map(|scope| scope.name).collect();
        assert_eq!(names, ["x/y", "z"]);
        assert!(parsed.names().any(|name| name == "amp;account"));
    }

    #[test]
    fn secret_values_are_redacted() {
        let url = "https://u:secret1@auth.example/t?service=s&password=secret2&scope=repository%3Aa%3Apull&x=secret3";
        let redacted = TokenUrl::parse(url).redacted();
        assert!(!redacted.contains("secret"), "{redacted}");
        assert!(redacted.contains("service=s&password=...&scope=repository:a:pull"), "{redacted}");
    }

    #[test]
    fn invalid_percent_escapes_are_kept() {
        assert_eq!(form_decode("a%2Fb%zz%4"), "a/b%zz%4");
        assert_eq!(form_decode("%253A"), "%3A");
    }
}
