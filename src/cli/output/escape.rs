//! Escapes characters that control a terminal or hide text.

use std::fmt::Write as _;

/// Returns a text with misleading characters escaped.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape_into(&mut out, text, Escape::Text);
    out
}

/// The form of an escaped character.
#[derive(Clone, Copy)]
pub(super) enum Escape {
    /// `\n`, `\u{202e}`.
    Text,
    /// `\u202e`, in UTF-16 units.
    Json,
}

/// Appends a text with misleading characters escaped.
pub(super) fn escape_into(out: &mut String, text: &str, escape: Escape) {
    for character in text.chars() {
        match (escape, character) {
            (_, plain) if !misleads(plain) => out.push(plain),
            (Escape::Text, _) => out.extend(character.escape_default()),
            (Escape::Json, _) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a String does not fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
}

/// Whether a character controls a terminal, changes the direction of text, or is invisible.
fn misleads(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Escape, escape_into};

    fn escaped_for(text: &str, escape: Escape) -> String {
        let mut out = String::new();
        escape_into(&mut out, text, escape);
        out
    }

    #[test]
    fn misleading_characters_are_escaped() {
        assert_eq!(escaped_for("a\n\t\r\u{1b}[31mb", Escape::Text), r"a\n\t\r\u{1b}[31mb");
        assert_eq!(escaped_for("\u{9b}\u{7f}", Escape::Text), r"\u{9b}\u{7f}");
        assert_eq!(
            escaped_for("\u{202e}\u{2066}\u{200b}\u{feff}", Escape::Text),
            r"\u{202e}\u{2066}\u{200b}\u{feff}"
        );
        assert_eq!(escaped_for("größe 大 \u{1f600} \"\\", Escape::Text), "größe 大 \u{1f600} \"\\");
    }

    #[test]
    fn escaped_json_has_the_same_value() {
        let value = json!({"a\u{202e}": "\u{9b}\u{e0001}\u{7f}"});
        let text = escaped_for(&value.to_string(), Escape::Json);
        assert!(text.is_ascii(), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).ok(), Some(value));
    }
}
