//! What completes a command line in bash, zsh and fish, made from the tables.
//!
//! Each shell gets a script that knows the names of commands and flags, the values of those flags
//! that take one of a few, and which flags take a file. References and registries are not completed:
//! that would ask the network. Scripts are pieces of text, repeated for each command or flag; their
//! places are those that [`Piece`] names.

use crate::cli::args::commands::{COMMANDS, Command};
use crate::cli::args::flags::{self, Action, Flag};
use crate::cli::docs::template::{Escapes, fill};

/// Platforms that images are commonly built for.
const PLATFORMS: &str = "local linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 \
                         linux/ppc64le linux/riscv64 linux/s390x windows/amd64";
const KINDS: &str = "man bash zsh fish";

/// A piece of a script.
enum Piece {
    /// `%C` are the names of all commands.
    Once(&'static str),
    /// For each name of a command: `%n` is the name, `%h` the summary.
    Command(&'static str),
    Flag(&'static Parts),
}

/// What stands for each flag, one behind the other: `%l` is the long name, `%s` the short one, `%t` are the commands that
/// take it, `%h` is the help, `%v` the name of the value, and `%w` are the words it may be.
struct Parts {
    begin: &'static str,
    /// Without a short name or with one; in each, without a value or with one.
    names: [[&'static str; 2]; 2],
    /// By what the value is: none, any, a file, one of a few.
    value: [&'static str; 4],
}

/// A shell's script.
struct Script {
    pieces: &'static [Piece],
    /// Between the names in `%t`.
    separator: &'static str,
    escapes: &'static Escapes,
}

/// What a flag's value is, as an index into the texts for it, with its name and the words it may be.
fn value(flag: &Flag) -> (usize, &'static str, &'static str) {
    match flag.action {
        Action::Switch(_) | Action::Help | Action::Version => (0, "", ""),
        Action::Value(name @ "FILE", _) => (2, name, ""),
        Action::Value(name @ "KIND", _) => (3, name, KINDS),
        Action::Value(name @ "OS/ARCH[/VARIANT]", _) => (3, name, PLATFORMS),
        Action::Value(name, _) => (1, name, ""),
    }
}

impl Script {
    fn text(&self) -> String {
        let mut out = String::new();
        let all = names(" ", None);
        for piece in self.pieces {
            match piece {
                Piece::Once(text) => fill(&mut out, &[], text, &[('C', &all)]),
                Piece::Command(text) => {
                    for command in COMMANDS {
                        for name in command.names() {
                            let values = [('n', name), ('h', command.summary)];
                            fill(&mut out, self.escapes, text, &values);
                        }
                    }
                }
                Piece::Flag(parts) => {
                    flags::all().for_each(|flag| self.flag(&mut out, parts, flag))
                }
            }
        }
        out
    }

    fn flag(&self, out: &mut String, parts: &Parts, flag: &Flag) {
        let takers = names(self.separator, Some(flag));
        let kind = value(flag).0;
        let name = parts.names.get(usize::from(flag.short.is_some()));
        let name = name.and_then(|texts| texts.get(usize::from(kind > 0)));
        for text in [Some(&parts.begin), name, parts.value.get(kind)].into_iter().flatten() {
            self.add(out, text, flag, &takers);
        }
    }

    fn add(&self, out: &mut String, text: &str, flag: &Flag, takers: &str) {
        let (_, name, words) = value(flag);
        let short = flag.short.map(String::from).unwrap_or_default();
        let values = [
            ('l', flag.long),
            ('s', &short),
            ('t', takers),
            ('h', flag.help),
            ('v', name),
            ('w', words),
        ];
        fill(out, self.escapes, text, &values);
    }
}

/// The names of all commands, or of those that take the flag.
fn names(separator: &str, flag: Option<&Flag>) -> String {
    let commands = COMMANDS.iter().filter(|command| flag.is_none_or(|flag| command.takes(flag)));
    commands.flat_map(Command::names).collect::<Vec<_>>().join(separator)
}

/// For `share/bash-completion/completions/regq`, or to be sourced.
pub(crate) fn bash() -> String {
    BASH.text()
}

/// For `share/zsh/site-functions/_regq`, or to be sourced.
pub(crate) fn zsh() -> String {
    ZSH.text()
}

/// For `share/fish/vendor_completions.d/regq.fish`, or to be sourced.
pub(crate) fn fish() -> String {
    FISH.text()
}

const BASH: Script = Script {
    separator: "|",
    escapes: &[],
    pieces: &[
        Piece::Once(
            "\
# Completes regq in bash; made by regq --generate bash.
# Whether this is a flag with a value; words are then those that it may be, or / for a file.
_regq_value() {
    case $1 in
",
        ),
        Piece::Flag(&Parts {
            begin: "",
            names: [["", "    --%l) "], ["", "    -%s|--%l) "]],
            value: ["", "words= ;;\n", "words=/ ;;\n", "words='%w' ;;\n"],
        }),
        Piece::Once(
            "    *) return 1 ;;
    esac
}
_regq() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= words= i
    # In --flag=value the = is a word of its own.
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        if _regq_value \"${COMP_WORDS[i]}\"; then
            [[ ${COMP_WORDS[i+1]} == = ]] && ((i++))
            ((i++))
        elif [[ ${COMP_WORDS[i]} != -* ]]; then
            command=${COMP_WORDS[i]}
            break
        fi
    done
    words=
    if _regq_value \"$prev\"; then
        # What bash does by itself does it best for files: spaces, ~ and folders.
        [[ $words == / ]] && compopt -o default && return
    else
        case $command,$cur in
        *,-*)
",
        ),
        Piece::Flag(&Parts {
            begin: "            [[ $command == @(|%t) ]] && words+=' --%l'\n",
            names: [[""; 2]; 2],
            value: [""; 4],
        }),
        Piece::Once(
            "            ;;
        ,*|help,*) words='%C' ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")
}
complete -F _regq regq
",
        ),
    ],
};

const ZSH: Script = Script {
    separator: "|",
    escapes: &[('\'', "'\\''")],
    pieces: &[
        Piece::Once(
            "\
#compdef regq
# Completes regq in zsh; made by regq --generate zsh.
_regq_flags() {
    flags=()
",
        ),
        Piece::Flag(&Parts {
            begin: "    [[ $1 == (|%t) ]] && flags+=(",
            // One with a value may be given again.
            names: [
                ["'--%l[%h]", "'*--%l=[%h]"],
                ["'(-%s --%l)'{-%s,--%l}'[%h]", "'*'{-%s+,--%l=}'[%h]"],
            ],
            value: ["')\n", ":%v: ')\n", ":%v:_files')\n", ":%v:(%w)')\n"],
        }),
        Piece::Once(
            "}
_regq() {
    local curcontext=$curcontext state line ret=1
    local -a flags commands
    local -A opt_args
",
        ),
        Piece::Command("    commands+=('%n:%h')\n"),
        Piece::Once(
            "    _regq_flags ''
    _arguments -C -s -S $flags '(-): :->command' '(-)*:: :->operands' && ret=0
    case $state in
    command) _describe -t commands command commands && ret=0 ;;
    operands)
        _regq_flags $words[1]
        [[ $words[1] == help ]] && flags+=(':COMMAND:(%C)') || flags+=('*: : ')
        _arguments -s -S $flags && ret=0
        ;;
    esac
    return ret
}
if [[ $funcstack[1] == _regq ]]; then
    _regq \"$@\"
else
    compdef _regq regq
fi
",
        ),
    ],
};

const FISH: Script = Script {
    separator: " ",
    escapes: &[('\'', "\\'")],
    pieces: &[
        Piece::Once(
            "\
# Completes regq in fish; made by regq --generate fish.
# Whether the command of the line is one of these; it is '' where there is none yet.
function __regq_in
    set -l command ''
    set -l value
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        if test -n \"$value\"
            set value
            continue
        end
        switch $word
",
        ),
        Piece::Flag(&Parts {
            begin: "",
            names: [["", "            case --%l"], ["", "            case --%l -%s"]],
            value: [
                "",
                "\n                set value is next\n",
                "\n                set value is next\n",
                "\n                set value is next\n",
            ],
        }),
        Piece::Once(
            "            case '-*'
            case '*'
                set command $word
                break
        end
    end
    contains -- \"$command\" $argv
end
complete -c regq -f
complete -c regq -n '__regq_in help' -a '%C'
",
        ),
        Piece::Command("complete -c regq -n \"__regq_in ''\" -a %n -d '%h'\n"),
        Piece::Flag(&Parts {
            begin: "complete -c regq -n \"__regq_in '' %t\" -l %l -d '%h'",
            names: [["", ""], [" -s %s", " -s %s"]],
            value: ["\n", " -x\n", " -r -F\n", " -x -a '%w'\n"],
        }),
    ],
};

#[cfg(test)]
mod tests {
    use super::{BASH, FISH, KINDS, PLATFORMS, Piece, Script, ZSH, bash, fish, names, zsh};
    use crate::cli::args::commands::COMMANDS;
    use crate::cli::args::flags::{self, Action, Flag, Group};
    use crate::cli::args::values::{self, GENERATED};

    /// The commands that stand between these two, in the one line whose rest is of this flag.
    fn takers<'a>(
        text: &'a str,
        [before, after]: [&str; 2],
        of_flag: impl Fn(&str) -> bool,
    ) -> Vec<&'a str> {
        let lines = text.lines().filter_map(|line| {
            let (takers, rest) = line.trim_start().strip_prefix(before)?.split_once(after)?;
            of_flag(rest).then_some(takers)
        });
        let found: Vec<_> = lines.collect();
        assert_eq!(found.len(), 1, "{found:?}");
        let names = found.iter().flat_map(|takers| takers.split(['|', ' ']));
        names.filter(|name| !name.is_empty()).collect()
    }

    #[test]
    fn each_shell_knows_each_command_with_its_flags() {
        let (bash, zsh, fish) = (bash(), zsh(), fish());
        for flag in flags::all() {
            let long = flag.long;
            let due = COMMANDS.iter().filter(|command| command.takes(flag));
            let due: Vec<_> = due.flat_map(|command| command.names()).collect();
            let around = ["[[ $command == @(|", ") ]] && words+="];
            assert_eq!(takers(&bash, around, |rest| rest == format!("' --{long}'")), due);
            let around = ["[[ $1 == (|", ") ]] && flags+=("];
            let names = [format!("--{long}="), format!("--{long}["), format!("--{long}}}")];
            let of_flag = |rest: &str| names.iter().any(|name| rest.contains(name));
            assert_eq!(takers(&zsh, around, of_flag), due, "{long}");
            let around = ["complete -c regq -n \"__regq_in '' ", "\" -l "];
            assert_eq!(takers(&fish, around, |rest| rest.starts_with(&format!("{long} "))), due);
        }
        for command in COMMANDS {
            let summary = command.summary.replace('\'', "'\\''");
            for name in command.names() {
                assert!(zsh.contains(&format!("    commands+=('{name}:{summary}')\n")), "{name}");
            }
        }
    }

    /// What zsh would read in them otherwise than it is meant.
    #[test]
    fn texts_fit_between_the_brackets_of_zsh() {
        for flag in flags::all() {
            assert!(!flag.help.contains(['[', ']', '\\']), "{}", flag.help);
        }
        assert!(COMMANDS.iter().all(|command| !command.summary.contains('\\')));
    }

    #[test]
    fn flags_of_every_shape_are_said_to_each_shell() {
        let flag = |short, action| Flag {
            long: "x",
            short,
            group: Group::General,
            help: "It's",
            long_help: "",
            default: None,
            repeatable: false,
            identity: false,
            secret: false,
            action,
        };
        let switch = flag(Some('s'), Action::Help);
        let count = flag(Some('n'), Action::Value("N", |_, _| Ok(())));
        let lines = |script: &Script| {
            let mut out = String::new();
            for piece in script.pieces {
                if let Piece::Flag(parts) = piece {
                    [&switch, &count].iter().for_each(|flag| script.flag(&mut out, parts, flag));
                }
            }
            out.replace(&names(script.separator, None), "ALL")
        };
        assert_eq!(
            lines(&BASH),
            "    -n|--x) words= ;;\n            [[ $command == @(|ALL) ]] && words+=' --x'\n            \
             [[ $command == @(|ALL) ]] && words+=' --x'\n"
        );
        assert_eq!(
            lines(&ZSH),
            "    [[ $1 == (|ALL) ]] && flags+=('(-s --x)'{-s,--x}'[It'\\''s]')\n    \
             [[ $1 == (|ALL) ]] && flags+=('*'{-n+,--x=}'[It'\\''s]:N: ')\n"
        );
        assert_eq!(
            lines(&FISH),
            "            case --x -n\n                set value is next\ncomplete -c regq -n \
             \"__regq_in '' ALL\" -l x -d 'It\\'s' -s s\ncomplete -c regq -n \
             \"__regq_in '' ALL\" -l x -d 'It\\'s' -s n -x\n"
        );
    }

    #[test]
    fn values_that_are_offered_are_taken() {
        assert!(PLATFORMS.split(' ').all(|name| values::platform(name).is_ok()));
        assert_eq!(KINDS, GENERATED.map(|(name, _)| name).join(" "));
    }
}
