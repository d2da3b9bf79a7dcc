//! Parses the `http` and `https` URLs of registries: endpoints, realms and redirect targets.
//!
//! Follows RFC 3986, but stricter where leniency has caused vulnerabilities in other clients: user
//! information, ports outside 1 to 65535 and anything but visible ASCII are errors. This is not a
//! general URL library: fragments are dropped and other schemes are errors.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use crate::decimal;

/// The scheme of a URL. `Https` is greater, because it is safer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// HTTP without encryption.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// 80 or 443.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Scheme, host and port. Credentials for one origin are not sent to another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
}

impl Origin {
    /// Creates an origin, by default at the scheme's own port. The host is lower-cased.
    ///
    /// # Errors
    ///
    /// [`UrlError::Host`] if `host` is neither a host name, an IPv4 address nor an IPv6 address in
    /// brackets, [`UrlError::Port`] if `port` is 0.
    pub fn new(scheme: Scheme, host: &str, port: Option<u16>) -> Result<Self, UrlError> {
        check_host(host)?;
        match port {
            Some(0) => Err(UrlError::Port("0".to_owned())),
            _ => Ok(Self::of_valid_host(scheme, host, port.unwrap_or(scheme.default_port()))),
        }
    }

    /// Creates an origin from a host that a parser of this crate has accepted.
    pub(crate) fn of_valid_host(scheme: Scheme, host: &str, port: u16) -> Self {
        Self { scheme, host: host.to_ascii_lowercase(), port }
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host in lower case. An IPv6 address is in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; the scheme's default port if the URL has none.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `HOST`, or `HOST:PORT` if the port is not the scheme's default.
    #[must_use]
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

/// An absolute `http` or `https` URL. It is visible ASCII only, so it is safe in a request line.
///
/// `Display` writes the whole URL for requests; [`Url::redacted`] is the form for messages and logs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Url {
    origin: Origin,
    path: String,
    query: Option<String>,
}

impl Url {
    /// Creates a URL from an origin and a path that begins with `/`.
    ///
    /// # Errors
    ///
    /// [`UrlError`] if the path does not begin with `/` or has a character that is not allowed in it.
    pub fn at(origin: Origin, path: &str) -> Result<Self, UrlError> {
        if !path.starts_with('/') || path.contains(['?', '#']) {
            return Err(UrlError::Path);
        }
        check_characters(path)?;
        Ok(Self { origin, path: path.to_owned(), query: None })
    }

    /// Parses an absolute URL. A fragment is dropped.
    ///
    /// # Errors
    ///
    /// [`UrlError`] if the text is not an absolute `http` or `https` URL, or has user information or a
    /// port outside 1 to 65535.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let Some((scheme, rest)) = split_scheme(text) else { return Err(UrlError::NotAbsolute) };
        let Some(rest) = rest.strip_prefix("//") else { return Err(UrlError::NotAbsolute) };
        check_characters(text)?;
        Self::with_authority(parse_scheme(scheme)?, rest)
    }

    /// Resolves a URL reference, such as the value of `Location` or a realm, against this URL
    /// (RFC 3986 section 5.2).
    ///
    /// # Errors
    ///
    /// The same as [`Url::parse`].
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        if split_scheme(reference).is_some() {
            return Self::parse(reference);
        }
        check_characters(reference)?;
        if let Some(rest) = reference.strip_prefix("//") {
            return Self::with_authority(self.origin.scheme, rest);
        }
        let reference = without_fragment(reference);
        let (path, query) = split_query(reference);
        let (path, query) = if path.is_empty() {
            (self.path.clone(), query.or_else(|| self.query.clone()))
        } else if path.starts_with('/') {
            (remove_dot_segments(path), query)
        } else {
            let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            (remove_dot_segments(&format!("{folder}/{path}")), query)
        };
        Ok(Self { origin: self.origin.clone(), path, query })
    }

    /// Parses what follows `scheme://`.
    fn with_authority(scheme: Scheme, rest: &str) -> Result<Self, UrlError> {
        let rest = without_fragment(rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).ok_or(UrlError::Host)?;
        if authority.contains('@') {
            return Err(UrlError::UserInformation);
        }
        let (host, port) = split_port(authority)?;
        let origin = Origin::new(scheme, host, port)?;
        let (path, query) = split_query(rest);
        let path = if path.is_empty() { "/".to_owned() } else { remove_dot_segments(path) };
        Ok(Self { origin, path, query })
    }

    /// Appends `name=value` to the query. The value is percent-encoded, except for characters that keep
    /// scopes readable (`:`, `/`, `,`, `*`). The name must be a constant of the caller: it is not encoded.
    #[must_use]
    pub(crate) fn with_query(mut self, name: &str, value: &str) -> Self {
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
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.origin.scheme
    }

    /// The host in lower case. An IPv6 address is in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.origin.host
    }

    /// The path, beginning with `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query without its `?`, if any.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Returns the URL for messages and logs. Query values are replaced by `...`, because they may be
    /// secrets such as signatures; only the parameters of the registry protocol keep theirs.
    #[must_use]
    pub fn redacted(&self) -> String {
        let mut text = format!("{}{}", self.origin, self.path);
        let Some(query) = &self.query else { return text };
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) if PUBLIC_PARAMETERS.contains(&name) => pair.to_owned(),
            Some((name, _)) => format!("{name}=..."),
            None => "...".to_owned(),
        });
        text.push('?');
        text.push_str(&pairs.collect::<Vec<_>>().join("&"));
        text
    }
}

/// Query parameters whose values are never secret.
const PUBLIC_PARAMETERS: [&str; 5] = ["service", "scope", "n", "last", "ns"];

/// Characters of [`excerpt`].
const MAX_EXCERPT: usize = 400;

/// Shortens text that did not parse as a URL or name, for messages.
///
/// Hides the password in `user:password@host` and the query, which are often pasted by mistake and would
/// end up in logs. The digest after the `@` of a reference is kept.
pub(crate) fn excerpt(text: &str) -> String {
    let text = match text.split_once('?') {
        Some((before, _)) => format!("{before}?..."),
        None => text.to_owned(),
    };
    let text = without_password(&text).unwrap_or(text);
    match text.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// Replaces the password in `[scheme://]user:password@host`; `None` if there is none.
fn without_password(text: &str) -> Option<String> {
    let (before, host) = text.rsplit_once('@')?;
    if ["sha256:", "sha512:"].iter().any(|algorithm| host.starts_with(algorithm)) {
        return None;
    }
    let (scheme, user) = match before.split_once("://") {
        Some((scheme, user)) => (format!("{scheme}://"), user),
        None => (String::new(), before),
    };
    let (user, _password) = user.split_once(':')?;
    Some(format!("{scheme}{user}:...@{host}"))
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)?;
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

/// Why a text is not a URL that regq can use.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// The text does not begin with `scheme://`.
    NotAbsolute,
    /// The scheme is neither `http` nor `https`.
    Scheme(String),
    /// A user name or password comes before the host.
    UserInformation,
    /// The host is missing, too long or not a host name.
    Host,
    /// The port is not a number from 1 to 65535.
    Port(String),
    /// The path does not begin with `/`.
    Path,
    /// A character that is not allowed in a URL, at this byte: white space, a control character, not
    /// ASCII, or one of `"`, `<`, `>`, the backslash and the backtick.
    Character(usize),
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAbsolute => write!(f, "not an absolute URL"),
            Self::Scheme(scheme) => {
                write!(f, "the scheme {:?} is neither http nor https", excerpt(scheme))
            }
            Self::UserInformation => write!(f, "it has a user name before the host"),
            Self::Host => write!(f, "its host is missing or invalid"),
            Self::Port(port) => write!(f, "{:?} is not a port from 1 to 65535", excerpt(port)),
            Self::Path => write!(f, "its path is invalid"),
            Self::Character(at) => write!(f, "the character at byte {at} is not allowed in a URL"),
        }
    }
}

impl std::error::Error for UrlError {}

/// Parses a port strictly. HTTP libraries read an invalid port as none and so connect to another service.
fn parse_port(text: &str) -> Result<u16, UrlError> {
    decimal::parse(text).filter(|port| *port > 0).ok_or_else(|| UrlError::Port(text.to_owned()))
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
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let labels_ok = host.split('.').all(|label| !label.is_empty());
    // The longest name in DNS (RFC 1035 section 2.3.4); longer ones would only blow up messages.
    let length_ok = host.len() <= 253;
    if labels_ok && length_ok && host.bytes().all(allowed) { Ok(()) } else { Err(UrlError::Host) }
}

/// Splits a text at its first `:` if what precedes it has the syntax of a scheme (RFC 3986 section 3.1).
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    is_scheme.then_some((scheme, rest))
}

fn parse_scheme(name: &str) -> Result<Scheme, UrlError> {
    match name.to_ascii_lowercase().as_str() {
        "http" => Ok(Scheme::Http),
        "https" => Ok(Scheme::Https),
        _ => Err(UrlError::Scheme(name.to_owned())),
    }
}

fn check_characters(text: &str) -> Result<(), UrlError> {
    // RFC 3986 excludes `^{|}` too, but real servers send them, and they are harmless in a request line.
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

/// Removes `.` and `..` from a path that begins with `/` (RFC 3986 section 5.2.4).
fn remove_dot_segments(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_in_folder = false;
    for segment in path.split('/').skip(1) {
        ends_in_folder = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut text: String = segments.iter().flat_map(|segment| ["/", segment]).collect();
    if ends_in_folder || text.is_empty() {
        text.push('/');
    }
    text
}

/// Everything but the unreserved characters (RFC 3986 section 2.3) and those that a query may have and scopes use.
const ENCODED_IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'/')
    .remove(b',')
    .remove(b'*');

/// Percent-encodes a value for a query or a form.
pub(crate) fn percent_encode(value: &str) -> String {
    utf8_percent_encode(value, ENCODED_IN_QUERY).to_string()
}

/// Decodes a value of a query or form as servers do: percent-encoding, and `+` for a space. A `%` without
/// two hexadecimal digits is kept, and invalid UTF-8 becomes U+FFFD.
pub(crate) fn form_decode(value: &str) -> String {
    let spaced = value.replace('+', " ");
    percent_decode(spaced.as_bytes()).decode_utf8_lossy().into_owned()
}

/// Whether a host is `localhost` or a name under it, which mean this machine without DNS (RFC 6761 section 6.3).
pub(crate) fn is_localhost(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// Whether a host means this machine: `localhost` and names under it, 127.0.0.0/8 and `[::1]`.
pub(crate) fn is_loopback(host: &str) -> bool {
    is_localhost(host) || literal_address(host).is_some_and(|address| address.is_loopback())
}

/// The address of a host that is one: dotted IPv4, or IPv6 in brackets.
pub(crate) fn literal_address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(inside) => inside.parse::<Ipv6Addr>().ok().map(Into::into),
        None => host.parse::<Ipv4Addr>().ok().map(Into::into),
    }
}
