//! Reads the header and claims of tokens, without verifying the signature.
//!
//! Follows RFC 7519 and distribution's token specification (`docs/content/spec/auth/jwt.md`). A token can come from
//! anyone, so a claim that is nested too deeply, repeated with different values or of the wrong type counts as
//! unknown, and rules conclude nothing from unknown claims.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::credentials::Secret;
use crate::dates;
use crate::decimal::is_digits;
use crate::digest::{Algorithm, Digest};
use crate::json::Json;
use crate::token::ScopeParts;

/// A token and what could be read from it.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) secret: Secret,
    pub(super) form: Form,
}

/// The format of a token.
#[derive(Debug)]
pub(super) enum Form {
    Jwt {
        header: Object,
        claims: Object,
    },
    /// It looks like a JWT but is not a valid one.
    Damaged {
        why: String,
        header: Option<Object>,
        claims: Option<Object>,
    },
    /// Any other token: only the registry can read it.
    Opaque,
}

/// A JSON object: its text and the texts of its members, all without white space.
#[derive(Debug)]
pub(super) struct Object {
    text: String,
    members: Vec<(String, String)>,
}

/// The `access` claim.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// The token has no such claim.
    Missing,
    /// It does not have the specified format.
    Unreadable,
    Entries(Vec<Entry>),
}

/// One entry of the `access` claim: actions that the token allows on a resource.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) actions: Vec<String>,
}

/// The prefix of Google's opaque tokens, which contain dots.
const GOOGLE_PREFIX: &str = "ya29.";
/// Prefixes of access tokens that are used as passwords (GitHub, Docker Hub, GitLab). They may contain dots.
pub(super) const PASSWORD_PREFIXES: [&str; 4] = ["ghp_", "github_pat_", "dckr_pat_", "glpat-"];

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

    /// The claims of a valid, signed JWT.
    pub(super) fn claims(&self) -> Option<&Object> {
        match &self.form {
            Form::Jwt { claims, .. } => Some(claims),
            Form::Damaged { .. } | Form::Opaque => None,
        }
    }

    /// The claims as JSON for display, even of a damaged or unsigned token. `None` if they are nested too deeply.
    pub(super) fn claims_json(&self) -> Option<&str> {
        let claims = match &self.form {
            Form::Jwt { claims, .. } => Some(claims),
            Form::Damaged { claims, .. } => claims.as_ref(),
            Form::Opaque => None,
        };
        claims.and_then(Object::shallow_json)
    }

    /// Describes the token by its length and the beginning of its hash.
    pub(super) fn fingerprint(&self) -> String {
        let text = self.secret.expose();
        let hash = Digest::of(Algorithm::Sha256, text.as_bytes()).to_string();
        let start: String = hash.chars().skip("sha256:".len()).take(6).collect();
        format!("{} characters, SHA-256 {start}...", text.chars().count())
    }
}

fn read(text: &str) -> Form {
    let parts: Vec<&str> = text.split('.').collect();
    let (header, claims) = match parts.as_slice() {
        _ if text.starts_with(GOOGLE_PREFIX) => return Form::Opaque,
        _ if PASSWORD_PREFIXES.iter().any(|prefix| text.starts_with(prefix)) => {
            return Form::Opaque;
        }
        [header, claims, _] => (decode(header), decode(claims)),
        // Cut off after or within its claims.
        [header, _] => match decode(header) {
            Ok(header) if header.text("alg").is_some() => {
                let why = "it has two parts instead of three".to_owned();
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
            let why = "its header says that it is unsigned (alg: none)".to_owned();
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

/// Decodes an object in base64url. An error describes what is wrong with the part.
fn decode(part: &str) -> Result<Object, &'static str> {
    // JWTs have no padding, but registries may accept it.
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let bytes = GeneralPurpose::new(&URL_SAFE, config).decode(part);
    let bytes = bytes.map_err(|_| "is not base64url")?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "is not JSON")?;
    Object::parse(text).ok_or("is not a JSON object")
}

impl Object {
    /// Parses an object. Member values stay unparsed text, so deep nesting needs no stack.
    fn parse(text: &str) -> Option<Object> {
        let _: &RawValue = serde_json::from_slice(text.as_bytes()).ok()?;
        let text = compact(text);
        let Members(members) = serde_json::from_slice(text.as_bytes()).ok()?;
        Some(Object { text, members })
    }

    /// Its JSON, unless it is nested deeper than parsers accept.
    pub(super) fn shallow_json(&self) -> Option<&str> {
        let readable = Json::read(self.text.as_bytes()).is_ok();
        readable.then_some(self.text.as_str())
    }

    /// The JSON of a member. A member that is repeated with different values is unknown: parsers differ in which one
    /// they use.
    fn raw(&self, name: &str) -> Option<&str> {
        let mut found = self.members.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        let first = found.next()?;
        found.all(|other| other == first).then_some(first)
    }

    fn value(&self, name: &str) -> Option<Json> {
        Json::read(self.raw(name)?.as_bytes()).ok()
    }

    /// Whether the object has this member, whatever its value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(key, _)| key == name)
    }

    /// The value of a string member.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.value(name)?.as_text().map(str::to_owned)
    }

    /// The value of a NumericDate member in seconds since 1970, without its fraction.
    pub(super) fn time(&self, name: &str) -> Option<i64> {
        let text = self.raw(name)?;
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        if !is_digits(digits) || !(fraction.is_empty() || is_digits(fraction)) {
            return None;
        }
        let limit = if digits.len() < whole.len() { i64::MIN } else { i64::MAX };
        Some(whole.parse().unwrap_or(limit))
    }

    /// The audience: `aud` as a string or a list of strings.
    pub(super) fn audience(&self) -> Option<Vec<String>> {
        match self.value("aud")? {
            Json::Text(one) => Some(vec![one]),
            Json::Array(list) => strings(&list),
            Json::Null | Json::Whole(_) | Json::Object(_) | Json::Other => None,
        }
    }

    /// The `access` claim of distribution's token specification.
    pub(super) fn access(&self) -> Access {
        if !self.has("access") {
            return Access::Missing;
        }
        match self.value("access") {
            Some(Json::Array(entries)) => {
                let entries: Option<_> = entries.iter().map(Entry::from_json).collect();
                entries.map_or(Access::Unreadable, Access::Entries)
            }
            // Go encodes an empty list as null.
            Some(Json::Null) => Access::Entries(Vec::new()),
            _ => Access::Unreadable,
        }
    }

    /// The value of a NumericDate member for display.
    pub(super) fn formatted_time(&self, name: &str) -> Option<String> {
        let time = self.time(name)?;
        Some(dates::utc(time).unwrap_or_else(|| format!("{time} seconds since 1970")))
    }
}

/// The members of a JSON object in order, repeated names included.
struct Members(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = access.next_entry::<String, &RawValue>()? {
            members.push((name, value.get().to_owned()));
        }
        Ok(Members(members))
    }
}

/// Removes the white space between the tokens of valid JSON.
fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let keep = |c: &char| {
        if in_string {
            in_string = escaped || *c != '"';
            escaped = !escaped && *c == '\\';
            return true;
        }
        in_string = *c == '"';
        !c.is_ascii_whitespace()
    };
    json.chars().filter(keep).collect()
}

/// The strings of a list that contains nothing else.
fn strings(list: &[Json]) -> Option<Vec<String>> {
    list.iter().map(|one| one.as_text().map(str::to_owned)).collect()
}

impl Entry {
    fn from_json(value: &Json) -> Option<Entry> {
        let text = |name: &str| value.text(name).map(str::to_owned);
        let actions = match value.get("actions") {
            Some(Json::Array(actions)) => strings(actions)?,
            Some(Json::Null) | None => Vec::new(),
            Some(_) => return None,
        };
        Some(Entry { kind: text("type")?, name: text("name")?, actions })
    }

    pub(super) fn is_repository(&self) -> bool {
        ScopeParts { kind: &self.kind, name: &self.name, actions: "" }.is_repository()
    }

    pub(super) fn allows(&self, action: &str) -> bool {
        self.actions.iter().any(|allowed| allowed == action || allowed == "*")
    }

    /// The entry written as a scope.
    pub(super) fn as_scope(&self) -> String {
        format!("{}:{}:{}", self.kind, self.name, self.actions.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Form, Object, Secret, Token};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn object(text: &str) -> Option<Object> {
        Object::parse(text)
    }

    fn token(header: &str, claims: &str) -> Form {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        Token::read(Secret::new(format!("{header}.{claims}.c2ln"))).form
    }

    #[test]
    fn objects_keep_the_texts_of_their_members() {
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
    fn only_objects_are_parsed() {
        for text in ["", "[]", "1", "\"{}\"", "{", "{}{}", "{\"a\":}", "null"] {
            assert!(object(text).is_none(), "{text}");
        }
        assert!(object(" { } ").is_some_and(|object| object.text == "{}"));
    }

    #[test]
    fn deeply_nested_members_are_unknown() {
        let deep =
            format!("{{\"aud\":{}{},\"sub\":\"x\"}}", "[".repeat(20_000), "]".repeat(20_000));
        let object = object(&deep);
        assert!(object.as_ref().is_some_and(|object| object.audience().is_none()));
        assert_eq!(object.and_then(|object| object.text("sub")).as_deref(), Some("x"));
    }

    #[test]
    fn members_repeated_with_different_values_are_unknown() {
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
    fn access_is_a_list_of_entries() {
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
        assert_eq!(entries.first().map(|e| e.as_scope()).as_deref(), Some("repository:a/b:pull"));
        assert!(entries.first().is_some_and(|entry| entry.allows("pull") && !entry.allows("push")));
    }

    #[test]
    fn token_formats_are_recognized() {
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
