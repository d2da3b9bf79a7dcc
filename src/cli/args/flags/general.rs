//! Flags of every command, and those that replace a command.

use super::flag::{Action, Flag, Group};
use super::options::Verbosity;
use crate::cli::args::values;

const BASE: Flag = Flag { group: Group::General, ..Flag::BASE };

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        long: "verbose",
        short: Some('v'),
        help: "Print requests, connections and credential lookups",
        long_help: "To standard error. Secrets are never printed.",
        action: Action::Switch(|options| options.general.verbosity = Verbosity::Trace),
        ..BASE
    },
    Flag {
        long: "quiet",
        short: Some('q'),
        help: "Print no messages except errors",
        long_help: "Hides notes, warnings and messages about retries.",
        action: Action::Switch(|options| options.general.verbosity = Verbosity::Quiet),
        ..BASE
    },
    Flag {
        long: "help",
        short: Some('h'),
        help: "Show help (--help shows more)",
        action: Action::Help,
        ..BASE
    },
    Flag {
        long: "version",
        short: Some('V'),
        help: "Print the version",
        action: Action::Version,
        ..BASE
    },
    Flag {
        long: "generate",
        group: Group::Alone,
        help: "Print the man page or a completion script",
        long_help: "KIND is man, bash, zsh or fish.",
        action: Action::Value("KIND", |options, text| {
            options.general.generate = Some(values::generated(text)?);
            Ok(())
        }),
        ..BASE
    },
];
