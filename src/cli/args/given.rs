//! Keeps the flags that were given on the command line, so that suggested commands can repeat them.

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

    /// Returns the words that explain a refused `login`: without the file in which the credentials would be saved, which
    /// may not exist yet.
    pub(crate) fn for_explaining_login(&self) -> Vec<String> {
        self.repeated(|flag| flag.long != "authfile")
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

#[cfg(test)]
mod tests {
    use super::GivenFlags;
    use crate::cli::args::flags;

    fn words(flags: &[(&str, Option<&str>)]) -> Vec<String> {
        let mut given = GivenFlags::default();
        for (name, value) in flags {
            if let Some(flag) = flags::long(name) {
                given.add(flag, value.map(str::to_owned));
            }
        }
        assert_eq!(given.flags().count(), flags.len());
        given.for_requests()
    }

    #[test]
    fn flags_are_repeated_as_they_count() {
        let ca_files = [("ca-file", Some("a")), ("ca-file", Some("b"))];
        assert_eq!(words(&ca_files), ["--ca-file", "a", "--ca-file", "b"]);
        let timeouts = [("timeout", Some("1")), ("insecure", None), ("timeout", Some("2m"))];
        assert_eq!(words(&timeouts), ["--insecure", "--timeout", "2m"]);
        assert_eq!(words(&[("authfile", Some("-x"))]), ["--authfile=-x"]);
    }

    #[test]
    fn secrets_and_flags_of_other_groups_are_not_repeated() {
        let flags = [("token", Some("hunter2")), ("json", None), ("verbose", None)];
        assert_eq!(words(&flags), Vec::<String>::new());
    }
}
