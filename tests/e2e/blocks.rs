//! The blocks of code in the README of this moment, each with the headings that it stands under.

use std::fs;

use crate::Outcome;

/// Where the README is.
pub(crate) const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// The section whose blocks are recipes, and run as a whole.
pub(crate) const RECIPES: &str = "Recipes";

/// A block of code.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    /// The last heading of the second level before it.
    pub(crate) section: String,
    /// The last heading of any level before it.
    pub(crate) heading: String,
    /// What stands behind its opening backticks.
    pub(crate) language: String,
    /// What is in it, with a line end behind every line.
    pub(crate) text: String,
}

/// All of them, in their order.
pub(crate) fn read() -> Outcome<Vec<Block>> {
    let text = fs::read_to_string(README).map_err(|error| format!("{README}: {error}"))?;
    let (mut section, mut heading) = (String::new(), String::new());
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            inside = !inside;
            if inside {
                let (section, heading) = (section.clone(), heading.clone());
                let language = language.to_owned();
                blocks.push(Block { section, heading, language, ..Block::default() });
            }
        } else if let Some(block) = blocks.last_mut().filter(|_| inside) {
            block.text.push_str(line);
            block.text.push('\n');
        } else if line.starts_with('#') {
            line.trim_start_matches('#').trim().clone_into(&mut heading);
            if line.starts_with("## ") {
                heading.clone_into(&mut section);
            }
        }
    }
    if inside { Err(format!("{README}: a block has no end")) } else { Ok(blocks) }
}
