//! URLs as registries name them: endpoints, realms, redirect targets.
//!
//! Only what RFC 3986 gives to `http` and `https`, and stricter where leniency has cost others dearly: no
//! user information, no port outside 1 to 65535, nothing outside visible ASCII. This is not a general URL
//! library: there is no fragment (dropped when parsing) and no other scheme.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// `http` or `https`, in growing safety.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// The scheme's name in lower case, without `://`.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    /// 80 or 443.
    pub fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// Scheme, host and port: what decides whether a header may travel from one URL to another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
}

impl Origin {
    /// An origin from its parts. The host is lower-cased; an IPv6 address stands in brackets.
    pub fn new(scheme: Scheme, host: &str, port: Option<u16>) -> Origin {
        let port = port.unwrap_or(scheme.default_port());
        Origin { scheme, host: host.to_ascii_lowercase(), port }
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host in lower case, brackets kept for IPv6.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own where the URL has none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `HOST`, or `HOST:PORT` where the port is not the scheme's own.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority())
    }
}

/// An absolute `http` or `https` URL. Its text is visible ASCII only and safe to put in a request line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Url {
    origin: Origin,
    path: String,
    query: Option<String>,
}

impl Url {
    /// A URL from an origin and a path that begins with `/`.
    ///
    /// # Errors
    /// When the path does not begin with `/` or has a character that a path may not have.
    pub fn at(origin: Origin, path: &str) -> Result<Url, UrlError> {
        if !path.starts_with('/') || path.contains(['?', '#']) {
            return Err(UrlError::Path);
        }
        visible(path)?;
        Ok(Url { origin, path: path.to_owned(), query: None })
    }

    /// Reads an absolute URL. A fragment is dropped.
    ///
    /// # Errors
    /// Everything that is not an absolute `http` or `https` URL, has user information, or has a port that is
    /// no number from 1 to 65535.
    pub fn parse(text: &str) -> Result<Url, UrlError> {
        let Some((scheme, rest)) = split_scheme(text) else { return Err(UrlError::NotAbsolute) };
        let Some(rest) = rest.strip_prefix("//") else { return Err(UrlError::NotAbsolute) };
        visible(text)?;
        Url::with_authority(scheme_named(scheme)?, rest)
    }

    /// Reads a URL reference as it stands in `Location` or in a realm, against the URL it came from.
    ///
    /// # Errors
    /// As [`Url::parse`].
    pub fn join(&self, reference: &str) -> Result<Url, UrlError> {
        if split_scheme(reference).is_some() {
            return Url::parse(reference);
        }
        visible(reference)?;
        if let Some(rest) = reference.strip_prefix("//") {
            return Url::with_authority(self.origin.scheme, rest);
        }
        let reference = without_fragment(reference);
        let (path, query) = split_query(reference);
        let (path, query) = if path.is_empty() {
            (self.path.clone(), query.or_else(|| self.query.clone()))
        } else if path.starts_with('/') {
            (without_dots(path), query)
        } else {
            let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            (without_dots(&format!("{folder}/{path}")), query)
        };
        Ok(Url { origin: self.origin.clone(), path, query })
    }

    fn with_authority(scheme: Scheme, rest: &str) -> Result<Url, UrlError> {
        let rest = without_fragment(rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).ok_or(UrlError::Host)?;
        if authority.contains('@') {
            return Err(UrlError::UserInformation);
        }
        let (host, port) = split_port(authority)?;
        check_host(host)?;
        let (path, query) = split_query(rest);
        let path = if path.is_empty() { "/".to_owned() } else { without_dots(path) };
        Ok(Url { origin: Origin::new(scheme, host, port), path, query })
    }

    /// The URL with one more `name=value` pair in its query. The name is taken as it is, the value is
    /// percent-encoded but for the characters that make scopes readable (`:`, `/`, `,`).
    #[must_use]
    pub fn with_query(mut self, name: &str, value: &str) -> Url {
        let query = self.query.get_or_insert_default();
        if !query.is_empty() && !query.ends_with('&') {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        query.push_str(&percent_encode(value));
        self
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.origin.scheme
    }

    /// The host in lower case, brackets kept for IPv6.
    pub fn host(&self) -> &str {
        &self.origin.host
    }

    /// The path, beginning with `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query without its `?`.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The URL for people and logs: query values that may be secrets (signatures above all) are replaced
    /// by `...`; only the names that the protocol itself uses keep theirs.
    pub fn redacted(&self) -> String {
        let mut text = format!("{}{}", self.origin, self.path);
        let Some(query) = &self.query else { return text };
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) if SHOWN_QUERY_NAMES.contains(&name) => pair.to_owned(),
            Some((name, _)) => format!("{name}=..."),
            None => "...".to_owned(),
        });
        text.push('?');
        text.push_str(&pairs.collect::<Vec<_>>().join("&"));
        text
    }
}

/// A text that should have been a URL or a name, for messages: without the password in `user:password@host` and
/// without a query, since both end up in logs, and cut where it is very long. What stands behind the `@` of an
/// image's name is a digest and stays.
pub(crate) fn shown(text: &str) -> String {
    let text = match text.split_once('?') {
        Some((before, _)) => format!("{before}?..."),
        None => text.to_owned(),
    };
    let text = match text.rsplit_once('@') {
        Some((before, host)) if !["sha256:", "sha512:"].iter().any(|d| host.starts_with(d)) => {
            let (scheme, rest) = match before.split_once("://") {
                Some((scheme, rest)) => (format!("{scheme}://"), rest),
                None => (String::new(), before),
            };
            match rest.split_once(':') {
                Some((user, _)) => format!("{scheme}{user}:...@{host}"),
                None => text,
            }
        }
        Some(_) | None => text,
    };
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// How many characters of a text that was refused are shown.
const MOST_SHOWN: usize = 400;

/// Query names whose values are part of the question and never a secret.
const SHOWN_QUERY_NAMES: [&str; 5] = ["service", "scope", "n", "last", "ns"];

/// The whole URL, as it goes into a request. Use [`Url::redacted`] for people.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)?;
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

/// Why a text is not a URL that regq would ask.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// There is no `scheme://` in front and nothing to resolve it against.
    NotAbsolute,
    /// A scheme other than `http` and `https`.
    Scheme(String),
    /// `user:password@` in front of the host.
    UserInformation,
    /// The host is missing or has characters that no host name has.
    Host,
    /// The port is not a number from 1 to 65535.
    Port(String),
    /// The path does not begin with `/`.
    Path,
    /// A blank, a control character, something outside ASCII, or one of `"<>\`` and the backslash, at this byte.
    Character(usize),
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UrlError::NotAbsolute => write!(f, "not an absolute URL"),
            UrlError::Scheme(scheme) => {
                let scheme = shown(scheme);
                write!(f, "the scheme {scheme:?} is neither http nor https")
            }
            UrlError::UserInformation => write!(f, "it has a user name in front of the host"),
            UrlError::Host => write!(f, "its host is missing or not a host name"),
            UrlError::Port(port) => write!(f, "{:?} is not a port from 1 to 65535", shown(port)),
            UrlError::Path => write!(f, "its path is not a path"),
            UrlError::Character(at) => write!(f, "byte {at} cannot stand in a URL"),
        }
    }
}

impl std::error::Error for UrlError {}

/// A port as text: digits only, 1 to 65535. HTTP libraries read others as "no port" and so ask another
/// service than the one that was named.
fn parse_port(text: &str) -> Result<u16, UrlError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(port) if digits && port > 0 => Ok(port),
        Ok(_) | Err(_) => Err(UrlError::Port(text.to_owned())),
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), UrlError> {
    if authority.starts_with('[') {
        let Some((inside, after)) = authority.split_once(']') else { return Err(UrlError::Host) };
        let host = authority.get(..inside.len() + 1).ok_or(UrlError::Host)?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(parse_port(port)?))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(UrlError::Host),
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Ok((host, Some(parse_port(port)?))),
        None => Ok((authority, None)),
    }
}

fn check_host(host: &str) -> Result<(), UrlError> {
    if let Some(address) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().map(|_| ()).map_err(|_| UrlError::Host);
    }
    let name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let labels = host.split('.').all(|label| !label.is_empty());
    // No name in DNS is longer (RFC 1035 section 2.3.4), and every message names its host.
    let short = host.len() <= 253;
    if labels && short && host.bytes().all(name) { Ok(()) } else { Err(UrlError::Host) }
}

/// The text before a `:` where it is shaped like a scheme (RFC 3986 section 3.1).
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let shaped = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    shaped.then_some((scheme, rest))
}

fn scheme_named(name: &str) -> Result<Scheme, UrlError> {
    match name.to_ascii_lowercase().as_str() {
        "http" => Ok(Scheme::Http),
        "https" => Ok(Scheme::Https),
        _ => Err(UrlError::Scheme(name.to_owned())),
    }
}

fn visible(text: &str) -> Result<(), UrlError> {
    // `^{|}` are no URL characters either, but harmless in a request line and sent by real servers.
    match text.bytes().position(|b| !b.is_ascii_graphic() || b"\"<>\\`".contains(&b)) {
        Some(at) => Err(UrlError::Character(at)),
        None => Ok(()),
    }
}

fn without_fragment(text: &str) -> &str {
    text.split_once('#').map_or(text, |(before, _)| before)
}

fn split_query(text: &str) -> (&str, Option<String>) {
    match text.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (text, None),
    }
}

/// RFC 3986 section 5.2.4, for a path that begins with `/`.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut folder = false;
    for part in path.split('/').skip(1) {
        folder = matches!(part, "." | "..");
        match part {
            "." => {}
            ".." => {
                kept.pop();
            }
            part => kept.push(part),
        }
    }
    let mut text: String = kept.iter().flat_map(|part| ["/", part]).collect();
    if folder || text.is_empty() {
        text.push('/');
    }
    text
}

/// Percent-encodes all but unreserved characters and those that a query may hold and scopes use.
pub(crate) fn percent_encode(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~:/,*".contains(&byte);
        if plain { text.push(char::from(byte)) } else { text.push_str(&format!("%{byte:02X}")) }
    }
    text
}

/// True for `localhost` and every name under it, which are this machine without asking anybody (RFC 6761 section
/// 6.3).
pub(crate) fn is_localhost(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// True when the host alone says that it is this machine: such a name, an address in 127.0.0.0/8, or `[::1]`.
pub(crate) fn is_loopback(host: &str) -> bool {
    is_localhost(host) || literal_address(host).is_some_and(|address| address.is_loopback())
}

/// The address that a host is, when it is a literal one: dotted IPv4, or IPv6 in brackets.
pub(crate) fn literal_address(host: &str) -> Option<std::net::IpAddr> {
    match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(inside) => inside.parse::<Ipv6Addr>().ok().map(Into::into),
        None => host.parse::<Ipv4Addr>().ok().map(Into::into),
    }
}
