//! Help and version: answers of their own, word for word where they are short.

use super::regq;

const SHORT_HELP: &str = "\
Usage: regq COMMAND [FLAGS] [REF...]

Asks container registries questions and gets trustworthy answers. Nothing is
pulled, no daemon is needed.

Commands:
  digest REF...               Print the digest that a reference has
  manifest REF                Print a manifest or index, byte for byte
  explain REF                 Say why a registry refuses, all of it at once
  login REGISTRY              Check credentials, then keep them
  logout REGISTRY             Forget the credentials for a registry
  parse REF...                Show how a name is read, without asking anyone
  help [COMMAND]              Explain regq, or one of its commands

regq help COMMAND explains one of them, regq --help more of regq.
";

const HELP_PARSE: &str = "\
Usage: regq parse [FLAGS] REF...

Shows for each name the registry, the repository, the tag and the digest in it,
and where the registry would be asked. Nothing is sent. A name that is legal but
looks like something else is pointed out on standard error.

- as REF reads names from standard input, one a line; # starts a comment.

Flags:
      --json                  Print one JSON object a line
                              What failed is an object too, with an \"error\" of
                              kind, message and hint.
      --get KEY               Print one value of the JSON object
                              KEY may be a dotted path. Strings are printed
                              bare, anything else as JSON; a value that is null
                              or not there prints nothing and is exit code 1.

Connection:
      --plain-http            Use http, without TLS
                              Not needed for a registry on this machine.

General:
  -v, --verbose               Show the requests on standard error
                              Secrets are never shown.
  -q, --quiet                 Say nothing on standard error but errors
  -h, --help                  Explain, at length with --help
  -V, --version               Print regq's version

Examples:
  regq parse alpine
      Docker Hub's rules, made visible
  regq parse --get registry quay.io/podman/hello:latest
      one part of a name
";

#[test]
fn nothing_asked_is_answered_with_the_short_help() {
    regq("").code(2).stdout("").stderr(SHORT_HELP);
    regq("-h").code(0).stdout(SHORT_HELP).stderr("");
}

#[test]
fn help_is_an_answer() {
    for line in ["help parse", "parse --help", "--help parse", "parse x --help"] {
        regq(line).code(0).stdout(HELP_PARSE).stderr("");
    }
    let long = regq("--help");
    long.code(0).stderr("");
    assert_eq!(regq("help").stdout, long.stdout);
    let text = String::from_utf8(long.stdout).unwrap();
    for part in [
        "Commands:\n  digest REF...",
        "Without a command:\n      --generate KIND ",
        "Exit codes:\n  0  done\n",
        "\n  8  this machine",
        "Environment:\n  SSL_CERT_FILE  ",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    for command in ["digest", "manifest", "parse", "help"] {
        let long = regq(&format!("help {command}"));
        let text = String::from_utf8_lossy(&long.stdout).into_owned();
        assert!(text.starts_with(&format!("Usage: regq {command} ")), "{text}");
        let short = regq(&format!("{command} -h"));
        short.code(0).stderr("");
        assert!(short.stdout.len() < long.stdout.len(), "{short}");
    }
}

#[test]
fn help_and_version_win_over_what_is_wrong_behind_them() {
    regq("parse --help --frobnicate").code(0).stdout(HELP_PARSE).stderr("");
    regq("--version --frobnicate").code(0).stdout("regq 0.1.0\n").stderr("");
    regq("-V").code(0).stdout("regq 0.1.0\n").stderr("");
    regq("parse -V x").code(0).stdout("regq 0.1.0\n").stderr("");
}

#[test]
fn what_other_programs_read_is_an_answer() {
    for (kind, first) in [
        ("man", ".TH REGQ 1 "),
        ("bash", "# Completes regq in bash; made by regq --generate bash.\n"),
        ("zsh", "#compdef regq\n"),
        ("fish", "# Completes regq in fish; made by regq --generate fish.\n"),
    ] {
        let made = regq(&format!("--generate {kind}"));
        made.code(0).stderr("");
        let text = String::from_utf8(made.stdout).unwrap();
        assert!(text.starts_with(first) && text.ends_with('\n'), "{kind}: {text}");
        assert_eq!(regq(&format!("--generate={kind}")).stdout, text.as_bytes(), "{kind}");
    }
    // Help and version win here too.
    regq("--generate man --version").code(0).stdout("regq 0.1.0\n").stderr("");
}
