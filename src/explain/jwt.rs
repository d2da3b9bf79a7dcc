//! A token's inside, read and never believed: nobody here can check its signature.
//!
//! Follows RFC 7519 and distribution's token specification (`docs/content/spec/auth/jwt.md`). Tokens come from
//! anybody: what is deep, large, doubled or of another type is unknown, and nothing is said of what is unknown.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::value::RawValue;

use crate::credentials::Secret;
use crate::dates;
use crate::digest::{Algorithm, Digest};
use crate::explain::token_url::Scope;
use crate::json::Json;

/// A token, as far as it can be read.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) secret: Secret,
    pub(super) form: Form,
}

/// What a token is.
#[derive(Debug)]
pub(super) enum Form {
    Jwt {
        header: Object,
        claims: Object,
    },
    /// It looks like a JWT and cannot be read as one.
    Damaged {
        why: String,
        header: Option<Object>,
        claims: Option<Object>,
    },
    Opaque,
}

/// A JSON object: its text without white space, and its members' texts.
#[derive(Debug)]
pub(super) struct Object {
    text: String,
    members: Vec<(String, String)>,
}

/// What a token lets its bearer do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// There is no such claim.
    Missing,
    /// It is not what the specification says.
    Unreadable,
    Entries(Vec<Entry>),
}

/// One thing that a token lets its bearer do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) actions: Vec<String>,
}

/// What begins like this is Google's, however many dots there are in it.
const GOOGLE: &str = "ya29.";
/// What access tokens that serve as passwords begin with: GitHub's, Docker Hub's, GitLab's. They may have dots too.
pub(super) const PASSWORDS: [&str; 4] = ["ghp_", "github_pat_", "dckr_pat_", "glpat-"];

impl Token {
    pub(super) fn read(secret: Secret) -> Token {
        let form = read(secret.expose());
        Token { secret, form }
    }

    pub(super) fn header(&self) -> Option<&Object> {
        match &self.form {
            Form::Jwt { header, .. } => Some(header),
            Form::Damaged { header, .. } => header.as_ref(),
            Form::Opaque => None,
        }
    }

    /// The claims of a token that is sound.
    pub(super) fn claims(&self) -> Option<&Object> {
        match &self.form {
            Form::Jwt { claims, .. } => Some(claims),
            Form::Damaged { .. } | Form::Opaque => None,
        }
    }

    /// The claims for people, also of a token that is not signed. `None` where they are deeper than others read.
    pub(super) fn shown_claims(&self) -> Option<&str> {
        let claims = match &self.form {
            Form::Jwt { claims, .. } => Some(claims),
            Form::Damaged { claims, .. } => claims.as_ref(),
            Form::Opaque => None,
        };
        claims.and_then(Object::shallow)
    }

    /// How it is shown: its length, and enough of its hash to recognise it.
    pub(super) fn shown(&self) -> String {
        let text = self.secret.expose();
        let hash = Digest::of(Algorithm::Sha256, text.as_bytes()).to_string();
        let start: String = hash.chars().skip("sha256:".len()).take(6).collect();
        format!("{} characters, SHA-256 {start}...", text.chars().count())
    }
}

fn read(text: &str) -> Form {
    let parts: Vec<&str> = text.split('.').collect();
    let (header, claims) = match parts.as_slice() {
        _ if text.starts_with(GOOGLE) => return Form::Opaque,
        _ if PASSWORDS.iter().any(|prefix| text.starts_with(prefix)) => return Form::Opaque,
        [header, claims, _] => (decode(header), decode(claims)),
        // Cut off behind its claims or within them.
        [header, _] => match decode(header) {
            Ok(header) if header.text("alg").is_some() => {
                let why = "it has two parts in place of three".to_owned();
                return Form::Damaged { why, header: Some(header), claims: None };
            }
            Ok(_) | Err(_) => return Form::Opaque,
        },
        _ => return Form::Opaque,
    };
    match (header, claims) {
        (Ok(header), claims)
            if header.text("alg").is_some_and(|alg| alg.eq_ignore_ascii_case("none")) =>
        {
            let why = "its header says that it is not signed (alg is none)".to_owned();
            Form::Damaged { why, header: Some(header), claims: claims.ok() }
        }
        (Ok(header), Ok(claims)) => Form::Jwt { header, claims },
        (Err(why), claims) => {
            let why = format!("its first part, the header, {why}");
            Form::Damaged { why, header: None, claims: claims.ok() }
        }
        (Ok(header), Err(why)) => {
            let why = format!("its second part, the claims, {why}");
            Form::Damaged { why, header: Some(header), claims: None }
        }
    }
}

/// An object in base64url, or what it is instead.
fn decode(part: &str) -> Result<Object, &'static str> {
    // Padding is not allowed in a JWT, but whether a registry minds is not known here.
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let bytes = GeneralPurpose::new(&URL_SAFE, config).decode(part);
    let bytes = bytes.map_err(|_| "is not base64url")?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "is not JSON")?;
    Object::read(text).ok_or("is not a JSON object")
}

impl Object {
    /// Reads an object. However deep it is, that takes no stack.
    fn read(text: &str) -> Option<Object> {
        let _: &RawValue = serde_json::from_slice(text.as_bytes()).ok()?;
        let mut object = Object { text: String::with_capacity(text.len()), members: Vec::new() };
        let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
        // Where the member's name, and its value, begin in what is kept; the text is known to be JSON.
        let (mut name, mut value) = (0, None);
        for c in text.chars() {
            if quoted {
                quoted = escaped || c != '"';
                escaped = !escaped && c == '\\';
            } else if c.is_ascii_whitespace() {
                continue;
            } else {
                let ends = depth == 1 && matches!(c, ',' | '}');
                if ends && let Some(value) = value.take() {
                    object.keep(name, value);
                }
                match c {
                    '"' => quoted = true,
                    '{' | '[' => depth += 1,
                    '}' | ']' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if (c == '{' || c == ',') && depth == 1 {
                    name = object.text.len() + 1;
                }
                if c == ':' && depth == 1 {
                    value = Some(object.text.len() + 1);
                }
            }
            object.text.push(c);
        }
        object.text.starts_with('{').then_some(object)
    }

    /// Keeps the member whose name and value begin here; the value ends where the text does.
    fn keep(&mut self, name: usize, value: usize) {
        let texts = self.text.get(name..value.saturating_sub(1)).zip(self.text.get(value..));
        if let Some((name, value)) = texts
            && let Ok(name) = serde_json::from_slice::<String>(name.as_bytes())
        {
            self.members.push((name, value.to_owned()));
        }
    }

    /// Its text, where it is no deeper than others read.
    pub(super) fn shallow(&self) -> Option<&str> {
        let readable = Json::read(self.text.as_bytes()).is_ok();
        readable.then_some(self.text.as_str())
    }

    /// The text of a member. One that comes twice with two values is unknown: readers take either.
    fn raw(&self, name: &str) -> Option<&str> {
        let mut found = self.members.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        let first = found.next()?;
        found.all(|other| other == first).then_some(first)
    }

    fn value(&self, name: &str) -> Option<Json> {
        Json::read(self.raw(name)?.as_bytes()).ok()
    }

    /// True when there is such a member, whatever it is.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(key, _)| key == name)
    }

    /// A member that is a string.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.value(name)?.as_text().map(str::to_owned)
    }

    /// A member that is a number of seconds since 1970; fractions are dropped.
    pub(super) fn time(&self, name: &str) -> Option<i64> {
        let text = self.raw(name)?;
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if digits.is_empty() || !plain(digits) || !plain(fraction) {
            return None;
        }
        let limit = if digits.len() < whole.len() { i64::MIN } else { i64::MAX };
        Some(whole.parse().unwrap_or(limit))
    }

    /// Whom the token is for: `aud` as a string, or as a list of them.
    pub(super) fn audience(&self) -> Option<Vec<String>> {
        match self.value("aud")? {
            Json::Text(one) => Some(vec![one]),
            Json::Array(many) => texts(&many),
            Json::Null | Json::Whole(_) | Json::Object(_) | Json::Other => None,
        }
    }

    /// `access`, of distribution's token specification.
    pub(super) fn access(&self) -> Access {
        if !self.has("access") {
            return Access::Missing;
        }
        match self.value("access") {
            Some(Json::Array(entries)) => {
                let entries: Option<_> = entries.iter().map(Entry::read).collect();
                entries.map_or(Access::Unreadable, Access::Entries)
            }
            // What Go makes of an empty list.
            Some(Json::Null) => Access::Entries(Vec::new()),
            _ => Access::Unreadable,
        }
    }

    /// The times in it, for people.
    pub(super) fn shown_time(&self, name: &str) -> Option<String> {
        let time = self.time(name)?;
        Some(dates::utc(time).unwrap_or_else(|| format!("{time} seconds since 1970")))
    }
}

/// The texts of a list that has nothing else in it.
fn texts(list: &[Json]) -> Option<Vec<String>> {
    list.iter().map(|one| one.as_text().map(str::to_owned)).collect()
}

impl Entry {
    fn read(value: &Json) -> Option<Entry> {
        let text = |name: &str| value.text(name).map(str::to_owned);
        let actions = match value.get("actions") {
            Some(Json::Array(actions)) => texts(actions)?,
            Some(Json::Null) | None => Vec::new(),
            Some(_) => return None,
        };
        Some(Entry { kind: text("type")?, name: text("name")?, actions })
    }

    pub(super) fn is_repository(&self) -> bool {
        Scope { kind: &self.kind, name: &self.name, actions: "" }.is_repository()
    }

    pub(super) fn allows(&self, action: &str) -> bool {
        self.actions.iter().any(|allowed| allowed == action || allowed == "*")
    }

    pub(super) fn shown(&self) -> String {
        format!("{}:{}:{}", self.kind, self.name, self.actions.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Form, Object, Secret, Token};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn object(text: &str) -> Option<Object> {
        Object::read(text)
    }

    fn token(header: &str, claims: &str) -> Form {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        Token::read(Secret::new(format!("{header}.{claims}.c2ln"))).form
    }

    #[test]
    fn an_object_is_read_one_level_deep() {
        let text = "{ \"a,b\" : \"x\\\"}{\" ,\n \"n\": {\"n\": [1, {}]}, \"exp\": 12.5 , \"e\\u0078p2\":-3}";
        let object = object(text);
        let compact = "{\"a,b\":\"x\\\"}{\",\"n\":{\"n\":[1,{}]},\"exp\":12.5,\"e\\u0078p2\":-3}";
        assert_eq!(object.as_ref().map(|object| object.text.as_str()), Some(compact));
        let of = |name| object.as_ref().and_then(|object| object.raw(name));
        assert_eq!(of("a,b"), Some("\"x\\\"}{\""));
        assert_eq!(of("n"), Some("{\"n\":[1,{}]}"));
        let time = |name| object.as_ref().and_then(|object| object.time(name));
        assert_eq!((time("exp"), time("exp2"), time("n")), (Some(12), Some(-3), None));
    }

    #[test]
    fn what_is_no_object_is_none() {
        for text in ["", "[]", "1", "\"{}\"", "{", "{}{}", "{\"a\":}", "null"] {
            assert!(object(text).is_none(), "{text}");
        }
        assert!(object(" { } ").is_some_and(|object| object.text == "{}"));
    }

    #[test]
    fn what_is_deep_takes_no_stack_and_is_unknown() {
        let deep =
            format!("{{\"aud\":{}{},\"sub\":\"x\"}}", "[".repeat(20_000), "]".repeat(20_000));
        let object = object(&deep);
        assert!(object.as_ref().is_some_and(|object| object.audience().is_none()));
        assert_eq!(object.and_then(|object| object.text("sub")).as_deref(), Some("x"));
    }

    #[test]
    fn what_comes_twice_with_two_values_is_unknown() {
        let twice = object("{\"aud\":\"a\",\"aud\":\"b\",\"iss\":\"i\",\"iss\":\"i\"}");
        assert!(twice.as_ref().is_some_and(|object| object.audience().is_none()));
        assert_eq!(twice.and_then(|object| object.text("iss")).as_deref(), Some("i"));
    }

    #[test]
    fn times_are_whole_numbers() {
        for (text, time) in [
            ("1474547283", Some(1_474_547_283)),
            ("-5", Some(-5)),
            ("99999999999999999999999", Some(i64::MAX)),
            ("-99999999999999999999999", Some(i64::MIN)),
            ("1.5e9", None),
            ("\"1474547283\"", None),
            ("null", None),
        ] {
            let object = object(&format!("{{\"exp\":{text}}}"));
            assert_eq!(object.and_then(|object| object.time("exp")), time, "{text}");
        }
    }

    #[test]
    fn access_is_a_list_of_entries_or_unknown() {
        let of = |text: &str| object(text).map(|object| object.access());
        assert_eq!(of("{}"), Some(Access::Missing));
        assert_eq!(of("{\"access\":null}"), Some(Access::Entries(Vec::new())));
        assert_eq!(of("{\"access\":[]}"), Some(Access::Entries(Vec::new())));
        for text in ["{\"access\":{}}", "{\"access\":[1]}", "{\"access\":[{\"name\":\"a\"}]}"] {
            assert_eq!(of(text), Some(Access::Unreadable), "{text}");
        }
        let one =
            "{\"access\":[{\"type\":\"repository\",\"name\":\"a/b\",\"actions\":[\"pull\"]}]}";
        let Some(Access::Entries(entries)) = of(one) else { return assert_eq!(of(one), None) };
        assert_eq!(entries.first().map(|e| e.shown()).as_deref(), Some("repository:a/b:pull"));
        assert!(entries.first().is_some_and(|entry| entry.allows("pull") && !entry.allows("push")));
    }

    #[test]
    fn tokens_are_what_they_look_like() {
        assert!(matches!(token("{\"alg\":\"ES256\"}", "{}"), Form::Jwt { .. }));
        for (header, claims) in
            [("{\"alg\":\"none\"}", "{}"), ("{\"alg\":\"RS256\"}", "[]"), ("x", "{}"), ("{}", "x")]
        {
            assert!(matches!(token(header, claims), Form::Damaged { .. }), "{header} {claims}");
        }
        for (text, damaged) in [
            ("djE6opaque", false),
            ("a.b", false),
            ("a.b.c.d.e", false),
            ("ya29.c.b0Aaekm1K", false),
            ("!!.??.--", true),
            ("..", true),
            ("eyJhbGciOiJSUzI1NiJ9.eyJ", true),
            ("", false),
        ] {
            let form = Token::read(Secret::new(text)).form;
            assert_eq!(matches!(form, Form::Damaged { .. }), damaged, "{text}");
            assert_eq!(matches!(form, Form::Opaque), !damaged, "{text}");
        }
    }
}
