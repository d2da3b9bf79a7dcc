//! The pieces of somebody's own attempt, as they hand them over.
//!
//! They come out of terminals, logs and issue reports, so what stands around them is taken off: a header's name,
//! the word `Bearer`, the JSON in which a token server wraps a token. What is not given is unknown, never absent.

use crate::credentials::Secret;
use crate::dates;
use crate::explain::token_url::Asked;
use crate::token::TokenResponse;

/// What somebody asked, got and was answered. `None` is unknown.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Given {
    /// The URL that the token server was asked.
    pub token_url: Option<String>,
    /// What it answered: the token, or the whole JSON body.
    pub token: Option<Secret>,
    /// The `WWW-Authenticate` field lines of the registry's answer, with or without the header's name. An empty
    /// line is none; a list without lines says that the answer carried none.
    pub challenges: Option<Vec<String>>,
    /// The status of the registry's final answer.
    pub status: Option<u16>,
    /// Its body.
    pub body: Option<Vec<u8>>,
    /// Its `Date`, in seconds since 1970.
    pub date: Option<i64>,
}

/// What a token server answered.
#[derive(Debug, Default)]
pub(super) struct TokenAnswer {
    /// False where the answer is not JSON.
    pub(super) json: bool,
    /// The token that is used.
    pub(super) token: Option<Secret>,
    /// Whatever else is in it that may not be shown.
    others: Vec<Secret>,
    /// True when `token` and `access_token` are two different ones.
    pub(super) ambiguous: bool,
    /// Its life, in seconds.
    pub(super) expires_in: Option<i64>,
    /// When it was made, in seconds since 1970.
    pub(super) issued_at: Option<i64>,
}

impl Given {
    /// True when nothing is given.
    pub fn is_empty(&self) -> bool {
        let Given { token_url, token, challenges, status, body, date } = self;
        let said = token_url.is_some() || token.is_some() || challenges.is_some();
        !said && status.is_none() && body.is_none() && date.is_none()
    }

    pub(super) fn asked(&self) -> Option<Asked> {
        self.token_url.as_deref().map(Asked::read)
    }

    /// The field lines, without the header's name. Empty ones stay between others: errors say which line they are
    /// in, and at which byte of what was given. When all are empty there is none.
    pub(super) fn lines(&self) -> Option<Vec<Vec<u8>>> {
        let lines = self.challenges.as_ref()?.iter();
        let lines = lines.map(|line| {
            let text = line.trim_start();
            // As curl shows what it gets.
            let text = text.strip_prefix('<').map_or(text, str::trim_start);
            match without(text, "www-authenticate:") {
                value if value.len() < text.len() => value.trim_start_matches([' ', '\t']),
                _ => line.as_str(),
            }
        });
        // What comes out of a terminal or a log has line ends, which are no part of a value.
        let lines: Vec<_> =
            lines.map(|line| line.trim_end_matches(['\r', '\n']).as_bytes().to_vec()).collect();
        let none = lines.iter().all(|line| line.trim_ascii().is_empty());
        Some(if none { Vec::new() } else { lines })
    }

    pub(super) fn token_answer(&self) -> Option<TokenAnswer> {
        let text = self.token.as_ref()?.expose().trim();
        if text.starts_with(['{', '<']) {
            return Some(TokenAnswer::read(text.as_bytes()));
        }
        let text = without(text, "authorization:").trim_start();
        // With nothing behind it, as in `"Bearer $T"` where T is empty, the word is no token.
        let text = match without(text, "bearer") {
            rest if rest.is_empty() || rest.starts_with([' ', '\t']) => rest.trim_start(),
            _ => text,
        };
        let token = Some(text).filter(|text| !text.is_empty()).map(Secret::new);
        Some(TokenAnswer { json: true, token, ..TokenAnswer::default() })
    }

    /// What of it may not be shown.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let answer = self.token_answer().map(|answer| answer.secrets()).unwrap_or_default();
        let asked = self.asked().map(|asked| asked.secrets).unwrap_or_default();
        let word = |text: &&str| text.trim().eq_ignore_ascii_case("bearer");
        let token = self.token.iter().flat_map(|token| {
            let text = token.expose();
            [text].into_iter().chain(pasted(text)).filter(|text| !word(text)).map(Secret::new)
        });
        token.chain(answer).chain(asked).collect()
    }
}

/// Reads a `Date` header, with or without its name, as seconds since 1970; RFC 3339 will do too.
pub fn read_date(text: &str) -> Option<i64> {
    let text = without(text.trim(), "date:").trim();
    let http = dates::parse_http(text).and_then(|date| i64::try_from(date).ok());
    http.or_else(|| dates::parse_rfc3339(text))
}

/// So many pieces of what was pasted in place of a token are looked for.
const MOST_PIECES: usize = 64;

/// What may be a token in a text that is more than that: people paste it with its quotes, as a whole header, or in
/// half of an answer. Words of sentences are none: explanations need them.
fn pasted(text: &str) -> impl Iterator<Item = &str> {
    let quotes = ['"', '\''];
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).flat_map(move |line| {
        let value = without(line.trim_matches(quotes), "authorization:").trim_start();
        let value = ["bearer ", "basic "].into_iter().fold(value, without);
        // As shells assign it.
        let assigned = line.split_once('=').map(|(_, value)| value);
        [Some(value), assigned]
            .into_iter()
            .flatten()
            .map(move |text| text.trim().trim_matches(quotes))
    });
    let mut before = ["", ""];
    let members = text.split(quotes).filter(move |piece| {
        let [name, sign] = before;
        before = [sign, piece];
        name.contains("token") && sign.trim_matches([' ', '\\']) == ":"
    });
    lines.take(MOST_PIECES).chain(members.take(MOST_PIECES))
}

/// The text without a word at its beginning, in any case.
fn without<'a>(text: &'a str, word: &str) -> &'a str {
    match text.split_at_checked(word.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(word) => rest,
        Some(_) | None => text,
    }
}

impl TokenAnswer {
    /// Reads a token server's body.
    pub(super) fn read(body: &[u8]) -> TokenAnswer {
        let Some(response) = TokenResponse::read(body) else { return TokenAnswer::default() };
        let TokenResponse { token, tokens, ambiguous, expires_in, issued_at } = response;
        TokenAnswer { json: true, token, others: tokens, ambiguous, expires_in, issued_at }
    }

    /// What of it may not be shown.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        self.others.iter().chain(&self.token).cloned().collect()
    }
}
