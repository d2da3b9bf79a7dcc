//! A second, slow implementation of `WWW-Authenticate`: RFC 9110's ABNF transcribed rule by rule.
//!
//! Each rule is a function from a position to all positions where it may end, with what it parsed. There is no
//! look-ahead and no choice, so an ambiguity shows as two readings. It shares no code with the parser that it is
//! compared with, and has no errors and limits: what it does not accept has no readings.

use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Read {
    pub(crate) scheme: String,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) token68: Option<String>,
}

pub(crate) type Reading = Vec<Read>;

/// Returns all readings by the RFC.
pub(crate) fn rfc9110(line: &[u8]) -> BTreeSet<Reading> {
    Grammar { line, tolerant: false }.field()
}

/// Returns all readings by the RFC with the deviations L1 to L5 as further alternatives. L6 is obs-text in
/// the RFC.
pub(crate) fn tolerant(line: &[u8]) -> BTreeSet<Reading> {
    Grammar { line, tolerant: true }.field()
}

/// The positions where a rule may end, with what it parsed.
type Ends<T> = BTreeSet<(usize, T)>;
type Param = (String, String);

struct Grammar<'a> {
    line: &'a [u8],
    tolerant: bool,
}

impl Grammar<'_> {
    /// The field value, without OWS at both ends.
    fn field(&self) -> BTreeSet<Reading> {
        let mut readings = BTreeSet::new();
        for start in self.ows(0) {
            for (end, reading) in self.list(start, &|at| self.challenge(at), &|at| self.comma(at)) {
                if self.ows(end).contains(&self.line.len()) {
                    readings.extend(self.with_each_name_once(reading));
                }
            }
        }
        readings
    }

    /// Checks that each name is there once or, in the tolerant grammar, with one value.
    fn with_each_name_once(&self, mut reading: Reading) -> Option<Reading> {
        for read in &mut reading {
            let count = read.params.len();
            let pairs: BTreeSet<Param> = read.params.iter().cloned().collect();
            let names: BTreeSet<&String> = pairs.iter().map(|(name, _)| name).collect();
            if names.len() < pairs.len() || (!self.tolerant && pairs.len() < count) {
                return None;
            }
            let mut seen = BTreeSet::new();
            read.params.retain(|pair| seen.insert(pair.clone()));
        }
        Some(reading)
    }

    /// `#element = [ element ] *( separator [ element ] )`, `separator = OWS "," OWS`
    fn list<T: Ord + Clone>(
        &self,
        at: usize,
        element: &dyn Fn(usize) -> Ends<T>,
        separator: &dyn Fn(usize) -> BTreeSet<usize>,
    ) -> Ends<Vec<T>> {
        let optional = |at: usize, before: &Vec<T>| -> Ends<Vec<T>> {
            let mut ends = Ends::from([(at, before.clone())]);
            ends.extend(
                element(at)
                    .into_iter()
                    .map(|(end, one)| (end, [before.as_slice(), &[one]].concat())),
            );
            ends
        };
        let mut all = optional(at, &Vec::new());
        let mut new = all.clone();
        while !new.is_empty() {
            let mut next = Ends::new();
            for (end, read) in &new {
                for start in separator(*end) {
                    next.extend(optional(start, read));
                }
            }
            new = next.difference(&all).cloned().collect();
            all.extend(new.iter().cloned());
        }
        all
    }

    /// `OWS "," OWS`
    fn comma(&self, at: usize) -> BTreeSet<usize> {
        let after: BTreeSet<usize> =
            self.ows(at).into_iter().filter_map(|at| self.byte(at, b',')).collect();
        after.into_iter().flat_map(|at| self.ows(at)).collect()
    }

    /// `OWS "," OWS`, by L4 also without the comma if white space or a closing quote ends the value.
    fn between_params(&self, at: usize) -> BTreeSet<usize> {
        let mut ends = self.comma(at);
        if self.tolerant {
            let quoted = at.checked_sub(1).is_some_and(|last| self.line[last] == b'"');
            ends.extend(self.run(at, usize::from(!quoted), is_space));
        }
        ends
    }

    /// `challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ]`
    fn challenge(&self, at: usize) -> Ends<Read> {
        let mut ends = Ends::new();
        for (after_scheme, scheme) in self.token(at) {
            let read =
                |params, token68| Read { scheme: scheme.to_ascii_lowercase(), params, token68 };
            ends.insert((after_scheme, read(Vec::new(), None)));
            // L1: SP and HTAB.
            let spaces = self.run(after_scheme, 1, |b| b == b' ' || (self.tolerant && b == b'\t'));
            for start in &spaces {
                for end in self.token68(*start) {
                    ends.insert((end, read(Vec::new(), Some(self.text(*start, end)))));
                }
                ends.extend(
                    self.params(*start, Some(*start))
                        .into_iter()
                        .map(|(end, params)| (end, read(params, None))),
                );
            }
            // L2: a list that begins with a comma needs no space before it.
            if self.tolerant {
                for start in self.comma(after_scheme) {
                    let params = self.params(start, None);
                    ends.extend(params.into_iter().map(|(end, params)| (end, read(params, None))));
                }
            }
        }
        ends
    }

    /// `#auth-param`. One that starts at `direct` comes directly after the scheme.
    fn params(&self, at: usize, direct: Option<usize>) -> Ends<Vec<Param>> {
        self.list(at, &|at| self.auth_param(at, Some(at) == direct), &|at| self.between_params(at))
    }

    /// `auth-param = token BWS "=" BWS ( token / quoted-string )`
    fn auth_param(&self, at: usize, direct: bool) -> Ends<Param> {
        let mut ends = Ends::new();
        for (after_name, name) in self.token(at) {
            for equals in self.ows(after_name) {
                let Some(after_equals) = self.byte(equals, b'=') else { continue };
                for start in self.ows(after_equals) {
                    for (end, value) in self.value(start) {
                        // L5: directly after the scheme, `name=` is token68.
                        if direct && equals == after_name && end == start {
                            continue;
                        }
                        ends.insert((end, (name.to_ascii_lowercase(), value)));
                    }
                }
            }
        }
        ends
    }

    /// `token / quoted-string`
    fn value(&self, at: usize) -> Ends<String> {
        let mut ends = self.quoted_string(at);
        ends.extend(self.token(at));
        if self.tolerant {
            // L3 and L5: a value that extends to a comma, space, tab or the end.
            let visible = |b: u8| b.is_ascii_graphic() && b != b',' && b != b'"' && b != b'\\';
            let stops = |at: usize| self.line.get(at).is_none_or(|b| b", \t".contains(b));
            let runs = self.run(at, 0, visible).into_iter().filter(|end| stops(*end));
            ends.extend(runs.map(|end| (end, self.text(at, end))));
        }
        ends
    }

    /// `quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE`
    fn quoted_string(&self, at: usize) -> Ends<String> {
        let mut closed = Ends::new();
        let mut open: Ends<Vec<u8>> =
            self.byte(at, b'"').map(|at| (at, Vec::new())).into_iter().collect();
        while let Some((at, read)) = open.pop_first() {
            let with = |byte: u8| [read.as_slice(), &[byte]].concat();
            if let Some(end) = self.byte(at, b'"') {
                closed.insert((end, String::from_utf8_lossy(&read).into_owned()));
            }
            if let Some(byte) = self.line.get(at).filter(|b| is_qdtext(**b)) {
                open.insert((at + 1, with(*byte)));
            }
            if let (Some(at), Some(byte)) = (self.byte(at, b'\\'), self.line.get(at + 1))
                && is_quotable(*byte)
            {
                open.insert((at + 1, with(*byte)));
            }
        }
        closed
    }

    /// `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
    fn token68(&self, at: usize) -> BTreeSet<usize> {
        let letter = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
        self.run(at, 1, letter).into_iter().flat_map(|at| self.run(at, 0, |b| b == b'=')).collect()
    }

    /// `token = 1*tchar`
    fn token(&self, at: usize) -> Ends<String> {
        let tchar = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        self.run(at, 1, tchar).into_iter().map(|end| (end, self.text(at, end))).collect()
    }

    /// `OWS = BWS = *( SP / HTAB )`
    fn ows(&self, at: usize) -> BTreeSet<usize> {
        self.run(at, 0, is_space)
    }

    /// All ends of a run of at least `min` matching bytes.
    fn run(&self, at: usize, min: usize, matches: impl Fn(u8) -> bool) -> BTreeSet<usize> {
        let max = self.line[at..].iter().take_while(|b| matches(**b)).count();
        (min..=max).map(|count| at + count).collect()
    }

    fn byte(&self, at: usize, byte: u8) -> Option<usize> {
        (self.line.get(at) == Some(&byte)).then_some(at + 1)
    }

    fn text(&self, from: usize, to: usize) -> String {
        String::from_utf8_lossy(&self.line[from..to]).into_owned()
    }
}

fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// `qdtext = HTAB / SP / %x21 / %x23-5B / %x5D-7E / obs-text`
fn is_qdtext(byte: u8) -> bool {
    matches!(byte, b'\t' | b' ' | 0x21 | 0x23..=0x5b | 0x5d..=0x7e | 0x80..)
}

/// What may follow a backslash: `HTAB / SP / VCHAR / obs-text`
fn is_quotable(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=0x7e | 0x80..)
}
