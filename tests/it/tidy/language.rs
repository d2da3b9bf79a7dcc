//! Counts phrases that make prose hard to read, in comments, strings and documentation.
//!
//! The limits keep these phrases rare. They are upper bounds for the whole repository, not exact counts: lower a limit
//! when the count falls. Each phrase has a plainer alternative, as the table shows.

/// Phrases, the plainer alternative, and how many times each may occur.
const PHRASES: &[(&str, &str, usize)] = &[
    ("is no ", "is not a ..., missing", 6),
    ("are no ", "are not ..., missing", 2),
    ("so many", "N, the number of", 0),
    ("so much", "the amount of", 0),
    ("so long", "up to TIME", 0),
    ("mend", "fix", 0),
    ("stands in", "is in", 0),
    ("stands there", "is there", 0),
    ("stands beside", "is next to", 0),
    ("where not given", "default: ...", 0),
    ("all the same", "anyway", 0),
    ("nobody is asked", "no network", 0),
];

/// Returns the number of occurrences of each phrase in some texts, at the start of a word, ignoring case and line ends.
pub(super) fn counts(texts: &[(String, String)]) -> Vec<(&'static str, usize, Vec<String>)> {
    let normal: Vec<_> = texts.iter().map(|(file, text)| (file, normalized(text))).collect();
    let count = |phrase: &&'static str| {
        let found = normal.iter().map(|(file, text)| (file, occurrences(text, phrase)));
        let found: Vec<_> = found.filter(|(_, count)| *count > 0).collect();
        let files = found.iter().map(|(file, count)| format!("{file} ({count})")).collect();
        (*phrase, found.iter().map(|(_, count)| count).sum(), files)
    };
    PHRASES.iter().map(|(phrase, ..)| count(phrase)).collect()
}

/// Returns the phrases that occur more often than they may.
pub(super) fn complaints(texts: &[(String, String)]) -> Vec<String> {
    let counts = counts(texts);
    let limits = PHRASES.iter().zip(counts);
    let too_many = limits.filter(|((_, _, max), (_, count, _))| count > max);
    too_many
        .map(|((phrase, better, max), (_, count, files))| {
            let files = files.join(", ");
            format!("{phrase:?} {count} times, at most {max}; better: {better}. In {files}")
        })
        .collect()
}

/// The text in lower case on one line, without the marks of comments and the line ends of strings.
fn normalized(text: &str) -> String {
    let words = text.split_whitespace();
    let words = words.filter(|word| !["//", "///", "//!", "#", "\\", "*"].contains(word));
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

/// How many times a phrase occurs at the start of a word.
fn occurrences(text: &str, phrase: &str) -> usize {
    let starts_word =
        |at| text.get(..at).is_some_and(|before| !before.ends_with(char::is_alphanumeric));
    text.match_indices(phrase).filter(|(at, _)| starts_word(*at)).count()
}

#[test]
fn phrases_are_counted_across_lines_and_case() {
    let text = "/// There is\n/// no digest. This is not. Is no \\\n  reference. Mended; amended.";
    let texts = [("a.rs".to_owned(), text.to_owned())];
    let counts = counts(&texts);
    let of = |phrase| counts.iter().find(|(name, ..)| *name == phrase).map(|(_, count, _)| *count);
    assert_eq!((of("is no "), of("mend"), of("so many")), (Some(2), Some(1), Some(0)));
}
