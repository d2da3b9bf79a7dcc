//! What completes a command line in bash, zsh and fish, made from the tables.
//!
//! Each shell gets a script that knows the names of commands and flags, the values of those flags
//! that take one of a few, and which flags take a file. References and registries are not completed:
//! that would ask the network.

use super::flags::{FLAGS, Flag, Take};
use super::options::GENERATED;
use super::table::{COMMANDS, Command, Operands};

/// Platforms that images are commonly built for.
const PLATFORMS: &str = "local linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 \
                         linux/ppc64le linux/riscv64 linux/s390x windows/amd64";

/// What may stand behind a flag.
enum Value {
    /// The flag takes none.
    None,
    /// Something of which nothing is known but its name.
    Any(&'static str),
    File,
    /// One of these, separated by spaces, and the value's name.
    OneOf(&'static str, String),
}

fn value(flag: &Flag) -> Value {
    match flag.take {
        Take::Value("FILE", _) => Value::File,
        Take::Value("KIND", _) => Value::OneOf("KIND", GENERATED.map(|(name, _)| name).join(" ")),
        Take::Value(name @ "OS/ARCH[/VARIANT]", _) => Value::OneOf(name, PLATFORMS.to_owned()),
        Take::Value(name, _) => Value::Any(name),
        Take::Switch(_) | Take::Help | Take::Version => Value::None,
    }
}

/// The names of all commands, or of those that take the flag, separated by spaces.
fn commands(flag: Option<&Flag>) -> String {
    let taking = COMMANDS.iter().filter(|command| flag.is_none_or(|flag| command.takes(flag)));
    taking.flat_map(Command::names).collect::<Vec<_>>().join(" ")
}

/// The flags that a command takes; without a command there may be any, since one may follow.
fn flags_of(command: Option<&Command>) -> impl Iterator<Item = &'static Flag> {
    FLAGS.iter().filter(move |flag| command.is_none_or(|command| command.takes(flag)))
}

/// The text with a backslash before each of these characters.
fn backslashed(text: &str, special: &[char]) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if special.contains(&letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

const BASH: [&str; 3] = [
    "\
# Completes regq in bash; made by regq --generate bash.
_regq() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= words= i
    # In --flag=value the = is a word of its own.
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        ",
    ")
            [[ ${COMP_WORDS[i+1]} == = ]] && ((i++))
            ((i++))
            ;;
        -*) ;;
        *)
            command=${COMP_WORDS[i]}
            break
            ;;
        esac
    done
    case $prev in
",
    "    esac
    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")
}
complete -F _regq regq
",
];

/// For `share/bash-completion/completions/regq`, or to be sourced.
pub(crate) fn bash() -> String {
    let [head, middle, end] = BASH;
    let named = |wanted: fn(&Value) -> bool| {
        let flags = FLAGS.iter().filter(|flag| wanted(&value(flag)));
        flags.map(|flag| format!("--{}", flag.long)).collect::<Vec<_>>().join("|")
    };
    let with_value = named(|value| !matches!(value, Value::None));
    let mut out = [head, &with_value, middle].concat();
    // What bash does by itself does it best for files: spaces, ~ and folders.
    for (flags, then) in [
        (named(|value| matches!(value, Value::File)), "compopt -o default; return"),
        (named(|value| matches!(value, Value::Any(_))), "return"),
    ] {
        out += &format!("    {flags}) {then} ;;\n");
    }
    for flag in FLAGS {
        if let Value::OneOf(_, words) = value(flag) {
            out += &format!("    --{}) words='{words}' ;;\n", flag.long);
        }
    }
    out += "    *)\n        case $command,$cur in\n";
    for command in std::iter::once(None).chain(COMMANDS.iter().map(Some)) {
        let words: Vec<_> = flags_of(command).map(|flag| format!("--{}", flag.long)).collect();
        let words = words.join(" ");
        match command {
            None => out += &format!("        ,-*) words='{words}' ;;\n"),
            Some(command) => command
                .names()
                .for_each(|name| out += &format!("        {name},-*) words='{words}' ;;\n")),
        }
    }
    out += &format!("        ,*|help,*) words='{}' ;;\n        esac\n        ;;\n", commands(None));
    out + end
}

const ZSH: [&str; 4] = [
    "\
#compdef regq
# Completes regq in zsh; made by regq --generate zsh.
_regq() {
    local curcontext=$curcontext state line ret=1
    typeset -A opt_args
    local -a commands=(
",
    "    )
    _arguments -C -s -S \\
",
    "        '(-): :->command' '(-)*:: :->operands' && ret=0
    case $state in
    command) _describe -t commands command commands && ret=0 ;;
    operands)
        case $words[1] in
",
    "        esac
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
];

/// For `share/zsh/site-functions/_regq`, or to be sourced.
pub(crate) fn zsh() -> String {
    let [head, arguments, operands, end] = ZSH;
    let mut out = head.to_owned();
    for command in COMMANDS {
        for name in command.names() {
            let summary = backslashed(command.summary, &['\\']).replace('\'', "'\\''");
            out += &format!("        '{name}:{summary}'\n");
        }
    }
    out += arguments;
    flags_of(None).for_each(|flag| out += &zsh_flag(flag));
    out += operands;
    for command in COMMANDS {
        let names: Vec<_> = command.names().collect();
        out += &format!("        {})\n            _arguments -s -S \\\n", names.join("|"));
        flags_of(Some(command)).for_each(|flag| out += &zsh_flag(flag));
        let operand = match command.operands {
            Operands::One(name) | Operands::OneUnlessOffline(name) => format!(":{name}: "),
            Operands::Many(name) => format!("*:{name}: "),
            Operands::Maybe(name) => format!(":{name}:({})", commands(None)),
        };
        out += &format!("                '{operand}' && ret=0\n            ;;\n");
    }
    out + end
}

/// A flag as `_arguments` wants it, on a line of its own.
fn zsh_flag(flag: &Flag) -> String {
    let behind = match value(flag) {
        Value::None => String::new(),
        Value::Any(name) => format!(":{name}: "),
        Value::File => ":FILE:_files".to_owned(),
        Value::OneOf(name, words) => format!(":{name}:({words})"),
    };
    let help = backslashed(flag.help, &['[', ']', '\\']).replace('\'', "'\\''");
    let long = flag.long;
    let names = match flag.short {
        Some(short) => &format!("'(-{short} --{long})'{{-{short},--{long}}}"),
        None if behind.is_empty() => &format!("--{long}"),
        // One with a value may be given again.
        None => &format!("'*--{long}='"),
    };
    format!("                {names}'[{help}]{behind}' \\\n")
}

const FISH: [&str; 2] = [
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
            case",
    "
                set value given behind
            case '-*'
            case '*'
                set command $word
                break
        end
    end
    contains -- \"$command\" $argv
end
complete -c regq -f
",
];

/// For `share/fish/vendor_completions.d/regq.fish`, or to be sourced.
pub(crate) fn fish() -> String {
    let [head, middle] = FISH;
    let mut out = head.to_owned();
    let with_value = FLAGS.iter().filter(|flag| !matches!(value(flag), Value::None));
    with_value.for_each(|flag| out += &format!(" --{}", flag.long));
    out += middle;
    let described = |text: &str| format!(" -d '{}'\n", backslashed(text, &['\\', '\'']));
    for command in COMMANDS {
        for name in command.names() {
            out += &format!("complete -c regq -n \"__regq_in ''\" -a {name}");
            out += &described(command.summary);
        }
    }
    let names = commands(None);
    out += &format!("complete -c regq -n '__regq_in help' -a '{names}'\n");
    for flag in FLAGS {
        out += &format!(
            "complete -c regq -n \"__regq_in '' {}\" -l {}",
            commands(Some(flag)),
            flag.long
        );
        if let Some(short) = flag.short {
            out += &format!(" -s {short}");
        }
        match value(flag) {
            Value::None => {}
            Value::Any(_) => out += " -x",
            Value::File => out += " -r -F",
            Value::OneOf(_, words) => out += &format!(" -x -a '{words}'"),
        }
        out += &described(flag.help);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{PLATFORMS, Value, backslashed, bash, fish, flags_of, value, zsh};
    use crate::cli::flags::{self, FLAGS};
    use crate::cli::options;
    use crate::cli::table::COMMANDS;

    /// The lines from the one with this beginning, blanks aside, to the one with that.
    fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
        let lines = text.lines().map(str::trim_start);
        let rest = lines.skip_while(|line| !line.starts_with(from));
        rest.take_while(|line| !line.starts_with(to)).collect()
    }

    #[test]
    fn each_shell_knows_each_command_with_its_flags() {
        let (bash, zsh, fish) = (bash(), zsh(), fish());
        for command in COMMANDS {
            let name = command.name;
            let of_bash = between(&bash, &format!("{name},-*) words='"), "*").join(" ");
            let of_bash = of_bash.split('\'').nth(1).unwrap_or_default();
            let of_zsh = between(&zsh, &format!("{name})"), ";;").join("\n");
            let summary = command.summary.replace('\'', "'\\''");
            assert!(zsh.contains(&format!("        '{name}:{summary}'\n")), "{name}");
            assert!(fish.contains(&format!("-n \"__regq_in ''\" -a {name} -d '")), "{name}");
            for flag in FLAGS {
                let long = flag.long;
                let taken = command.takes(flag);
                assert_eq!(of_bash.split(' ').any(|word| word == format!("--{long}")), taken);
                let zsh_names = [format!("--{long}'"), format!("--{long}="), format!("--{long}}}")];
                assert_eq!(zsh_names.iter().any(|it| of_zsh.contains(it)), taken, "{long}");
                let of_fish = fish.lines().find(|it| it.contains(&format!(" -l {long} ")));
                let takers = of_fish.and_then(|it| it.split('"').nth(1)).unwrap_or_default();
                assert_eq!(takers.split(' ').any(|word| word == name), taken, "{takers}");
            }
        }
        assert_eq!(flags_of(None).count(), FLAGS.len());
    }

    #[test]
    fn values_that_are_offered_are_taken() {
        assert!(PLATFORMS.split(' ').all(|name| options::platform(name).is_ok()));
        let of = |name| flags::long(name).map(value);
        for (name, expected) in [("platform", PLATFORMS), ("generate", "man bash zsh fish")] {
            let found = of(name);
            assert!(matches!(found, Some(Value::OneOf(_, words)) if words == expected), "{name}");
        }
        assert!(matches!(of("ca-file"), Some(Value::File)));
        assert!(matches!(of("json"), Some(Value::None)));
    }

    #[test]
    fn texts_do_not_end_the_quotes() {
        assert_eq!(backslashed("a'b\\c]", &['\'', '\\']), "a\\'b\\\\c]");
        assert!(fish().contains("-d 'Print regq\\'s version'\n"));
        assert!(zsh().contains("'[Print regq'\\''s version]' \\\n"));
    }
}
