//! Wraps text at spaces, for help and explanations.

/// Breaks a text into lines of at most `width` columns. Quoted values stay on one line if they fit. A longer word gets its own
/// line and is not broken, so that a URL can be copied.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let parts = if text.is_empty() { Vec::new() } else { parts(text, width) };
    for part in parts {
        match lines.last_mut() {
            Some(line) if columns(line) + 1 + columns(part) <= width => {
                line.push(' ');
                line.push_str(part);
            }
            Some(_) | None => lines.push(part.to_owned()),
        }
    }
    lines
}

/// Splits a text at its spaces, except those in quoted values that fit on one line.
fn parts(text: &str, width: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(end) = part_end(rest, width) {
        let (part, next) = rest.split_at_checked(end).unwrap_or((rest, ""));
        parts.push(part);
        rest = next.strip_prefix(' ').unwrap_or(next);
    }
    parts.push(rest);
    parts
}

/// The position of the space that ends the first part; `None` if the whole text is one part.
fn part_end(text: &str, width: usize) -> Option<usize> {
    let first_space = text.find(' ')?;
    let end = unquoted_space(text);
    let part = text.get(..end.unwrap_or(text.len())).unwrap_or(text);
    if columns(part) <= width { end } else { Some(first_space) }
}

/// The position of the first space that is not in a quoted value.
fn unquoted_space(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let space = from + rest.find(' ')?;
        let quote = rest.find('"').map(|at| from + at).filter(|at| *at < space);
        match quote.and_then(|start| quoted_end(text, start)) {
            Some(end) => from = end,
            None => return Some(space),
        }
    }
}

/// The position after the quote that closes the one at `start`. A backslash escapes the next character.
fn quoted_end(text: &str, start: usize) -> Option<usize> {
    let mut escaped = false;
    let inside = text.get(start + 1..)?;
    let closing = inside.char_indices().find(|(_, c)| {
        let closes = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        closes
    });
    closing.map(|(at, _)| start + 1 + at + 1)
}

/// Blocks of characters that take two columns: Hangul, kana, Han, full-width forms, emoji.
const WIDE: [(char, char); 9] = [
    ('\u{1100}', '\u{115f}'),
    ('\u{2e80}', '\u{a4cf}'),
    ('\u{ac00}', '\u{d7a3}'),
    ('\u{f900}', '\u{faff}'),
    ('\u{fe30}', '\u{fe6f}'),
    ('\u{ff00}', '\u{ff60}'),
    ('\u{ffe0}', '\u{ffe6}'),
    ('\u{1f300}', '\u{1faff}'),
    ('\u{20000}', '\u{3fffd}'),
];

/// The number of columns that a text takes at most.
pub(crate) fn columns(text: &str) -> usize {
    let width = |c: char| {
        if WIDE.iter().any(|(first, last)| (*first..=*last).contains(&c)) { 2 } else { 1 }
    };
    text.chars().map(width).sum()
}
