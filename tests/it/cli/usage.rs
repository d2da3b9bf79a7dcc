//! Invalid command lines, and the syntax of flags.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::regq;
use crate::support::Regq;

/// Expects exit code 2 with this message and hint on stderr, and nothing on stdout.
#[track_caller]
fn refused(line: &str, message: &str, hint: &str) {
    regq(line).code(2).stdout("").stderr(format!("regq: {message}\nhint: {hint}\n"));
}

#[test]
fn unknown_commands_are_refused() {
    refused("digset alpine", "unknown command \"digset\"", "did you mean regq digest");
    refused("frobnicate", "unknown command \"frobnicate\"", "regq --help lists the commands");
    refused("resolve alpine", "unknown command \"resolve\"", "regq digest REF prints the digest");
    refused(
        "alpine:3.20",
        "unknown command \"alpine:3.20\"",
        "the command comes first, for example: regq digest alpine:3.20",
    );
    refused("help digset", "unknown command \"digset\"", "did you mean regq digest");
    refused(
        "help a b",
        "help takes at most one COMMAND, but 2 were given",
        "regq help help shows its usage",
    );
    refused(
        "completion bash",
        "unknown command \"completion\"",
        "use regq --generate bash (or zsh, fish)",
    );
    refused("--json", "missing command", "regq --help lists the commands");
    refused("-- --json", "unknown command \"--json\"", "regq --help lists the commands");
}

#[test]
fn generate_takes_no_other_flags() {
    let all = "regq --help lists the commands";
    refused("--generate nonsense", "--generate: \"nonsense\": must be man, bash, zsh or fish", all);
    refused("--generate", "--generate requires a value: --generate KIND", all);
    refused("--generate=", "--generate: \"\": must be man, bash, zsh or fish", all);
    refused("--json --generate man", "--generate cannot be combined with other flags", all);
    refused("--generate man dig", "unknown command \"dig\"", "did you mean regq digest");
    refused(
        "digest --generate man",
        "digest has no flag --generate",
        "regq help digest shows its usage",
    );
}

#[test]
fn unknown_flags_are_refused() {
    let see = "regq help digest shows its usage";
    refused("digest --plattform x", "unknown flag \"--plattform\"", "did you mean --platform");
    refused("digest --frobnicate x", "unknown flag \"--frobnicate\"", see);
    refused("digest -x y", "unknown flag \"-x\"", see);
    refused("digest -vx y", "unknown flag \"-x\"", see);
    refused(
        "digest --tls-verify=false x",
        "unknown flag \"--tls-verify\"",
        "--insecure skips certificate checks, --plain-http uses HTTP",
    );
    refused("digest --no-creds x", "unknown flag \"--no-creds\"", "did you mean --anonymous");
    refused(
        "digest --format {{.Digest}} x",
        "unknown flag \"--format\"",
        "--json prints an object, --get KEY one of its values",
    );
    refused(
        "manifest --raw x",
        "unknown flag \"--raw\"",
        "regq manifest REF prints the exact bytes",
    );
    refused(
        "manifest --json x",
        "manifest has no flag --json",
        "regq help manifest shows its usage",
    );
    refused(
        "--platform linux/amd64 parse x",
        "parse has no flag --platform",
        "regq help parse shows its usage",
    );
}

#[test]
fn misplaced_secret_is_not_printed() {
    for line in
        ["digest --creds=me:hunter2 x", "digest --password=hunter2 x", "digest --json=hunter2 x"]
    {
        let ran = regq(line);
        ran.code(2).stdout("");
        assert!(!ran.stderr.contains("hunter2"), "{ran}");
    }
}

#[test]
fn invalid_values_are_refused() {
    let see = "regq help digest shows its usage";
    for (line, message) in [
        ("digest --platform", "--platform requires a value: --platform OS/ARCH[/VARIANT]"),
        (
            "digest --platform --json x",
            "--platform requires a value; to pass \"--json\" as the value, write --platform=VALUE",
        ),
        (
            "digest --platform linux x",
            "--platform: \"linux\": byte 5: a platform is OS/ARCH or OS/ARCH/VARIANT, such as linux/amd64",
        ),
        ("digest --verify=yes x", "--verify does not take a value"),
        (
            "digest --timeout 5d x",
            "--timeout: \"5d\": not a duration: use seconds, or a number with ms, s, m or h",
        ),
        ("digest --timeout 0 x", "--timeout: \"0\": must be longer than zero"),
        ("digest --max-wait 9000h x", "--max-wait: \"9000h\": must be at most one year"),
        ("digest --retries=-1 x", "--retries: \"-1\": must be a number from 0 to 4294967295"),
        (
            "digest --user a:b x",
            "--user: must not contain a colon or control characters; the password goes to --password-stdin or --password-file",
        ),
        ("digest --get= x", "--get: must not be empty"),
        ("digest --ca-file - x", "--ca-file: must be a file, not standard input"),
        (
            "digest --trust-realm https://auth.example/token x",
            "--trust-realm: \"https://auth.example/token\": must be a host name, without scheme, port or path",
        ),
    ] {
        refused(line, message, see);
    }
    Regq::new().args(["digest", "--user", "a\nb", "x"]).run().code(2).stdout("").stderr(format!(
        "regq: --user: must not contain a colon or control characters; the password goes to \
             --password-stdin or --password-file\nhint: {see}\n"
    ));
}

#[test]
fn invalid_combinations_of_flags_are_refused() {
    let see = "regq help digest shows its usage";
    for (line, message) in [
        ("digest", "digest requires a REF"),
        ("digest --user me x", "--user requires --password-stdin or --password-file FILE"),
        ("digest --password-stdin x", "--password-stdin and --password-file require --user NAME"),
        ("digest --password-file f x", "--password-stdin and --password-file require --user NAME"),
        (
            "digest --user me --password-stdin --password-file f x",
            "--password-stdin and --password-file cannot be used together",
        ),
        (
            "digest --anonymous --user me --password-stdin x",
            "--anonymous and --user cannot be used together",
        ),
        (
            "digest --user me --password-stdin x -",
            "- and --password-stdin cannot both read standard input",
        ),
        ("digest - x -", "- can be given only once"),
        ("digest --full-ref --json x", "--full-ref cannot be used with --json or --get"),
    ] {
        refused(line, message, see);
    }
    let see = "regq help manifest shows its usage";
    refused("manifest", "manifest requires a REF", see);
    refused("manifest a b", "manifest takes one REF, but 2 were given", see);
    refused("manifest -", "manifest cannot read a list from standard input", see);
}

#[test]
fn arguments_must_be_utf8() {
    let bad = OsStr::from_bytes(b"a\xff");
    Regq::new()
        .arg(bad)
        .run()
        .code(2)
        .stdout("")
        .stderr("regq: unknown command \"a\u{fffd}\"\nhint: regq --help lists the commands\n");
    Regq::new()
        .args(["digest", "--user"])
        .arg(bad)
        .arg("x")
        .run()
        .code(2)
        .stdout("")
        .stderr("regq: --user: the value is not UTF-8\nhint: regq help digest shows its usage\n");
    Regq::new()
        .arg("digest")
        .arg(OsStr::from_bytes(b"--\xff"))
        .run()
        .code(2)
        .stdout("")
        .stderr("regq: unknown flag \"--\u{fffd}\"\nhint: regq help digest shows its usage\n");
    // For an operand it is a failure of that item only.
    Regq::new()
        .args(["parse", "--get", "repository"])
        .arg(bad)
        .arg("alpine")
        .run()
        .code(2)
        .stdout("library/alpine\n")
        .stderr("regq: a\u{fffd}: byte 1: not UTF-8\n");
}

#[test]
fn last_value_of_a_flag_counts() {
    regq("parse --get tag --get registry alpine").code(0).stdout("docker.io\n").stderr("");
    regq("parse -v -q localhost:5000 --get=tag").code(0).stdout("5000\n").stderr("");
    let ran = regq("parse -q -v --get tag localhost:5000");
    assert!(ran.stderr.starts_with("note: "), "{ran}");
}

#[test]
fn flags_can_be_anywhere_and_end_at_two_dashes() {
    let expected = regq("parse --get tag alpine");
    expected.code(0).stdout("latest\n");
    for line in [
        "--get tag parse alpine",
        "--get=tag parse alpine",
        "parse alpine --get tag",
        "parse --get tag -- alpine",
    ] {
        regq(line).code(0).stdout("latest\n").stderr("");
    }
    regq("parse --get tag -- alpine --json").code(2).stdout("latest\n").stderr(
        "regq: \"--json\": byte 0: a repository name has lower-case letters and digits, separated by . _ __ or -\n",
    );
}
