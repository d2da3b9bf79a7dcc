//! Parses the command line into values, with the tables of commands and flags.
//!
//! Flags can be given anywhere, even before the command; `--` ends them. If a flag is given twice, the last value counts,
//! unless the flag is repeatable. `--help` and `--version` take precedence over errors after them. No file is read and
//! nothing is sent here.

use std::ffi::{OsStr, OsString};

use lexopt::{Arg, Parser};

use crate::cli::args::commands::{self, Command, CommandAction};
use crate::cli::args::flags::{self, Action, Flag, Group, Options};
use crate::cli::args::given::GivenFlags;
use crate::cli::args::suggest;
use crate::cli::args::values::{Generated, TokenSource};
use crate::cli::commands::context::Run;

/// What the command line requests.
pub(crate) enum Invocation {
    /// The command line has no arguments.
    Empty,
    Help(Option<&'static Command>, Detail),
    Version,
    /// The man page or a completion script.
    Generate(Generated),
    Run(Box<Call>),
}

/// How much help is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    Short,
    Long,
}

/// A command with its flags and operands, checked.
pub(crate) struct Call {
    pub(crate) run: Run,
    pub(crate) options: Options,
    pub(crate) given: GivenFlags,
    pub(crate) operands: Vec<OsString>,
}

/// An invalid command line.
#[derive(Debug)]
pub(crate) struct UsageError {
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// Parses the arguments, without the name of the program.
///
/// # Errors
///
/// Returns the first error, with a hint.
pub(crate) fn parse(args: Vec<OsString>) -> Result<Invocation, UsageError> {
    if args.is_empty() {
        return Ok(Invocation::Empty);
    }
    let mut line = CommandLine::default();
    let result = line.read(args);
    if let Some(detail) = line.help {
        return Ok(Invocation::Help(line.command, detail));
    }
    if line.version {
        return Ok(Invocation::Version);
    }
    result?;
    line.check()
}

/// The part of the command line that has been read.
#[derive(Default)]
struct CommandLine {
    command: Option<&'static Command>,
    operands: Vec<OsString>,
    given: GivenFlags,
    options: Options,
    help: Option<Detail>,
    version: bool,
}

impl CommandLine {
    fn read(&mut self, args: Vec<OsString>) -> Result<(), UsageError> {
        let mut parser = Parser::from_args(args);
        parser.set_short_equals(false);
        loop {
            // The flag is looked up at once, because its name borrows from the parser.
            let arg = parser.next().map_err(|error| self.error(error.to_string()))?;
            let (flag, typed) = match arg {
                None => return Ok(()),
                Some(Arg::Value(word)) => {
                    self.word(word)?;
                    continue;
                }
                Some(Arg::Long(name)) => (flags::long(name), format!("--{name}")),
                Some(Arg::Short(name)) => (flags::short(name), format!("-{name}")),
            };
            let Some(flag) = flag else {
                return Err(UsageError {
                    message: format!("unknown flag {typed:?}"),
                    hint: suggest::flag(&typed, self.command).unwrap_or_else(|| self.see_help()),
                });
            };
            self.flag(flag, &typed, &mut parser)?;
        }
    }

    /// Adds a word: the first is the command, the others are its operands.
    fn word(&mut self, word: OsString) -> Result<(), UsageError> {
        if self.command.is_some() {
            self.operands.push(word);
            return Ok(());
        }
        self.command = Some(find_command(&word)?);
        Ok(())
    }

    fn flag(
        &mut self,
        flag: &'static Flag,
        typed: &str,
        parser: &mut Parser,
    ) -> Result<(), UsageError> {
        let is_long = typed.starts_with("--");
        let mut given = None;
        match flag.action {
            Action::Value(name, set) => {
                let value = self.value(typed, name, parser)?;
                set(&mut self.options, &value)
                    .map_err(|error| self.error(format!("{typed}: {error}")))?;
                given = Some(value);
            }
            // After a short flag, the rest of the word may be more flags.
            Action::Switch(_) | Action::Help | Action::Version
                if is_long && parser.optional_value().is_some() =>
            {
                return Err(self.error(format!("{typed} does not take a value")));
            }
            Action::Switch(set) => set(&mut self.options),
            Action::Help => {
                self.help = Some(if is_long { Detail::Long } else { Detail::Short });
            }
            Action::Version => self.version = true,
        }
        self.given.add(flag, given);
        Ok(())
    }

    /// Returns the value of a flag: attached to it, or the next word.
    fn value(&self, typed: &str, name: &str, parser: &mut Parser) -> Result<String, UsageError> {
        let value = match parser.optional_value() {
            Some(attached) => attached,
            None => {
                let missing = |_| self.error(format!("{typed} requires a value: {typed} {name}"));
                let next = parser.value().map_err(missing)?;
                if looks_like_flag(&next) {
                    return Err(self.error(format!(
                        "{typed} requires a value; to pass {:?} as the value, write {typed}=VALUE",
                        next.to_string_lossy()
                    )));
                }
                next
            }
        };
        value.into_string().map_err(|_| self.error(format!("{typed}: the value is not UTF-8")))
    }

    /// Checks the command line as a whole.
    fn check(self) -> Result<Invocation, UsageError> {
        let Some(command) = self.command else { return self.without_command() };
        if let Some(flag) = self.given.flags().find(|flag| !command.takes(flag)) {
            return Err(self.error(format!("{} has no flag --{}", command.name, flag.long)));
        }
        self.check_operands(command)
            .and_then(|()| self.check_flags())
            .map_err(|message| self.error(message))?;
        match command.action {
            CommandAction::Run(run) => Ok(Invocation::Run(Box::new(Call {
                run,
                options: self.options,
                given: self.given,
                operands: self.operands,
            }))),
            CommandAction::Help => {
                let command = self.operands.first().map(|name| find_command(name)).transpose()?;
                Ok(Invocation::Help(command, Detail::Long))
            }
        }
    }

    fn without_command(self) -> Result<Invocation, UsageError> {
        match self.options.general.generate {
            Some(generated) if self.given.flags().all(|flag| flag.group == Group::Alone) => {
                Ok(Invocation::Generate(generated))
            }
            Some(_) => Err(self.error("--generate cannot be combined with other flags".to_owned())),
            None => Err(self.error("missing command".to_owned())),
        }
    }

    fn check_operands(&self, command: &Command) -> Result<(), String> {
        let name = command.name;
        let operands = &command.operands;
        let what = operands.name;
        let count = self.operands.len();
        let lists = self.operands.iter().filter(|operand| *operand == "-").count();
        if count < operands.min {
            return Err(format!("{name} requires a {what}"));
        }
        if count > operands.max {
            let limit = if operands.min == 0 { "at most one" } else { "one" };
            return Err(format!("{name} takes {limit} {what}, but {count} were given"));
        }
        if lists > 0 && !operands.list {
            return Err(format!("{name} cannot read a list from standard input"));
        }
        if lists > 1 {
            return Err("- can be given only once".to_owned());
        }
        if lists > 0 && self.options.credentials.password_stdin {
            return Err("- and --password-stdin cannot both read standard input".to_owned());
        }
        operands.check.map_or(Ok(()), |check| check(&self.options, count))
    }

    fn check_flags(&self) -> Result<(), String> {
        let Options { answer, attempt, credentials, .. } = &self.options;
        let user = credentials.user.is_some();
        let token_file = credentials.token_file.is_some();
        let authfile = credentials.authfile.is_some();
        let password_file = credentials.password_file.is_some();
        let password = credentials.password_stdin || password_file;
        let token_stdin = matches!(attempt.token, Some(TokenSource::Stdin));
        let object = answer.json || answer.get.is_some();
        let message = if credentials.password_stdin && password_file {
            "--password-stdin and --password-file cannot be used together"
        } else if credentials.anonymous && (user || password) {
            "--anonymous and --user cannot be used together"
        } else if credentials.anonymous && (token_file || authfile) {
            "--anonymous cannot be used with --token-file or --authfile"
        } else if user && token_file {
            "--user and --token-file cannot be used together"
        } else if user && !password {
            "--user requires --password-stdin or --password-file FILE"
        } else if password && !user {
            "--password-stdin and --password-file require --user NAME"
        } else if token_stdin && credentials.password_stdin {
            "--token - and --password-stdin cannot both read standard input"
        } else if answer.full_ref && object {
            "--full-ref cannot be used with --json or --get"
        } else {
            return Ok(());
        };
        Err(message.to_owned())
    }

    fn error(&self, message: String) -> UsageError {
        UsageError { message, hint: self.see_help() }
    }

    fn see_help(&self) -> String {
        match self.command {
            Some(command) => format!("regq help {} shows its usage", command.name),
            None => LIST_COMMANDS.to_owned(),
        }
    }
}

const LIST_COMMANDS: &str = "regq --help lists the commands";

fn find_command(word: &OsStr) -> Result<&'static Command, UsageError> {
    let name = word.to_string_lossy();
    commands::command(&name).ok_or_else(|| UsageError {
        message: format!("unknown command {name:?}"),
        hint: suggest::command(&name).unwrap_or_else(|| LIST_COMMANDS.to_owned()),
    })
}

/// Whether a word in the place of a value is probably the next flag.
fn looks_like_flag(word: &OsStr) -> bool {
    let bytes = word.as_encoded_bytes();
    bytes.starts_with(b"-") && bytes.len() > 1
}
