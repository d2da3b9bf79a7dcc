//! Reads the code blocks of the README and of the pages in `docs/`, and writes new output into them.
//!
//! A `console` block shows command lines, each after a `$ ` prompt, and the output of each. A line `...` in the output
//! matches any number of lines. With `UPDATE=1` in the environment a test that runs the examples writes the output it
//! got into the page instead of failing.

use std::fs;
use std::path::PathBuf;

/// The pages whose examples are tested.
pub(crate) const PAGES: &[&str] = &[
    "README.md",
    "docs/manual.md",
    RECIPES,
    "docs/json.md",
    "docs/explain.md",
    "docs/static.md",
    "docs/comparison.md",
];

/// The page whose blocks are recipes, which run as a whole.
pub(crate) const RECIPES: &str = "docs/recipes.md";

/// A line of an example's output that matches any number of lines.
const ELLIPSIS: &str = "...";

/// A fenced code block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// The page, relative to the repository.
    pub(crate) page: &'static str,
    /// The last heading before it.
    pub(crate) heading: String,
    /// The info string after the opening fence.
    pub(crate) language: String,
    /// The lines inside, each with its line end.
    pub(crate) text: String,
}

/// A command line of a `console` block and the output shown below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Example {
    /// The command line without its prompt; continued lines stay separate.
    pub(crate) command: String,
    /// The lines below it, up to the next prompt.
    pub(crate) output: String,
}

/// The path of a file of the repository.
pub(crate) fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// Reads a file of the repository.
pub(crate) fn read(file: &str) -> Result<String, String> {
    fs::read_to_string(path(file)).map_err(|error| format!("{file}: {error}"))
}

/// Whether the tests rewrite the expected output, `UPDATE=1`.
pub(crate) fn updating() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

/// Returns the code blocks of all pages, in order.
pub(crate) fn blocks() -> Result<Vec<Block>, String> {
    let pages = PAGES.iter().map(|page| blocks_of(page, &read(page)?));
    Ok(pages.collect::<Result<Vec<_>, _>>()?.concat())
}

/// Returns the code blocks of one page.
pub(crate) fn blocks_of(page: &'static str, text: &str) -> Result<Vec<Block>, String> {
    let mut heading = String::new();
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            inside = !inside;
            if inside {
                let (heading, language) = (heading.clone(), language.to_owned());
                blocks.push(Block { page, heading, language, text: String::new() });
            }
        } else if let Some(block) = blocks.last_mut().filter(|_| inside) {
            block.text.push_str(line);
            block.text.push('\n');
        } else if line.starts_with('#') {
            line.trim_start_matches('#').trim().clone_into(&mut heading);
        }
    }
    if inside { Err(format!("{page}: a code block is not closed")) } else { Ok(blocks) }
}

impl Block {
    /// Parses a `console` block.
    pub(crate) fn examples(&self) -> Result<Vec<Example>, String> {
        let mut examples: Vec<Example> = Vec::new();
        let mut continued = false;
        for line in self.text.lines() {
            match (line.strip_prefix("$ "), examples.last_mut()) {
                (None, Some(example)) if continued => {
                    example.command.push('\n');
                    example.command.push_str(line);
                }
                (None, Some(example)) => {
                    example.output.push_str(line);
                    example.output.push('\n');
                }
                (Some(command), _) => {
                    examples.push(Example { command: command.to_owned(), output: String::new() });
                }
                (None, None) => return Err(format!("{}: no command before {line:?}", self.page)),
            }
            continued = line.ends_with('\\') && (continued || line.starts_with("$ "));
        }
        Ok(examples)
    }

    /// Writes these examples into the page in place of this block.
    pub(crate) fn rewrite(&self, examples: &[Example]) -> Result<(), String> {
        let lines = examples.iter().map(|one| format!("$ {}\n{}", one.command, one.output));
        let fence = format!("```{}\n", self.language);
        let page = read(self.page)?;
        let old = format!("{fence}{}```\n", self.text);
        if page.matches(&old).count() != 1 {
            return Err(format!("{}: this block does not occur exactly once:\n{old}", self.page));
        }
        let new = format!("{fence}{}```\n", lines.collect::<String>());
        fs::write(path(self.page), page.replace(&old, &new)).map_err(|error| error.to_string())
    }
}

impl Example {
    /// Whether the example leaves out a part of its output.
    pub(crate) fn is_shortened(&self) -> bool {
        self.output.lines().any(|line| line == ELLIPSIS)
    }

    /// Whether `output` is what the example shows.
    pub(crate) fn shows(&self, output: &str) -> bool {
        let shown: Vec<&str> = self.output.split_inclusive('\n').collect();
        let lines: Vec<&str> = output.split_inclusive('\n').collect();
        let ellipsis = |line: &&str| line.trim_end() == ELLIPSIS;
        let mut parts: Vec<&[&str]> = shown.split(ellipsis).collect();
        let Some(first) = parts.first().copied() else { return false };
        let Some(mut rest) = lines.strip_prefix(first) else { return false };
        if parts.len() == 1 {
            return rest.is_empty();
        }
        let last = parts.pop().unwrap_or_default();
        let Some(until) = rest.strip_suffix(last) else { return false };
        rest = until;
        parts.iter().skip(1).all(|part| {
            let mut starts = 0..=rest.len().saturating_sub(part.len());
            let found = starts.find(|at| rest[*at..].starts_with(part));
            rest = found.map_or(&[], |at| &rest[at + part.len()..]);
            found.is_some()
        })
    }

    /// Returns the example with this output. A shortened one keeps, for each line it shows, the line of the output that
    /// has the most words in common with it.
    pub(crate) fn updated(&self, output: &str) -> Example {
        if !self.is_shortened() {
            return Example { output: output.to_owned(), ..self.clone() };
        }
        let lines: Vec<&str> = output.lines().collect();
        let mut kept = vec![false; lines.len()];
        let mut next = 0;
        for shown in self.output.lines().filter(|line| *line != ELLIPSIS) {
            let scores =
                lines.iter().enumerate().skip(next).map(|(at, line)| (at, likeness(shown, line)));
            // The first of equals, so that equal lines stay in order.
            let best = scores.rev().max_by_key(|(_, likeness)| *likeness);
            if let Some((at, likeness)) = best
                && (likeness > 0 || shown.is_empty())
            {
                kept[at] = true;
                next = at + 1;
            }
        }
        let mut updated = String::new();
        let mut skipping = false;
        for (line, kept) in lines.iter().zip(kept) {
            if kept {
                updated.push_str(&format!("{line}\n"));
            } else if !skipping {
                updated.push_str(&format!("{ELLIPSIS}\n"));
            }
            skipping = !kept;
        }
        Example { output: updated, ..self.clone() }
    }
}

/// How alike two lines are, in percent of their words; 100 if equal.
fn likeness(one: &str, other: &str) -> usize {
    if one == other {
        return 101;
    }
    let (one, other): (Vec<_>, Vec<_>) =
        (one.split_whitespace().collect(), other.split_whitespace().collect());
    let common = one.iter().filter(|word| other.contains(word)).count();
    200 * common / (one.len() + other.len()).max(1)
}
