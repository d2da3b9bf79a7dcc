//! Quotes words for a POSIX shell, for commands that are printed.

/// Puts a word in single quotes.
pub(crate) fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Quotes a word unless it is safe without quotes.
pub(crate) fn quote_if_needed(word: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:@%+=,".contains(&byte);
    if !word.is_empty() && word.bytes().all(safe) { word.to_owned() } else { quote(word) }
}

#[cfg(test)]
mod tests {
    use super::{quote, quote_if_needed};

    #[test]
    fn a_shell_reads_quoted_words_back() {
        assert_eq!(quote("https://a/t?x=1&y=$z"), "'https://a/t?x=1&y=$z'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        for word in ["alpine:3.20", "quay.io/a/b@sha256:00"] {
            assert_eq!(quote_if_needed(word), word);
        }
        for word in ["[::1]:5000/a", "", "a b;rm"] {
            assert_eq!(quote_if_needed(word), format!("'{word}'"));
        }
    }
}
