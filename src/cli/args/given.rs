//! The flags of a command line as they were typed, so that suggested commands can repeat them.

use crate::cli::args::flags::{Flag, Group};

/// The flags that were given, in the order of the command line.
#[derive(Default)]
pub(crate) struct GivenFlags {
    flags: Vec<(&'static Flag, Option<String>)>,
}

impl GivenFlags {
    /// Adds a flag and its value. The value of a flag that may hold a secret is not kept.
    pub(crate) fn add(&mut self, flag: &'static Flag, value: Option<String>) {
        self.flags.push((flag, value.filter(|_| !flag.secret)));
    }

    /// Returns the flags without their values.
    pub(crate) fn flags(&self) -> impl Iterator<Item = &'static Flag> {
        self.flags.iter().map(|(flag, _)| *flag)
    }

    /// Returns the words that repeat the flags for credentials and connections, unquoted.
    pub(crate) fn for_requests(&self) -> Vec<String> {
        self.repeated(|_| true)
    }

    /// Returns the same words without the flags that select who logs in, for use with another user.
    pub(crate) fn without_identity(&self) -> Vec<String> {
        self.repeated(|flag| !flag.identity)
    }

    /// Returns the words that repeat some flags for credentials and connections, by group. If the last value of a flag
    /// counts, it is the only one.
    fn repeated(&self, includes: impl Fn(&Flag) -> bool) -> Vec<String> {
        let mut words = Vec::new();
        for group in [Group::Credentials, Group::Connection] {
            for (at, (flag, value)) in self.flags.iter().enumerate() {
                let mut later = self.flags.iter().skip(at + 1);
                let overridden =
                    !flag.repeatable && later.any(|(other, _)| other.long == flag.long);
                if flag.group != group || flag.secret || overridden || !includes(flag) {
                    continue;
                }
                match value {
                    // Only an attached value may begin with a dash.
                    Some(value) if value.starts_with('-') => {
                        words.push(format!("--{}={value}", flag.long));
                    }
                    Some(value) => words.extend([format!("--{}", flag.long), value.clone()]),
                    None => words.push(format!("--{}", flag.long)),
                }
            }
        }
        words
    }
}
