//! Command lines that are refused before anything is done, and how flags are read.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::regq;
use crate::support::Regq;

/// A command line that is refused: nothing on stdout, exit code 2, and this on stderr.
#[track_caller]
fn refused(line: &str, message: &str, hint: &str) {
    regq(line).code(2).stdout("").stderr(format!("regq: {message}\nhint: {hint}\n"));
}

#[test]
fn commands_that_there_are_not() {
    refused("digset alpine", "unknown command \"digset\"", "did you mean regq digest");
    refused("frobnicate", "unknown command \"frobnicate\"", "regq --help lists the commands");
    refused("resolve alpine", "unknown command \"resolve\"", "regq digest REF prints the digest");
    refused(
        "alpine:3.20",
        "unknown command \"alpine:3.20\"",
        "the command comes first: regq digest alpine:3.20",
    );
    refused("help digset", "unknown command \"digset\"", "did you mean regq digest");
    refused(
        "help a b",
        "help takes one COMMAND at most, and 2 are given",
        "regq help help lists what it takes",
    );
    refused(
        "completion bash",
        "unknown command \"completion\"",
        "regq --generate bash prints them, and so for zsh and fish",
    );
    refused("--json", "a command is missing", "regq --help lists the commands");
    refused("-- --json", "unknown command \"--json\"", "regq --help lists the commands");
}

#[test]
fn what_is_generated_stands_alone() {
    let all = "regq --help lists the commands";
    refused("--generate nonsense", "--generate: \"nonsense\": not man, bash, zsh or fish", all);
    refused("--generate", "--generate needs a value: --generate KIND", all);
    refused("--generate=", "--generate: \"\": not man, bash, zsh or fish", all);
    refused("--json --generate man", "--generate takes no other flags", all);
    refused("--generate man dig", "unknown command \"dig\"", "did you mean regq digest");
    refused(
        "digest --generate man",
        "digest has no flag --generate",
        "regq help digest lists what it takes",
    );
}

#[test]
fn flags_that_there_are_not() {
    let see = "regq help digest lists what it takes";
    refused("digest --plattform x", "unknown flag \"--plattform\"", "did you mean --platform");
    refused("digest --frobnicate x", "unknown flag \"--frobnicate\"", see);
    refused("digest -x y", "unknown flag \"-x\"", see);
    refused("digest -vx y", "unknown flag \"-x\"", see);
    refused(
        "digest --tls-verify=false x",
        "unknown flag \"--tls-verify\"",
        "--insecure leaves the certificate unchecked, --plain-http does without TLS",
    );
    refused("digest --no-creds x", "unknown flag \"--no-creds\"", "did you mean --anonymous");
    refused(
        "digest --format {{.Digest}} x",
        "unknown flag \"--format\"",
        "--json prints an object, --get KEY one value of it",
    );
    refused(
        "manifest --raw x",
        "unknown flag \"--raw\"",
        "regq manifest REF prints the exact bytes",
    );
    refused(
        "manifest --json x",
        "manifest has no flag --json",
        "regq help manifest lists what it takes",
    );
    refused(
        "--platform linux/amd64 parse x",
        "parse has no flag --platform",
        "regq help parse lists what it takes",
    );
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    for line in
        ["digest --creds=me:hunter2 x", "digest --password=hunter2 x", "digest --json=hunter2 x"]
    {
        let ran = regq(line);
        ran.code(2).stdout("");
        assert!(!ran.stderr.contains("hunter2"), "{ran}");
    }
}

#[test]
fn values_that_do_not_fit() {
    let see = "regq help digest lists what it takes";
    for (line, message) in [
        ("digest --platform", "--platform needs a value: --platform OS/ARCH[/VARIANT]"),
        (
            "digest --platform --json x",
            "--platform needs a value, but \"--json\" follows; a value like that is written --platform=VALUE",
        ),
        (
            "digest --platform linux x",
            "--platform: \"linux\": byte 5: a platform is OS/ARCH or OS/ARCH/VARIANT, such as linux/amd64",
        ),
        ("digest --verify=yes x", "--verify takes no value"),
        (
            "digest --timeout 5d x",
            "--timeout: \"5d\": a duration is seconds, or a number with ms, s, m or h",
        ),
        ("digest --timeout 0 x", "--timeout: \"0\": nothing is done in no time"),
        ("digest --max-wait 9000h x", "--max-wait: \"9000h\": a duration is at most a year"),
        ("digest --retries=-1 x", "--retries: \"-1\": not a number from 0 to 4294967295"),
        (
            "digest --user a:b x",
            "--user: a user name cannot hold a colon or control characters; a password goes to --password-stdin or --password-file",
        ),
        ("digest --get= x", "--get: the key is empty"),
        ("digest --ca-file - x", "--ca-file: this takes a file, not standard input"),
        (
            "digest --trust-realm https://auth.example/token x",
            "--trust-realm: \"https://auth.example/token\": this takes a host, without scheme, port and path",
        ),
    ] {
        refused(line, message, see);
    }
    Regq::new().args(["digest", "--user", "a\nb", "x"]).run().code(2).stdout("").stderr(format!(
        "regq: --user: a user name cannot hold a colon or control characters; a password goes to \
             --password-stdin or --password-file\nhint: {see}\n"
    ));
}

#[test]
fn flags_that_need_or_exclude_each_other() {
    let see = "regq help digest lists what it takes";
    for (line, message) in [
        ("digest", "digest needs a REF"),
        ("digest --user me x", "--user needs --password-stdin or --password-file FILE"),
        ("digest --password-stdin x", "a password needs --user NAME"),
        ("digest --password-file f x", "a password needs --user NAME"),
        (
            "digest --user me --password-stdin --password-file f x",
            "--password-stdin and --password-file exclude each other",
        ),
        (
            "digest --anonymous --user me --password-stdin x",
            "--anonymous and --user exclude each other",
        ),
        (
            "digest --user me --password-stdin x -",
            "- and --password-stdin both read standard input, and there is one",
        ),
        ("digest - x -", "- is given more than once, and there is one standard input"),
        (
            "digest --full-ref --json x",
            "--full-ref changes lines of text, which --json and --get do not print",
        ),
    ] {
        refused(line, message, see);
    }
    let see = "regq help manifest lists what it takes";
    refused("manifest", "manifest needs a REF", see);
    refused("manifest a b", "manifest takes one REF, and 2 are given", see);
    refused("manifest -", "manifest takes one REF, not a list on standard input", see);
}

#[test]
fn arguments_that_are_no_text() {
    let bad = OsStr::from_bytes(b"a\xff");
    Regq::new()
        .arg(bad)
        .run()
        .code(2)
        .stdout("")
        .stderr("regq: unknown command \"a\u{fffd}\"\nhint: regq --help lists the commands\n");
    Regq::new().args(["digest", "--user"]).arg(bad).arg("x").run().code(2).stdout("").stderr(
        "regq: --user: the value is not UTF-8\nhint: regq help digest lists what it takes\n",
    );
    Regq::new()
        .arg("digest")
        .arg(OsStr::from_bytes(b"--\xff"))
        .run()
        .code(2)
        .stdout("")
        .stderr("regq: unknown flag \"--\u{fffd}\"\nhint: regq help digest lists what it takes\n");
    // A name that is no text is a bad name, and the others go on.
    Regq::new()
        .args(["parse", "--get", "repository"])
        .arg(bad)
        .arg("alpine")
        .run()
        .code(2)
        .stdout("library/alpine\n")
        .stderr("regq: a\u{fffd}: byte 1: a name is UTF-8 text\n");
}

#[test]
fn the_last_of_two_counts() {
    regq("parse --get tag --get registry alpine").code(0).stdout("docker.io\n").stderr("");
    regq("parse -v -q localhost:5000 --get=tag").code(0).stdout("5000\n").stderr("");
    let ran = regq("parse -q -v --get tag localhost:5000");
    assert!(ran.stderr.starts_with("note: "), "{ran}");
}

#[test]
fn flags_stand_anywhere_and_end_at_two_dashes() {
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
