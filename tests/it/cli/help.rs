//! Help, version and generated files; short texts are compared word for word.

use super::regq;

const SHORT_HELP: &str = "\
Usage: regq COMMAND [FLAGS] [ARG...]

Asks container registries questions: which digest a tag has, what a manifest
contains, why a registry refuses access. It pulls no images and needs no daemon.

Commands:
  digest REF...               Print the digest of a reference
  manifest REF                Print a manifest or index, byte for byte
  explain [REF]               Explain why a registry refuses access
  login REGISTRY              Verify credentials and save them
  logout REGISTRY             Remove the credentials for a registry
  parse REF...                Show how a reference is parsed (no network)
  help [COMMAND]              Show help for regq or a command

regq help COMMAND shows help for a command, regq --help shows more.
";

const HELP_PARSE: &str = "\
Usage: regq parse [FLAGS] REF...

Examples:
  regq parse alpine
      what a short name means
  regq parse --get registry quay.io/podman/hello:latest
      one part of a reference

Shows the registry, repository, tag and digest of each reference, and the URL of
the registry. No request is sent. A note on standard error points out a
reference that is valid but may not mean what it seems to.

If REF is -, references are read from standard input, one per line; # starts a
comment.

Output:
      --json                  Print one JSON object per line
                              For a reference that fails, digest and parse print
                              an object with an \"error\": kind, message and hint.
      --get KEY               Print one value of the JSON object
                              KEY can be a dotted path, such as error.kind.
                              Strings are printed bare, anything else as JSON.
                              If the value is null or missing, nothing is
                              printed and the exit code is 1, unless the
                              reference failed.

Connection:
      --plain-http            Use HTTP instead of HTTPS
                              Not needed for a registry on this machine.

Global flags:
  -v, --verbose               Print requests, connections and credential lookups
                              To standard error. Secrets are never printed.
  -q, --quiet                 Print no messages except errors
                              Hides notes, warnings and messages about retries.
  -h, --help                  Show help (--help shows more)
  -V, --version               Print the version
";

#[test]
fn no_arguments_print_the_short_help() {
    regq("").code(2).stdout("").stderr(SHORT_HELP);
    regq("-h").code(0).stdout(SHORT_HELP).stderr("");
}

#[test]
fn help_is_printed_to_stdout() {
    for line in ["help parse", "parse --help", "--help parse", "parse x --help"] {
        regq(line).code(0).stdout(HELP_PARSE).stderr("");
    }
    let long = regq("--help");
    long.code(0).stderr("");
    assert_eq!(regq("help").stdout, long.stdout);
    let text = String::from_utf8(long.stdout).unwrap();
    for part in [
        "Commands:\n  digest REF...",
        "Flags without a command:\n      --generate KIND ",
        "Exit codes:\n  0  success\n",
        "\n  8  local error",
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
fn help_and_version_take_precedence_over_later_errors() {
    regq("parse --help --frobnicate").code(0).stdout(HELP_PARSE).stderr("");
    regq("--version --frobnicate").code(0).stdout("regq 0.1.0\n").stderr("");
    regq("-V").code(0).stdout("regq 0.1.0\n").stderr("");
    regq("parse -V x").code(0).stdout("regq 0.1.0\n").stderr("");
}

#[test]
fn generated_files_are_printed_to_stdout() {
    for (kind, first) in [
        ("man", ".TH REGQ 1 "),
        ("bash", "# Completes regq in bash; made by regq --generate bash.\n"),
        ("zsh", "#compdef regq\n"),
        ("fish", "# Completes regq in fish; made by regq --generate fish.\n"),
    ] {
        let generated = regq(&format!("--generate {kind}"));
        generated.code(0).stderr("");
        let text = String::from_utf8(generated.stdout).unwrap();
        assert!(text.starts_with(first) && text.ends_with('\n'), "{kind}: {text}");
        assert_eq!(regq(&format!("--generate={kind}")).stdout, text.as_bytes(), "{kind}");
    }
    // Version takes precedence here, too.
    regq("--generate man --version").code(0).stdout("regq 0.1.0\n").stderr("");
}
