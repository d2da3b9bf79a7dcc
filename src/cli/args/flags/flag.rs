//! The type of a flag's declaration.

use super::options::Options;

/// A flag.
pub(crate) struct Flag {
    /// The long name, without dashes.
    pub(crate) long: &'static str,
    pub(crate) short: Option<char>,
    pub(crate) group: Group,
    /// One line, without a full stop.
    pub(crate) help: &'static str,
    /// More sentences for `--help` and the man page; may be empty.
    pub(crate) long_help: &'static str,
    /// The value that applies if the flag is not given, as it would be typed.
    pub(crate) default: Option<&'static str>,
    /// Whether giving the flag again adds a value. Otherwise the last value counts.
    pub(crate) repeatable: bool,
    /// Whether the flag selects who logs in.
    pub(crate) identity: bool,
    /// Whether the value may be a secret, so that it is not kept for suggested commands.
    pub(crate) secret: bool,
    pub(crate) action: Action,
}

/// A heading of the help, with the flags under it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Answer,
    Attempt,
    Credentials,
    Connection,
    General,
    /// Flags that replace a command.
    Alone,
}

/// What a flag does.
#[derive(Clone, Copy)]
pub(crate) enum Action {
    Switch(fn(&mut Options)),
    /// The name of the value, and the function that parses and stores it.
    Value(&'static str, fn(&mut Options, &str) -> Result<(), String>),
    Help,
    Version,
}

impl Flag {
    /// The defaults of fields that most flags do not set. The names and texts are placeholders.
    pub(crate) const BASE: Flag = Flag {
        long: "",
        short: None,
        group: Group::General,
        help: "",
        long_help: "",
        default: None,
        repeatable: false,
        identity: false,
        secret: false,
        action: Action::Help,
    };

    /// The name of its value; `None` if it takes none.
    pub(crate) fn value_name(&self) -> Option<&'static str> {
        match self.action {
            Action::Value(name, _) => Some(name),
            Action::Switch(_) | Action::Help | Action::Version => None,
        }
    }

    /// The sentences of the long help, with a remark if the flag can be repeated.
    pub(crate) fn details(&self) -> String {
        let repeatable = if self.repeatable { "Can be repeated." } else { "" };
        let parts = [self.long_help, repeatable].into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(" ")
    }

    /// The short help with the default in brackets.
    pub(crate) fn help_with_default(&self) -> String {
        match self.default {
            Some(default) => format!("{} [default: {default}]", self.help),
            None => self.help.to_owned(),
        }
    }
}

impl Group {
    /// All groups, in the order of the help.
    pub(crate) const ALL: [Group; 6] = [
        Group::Answer,
        Group::Attempt,
        Group::Credentials,
        Group::Connection,
        Group::General,
        Group::Alone,
    ];

    pub(crate) fn heading(self) -> &'static str {
        match self {
            Group::Answer => "Output",
            Group::Attempt => "Login attempt to diagnose",
            Group::Credentials => "Credentials",
            Group::Connection => "Connection",
            Group::General => "Global flags",
            Group::Alone => "Flags without a command",
        }
    }
}
