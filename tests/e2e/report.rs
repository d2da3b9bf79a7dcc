//! The tally: one line a check while they run, one closing line at the end.
//!
//! The lines of a program that was started again inside a namespace are read back here, so that
//! its checks count like the others. This is not a test framework: no filter, no order, no retry.

use crate::Outcome;

const PASSED: &str = "ok      ";
const FAILED: &str = "FAILED  ";

/// What has been checked so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    passed: usize,
    failed: usize,
    scope: String,
}

impl Report {
    /// Names what the following checks are about; it stands in front of each of their lines.
    pub(crate) fn scope(&mut self, scope: &str) {
        scope.clone_into(&mut self.scope);
    }

    /// Counts one check and prints its line.
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

    /// Counts the check lines that another run of this program printed, and passes them on.
    pub(crate) fn adopt(&mut self, output: &str) {
        for line in output.lines() {
            println!("{line}");
            self.passed += usize::from(line.starts_with(PASSED));
            self.failed += usize::from(line.starts_with(FAILED));
        }
    }

    /// How many have passed, and how many failed.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.passed, self.failed)
    }

    /// Whether something failed.
    pub(crate) fn has_failures(&self) -> bool {
        self.failed > 0
    }

    /// Prints the one closing line.
    pub(crate) fn close(&self) {
        println!("{} passed, {} failed", self.passed, self.failed);
    }
}
