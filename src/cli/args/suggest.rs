//! Suggests a name for an unknown command or flag.
//!
//! Names of other clients (crane, skopeo, regctl, oras) are looked up in a table; otherwise the nearest name by edit distance
//! is suggested. These are hints only: none of the names is accepted.

use crate::cli::args::commands::{COMMANDS, Command};
use crate::cli::args::flags;

/// Names that other clients use, and what to use instead.
pub(crate) struct Foreign {
    /// Commands, and flags with their dashes.
    pub(crate) names: &'static [&'static str],
    pub(crate) advice: &'static str,
}

/// The names of other clients. A test checks that the commands and flags in the advice exist.
pub(crate) const FOREIGN: &[Foreign] = &[
    Foreign {
        names: &["resolve", "head", "sha", "id"],
        advice: "regq digest REF prints the digest",
    },
    Foreign {
        names: &["inspect", "get", "fetch", "show"],
        advice: "regq digest REF prints the digest, regq manifest REF the manifest",
    },
    Foreign {
        names: &["image", "images", "imagetools", "repo", "artifact"],
        advice: "a command is a single word, such as regq digest REF",
    },
    Foreign { names: &["raw", "cat"], advice: "regq manifest REF prints the exact bytes" },
    Foreign {
        names: &["name", "ref", "reference", "normalize"],
        advice: "regq parse REF shows how a reference is parsed",
    },
    Foreign {
        names: &["auth", "signin"],
        advice: "regq login REGISTRY verifies credentials and saves them",
    },
    Foreign { names: &["version"], advice: "use regq --version" },
    Foreign {
        names: &["completion", "completions"],
        advice: "use regq --generate bash (or zsh, fish)",
    },
    Foreign {
        names: &["--creds", "--username", "--src-creds", "-u"],
        advice: "use --user NAME with --password-stdin or --password-file FILE",
    },
    Foreign {
        names: &["--password", "--pass", "--pass-stdin", "-p"],
        advice: "use --password-stdin or --password-file FILE; other users can see command lines",
    },
    Foreign { names: &["--no-creds", "--no-auth"], advice: "did you mean --anonymous" },
    Foreign {
        names: &["--config", "--registry-config", "--auth-file", "--compat-auth-file"],
        advice: "did you mean --authfile FILE",
    },
    Foreign { names: &["--registry-token"], advice: "--token-file FILE sends a bearer token" },
    Foreign {
        names: &[
            "--tls-verify",
            "--src-tls-verify",
            "--skip-tls-verify",
            "--insecure-skip-tls-verify",
            "--tls",
            "-k",
        ],
        advice: "--insecure skips certificate checks, --plain-http uses HTTP",
    },
    Foreign { names: &["--http", "--allow-http"], advice: "did you mean --plain-http" },
    Foreign {
        names: &["--cert-dir", "--src-cert-dir", "--cacert", "--ca", "--cafile", "--certs-dir"],
        advice: "did you mean --ca-file FILE",
    },
    Foreign {
        names: &["--format", "--output", "--template", "-o", "-f"],
        advice: "--json prints an object, --get KEY one of its values",
    },
    Foreign {
        names: &["--raw", "--raw-body", "--pretty"],
        advice: "regq manifest REF prints the exact bytes",
    },
    Foreign {
        names: &[
            "--os",
            "--arch",
            "--variant",
            "--override-os",
            "--override-arch",
            "--override-variant",
        ],
        advice: "did you mean --platform OS/ARCH[/VARIANT]",
    },
    Foreign {
        names: &["--full-reference", "--full-name", "-l"],
        advice: "did you mean --full-ref",
    },
    Foreign {
        names: &["--retry-times", "--retry", "--max-retries"],
        advice: "did you mean --retries N",
    },
    Foreign {
        names: &["--command-timeout", "--max-time", "-m"],
        advice: "did you mean --timeout TIME",
    },
    Foreign {
        names: &["--debug", "--trace", "--verbosity", "-d"],
        advice: "did you mean --verbose",
    },
    Foreign { names: &["--silent", "-s"], advice: "did you mean --quiet" },
    Foreign {
        names: &["--require-digest", "--check"],
        advice: "--verify fetches the manifest and computes its digest",
    },
];

/// Returns a hint for an unknown command.
pub(crate) fn command(word: &str) -> Option<String> {
    if let Some(advice) = foreign(word) {
        return Some(advice);
    }
    // Without a command, the first word is the name of an image.
    if word.contains(['/', ':', '@']) {
        return Some(format!("the command comes first, for example: regq digest {word}"));
    }
    nearest(word, COMMANDS.iter().flat_map(Command::names))
        .map(|name| format!("did you mean regq {name}"))
}

/// Returns a hint for an unknown flag, which is given with its dashes.
pub(crate) fn flag(typed: &str, command: Option<&Command>) -> Option<String> {
    if let Some(advice) = foreign(typed) {
        return Some(advice);
    }
    let word = typed.strip_prefix("--")?;
    let flags = flags::all().filter(|flag| command.is_none_or(|command| command.takes(flag)));
    nearest(word, flags.map(|flag| flag.long)).map(|name| format!("did you mean --{name}"))
}

fn foreign(word: &str) -> Option<String> {
    let found = FOREIGN.iter().find(|foreign| foreign.names.contains(&word));
    found.map(|foreign| foreign.advice.to_owned())
}

/// Returns the name with the smallest edit distance to the word, if that is small for its length. A prefix of at least
/// three letters counts as one edit.
fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let distance = |name: &str| {
        if word.len() >= 3 && name.starts_with(&word) { 1 } else { edits(&word, name) }
    };
    names
        .map(|name| (distance(name), name))
        .filter(|(edits, name)| *edits <= (name.len() / 3).max(1))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

/// Returns the number of characters that are inserted, removed, replaced or swapped with their neighbor between two words
/// (optimal string alignment).
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    // The distances from the last two prefixes of `from` to each prefix of `to`.
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    // A word much longer than any name is not a typo.
    for (index, letter) in from.chars().take(64).enumerate() {
        let mut next = vec![index + 1];
        let mut left = index + 1;
        let mut target_before = None;
        for (column, target) in to.iter().copied().enumerate() {
            let at =
                |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
            let mut best = (left + 1)
                .min(at(&row, column + 1) + 1)
                .min(at(&row, column) + usize::from(letter != target));
            if column > 0 && previous == Some(target) && target_before == Some(letter) {
                best = best.min(at(&before, column - 1) + 1);
            }
            next.push(best);
            left = best;
            target_before = Some(target);
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(letter);
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::edits;

    #[test]
    fn edits_are_counted() {
        for (from, to, expected) in [
            ("", "", 0),
            ("digest", "digest", 0),
            ("digets", "digest", 1),
            ("idgest", "digest", 1),
            ("igdest", "digest", 2),
            ("dgest", "digest", 1),
            ("diigest", "digest", 1),
            ("manifests", "manifest", 1),
            ("kitten", "sitting", 3),
            ("", "abc", 3),
        ] {
            assert_eq!(edits(from, to), expected, "{from} {to}");
        }
    }
}
