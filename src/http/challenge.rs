//! The `WWW-Authenticate` parser: field lines in, challenges and errors with their places out.
//!
//! It works on bytes, in one pass from left to right, and follows RFC 9110, sections 11.2, 11.3,
//! 11.6.1 (challenges), 5.6.1.2 (lists, as a recipient reads them) and 5.6.4 (quoted strings). It does
//! not judge what it reads: whether a realm is a URL and may be asked is the caller's policy.
//!
//! ```text
//! WWW-Authenticate = #challenge
//! challenge        = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
//! auth-scheme      = token
//! auth-param       = token BWS "=" BWS ( token / quoted-string )
//! token68          = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
//! quoted-string    = DQUOTE *( qdtext / quoted-pair ) DQUOTE
//! quoted-pair      = "\" ( HTAB / SP / VCHAR / obs-text )
//! #element         = [ element ] *( OWS "," OWS [ element ] )
//! OWS = BWS        = *( SP / HTAB )
//! ```
//!
//! The comma is ambiguous: a token after it is a parameter's name when `=` follows, else a new scheme.
//!
//! Servers and proxies in the field write more than that. Accepted as well:
//! - L1: tabs after the scheme.
//! - L2: a parameter after a comma belongs to the last challenge even if that had none and no space.
//! - L3: an unquoted value holds any visible byte up to comma, space or tab, but no `"` and no `\`.
//! - L4: the comma between two parameters may be missing.
//! - L5: an unquoted value may be empty, except where the RFC reads `name=` after a scheme as token68.
//! - L6: bytes from 0x80 stand in quoted strings; what is not UTF-8 becomes U+FFFD.
//!
//! Stricter than most: control bytes are an error inside quotes too, and so is a name that comes twice
//! in one challenge with two values (a reader that takes the last one can be led to another realm).

use std::fmt;

/// Challenges in one answer; the next one is [`ChallengeErrorCode::TooMany`]. Dropped ones count.
pub const MAX_CHALLENGES: usize = 16;

/// Parameters in one challenge, repeated ones included; the next one is [`ChallengeErrorCode::TooMany`].
pub const MAX_PARAMS: usize = 32;

/// One way to log in that the server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    scheme: String,
    params: Vec<(String, String)>,
    token68: Option<String>,
}

impl Challenge {
    /// The scheme in lower case: `bearer`, `basic`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The value of the parameter called `name` in any case, without quotes and backslashes.
    pub fn param(&self, name: &str) -> Option<&str> {
        let same = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.params.iter().find(same).map(|(_, value)| value.as_str())
    }

    /// Lower-case names and values in the order in which they came, each name once.
    pub fn params(&self) -> &[(String, String)] {
        &self.params
    }

    /// The opaque value that some schemes carry in place of parameters, its padding included.
    pub fn token68(&self) -> Option<&str> {
        self.token68.as_deref()
    }
}

/// What was wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeError {
    /// What was wrong.
    pub code: ChallengeErrorCode,
    /// The field line, counted from 1.
    pub line: usize,
    /// The byte within that line's value, counted from 0. It is the opening quote for
    /// `unterminated-quote`, the name for `duplicate-param`, the name or scheme for `too-many`, else the
    /// first byte that does not fit. It is the value's length when something is missing at its end.
    pub at: usize,
}

impl fmt::Display for ChallengeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, byte {}: {}", self.line, self.at, self.code)
    }
}

impl std::error::Error for ChallengeError {}

/// The kinds of damage. `Display` gives the short names that scripts see.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChallengeErrorCode {
    /// A quoted string without its closing quote.
    UnterminatedQuote,
    /// Something after a parameter that is neither a comma nor another parameter.
    ExpectedComma,
    /// Something after a scheme that is neither token68 nor a parameter.
    ExpectedParam,
    /// A byte that cannot stand in a scheme, a name or an unquoted value.
    BadChar,
    /// A control byte other than the tab.
    ControlChar,
    /// A parameter that belongs to no challenge, or to one that has a token68.
    ParamWithoutScheme,
    /// The parameter of this name, in lower case, came twice with two values.
    DuplicateParam(String),
    /// More than [`MAX_CHALLENGES`] or [`MAX_PARAMS`].
    TooMany,
}

impl fmt::Display for ChallengeErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::UnterminatedQuote => "unterminated-quote",
            Self::ExpectedComma => "expected-comma",
            Self::ExpectedParam => "expected-param",
            Self::BadChar => "bad-char",
            Self::ControlChar => "control-char",
            Self::ParamWithoutScheme => "param-without-scheme",
            Self::DuplicateParam(name) => return write!(f, "duplicate-param:{name}"),
            Self::TooMany => "too-many",
        };
        f.write_str(name)
    }
}

/// Parses the values of all `WWW-Authenticate` field lines of one answer, in their order.
///
/// The lines are read together, as if a comma joined them (RFC 9110, section 5.3): a parameter on a line
/// of its own continues the last challenge. Each challenge and each error is one element, in order.
///
/// A duplicate name with another value drops its challenge, and parsing goes on at the next scheme. Every
/// other error drops the rest of its line and the challenge that was in progress on it, also one from an
/// earlier line that a parameter of this line continues. Later lines are still parsed, but a parameter
/// at their start then has no challenge to continue.
///
/// ```
/// use regq::http::challenge::{ChallengeErrorCode, parse};
///
/// let line = br#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io""#;
/// let read = parse([&line[..]]);
/// let [Ok(challenge)] = read.as_slice() else { panic!("{read:?}") };
/// assert_eq!(challenge.scheme(), "bearer");
/// assert_eq!(challenge.param("service"), Some("registry.docker.io"));
/// assert_eq!(challenge.param("scope"), None);
///
/// // What cannot be read is an error with its place, and the other lines count all the same.
/// let read = parse([&br#"Bearer realm="https:"#[..], b"Basic realm=x"]);
/// let [Err(error), Ok(basic)] = read.as_slice() else { panic!("{read:?}") };
/// assert_eq!((&error.code, error.line, error.at), (&ChallengeErrorCode::UnterminatedQuote, 1, 13));
/// assert_eq!(basic.scheme(), "basic");
/// ```
pub fn parse<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Result<Challenge, ChallengeError>> {
    let mut parser = Parser { done: Vec::new(), open: Open::Nothing, line: 0, begun: 0 };
    for line in lines {
        parser.line += 1;
        if let Err(fault) = parser.field_line(&mut Cursor { rest: line, at: 0 }) {
            parser.abandon_line(fault);
        }
    }
    parser.close();
    parser.done
}

/// An error on its way up, before the line is known.
struct Fault {
    code: ChallengeErrorCode,
    at: usize,
}

/// A challenge that may still get parameters.
struct Draft {
    scheme: String,
    /// Values as bytes: two that differ only in bytes that are not UTF-8 are still two.
    params: Vec<(String, Vec<u8>)>,
    /// Parameters read, repeated ones included.
    count: usize,
    /// The last line that had a part of it.
    line: usize,
}

/// What a parameter that comes next would belong to.
enum Open {
    Nothing,
    Draft(Draft),
    /// A challenge dropped for a duplicate: its further parameters are read and forgotten.
    Dropped,
}

struct Parser {
    done: Vec<Result<Challenge, ChallengeError>>,
    open: Open,
    /// The line being read, from 1.
    line: usize,
    /// Challenges whose scheme was read, dropped ones included.
    begun: usize,
}

impl Parser {
    /// `#challenge`, where an element is a scheme with what stands before the next comma, or a
    /// further parameter of the challenge before it.
    fn field_line(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        loop {
            cursor.skip_while(|byte| byte == b',' || is_space(byte));
            if cursor.peek().is_none() {
                return Ok(());
            }
            self.element(cursor)?;
        }
    }

    /// One element; leaves the cursor at the end or at a comma.
    fn element(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let at = cursor.at;
        let word = cursor.token();
        if word.is_empty() {
            return Err(cursor.misfit(ChallengeErrorCode::BadChar));
        }
        let spaces = cursor.spaces();
        match cursor.peek() {
            Some(b'=') => self.params(Name { word, at }, cursor),
            None | Some(b',') => self.begin(word, at),
            Some(_) if spaces > 0 => {
                self.begin(word, at)?;
                self.first(cursor)
            }
            Some(_) => Err(cursor.misfit(ChallengeErrorCode::BadChar)),
        }
    }

    /// A scheme was read: the challenge before it is complete.
    fn begin(&mut self, scheme: &[u8], at: usize) -> Result<(), Fault> {
        self.close();
        if self.begun == MAX_CHALLENGES {
            return Err(Fault { code: ChallengeErrorCode::TooMany, at });
        }
        self.begun += 1;
        let (scheme, line) = (lower(scheme), self.line);
        self.open = Open::Draft(Draft { scheme, params: Vec::new(), count: 0, line });
        Ok(())
    }

    /// What follows a scheme and its spaces, where a byte is left that is no comma: token68 or the first
    /// parameter.
    fn first(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let start = *cursor;
        let token68 = cursor.token68();
        cursor.spaces();
        if matches!(cursor.peek(), None | Some(b',')) {
            self.finish_with(token68);
            return Ok(());
        }
        let furthest = *cursor;
        *cursor = start;
        match cursor.name() {
            Some(name) => self.params(name, cursor),
            None => {
                // The place to show is where the last of both readings failed.
                let stop = if furthest.at > cursor.at { furthest } else { *cursor };
                Err(stop.misfit(ChallengeErrorCode::ExpectedParam))
            }
        }
    }

    /// A parameter and, since its comma may be missing (L4), those right after it.
    fn params(&mut self, first: Name<'_>, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let mut name = first;
        loop {
            self.param(&name, cursor)?;
            cursor.spaces();
            if matches!(cursor.peek(), None | Some(b',')) {
                return Ok(());
            }
            let after = *cursor;
            name = cursor.name().ok_or_else(|| after.misfit(ChallengeErrorCode::ExpectedComma))?;
        }
    }

    /// One parameter, from its `=` on.
    fn param(&mut self, name: &Name<'_>, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        match &mut self.open {
            Open::Nothing => return Err(cursor.misfit(ChallengeErrorCode::ParamWithoutScheme)),
            Open::Dropped => {}
            Open::Draft(draft) => {
                draft.line = self.line;
                draft.count += 1;
                if draft.count > MAX_PARAMS {
                    return Err(Fault { code: ChallengeErrorCode::TooMany, at: name.at });
                }
            }
        }
        cursor.bump();
        let value = cursor.value()?;
        self.add(name, value);
        Ok(())
    }

    /// Gives a parameter to the challenge in progress.
    fn add(&mut self, name: &Name<'_>, value: Vec<u8>) {
        let Open::Draft(draft) = &mut self.open else { return };
        let key = lower(name.word);
        match draft.params.iter().find(|(known, _)| *known == key) {
            None => draft.params.push((key, value)),
            Some((_, known)) if *known == value => {}
            Some(_) => {
                let (code, line) = (ChallengeErrorCode::DuplicateParam(key), self.line);
                self.done.push(Err(ChallengeError { code, line, at: name.at }));
                self.open = Open::Dropped;
            }
        }
    }

    /// The challenge in progress has a token68, so it is complete.
    fn finish_with(&mut self, token68: &[u8]) {
        if let Open::Draft(draft) = std::mem::replace(&mut self.open, Open::Nothing) {
            self.done.push(Ok(Challenge { token68: Some(lossy(token68)), ..draft.into() }));
        }
    }

    /// The challenge in progress is complete.
    fn close(&mut self) {
        if let Open::Draft(draft) = std::mem::replace(&mut self.open, Open::Nothing) {
            self.done.push(Ok(draft.into()));
        }
    }

    /// Drops the challenge that this line has a part of; one that an earlier line left stays.
    fn abandon_line(&mut self, fault: Fault) {
        if matches!(&self.open, Open::Draft(draft) if draft.line == self.line) {
            self.open = Open::Nothing;
        }
        self.close();
        self.done.push(Err(ChallengeError { code: fault.code, line: self.line, at: fault.at }));
    }
}

impl From<Draft> for Challenge {
    fn from(draft: Draft) -> Self {
        let params = draft.params.into_iter().map(|(name, value)| (name, lossy(&value))).collect();
        Self { scheme: draft.scheme, params, token68: None }
    }
}

/// A parameter's name and the byte where it starts.
struct Name<'a> {
    word: &'a [u8],
    at: usize,
}

/// The unread part of a line.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn bump(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        self.at += 1;
        Some(*first)
    }

    /// Takes the bytes up to the first that is not `wanted`.
    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().take_while(|byte| wanted(**byte)).count();
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        self.at += length;
        taken
    }

    /// OWS and BWS; gives their number.
    fn spaces(&mut self) -> usize {
        self.skip_while(is_space).len()
    }

    /// `token`, or nothing.
    fn token(&mut self) -> &'a [u8] {
        self.skip_while(is_token)
    }

    /// `token68`, or nothing.
    fn token68(&mut self) -> &'a [u8] {
        let whole = self.rest;
        let letters = self.skip_while(is_token68).len();
        let padding = if letters == 0 { 0 } else { self.skip_while(|byte| byte == b'=').len() };
        whole.get(..letters + padding).unwrap_or_default()
    }

    /// `token BWS` before a `=`, which is left to read; `None` leaves the cursor where one failed.
    fn name(&mut self) -> Option<Name<'a>> {
        let at = self.at;
        let word = self.token();
        if word.is_empty() {
            return None;
        }
        self.spaces();
        (self.peek() == Some(b'=')).then_some(Name { word, at })
    }

    /// `BWS ( token / quoted-string )`, unquoted values as L3 and L5 have them.
    fn value(&mut self) -> Result<Vec<u8>, Fault> {
        self.spaces();
        if self.peek() == Some(b'"') {
            return self.quoted();
        }
        let value = self.skip_while(|byte| byte.is_ascii_graphic() && !b",\"\\".contains(&byte));
        match self.peek() {
            None | Some(b',' | b' ' | b'\t') => Ok(value.to_vec()),
            Some(_) => Err(self.misfit(ChallengeErrorCode::BadChar)),
        }
    }

    /// `quoted-string`, from its opening quote on, without quotes and backslashes.
    fn quoted(&mut self) -> Result<Vec<u8>, Fault> {
        let open = Fault { code: ChallengeErrorCode::UnterminatedQuote, at: self.at };
        let mut value = Vec::new();
        self.bump();
        loop {
            let byte = match self.bump() {
                Some(b'"') => return Ok(value),
                Some(b'\\') => self.bump(),
                other => other,
            };
            match byte {
                None => return Err(open),
                Some(byte) if is_control(byte) => {
                    let at = self.at.saturating_sub(1);
                    return Err(Fault { code: ChallengeErrorCode::ControlChar, at });
                }
                Some(byte) => value.push(byte),
            }
        }
    }

    /// The next byte, or the end, does not fit; a control byte fits nowhere and is named as what it is.
    fn misfit(&self, code: ChallengeErrorCode) -> Fault {
        let control = self.peek().is_some_and(is_control);
        Fault { code: if control { ChallengeErrorCode::ControlChar } else { code }, at: self.at }
    }
}

fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Control bytes, without the tab, which is white space.
fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

/// `tchar` of RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Of a token, which is ASCII.
fn lower(token: &[u8]) -> String {
    lossy(token).to_ascii_lowercase()
}
