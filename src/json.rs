//! JSON that is read for the texts in it: answers whose shape nobody promised.
//!
//! The whole document must be JSON; fractions, `true` and `false` are not kept. What has a shape is read by serde
//! into types of its own. serde_json's `Value` could do the same, and brings a map and a second reader with it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value.
#[derive(Debug)]
pub(crate) enum Json {
    Null,
    Whole(i64),
    Text(String),
    Array(Vec<Json>),
    /// In the order in which it was written, repeated keys included.
    Object(Vec<(String, Json)>),
    /// `true`, `false`, a fraction, or a number that is too large.
    Other,
}

impl Json {
    /// Reads a whole document.
    pub(crate) fn read(text: &[u8]) -> Result<Json, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// The value of a key, the last where it is repeated.
    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => {
                members.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            Json::Null | Json::Whole(_) | Json::Text(_) | Json::Array(_) | Json::Other => None,
        }
    }

    /// The value of a key, where it is a text.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_text()
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            Json::Null | Json::Whole(_) | Json::Array(_) | Json::Object(_) | Json::Other => None,
        }
    }

    /// The elements of an array, and none of anything else.
    pub(crate) fn elements(&self) -> &[Json] {
        match self {
            Json::Array(elements) => elements,
            Json::Null | Json::Whole(_) | Json::Text(_) | Json::Object(_) | Json::Other => &[],
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
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
    fn what_is_in_it_is_told() {
        let text = br#"{"a": "1", "n": -1.5e3, "t": true, "z": null, "l": ["x", {"a": "\u00e9"}], "a": "2"}"#;
        let json = Json::read(text).unwrap_or(Json::Other);
        // The last of a repeated key, as most readers do.
        assert_eq!(json.text("a"), Some("2"));
        for other in ["n", "t", "z", "l", "absent"] {
            assert_eq!(json.text(other), None, "{other}");
        }
        for (number, told) in [("9223372036854775807", true), ("9223372036854775808", false)] {
            let whole = Json::read(number.as_bytes());
            assert_eq!(matches!(whole, Ok(Json::Whole(i64::MAX))), told, "{number}");
        }
        let elements = json.get("l").map_or(&[][..], Json::elements);
        assert_eq!(elements.iter().map(|one| one.text("a")).collect::<Vec<_>>(), [None, Some("é")]);
        assert!(json.elements().is_empty());
    }

    #[test]
    fn the_whole_must_be_json() {
        let deep = [vec![b'['; 1000], vec![b']'; 1000]].concat();
        for text in [&b""[..], b"{", b"{} x", b"[1e999]", b"\"\xff\"", b"['a']", &deep] {
            assert!(Json::read(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }
}
