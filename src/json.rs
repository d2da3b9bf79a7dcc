//! Reads JSON of unknown structure, such as the error responses of servers that follow no specification.
//!
//! Keeps what regq looks at: strings, whole numbers, arrays and objects. Documents with a known structure are
//! deserialized into their own types instead. `serde_json::Value` would do too, but adds a map type and a second parser to
//! the program.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Why a document cannot be read: the error of the JSON parser with its line and column.
#[derive(Debug)]
pub struct JsonError(serde_json::Error);

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for JsonError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self(error)
    }
}

/// A JSON value.
#[derive(Debug)]
pub(crate) enum Json {
    Null,
    Whole(i64),
    Text(String),
    Array(Vec<Json>),
    /// Members in document order. Keys may repeat.
    Object(Vec<(String, Json)>),
    /// `true`, `false`, a fraction, or a number beyond `i64`.
    Other,
}

impl Json {
    /// Reads a document. Anything after it but white space is an error.
    pub(crate) fn read(text: &[u8]) -> Result<Json, JsonError> {
        Ok(serde_json::from_slice(text)?)
    }

    /// The value of a member of an object. If the key repeats, the last one counts, as in most parsers.
    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => {
                members.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            Json::Null | Json::Whole(_) | Json::Text(_) | Json::Array(_) | Json::Other => None,
        }
    }

    /// The value of a member, if it is a string.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_text()
    }

    /// The value, if it is a string.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            Json::Null | Json::Whole(_) | Json::Array(_) | Json::Object(_) | Json::Other => None,
        }
    }

    /// The elements of an array; empty for other values.
    pub(crate) fn elements(&self) -> &[Json] {
        match self {
            Json::Array(elements) => elements,
            Json::Null | Json::Whole(_) | Json::Text(_) | Json::Object(_) | Json::Other => &[],
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(i64::try_from(number).map_or(Json::Other, Json::Whole))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = access.next_element()? {
            elements.push(element);
        }
        Ok(Json::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn members_are_found_by_key() {
        let text = br#"{"a": "1", "n": -1.5e3, "t": true, "z": null, "l": ["x", {"a": "\u00e9"}], "a": "2"}"#;
        let json = Json::read(text).unwrap_or(Json::Other);
        assert_eq!(json.text("a"), Some("2"));
        for other in ["n", "t", "z", "l", "absent"] {
            assert_eq!(json.text(other), None, "{other}");
        }
        for (number, fits) in [("9223372036854775807", true), ("9223372036854775808", false)] {
            let whole = Json::read(number.as_bytes());
            assert_eq!(matches!(whole, Ok(Json::Whole(i64::MAX))), fits, "{number}");
        }
        let elements = json.get("l").map_or(&[][..], Json::elements);
        assert_eq!(elements.iter().map(|one| one.text("a")).collect::<Vec<_>>(), [None, Some("é")]);
        assert!(json.elements().is_empty());
    }

    #[test]
    fn invalid_documents_are_errors() {
        let deep = [vec![b'['; 1000], vec![b']'; 1000]].concat();
        for text in [&b""[..], b"{", b"{} x", b"[1e999]", b"\"\xff\"", b"['a']", &deep] {
            assert!(Json::read(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }
}
