//! The command line, read through the tables into values. Pure: nothing is touched.
//!
//! Flags may stand anywhere, before the command too; `--` ends them. A flag given twice counts as
//! given last, unless it adds up. Help and version win over whatever is wrong behind them.

use std::ffi::{OsStr, OsString};

use lexopt::{Arg, Parser};

use crate::cli::args::commands::{self, Action, Command, Operands};
use crate::cli::args::flags::{self, Flag, FlagAction, Group};
use crate::cli::args::suggest;
use crate::cli::args::values::{Generated, Options, TokenSource};
use crate::cli::commands::context::Run;

/// What the command line asks for.
pub(crate) enum Request {
    /// Nothing: there are no arguments.
    Nothing,
    Help(Option<&'static Command>, Detail),
    Version,
    /// Something made of the tables for another program.
    Generate(Generated),
    Run(Box<Call>),
}

/// How much help is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    Short,
    Long,
}

/// A command with everything that was given to it, checked.
pub(crate) struct Call {
    pub(crate) run: Run,
    pub(crate) options: Options,
    pub(crate) operands: Vec<OsString>,
}

/// Why a command line cannot be carried out.
#[derive(Debug)]
pub(crate) struct UsageError {
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// Reads the arguments, without the program's name.
pub(crate) fn parse(args: Vec<OsString>) -> Result<Request, UsageError> {
    if args.is_empty() {
        return Ok(Request::Nothing);
    }
    let mut seen = Seen::default();
    let read = seen.read(args);
    if let Some(detail) = seen.help {
        return Ok(Request::Help(seen.command, detail));
    }
    if seen.version {
        return Ok(Request::Version);
    }
    read?;
    seen.check()
}

/// What was read up to here.
#[derive(Default)]
struct Seen {
    command: Option<&'static Command>,
    operands: Vec<OsString>,
    /// The flags that were given, without their values.
    flags: Vec<&'static Flag>,
    options: Options,
    help: Option<Detail>,
    version: bool,
}

impl Seen {
    fn read(&mut self, args: Vec<OsString>) -> Result<(), UsageError> {
        let mut parser = Parser::from_args(args);
        parser.set_short_equals(false);
        loop {
            // The name that lexopt lends is looked up at once, so that the parser is free again.
            let (flag, said) = match parser.next().map_err(|error| self.wrong(error.to_string()))? {
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
                    message: format!("unknown flag {said:?}"),
                    hint: suggest::flag(&said, self.command).unwrap_or_else(|| self.see_help()),
                });
            };
            self.flag(flag, &said, &mut parser)?;
        }
    }

    /// The first word is the command, the others are its operands.
    fn word(&mut self, word: OsString) -> Result<(), UsageError> {
        if self.command.is_some() {
            self.operands.push(word);
            return Ok(());
        }
        let name = word.to_string_lossy();
        self.command = commands::command(&name);
        match self.command {
            Some(_) => Ok(()),
            None => Err(UsageError {
                message: format!("unknown command {name:?}"),
                hint: suggest::command(&name).unwrap_or_else(|| self.see_help()),
            }),
        }
    }

    fn flag(
        &mut self,
        flag: &'static Flag,
        said: &str,
        parser: &mut Parser,
    ) -> Result<(), UsageError> {
        self.flags.push(flag);
        let long = said.starts_with("--");
        match flag.action {
            FlagAction::Value(name, set) => {
                let value = self.value(said, name, parser)?;
                set(&mut self.options, &value)
                    .map_err(|error| self.wrong(format!("{said}: {error}")))?;
            }
            // What follows a short flag without a space may be more flags, not its value.
            FlagAction::Switch(_) | FlagAction::Help | FlagAction::Version
                if long && parser.optional_value().is_some() =>
            {
                return Err(self.wrong(format!("{said} does not take a value")));
            }
            FlagAction::Switch(set) => set(&mut self.options),
            FlagAction::Help => {
                self.help = Some(if long { Detail::Long } else { Detail::Short });
            }
            FlagAction::Version => self.version = true,
        }
        Ok(())
    }

    fn value(&self, said: &str, name: &str, parser: &mut Parser) -> Result<String, UsageError> {
        let value = match parser.optional_value() {
            Some(attached) => attached,
            None => {
                let next = parser.value();
                let next = next
                    .map_err(|_| self.wrong(format!("{said} requires a value: {said} {name}")))?;
                if looks_like_flag(&next) {
                    return Err(self.wrong(format!(
                        "{said} requires a value; to pass {:?} as the value, write {said}=VALUE",
                        next.to_string_lossy()
                    )));
                }
                next
            }
        };
        value.into_string().map_err(|_| self.wrong(format!("{said}: the value is not UTF-8")))
    }

    /// What belongs together, or does not.
    fn check(self) -> Result<Request, UsageError> {
        let Some(command) = self.command else {
            return match self.options.generate {
                Some(generated) if self.flags.iter().all(|flag| flag.group == Group::Alone) => {
                    Ok(Request::Generate(generated))
                }
                Some(_) => {
                    Err(self.wrong("--generate cannot be combined with other flags".to_owned()))
                }
                None => Err(self.wrong("missing command".to_owned())),
            };
        };
        if let Some(flag) = self.flags.iter().find(|flag| !command.takes(flag)) {
            return Err(self.wrong(format!("{} has no flag --{}", command.name, flag.long)));
        }
        self.check_operands(command)?;
        self.check_options()?;
        match command.action {
            Action::Run(run) => Ok(Request::Run(Box::new(Call {
                run,
                options: self.options,
                operands: self.operands,
            }))),
            Action::Help => match self.operands.first().map(|name| name.to_string_lossy()) {
                None => Ok(Request::Help(None, Detail::Long)),
                Some(name) => match commands::command(&name) {
                    Some(command) => Ok(Request::Help(Some(command), Detail::Long)),
                    None => Err(UsageError {
                        message: format!("unknown command {name:?}"),
                        hint: suggest::command(&name)
                            .unwrap_or_else(|| "regq --help lists the commands".to_owned()),
                    }),
                },
            },
        }
    }

    fn check_operands(&self, command: &Command) -> Result<(), UsageError> {
        let name = command.name;
        let given = self.operands.len();
        let lists = self.operands.iter().filter(|operand| *operand == "-").count();
        let message = match command.operands {
            Operands::OneUnlessOffline(_) if given == 0 && self.options.offline => return Ok(()),
            Operands::One(what) | Operands::Many(what) | Operands::OneUnlessOffline(what)
                if given == 0 =>
            {
                format!("{name} requires a {what}")
            }
            Operands::One(what) | Operands::OneUnlessOffline(what) if given > 1 => {
                format!("{name} takes one {what}, but {given} were given")
            }
            Operands::One(what) | Operands::OneUnlessOffline(what) if lists > 0 => {
                format!("{name} takes one {what}; it cannot read a list from standard input")
            }
            Operands::Maybe(what) if given > 1 => {
                format!("{name} takes at most one {what}, but {given} were given")
            }
            Operands::Many(_) if lists > 1 => "- can be given only once".to_owned(),
            Operands::Many(_) if lists > 0 && self.options.password_stdin => {
                "- and --password-stdin cannot both read standard input".to_owned()
            }
            Operands::One(_)
            | Operands::Many(_)
            | Operands::Maybe(_)
            | Operands::OneUnlessOffline(_) => return Ok(()),
        };
        Err(self.wrong(message))
    }

    fn check_options(&self) -> Result<(), UsageError> {
        let Options { user, password_stdin, password_file, anonymous, .. } = &self.options;
        let Options { full_ref, json, get, token_file, authfile, attempt, .. } = &self.options;
        let password = *password_stdin || password_file.is_some();
        let message = if *password_stdin && password_file.is_some() {
            "--password-stdin and --password-file cannot be used together"
        } else if *anonymous && (user.is_some() || password) {
            "--anonymous and --user cannot be used together"
        } else if *anonymous && (token_file.is_some() || authfile.is_some()) {
            "--anonymous cannot be used with --token-file or --authfile"
        } else if user.is_some() && token_file.is_some() {
            "--user and --token-file cannot be used together"
        } else if user.is_some() && !password {
            "--user requires --password-stdin or --password-file FILE"
        } else if user.is_none() && password {
            "--password-stdin and --password-file require --user NAME"
        } else if *password_stdin && matches!(attempt.token, Some(TokenSource::Stdin)) {
            "--token - and --password-stdin cannot both read standard input"
        } else if *full_ref && (*json || get.is_some()) {
            "--full-ref cannot be used with --json or --get"
        } else {
            return Ok(());
        };
        Err(self.wrong(message.to_owned()))
    }

    fn wrong(&self, message: String) -> UsageError {
        UsageError { message, hint: self.see_help() }
    }

    fn see_help(&self) -> String {
        match self.command {
            Some(command) => format!("regq help {} shows its usage", command.name),
            None => "regq --help lists the commands".to_owned(),
        }
    }
}

/// Whether a word that was given as a flag's value is more likely the next flag.
fn looks_like_flag(word: &OsStr) -> bool {
    let bytes = word.as_encoded_bytes();
    bytes.starts_with(b"-") && bytes.len() > 1
}
