//! The README and the pages in `docs/`: their size, their links, and the examples that need no registry.
//!
//! `make e2e` runs all examples. Those that send nothing run here too, word for word. `UPDATE=1 cargo test` writes their
//! output into the pages.

use std::path::Path;
use std::process::{Command, Output};

use super::support::documents::{self, Block, Example, PAGES};

const MAX_README: usize = 10_240;

/// Runs a command line in a shell, in the repository, with regq on PATH.
fn shell(command: &str) -> Output {
    let regq = Path::new(env!("CARGO_BIN_EXE_regq")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", regq.display());
    let mut shell = Command::new("sh");
    shell.current_dir(documents::path("")).env_clear().env("PATH", path);
    shell.args(["-c", &format!("exec 2>&1\n{command}")]).output().unwrap()
}

/// Whether a command needs neither a registry nor a file of the reader.
fn is_offline(example: &Example) -> bool {
    ["regq parse ", "regq explain --offline ", "regq explain --json --offline "]
        .iter()
        .any(|start| example.command.starts_with(start))
}

fn offline_blocks() -> Vec<(Block, Vec<Example>)> {
    let blocks = documents::blocks().unwrap().into_iter();
    let blocks = blocks.filter(|block| block.language == "console");
    let examples = blocks.map(|block| {
        let examples = block.examples().unwrap();
        (block, examples)
    });
    examples.filter(|(_, examples)| examples.iter().any(is_offline)).collect()
}

#[test]
fn offline_examples_print_what_the_pages_show() {
    let blocks = offline_blocks();
    assert!(blocks.len() >= 4, "{blocks:?}");
    let mut wrong = Vec::new();
    for (block, examples) in blocks {
        let mut updated = examples.clone();
        for example in updated.iter_mut().filter(|example| is_offline(example)) {
            let output = String::from_utf8(shell(&example.command).stdout).unwrap();
            if !example.shows(&output) {
                wrong.push(format!(
                    "$ {}\nshown:\n{}\nprinted:\n{output}",
                    example.command, example.output
                ));
                *example = example.updated(&output);
            }
        }
        if documents::updating() && updated != examples {
            block.rewrite(&updated).unwrap();
        }
    }
    assert!(
        wrong.is_empty() || documents::updating(),
        "UPDATE=1 cargo test writes the new output into the pages\n{}",
        wrong.join("\n")
    );
}

#[test]
fn readme_is_short() {
    let readme = documents::read("README.md").unwrap();
    assert!(readme.len() <= MAX_README, "{} bytes, at most {MAX_README}", readme.len());
}

/// The targets of the links `[text](target)` in a page.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

#[test]
fn links_lead_to_files_and_headings() {
    let others = ["docs/findings.md", "docs/size.md", "CONTRIBUTING.md", "SECURITY.md"];
    for page in PAGES.iter().chain(&others) {
        let text = documents::read(page).unwrap();
        let folder = documents::path(page).parent().unwrap().to_owned();
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { documents::path(page) } else { folder.join(file) };
            let found =
                std::fs::read_to_string(&target).unwrap_or_else(|_| panic!("{page}: {link}"));
            let anchors = found.lines().filter(|line| line.starts_with('#')).map(|line| {
                let name = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                name.chars().filter(|c| c.is_alphanumeric() || *c == '-').collect::<String>()
            });
            assert!(
                anchor.is_empty() || anchors.into_iter().any(|name| name == anchor),
                "{page}: {link}"
            );
        }
    }
}

// The reader of the pages itself.

fn block(text: &str) -> Block {
    Block { text: text.to_owned(), language: "console".to_owned(), ..Block::default() }
}

fn example(command: &str, output: &str) -> Example {
    Example { command: command.to_owned(), output: output.to_owned() }
}

#[test]
fn examples_are_split_at_prompts() {
    let examples = block("$ a \\\n  b\none\ntwo\n$ c\n").examples().unwrap();
    assert_eq!(examples, [example("a \\\n  b", "one\ntwo\n"), example("c", "")]);
    assert!(block("output\n").examples().is_err());
}

#[test]
fn dots_match_any_lines() {
    let shown = example("", "a\n...\nc\n...\n");
    for fine in ["a\nc\n", "a\nb\nc\n", "a\nb\nc\nd\n", "a\nxc\nc\n"] {
        assert!(shown.shows(fine), "{fine}");
    }
    for bad in ["", "a\n", "b\na\nc\n", "a\nxc\n", "c\na\n"] {
        assert!(!shown.shows(bad), "{bad}");
    }
    assert!(example("", "a\n").shows("a\n") && !example("", "a\n").shows("a\nb\n"));
}

#[test]
fn a_shortened_example_stays_short_when_it_is_updated() {
    let shown = example("", "...\nfix: use b\n...\nlast line\n");
    assert_eq!(
        shown.updated("x\nfix: take b\ny\nz\nlast line\n").output,
        "...\nfix: take b\n...\nlast line\n"
    );
    assert_eq!(example("", "old\n").updated("new\n").output, "new\n");
}
