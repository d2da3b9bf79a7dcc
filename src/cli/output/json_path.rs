//! Finds a value in a JSON text by a dotted path, for `--get`.
//!
//! The text is not reformatted: a value is returned byte for byte.

use std::collections::HashMap;

use serde_json::value::RawValue;

/// Returns the text of the value at a dotted path. Keys may contain dots, so the longest key is tried first. In an array,
/// a key is an index from 0.
pub(super) fn lookup<'a>(text: &'a str, path: &str) -> Option<&'a str> {
    if let Some(found) = member(text, path) {
        return Some(found);
    }
    path.rmatch_indices('.').find_map(|(dot, _)| {
        let (key, rest) = path.split_at_checked(dot)?;
        lookup(member(text, key)?, rest.strip_prefix('.')?)
    })
}

/// Returns the text of a member or element. Parses bytes as the rest of regq does, because serde_json has separate code
/// for strings.
fn member<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let bytes = text.as_bytes();
    let found = if text.starts_with('[') {
        let elements = serde_json::from_slice::<Vec<&RawValue>>(bytes).ok()?;
        elements.into_iter().nth(key.parse().ok()?)
    } else {
        let mut members = serde_json::from_slice::<HashMap<String, &RawValue>>(bytes).ok()?;
        members.remove(key)
    };
    found.map(RawValue::get)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::lookup;

    #[test]
    fn longest_key_is_tried_first() {
        let value = json!({
            "a.b": 1, "a": {"b": 2, "c.d": 3, "": 4}, "a.b.c": null, "l": [{"x": 5}], "a.b.d": {"e": 6}
        });
        let value = value.to_string();
        assert_eq!(lookup(&value, "a.b"), Some("1"));
        assert_eq!(lookup(&value, "a.c.d"), Some("3"));
        assert_eq!(lookup(&value, "a."), Some("4"));
        assert_eq!(lookup(&value, "a.b.c"), Some("null"));
        assert_eq!(lookup(&value, "a.b.d.e"), Some("6"));
        assert_eq!(lookup(&value, "l.0.x"), Some("5"));
        for absent in ["", ".", "a.x", "b", "l.1.x", "a.b.x", "l.x"] {
            assert_eq!(lookup(&value, absent), None, "{absent}");
        }
    }
}
