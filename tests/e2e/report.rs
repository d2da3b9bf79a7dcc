//! Prints one line per check and the totals at the end.
//!
//! Also counts the lines of a copy of this program that runs inside a namespace. Not a test framework: no filter, no
//! order, no retry.

use crate::Outcome;

const PASSED: &str = "ok      ";
const FAILED: &str = "FAILED  ";

/// The checks so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    passed: usize,
    failed: usize,
    scope: String,
}

impl Report {
    /// Sets the prefix for the names of the following checks.
    pub(crate) fn scope(&mut self, scope: &str) {
        scope.clone_into(&mut self.scope);
    }

    /// Counts a check and prints its line.
    pub(crate) fn check(&mut self, name: &str, outcome: Outcome<()>) {
        let scope = &self.scope;
        let name = if scope.is_empty() { name.to_owned() } else { format!("{scope}: {name}") };
        match outcome {
            Ok(()) => {
                self.passed += 1;
                println!("{PASSED}{name}");
            }
            Err(why) => {
                self.failed += 1;
                println!("{FAILED}{name}: {}", why.trim().replace('\n', "\n        "));
            }
        }
    }

    /// Prints the output of another run of this program, and counts its checks.
    pub(crate) fn adopt(&mut self, output: &str) {
        for line in output.lines() {
            println!("{line}");
            self.passed += usize::from(line.starts_with(PASSED));
            self.failed += usize::from(line.starts_with(FAILED));
        }
    }

    /// The numbers of passed and failed checks.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.passed, self.failed)
    }

    /// Whether a check failed.
    pub(crate) fn has_failures(&self) -> bool {
        self.failed > 0
    }

    /// Prints the totals.
    pub(crate) fn close(&self) {
        println!("{} passed, {} failed", self.passed, self.failed);
    }
}
