//! Reads the data that a user supplies about a login attempt: a token URL, a token, challenges, the final response.
//!
//! Such data is copied from terminals, logs and issue reports, so a header name, the word `Bearer` or a whole JSON
//! response around a value is accepted. Missing data is unknown, not absent.

use crate::credentials::Secret;
use crate::dates;
use crate::explain::token_url::TokenUrl;
use crate::token::TokenResponse;

/// Data about a user's own login attempt. `None` means unknown.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Given {
    /// The URL of the token request.
    pub token_url: Option<String>,
    /// The token, or the whole JSON response of the token server.
    pub token: Option<Secret>,
    /// The `WWW-Authenticate` field lines of the registry's response, with or without the header name. If all lines
    /// are empty, or the list is, the response had no such header.
    pub challenges: Option<Vec<String>>,
    /// The status of the registry's final response.
    pub status: Option<u16>,
    /// Its body.
    pub body: Option<Vec<u8>>,
    /// Its `Date`, in seconds since 1970.
    pub date: Option<i64>,
}

/// The body of a token server's response.
#[derive(Debug, Default)]
pub(super) struct TokenBody {
    /// Whether the body is JSON.
    pub(super) json: bool,
    /// The token that clients use.
    pub(super) token: Option<Secret>,
    /// All tokens in the body.
    all_tokens: Vec<Secret>,
    /// Whether `token` and `access_token` differ.
    pub(super) ambiguous: bool,
    /// The token's lifetime in seconds.
    pub(super) expires_in: Option<i64>,
    /// When the token was issued, in seconds since 1970.
    pub(super) issued_at: Option<i64>,
}

impl Given {
    /// Whether no data is supplied.
    pub fn is_empty(&self) -> bool {
        let Given { token_url, token, challenges, status, body, date } = self;
        let login = token_url.is_some() || token.is_some() || challenges.is_some();
        !login && status.is_none() && body.is_none() && date.is_none()
    }

    pub(super) fn parsed_token_url(&self) -> Option<TokenUrl> {
        self.token_url.as_deref().map(TokenUrl::parse)
    }

    /// The field lines without the header name. Empty lines among others are kept, because errors report line numbers
    /// and byte positions. Returns no lines if all are empty.
    pub(super) fn lines(&self) -> Option<Vec<Vec<u8>>> {
        let lines = self.challenges.as_ref()?.iter();
        let lines = lines.map(|line| {
            let text = line.trim_start();
            // curl -v prefixes response headers with `<`.
            let text = text.strip_prefix('<').map_or(text, str::trim_start);
            match strip_word(text, "www-authenticate:") {
                value if value.len() < text.len() => value.trim_start_matches([' ', '\t']),
                _ => line.as_str(),
            }
        });
        // Copied lines may end in line breaks, which are not part of the value.
        let lines: Vec<_> =
            lines.map(|line| line.trim_end_matches(['\r', '\n']).as_bytes().to_vec()).collect();
        let empty = lines.iter().all(|line| line.trim_ascii().is_empty());
        Some(if empty { Vec::new() } else { lines })
    }

    pub(super) fn token_body(&self) -> Option<TokenBody> {
        let text = self.token.as_ref()?.expose().trim();
        if text.starts_with(['{', '<']) {
            return Some(TokenBody::read(text.as_bytes()));
        }
        let text = strip_word(text, "authorization:").trim_start();
        // `Bearer` alone, as from `"Bearer $T"` with an empty T, is not a token.
        let text = match strip_word(text, "bearer") {
            rest if rest.is_empty() || rest.starts_with([' ', '\t']) => rest.trim_start(),
            _ => text,
        };
        let token = Some(text).filter(|text| !text.is_empty()).map(Secret::new);
        Some(TokenBody { json: true, token, ..TokenBody::default() })
    }

    /// All secrets in the data.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let body = self.token_body().map(|body| body.secrets()).unwrap_or_default();
        let url = self.parsed_token_url().map(|url| url.secrets).unwrap_or_default();
        let scheme = |text: &&str| text.trim().eq_ignore_ascii_case("bearer");
        let token = self.token.iter().flat_map(|token| {
            let text = token.expose();
            [text]
                .into_iter()
                .chain(token_candidates(text))
                .filter(|text| !scheme(text))
                .map(Secret::new)
        });
        token.chain(body).chain(url).collect()
    }
}

/// Parses a date for [`Given::date`]: a `Date` header with or without its name, or RFC 3339. Returns seconds since
/// 1970.
pub fn parse_date(text: &str) -> Option<i64> {
    let text = strip_word(text.trim(), "date:").trim();
    let http = dates::parse_http(text).and_then(|date| i64::try_from(date).ok());
    http.or_else(|| dates::parse_rfc3339(text))
}

/// The number of lines and of quoted values that are searched for tokens.
const MAX_CANDIDATES: usize = 64;

/// Finds parts of a pasted text that may be the token: it may be quoted, in a whole header, in a shell assignment, or
/// in an incomplete response. Single words of prose are skipped: redacting them would make explanations unreadable.
fn token_candidates(text: &str) -> impl Iterator<Item = &str> {
    let quotes = ['"', '\''];
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).flat_map(move |line| {
        let value = strip_word(line.trim_matches(quotes), "authorization:").trim_start();
        let value = ["bearer ", "basic "].into_iter().fold(value, strip_word);
        // A shell assignment.
        let assigned = line.split_once('=').map(|(_, value)| value);
        [Some(value), assigned]
            .into_iter()
            .flatten()
            .map(move |text| text.trim().trim_matches(quotes))
    });
    let mut before = ["", ""];
    let members = text.split(quotes).filter(move |piece| {
        let [name, separator] = before;
        before = [separator, piece];
        name.contains("token") && separator.trim_matches([' ', '\\']) == ":"
    });
    lines.take(MAX_CANDIDATES).chain(members.take(MAX_CANDIDATES))
}

/// Removes a word from the beginning of a text, ignoring case.
fn strip_word<'a>(text: &'a str, word: &str) -> &'a str {
    match text.split_at_checked(word.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(word) => rest,
        Some(_) | None => text,
    }
}

impl TokenBody {
    /// Reads the body of a token server's response.
    pub(super) fn read(body: &[u8]) -> TokenBody {
        let Some(response) = TokenResponse::read(body) else { return TokenBody::default() };
        let TokenResponse { token, tokens: all_tokens, ambiguous, expires_in, issued_at } =
            response;
        TokenBody { json: true, token, all_tokens, ambiguous, expires_in, issued_at }
    }

    /// All tokens in the body.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        self.all_tokens.iter().chain(&self.token).cloned().collect()
    }
}
