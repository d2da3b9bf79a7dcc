//! Parses the `Warning` header with which registries announce changes: `299 - "text"` (distribution-spec,
//! "Warnings"). Other warning codes belong to caches and are ignored.

/// Longest value that is read, in bytes.
const MAX_LENGTH: usize = 4096;

/// Returns the text of a warning with code 299, unquoted and unescaped; `None` for other codes and syntax errors.
/// A value longer than 4096 bytes is cut there.
pub(crate) fn parse(value: &[u8]) -> Option<String> {
    let value = value.get(..value.len().min(MAX_LENGTH))?;
    let value = String::from_utf8_lossy(value);
    let (_, quoted) = value.trim().strip_prefix("299 ")?.split_once('"')?;
    let mut text = String::new();
    let mut escaped = false;
    for c in quoted.chars() {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => break,
            c => {
                text.push(c);
                escaped = false;
            }
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn only_the_text_of_code_299_is_returned() {
        let text = |value: &str| parse(value.as_bytes());
        assert_eq!(text(r#"299 - "moves soon""#).as_deref(), Some("moves soon"));
        assert_eq!(text(r#" 299 - "a \"b\" \\c" "date""#).as_deref(), Some(r#"a "b" \c"#));
        assert_eq!(text(r#"299 - "without end"#).as_deref(), Some("without end"));
        assert_eq!(text(r#"299 - """#).as_deref(), Some(""));
        assert_eq!(text(r#"199 - "stale""#), None);
        assert_eq!(text("299 - moves"), None);
        assert_eq!(text(""), None);
    }

    #[test]
    fn long_values_are_cut() {
        let value = format!(r#"299 - "{}""#, "x".repeat(10_000));
        assert_eq!(parse(value.as_bytes()).map(|text| text.len()), Some(4096 - 7));
    }
}
