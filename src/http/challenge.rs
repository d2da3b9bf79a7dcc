//! Parses `WWW-Authenticate` header fields into challenges.
//!
//! Works on bytes, in one pass from left to right. Follows RFC 9110, sections 11.2, 11.3 and 11.6.1
//! (challenges), 5.6.1.2 (lists, as recipients parse them) and 5.6.4 (quoted strings). Whether a realm
//! is a URL, and whether it may be used, is up to the caller.
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
//! The comma is ambiguous: a token after it is a parameter name if `=` follows, otherwise a new scheme.
//!
//! Real servers and proxies deviate from the grammar. Also accepted:
//! - L1: tabs after the scheme.
//! - L2: a parameter after a comma belongs to the last challenge, even if that is a bare scheme.
//! - L3: an unquoted value is any visible bytes up to a comma, space or tab, except `"` and `\`.
//! - L4: the comma between two parameters may be missing.
//! - L5: an unquoted value may be empty, except right after a scheme, where `name=` is a token68.
//! - L6: quoted strings may have bytes from 0x80; invalid UTF-8 becomes U+FFFD.
//!
//! Stricter than most parsers: control bytes are errors inside quotes too, and so is a name that
//! repeats in one challenge with another value (parsers disagree on which one counts, so one of them
//! could be led to another realm).

use std::fmt;

/// Challenges in one response, dropped ones included. The next one is [`ChallengeErrorCode::TooMany`].
pub const MAX_CHALLENGES: usize = 16;

/// Parameters in one challenge, repeated ones included. The next one is [`ChallengeErrorCode::TooMany`].
pub const MAX_PARAMS: usize = 32;

/// A way to authenticate that the server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    scheme: String,
    params: Vec<(String, String)>,
    token68: Option<String>,
}

impl Challenge {
    /// The scheme in lower case: `bearer`, `basic`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The unquoted value of the parameter with this name, in any case.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        let matches = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.params.iter().find(matches).map(|(_, value)| value.as_str())
    }

    /// Names in lower case and unquoted values, in order. Each name is there once.
    #[must_use]
    pub fn params(&self) -> &[(String, String)] {
        &self.params
    }

    /// The opaque value that some schemes have instead of parameters, including its padding.
    #[must_use]
    pub fn token68(&self) -> Option<&str> {
        self.token68.as_deref()
    }
}

/// What is wrong with a `WWW-Authenticate` header, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeError {
    /// What is wrong.
    pub code: ChallengeErrorCode,
    /// The field line, counted from 1.
    pub line: usize,
    /// The byte within that line's value, counted from 0: the opening quote for `unterminated-quote`,
    /// the name for `duplicate-param`, the name or scheme for `too-many`, otherwise the first byte that
    /// does not fit, or the length of the value if it ends too early.
    pub at: usize,
}

impl fmt::Display for ChallengeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, byte {}: {}", self.line, self.at, self.code)
    }
}

impl std::error::Error for ChallengeError {}

/// What can be wrong with a header. `Display` writes a short name for scripts, such as `bad-char`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChallengeErrorCode {
    /// A quoted string without its closing quote.
    UnterminatedQuote,
    /// A parameter is followed by neither a comma nor another parameter.
    ExpectedComma,
    /// A scheme is followed by neither a token68 nor a parameter.
    ExpectedParam,
    /// A byte that is not allowed in a scheme, a name or an unquoted value.
    BadChar,
    /// A control byte other than a tab.
    ControlChar,
    /// A parameter without a challenge, or in one that has a token68.
    ParamWithoutScheme,
    /// The parameter with this name, in lower case, has two values.
    DuplicateParam(String),
    /// There are more than [`MAX_CHALLENGES`] or [`MAX_PARAMS`].
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

/// Parses the values of all `WWW-Authenticate` field lines of one response. Returns challenges and errors,
/// in order.
///
/// The lines are parsed as if joined by commas (RFC 9110, section 5.3), so a parameter on a line of its
/// own continues the last challenge.
///
/// If a name has two values, its challenge is dropped and parsing continues at the next scheme. After
/// any other error, the rest of the line is dropped, with the challenge that this part of the line
/// belongs to, even if that challenge began on an earlier line. Later lines are still parsed, but a
/// parameter at the start of the next line then belongs to no challenge.
///
/// ```
/// use regq::http::challenge::{ChallengeErrorCode, parse};
///
/// let line = br#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io""#;
/// let parsed = parse([&line[..]]);
/// let [Ok(challenge)] = parsed.as_slice() else { panic!("{parsed:?}") };
/// assert_eq!(challenge.scheme(), "bearer");
/// assert_eq!(challenge.param("service"), Some("registry.docker.io"));
/// assert_eq!(challenge.param("scope"), None);
///
/// // Errors carry a position, and the other lines are still parsed.
/// let parsed = parse([&br#"Bearer realm="https:"#[..], b"Basic realm=x"]);
/// let [Err(error), Ok(basic)] = parsed.as_slice() else { panic!("{parsed:?}") };
/// assert_eq!((&error.code, error.line, error.at), (&ChallengeErrorCode::UnterminatedQuote, 1, 13));
/// assert_eq!(basic.scheme(), "basic");
/// ```
#[must_use]
pub fn parse<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Result<Challenge, ChallengeError>> {
    let mut parser = Parser { items: Vec::new(), current: Current::None, line: 0, started: 0 };
    for line in lines {
        parser.line += 1;
        if let Err(fault) = parser.field_line(&mut Cursor { rest: line, at: 0 }) {
            parser.abandon_line(fault);
        }
    }
    parser.close();
    parser.items
}

/// An error without its line, which the caller adds.
struct Fault {
    code: ChallengeErrorCode,
    at: usize,
}

/// A challenge that may get more parameters.
struct Draft {
    scheme: String,
    /// Values are bytes, because values that differ only in invalid UTF-8 must not be equal.
    params: Vec<(String, Vec<u8>)>,
    /// The number of parameters, repeated ones included.
    count: usize,
    /// The last line that has a part of it.
    line: usize,
}

/// The challenge that the next parameter belongs to.
enum Current {
    None,
    Draft(Draft),
    /// A challenge that was dropped for a name with two values. Its other parameters are parsed and ignored.
    Dropped,
}

struct Parser {
    items: Vec<Result<Challenge, ChallengeError>>,
    current: Current,
    /// The number of the current line, from 1.
    line: usize,
    /// The number of challenges so far, dropped ones included.
    started: usize,
}

impl Parser {
    /// `#challenge`. An element is a scheme with what follows it up to the next comma, or another
    /// parameter of the challenge before it.
    fn field_line(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        loop {
            cursor.take_while(|byte| byte == b',' || is_space(byte));
            if cursor.peek().is_none() {
                return Ok(());
            }
            self.element(cursor)?;
        }
    }

    /// Parses one element and leaves the cursor at a comma or at the end.
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

    /// Starts a challenge. The one before it is complete.
    fn begin(&mut self, scheme: &[u8], at: usize) -> Result<(), Fault> {
        self.close();
        if self.started == MAX_CHALLENGES {
            return Err(Fault { code: ChallengeErrorCode::TooMany, at });
        }
        self.started += 1;
        let (scheme, line) = (lower(scheme), self.line);
        self.current = Current::Draft(Draft { scheme, params: Vec::new(), count: 0, line });
        Ok(())
    }

    /// Parses what follows a scheme and its spaces, up to a comma: a token68 or parameters.
    fn first(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let start = *cursor;
        let token68 = cursor.token68();
        cursor.spaces();
        if matches!(cursor.peek(), None | Some(b',')) {
            self.finish_with(token68);
            return Ok(());
        }
        let after_token68 = *cursor;
        *cursor = start;
        match cursor.name() {
            Some(name) => self.params(name, cursor),
            None => {
                // The error is where the alternative that got further stopped.
                let stop = if after_token68.at > cursor.at { after_token68 } else { *cursor };
                Err(stop.misfit(ChallengeErrorCode::ExpectedParam))
            }
        }
    }

    /// Parses a parameter and those after it up to a comma, which may be missing between parameters (L4).
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

    /// Parses one parameter from its `=` on.
    fn param(&mut self, name: &Name<'_>, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        match &mut self.current {
            Current::None => return Err(cursor.misfit(ChallengeErrorCode::ParamWithoutScheme)),
            Current::Dropped => {}
            Current::Draft(draft) => {
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

    /// Adds a parameter to the current challenge.
    fn add(&mut self, name: &Name<'_>, value: Vec<u8>) {
        let Current::Draft(draft) = &mut self.current else { return };
        let key = lower(name.word);
        match draft.params.iter().find(|(known, _)| *known == key) {
            None => draft.params.push((key, value)),
            Some((_, known)) if *known == value => {}
            Some(_) => {
                let (code, line) = (ChallengeErrorCode::DuplicateParam(key), self.line);
                self.items.push(Err(ChallengeError { code, line, at: name.at }));
                self.current = Current::Dropped;
            }
        }
    }

    /// Completes the current challenge with a token68.
    fn finish_with(&mut self, token68: &[u8]) {
        if let Current::Draft(draft) = std::mem::replace(&mut self.current, Current::None) {
            self.items.push(Ok(Challenge { token68: Some(lossy(token68)), ..draft.into() }));
        }
    }

    /// Completes the current challenge, if any.
    fn close(&mut self) {
        if let Current::Draft(draft) = std::mem::replace(&mut self.current, Current::None) {
            self.items.push(Ok(draft.into()));
        }
    }

    /// Reports an error and drops the challenge that has a part on this line. One that ended on an earlier line
    /// is kept.
    fn abandon_line(&mut self, fault: Fault) {
        if matches!(&self.current, Current::Draft(draft) if draft.line == self.line) {
            self.current = Current::None;
        }
        self.close();
        self.items.push(Err(ChallengeError { code: fault.code, line: self.line, at: fault.at }));
    }
}

impl From<Draft> for Challenge {
    fn from(draft: Draft) -> Self {
        let params = draft.params.into_iter().map(|(name, value)| (name, lossy(&value))).collect();
        Self { scheme: draft.scheme, params, token68: None }
    }
}

/// The name of a parameter and its position.
struct Name<'a> {
    word: &'a [u8],
    at: usize,
}

/// The rest of a line and its position.
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

    /// Takes bytes while they match.
    fn take_while(&mut self, matches: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().take_while(|byte| matches(**byte)).count();
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        self.at += length;
        taken
    }

    /// Skips OWS or BWS and returns its length.
    fn spaces(&mut self) -> usize {
        self.take_while(is_space).len()
    }

    /// Takes a `token`; empty if there is none.
    fn token(&mut self) -> &'a [u8] {
        self.take_while(is_token)
    }

    /// Takes a `token68`; empty if there is none.
    fn token68(&mut self) -> &'a [u8] {
        let whole = self.rest;
        let letters = self.take_while(is_token68).len();
        let padding = if letters == 0 { 0 } else { self.take_while(|byte| byte == b'=').len() };
        whole.get(..letters + padding).unwrap_or_default()
    }

    /// Takes `token BWS` if `=` follows. Otherwise `None`, and the cursor stays where parsing stopped.
    fn name(&mut self) -> Option<Name<'a>> {
        let at = self.at;
        let word = self.token();
        if word.is_empty() {
            return None;
        }
        self.spaces();
        (self.peek() == Some(b'=')).then_some(Name { word, at })
    }

    /// Takes `BWS ( token / quoted-string )`, with L3 and L5 for unquoted values.
    fn value(&mut self) -> Result<Vec<u8>, Fault> {
        self.spaces();
        if self.peek() == Some(b'"') {
            return self.quoted();
        }
        let value = self.take_while(|byte| byte.is_ascii_graphic() && !b",\"\\".contains(&byte));
        match self.peek() {
            None | Some(b',' | b' ' | b'\t') => Ok(value.to_vec()),
            Some(_) => Err(self.misfit(ChallengeErrorCode::BadChar)),
        }
    }

    /// Takes a `quoted-string` and returns it unquoted.
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

    /// The error for a next byte, or an end, that does not fit. For a control byte it is always `ControlChar`.
    fn misfit(&self, code: ChallengeErrorCode) -> Fault {
        let control = self.peek().is_some_and(is_control);
        Fault { code: if control { ChallengeErrorCode::ControlChar } else { code }, at: self.at }
    }
}

fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Whether a byte is a control byte. A tab is white space.
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

/// Lower-cases a token, which is ASCII.
fn lower(token: &[u8]) -> String {
    lossy(token).to_ascii_lowercase()
}
