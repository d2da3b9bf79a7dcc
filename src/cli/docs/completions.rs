//! Generates completion scripts for bash, zsh and fish from the tables of commands and flags.
//!
//! A script completes the names of commands and flags, the values of flags that take one of a few, and file names.
//! References and registries are not completed: that would send requests.

use crate::cli::args::commands::{COMMANDS, Command};
use crate::cli::args::flags::{self, Flag};

/// Common platforms.
const PLATFORMS: &str = "local linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 \
                         linux/ppc64le linux/riscv64 linux/s390x windows/amd64";
const KINDS: &str = "man bash zsh fish";
/// A placeholder for the names of all commands in the texts below.
const NAMES: &str = "COMMAND_NAMES";

/// The values that a flag takes.
enum Value {
    Any,
    File,
    /// One of these words, which are separated by spaces.
    OneOf(&'static str),
}

/// Returns the name and the kind of a flag's value; `None` for a switch.
fn value(flag: &Flag) -> Option<(&'static str, Value)> {
    let name = flag.value_name()?;
    let value = match name {
        "FILE" => Value::File,
        "KIND" => Value::OneOf(KINDS),
        "OS/ARCH[/VARIANT]" => Value::OneOf(PLATFORMS),
        _ => Value::Any,
    };
    Some((name, value))
}

/// Joins the names of all commands, or of those that take a flag.
fn names(separator: &str, flag: Option<&Flag>) -> String {
    let commands = COMMANDS.iter().filter(|command| flag.is_none_or(|flag| command.takes(flag)));
    commands.flat_map(Command::names).collect::<Vec<_>>().join(separator)
}

/// Returns the script for bash: for `share/bash-completion/completions/regq`, or to be sourced.
pub(crate) fn bash() -> String {
    let values: String = flags::all().filter_map(bash_value).collect();
    let flags: String = flags::all().map(bash_flag).collect();
    [BASH_VALUE, &values, BASH_COMPLETE, &flags, BASH_END]
        .concat()
        .replace(NAMES, &names(" ", None))
}

/// A case that sets `words` to the values of a flag, or to `/` for a file.
fn bash_value(flag: &Flag) -> Option<String> {
    let words = match value(flag)?.1 {
        Value::Any => String::new(),
        Value::File => "/".to_owned(),
        Value::OneOf(words) => format!("'{words}'"),
    };
    let short = flag.short.map(|short| format!("-{short}|")).unwrap_or_default();
    Some(format!("    {short}--{}) words={words} ;;\n", flag.long))
}

/// A line that adds a flag to `words` if the command takes it.
fn bash_flag(flag: &Flag) -> String {
    let commands = names("|", Some(flag));
    format!("            [[ $command == @(|{commands}) ]] && words+=' --{}'\n", flag.long)
}

const BASH_VALUE: &str = "\
# Completes regq in bash; made by regq --generate bash.
# Whether this is a flag with a value. Sets words to the possible values, or to / for a file.
_regq_value() {
    case $1 in
";
const BASH_COMPLETE: &str = "    *) return 1 ;;
    esac
}
_regq() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= words= i
    # In --flag=value the = is a separate word.
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
        # The default of bash handles spaces, ~ and directories.
        [[ $words == / ]] && compopt -o default && return
    else
        case $command,$cur in
        *,-*)
";
const BASH_END: &str = "            ;;
        ,*|help,*) words='COMMAND_NAMES' ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")
}
complete -F _regq regq
";

/// Returns the script for zsh: for `share/zsh/site-functions/_regq`, or to be sourced.
pub(crate) fn zsh() -> String {
    let flags: String = flags::all().map(zsh_flag).collect();
    let commands: String = COMMANDS.iter().map(zsh_command).collect();
    [ZSH_FLAGS, &flags, ZSH_COMPLETE, &commands, ZSH_END].concat().replace(NAMES, &names(" ", None))
}

/// Lines that add a command and its aliases to `commands`.
fn zsh_command(command: &Command) -> String {
    let summary = zsh_escaped(command.summary);
    command.names().map(|name| format!("    commands+=('{name}:{summary}')\n")).collect()
}

/// A line that adds a flag to `flags`, as `_arguments` reads it, if the command takes it.
fn zsh_flag(flag: &Flag) -> String {
    let Flag { long, short, .. } = flag;
    let help = zsh_escaped(flag.help);
    let value = value(flag).map(|(name, value)| match value {
        Value::Any => format!(":{name}: "),
        Value::File => format!(":{name}:_files"),
        Value::OneOf(words) => format!(":{name}:({words})"),
    });
    // A flag that can be repeated is offered again.
    let repeated = if flag.repeatable { "*" } else { "" };
    let spec = match (short, value) {
        (None, None) => format!("'{repeated}--{long}[{help}]'"),
        (None, Some(value)) => format!("'{repeated}--{long}=[{help}]{value}'"),
        (Some(short), None) => format!("'(-{short} --{long})'{{-{short},--{long}}}'[{help}]'"),
        (Some(short), Some(value)) => {
            let others = if flag.repeatable { "*" } else { &format!("(-{short} --{long})") };
            format!("'{others}'{{-{short}+,--{long}=}}'[{help}]{value}'")
        }
    };
    format!("    [[ $1 == (|{}) ]] && flags+=({spec})\n", names("|", Some(flag)))
}

/// Escapes a text for use between single quotes.
fn zsh_escaped(text: &str) -> String {
    text.replace('\'', "'\\''")
}

const ZSH_FLAGS: &str = "\
#compdef regq
# Completes regq in zsh; made by regq --generate zsh.
_regq_flags() {
    flags=()
";
const ZSH_COMPLETE: &str = "}
_regq() {
    local curcontext=$curcontext state line ret=1
    local -a flags commands
    local -A opt_args
";
const ZSH_END: &str = "    _regq_flags ''
    _arguments -C -s -S $flags '(-): :->command' '(-)*:: :->operands' && ret=0
    case $state in
    command) _describe -t commands command commands && ret=0 ;;
    operands)
        _regq_flags $words[1]
        [[ $words[1] == help ]] && flags+=(':COMMAND:(COMMAND_NAMES)') || flags+=('*: : ')
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
";

/// Returns the script for fish: for `share/fish/vendor_completions.d/regq.fish`, or to be sourced.
pub(crate) fn fish() -> String {
    let values: String = flags::all().filter_map(fish_value).collect();
    let commands: String = COMMANDS.iter().map(fish_command).collect();
    let flags: String = flags::all().map(fish_flag).collect();
    let script = [FISH_COMMAND, &values, FISH_COMPLETE, &commands, &flags].concat();
    script.replace(NAMES, &names(" ", None))
}

/// A case for a flag whose value is the next word.
fn fish_value(flag: &Flag) -> Option<String> {
    value(flag)?;
    let short = flag.short.map(|short| format!(" -{short}")).unwrap_or_default();
    let long = flag.long;
    Some(format!("            case --{long}{short}\n                set value is next\n"))
}

/// Lines that complete a command and its aliases.
fn fish_command(command: &Command) -> String {
    let summary = fish_escaped(command.summary);
    let line = |name| format!("complete -c regq -n \"__regq_in ''\" -a {name} -d '{summary}'\n");
    command.names().map(line).collect()
}

/// A line that completes a flag if the command takes it.
fn fish_flag(flag: &Flag) -> String {
    let short = flag.short.map(|short| format!(" -s {short}")).unwrap_or_default();
    let value = match value(flag) {
        None => String::new(),
        Some((_, Value::Any)) => " -x".to_owned(),
        Some((_, Value::File)) => " -r -F".to_owned(),
        Some((_, Value::OneOf(words))) => format!(" -x -a '{words}'"),
    };
    let (commands, help) = (names(" ", Some(flag)), fish_escaped(flag.help));
    let condition = format!("__regq_in '' {commands}");
    format!("complete -c regq -n \"{condition}\" -l {} -d '{help}'{short}{value}\n", flag.long)
}

/// Escapes a text for use between single quotes.
fn fish_escaped(text: &str) -> String {
    text.replace('\'', "\\'")
}

const FISH_COMMAND: &str = "\
# Completes regq in fish; made by regq --generate fish.
# Whether the command on the line is one of these; '' means no command yet.
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
";
const FISH_COMPLETE: &str = "            case '-*'
            case '*'
                set command $word
                break
        end
    end
    contains -- \"$command\" $argv
end
complete -c regq -f
complete -c regq -n '__regq_in help' -a 'COMMAND_NAMES'
";

#[cfg(test)]
mod tests {
    use super::{
        KINDS, PLATFORMS, bash, bash_flag, bash_value, fish, fish_flag, fish_value, names, zsh,
        zsh_flag,
    };
    use crate::cli::args::commands::COMMANDS;
    use crate::cli::args::flags::{self, Action, Flag};
    use crate::cli::args::values::{self, GENERATED};

    /// Returns the commands between two texts, in the only line whose rest matches a flag.
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
    fn each_shell_completes_each_command_with_its_flags() {
        let (bash, zsh, fish) = (bash(), zsh(), fish());
        for flag in flags::all() {
            let long = flag.long;
            let expected = COMMANDS.iter().filter(|command| command.takes(flag));
            let expected: Vec<_> = expected.flat_map(|command| command.names()).collect();
            let around = ["[[ $command == @(|", ") ]] && words+="];
            assert_eq!(takers(&bash, around, |rest| rest == format!("' --{long}'")), expected);
            let around = ["[[ $1 == (|", ") ]] && flags+=("];
            let names = [format!("--{long}="), format!("--{long}["), format!("--{long}}}")];
            let of_flag = |rest: &str| names.iter().any(|name| rest.contains(name));
            assert_eq!(takers(&zsh, around, of_flag), expected, "{long}");
            let around = ["complete -c regq -n \"__regq_in '' ", "\" -l "];
            assert_eq!(
                takers(&fish, around, |rest| rest.starts_with(&format!("{long} "))),
                expected
            );
        }
        for command in COMMANDS {
            let summary = command.summary.replace('\'', "'\\''");
            for name in command.names() {
                assert!(zsh.contains(&format!("    commands+=('{name}:{summary}')\n")), "{name}");
            }
        }
    }

    #[test]
    fn texts_contain_no_special_characters_of_zsh() {
        for flag in flags::all() {
            assert!(!flag.help.contains(['[', ']', '\\']), "{}", flag.help);
        }
        assert!(COMMANDS.iter().all(|command| !command.summary.contains('\\')));
    }

    #[test]
    fn flags_of_every_shape_are_completed() {
        let flag = |short, repeatable, action| Flag {
            long: "x",
            short,
            help: "It's",
            repeatable,
            action,
            ..Flag::BASE
        };
        let value = Action::Value("N", |_, _| Ok(()));
        let switch = flag(Some('s'), false, Action::Help);
        let once = flag(Some('n'), false, value);
        let often = flag(None, true, value);
        let without_commands =
            |line: String| line.replace(&names("|", None), "ALL").replace(&names(" ", None), "ALL");
        let bash = "            [[ $command == @(|ALL) ]] && words+=' --x'\n";
        for (flag, value) in [
            (&switch, None),
            (&once, Some("    -n|--x) words= ;;\n")),
            (&often, Some("    --x) words= ;;\n")),
        ] {
            assert_eq!(bash_value(flag).as_deref(), value);
            assert_eq!(without_commands(bash_flag(flag)), bash);
        }
        for (flag, spec) in [
            (&switch, r"'(-s --x)'{-s,--x}'[It'\''s]'"),
            (&once, r"'(-n --x)'{-n+,--x=}'[It'\''s]:N: '"),
            (&often, r"'*--x=[It'\''s]:N: '"),
        ] {
            let line = format!("    [[ $1 == (|ALL) ]] && flags+=({spec})\n");
            assert_eq!(without_commands(zsh_flag(flag)), line);
        }
        for (flag, end) in [(&switch, " -s s"), (&once, " -s n -x"), (&often, " -x")] {
            let line = format!("complete -c regq -n \"__regq_in '' ALL\" -l x -d 'It\\'s'{end}\n");
            assert_eq!(without_commands(fish_flag(flag)), line);
        }
        let case = "            case --x -n\n                set value is next\n";
        assert_eq!(fish_value(&once).as_deref(), Some(case));
        assert_eq!(fish_value(&switch), None);
    }

    #[test]
    fn offered_values_are_valid() {
        assert!(PLATFORMS.split(' ').all(|name| values::platform(name).is_ok()));
        assert_eq!(KINDS, GENERATED.map(|(name, _)| name).join(" "));
    }
}
