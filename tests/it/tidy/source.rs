//! Finds the paths that a Rust source file uses. Not a parser.
//!
//! Removes comments, strings, characters and items under `#[cfg(test)]`, splits the rest into tokens, and collects the
//! paths. A path that starts with an imported name is expanded.

use std::collections::{BTreeMap, BTreeSet};

/// The segments of a path; a glob ends with `*`.
pub(super) type Path = Vec<String>;

pub(super) struct Source {
    pub(super) tokens: Vec<String>,
    /// The names of the modules that the file declares.
    pub(super) modules: BTreeSet<String>,
    /// All paths of more than one segment, and all paths in `use` items.
    pub(super) paths: BTreeSet<Path>,
}

impl Source {
    pub(super) fn read(text: &str) -> Self {
        let tokens = without_tests(tokens(&without_text(text)));
        let (used, names, rest) = uses(&tokens);
        let mut paths = used;
        paths.extend(inline(&rest).into_iter().map(|path| expanded(path, &names)));
        let modules = declared(&tokens);
        Self { tokens, modules, paths }
    }

    /// Whether these tokens follow each other.
    pub(super) fn has(&self, sequence: &[&str]) -> bool {
        self.tokens.windows(sequence.len()).any(|window| window.iter().eq(sequence))
    }
}

/// Replaces comments, strings and characters by spaces; keeps lifetimes.
pub(super) fn without_text(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < chars.len() {
        let end = skipped(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// The end of the comment or literal that starts at `at`; `at` itself if none does.
fn skipped(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    let in_word = at > 0 && is_word(chars[at - 1]);
    match rest {
        ['/', '/', ..] => at + rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => at + block_comment(rest),
        ['"', ..] => at + quoted(rest, '"'),
        ['\'', '\\', ..] => at + quoted(rest, '\''),
        ['\'', _, '\'', ..] => at + 3,
        ['r', '"' | '#', ..] if !in_word => at + raw(rest, 1),
        ['b' | 'c', 'r', '"' | '#', ..] if !in_word => at + raw(rest, 2),
        _ => at,
    }
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    rest.len().min(at + 1)
}

/// The length of `r#"..."#` with any number of `#`; 0 for a raw identifier such as `r#type`.
fn raw(rest: &[char], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
    let open = prefix + hashes;
    if rest.get(open) != Some(&'"') {
        return 0;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body = &rest[open + 1..];
    let length = body.windows(end.len()).position(|w| w == end).unwrap_or(body.len());
    rest.len().min(open + 1 + length + end.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Splits a text into words (lifetimes with their tick), `::`, and single characters.
pub(super) fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let from = at;
        at += 1;
        if is_word(chars[from]) || chars[from] == '\'' {
            at += chars[at..].iter().take_while(|c| is_word(**c)).count();
        } else if chars[from..].starts_with(&[':', ':']) {
            at += 1;
        } else if chars[from].is_whitespace() {
            continue;
        }
        tokens.push(chars[from..at].iter().collect());
    }
    tokens
}

/// Removes the items under `#[cfg(test)]`, which may use anything.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at..].iter().take(7).eq(["#", "[", "cfg", "(", "test", ")", "]"].iter()) {
            at = item_end(&tokens, at + 7);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// The position after the `;` or closing brace that ends the item at `from`.
fn item_end(tokens: &[String], from: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 && (token == ";" || token == "}") {
            return at + 1;
        }
    }
    tokens.len()
}

/// Returns the paths of all `use` items, the names they import, and the tokens without those items.
fn uses(tokens: &[String]) -> (BTreeSet<Path>, BTreeMap<String, Path>, Vec<String>) {
    let (mut paths, mut names, mut rest) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        // `+ use<'a>` in a type is not an import.
        if tokens[at] == "use" && tokens.get(at + 1).is_some_and(|next| next != "<") {
            at = tree(tokens, at + 1, &[], &mut paths, &mut names);
            rest.push(";".to_owned());
        } else {
            rest.push(tokens[at].clone());
            at += 1;
        }
    }
    (paths, names, rest)
}

/// Reads one use tree after `prefix`, and returns the position after it.
fn tree(
    tokens: &[String],
    mut at: usize,
    prefix: &[String],
    paths: &mut BTreeSet<Path>,
    names: &mut BTreeMap<String, Path>,
) -> usize {
    let mut path = prefix.to_vec();
    let mut alias = None;
    while at < tokens.len() {
        match tokens[at].as_str() {
            "::" => {}
            "{" => {
                at += 1;
                while at < tokens.len() && tokens[at] != "}" {
                    at = tree(tokens, at, &path, paths, names);
                    at += usize::from(tokens.get(at).is_some_and(|token| token == ","));
                }
                return at + 1;
            }
            "as" => {
                alias = tokens.get(at + 1).cloned();
                at += 1;
            }
            // `self` in a list is the path before the list.
            "self" if !path.is_empty() => {}
            "," | "}" | ";" => break,
            word => path.push(word.to_owned()),
        }
        at += 1;
    }
    if let Some(name) = alias.or_else(|| path.last().cloned()) {
        names.insert(name, path.clone());
        paths.insert(path);
    }
    at
}

/// Returns the paths outside `use` items, with at least one `::`.
fn inline(tokens: &[String]) -> Vec<Path> {
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let mut path = vec![tokens[at].clone()];
        while tokens.get(at + 1).is_some_and(|token| token == "::")
            && tokens.get(at + 2).is_some_and(|token| token.starts_with(is_word))
        {
            path.push(tokens[at + 2].clone());
            at += 2;
        }
        if path.len() > 1 {
            path.retain(|segment| segment.starts_with(is_word));
            paths.push(path);
        }
        at += 1;
    }
    paths
}

/// Expands a path that starts with an imported name.
fn expanded(path: Path, names: &BTreeMap<String, Path>) -> Path {
    match names.get(&path[0]) {
        Some(start) => [start.as_slice(), &path[1..]].concat(),
        None => path,
    }
}

/// Returns the names of `mod name;` declarations.
fn declared(tokens: &[String]) -> BTreeSet<String> {
    let is_declaration = |window: &&[String]| window[0] == "mod" && window[2] == ";";
    tokens.windows(3).filter(is_declaration).map(|window| window[1].clone()).collect()
}
