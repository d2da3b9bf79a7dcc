//! The command line as its users meet it: exact stdout, stderr and exit code of the real program.
//!
//! Mostly without a registry; where one is needed it is asked the least that shows a form of output.
//! How registries are talked to is tested in `conversation`.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::support::{Auth, Content, Ran, Registry, Regq};

/// A run with these words, which hold no spaces.
#[track_caller]
fn regq(line: &str) -> Ran {
    Regq::new().args(line.split_whitespace()).run()
}

/// A command line that is refused: nothing on stdout, exit code 2, and this on stderr.
#[track_caller]
fn refused(line: &str, message: &str, hint: &str) {
    regq(line).code(2).stdout("").stderr(format!("regq: {message}\nhint: {hint}\n"));
}

const SHORT_HELP: &str = "\
Usage: regq COMMAND [FLAGS] [REF...]

Asks container registries questions and gets trustworthy answers. Nothing is
pulled, no daemon is needed.

Commands:
  digest REF...               Print the digest that a reference has
  manifest REF                Print a manifest or index, byte for byte
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
    for part in ["Commands:\n  digest REF...", "Exit codes:\n  0  done\n", "\n  8  this machine"] {
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
    refused("--json", "a command is missing", "regq --help lists the commands");
    refused("-- --json", "unknown command \"--json\"", "regq --help lists the commands");
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
            "--user: \"a:b\": a user name cannot hold a colon or control characters",
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
    Regq::new()
        .args(["digest", "--user", "a\nb", "x"])
        .run()
        .code(2)
        .stdout("")
        .stderr(format!(
            "regq: --user: \"a\\nb\": a user name cannot hold a colon or control characters\nhint: {see}\n"
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
fn parse_shows_names_as_lines() {
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    Regq::new()
        .args(["parse", "alpine", "localhost:5000/a/b@"])
        .args([format!("Quay.io/a/b:V1@{digest}"), format!("[::1]:80/c@{digest}")])
        .run()
        .code(2)
        .stdout(format!(
            "\
input: alpine
registry: docker.io
repository: library/alpine
tag: latest
endpoint: https://registry-1.docker.io

input: Quay.io/a/b:V1@{digest}
registry: Quay.io
repository: a/b
tag: V1
digest: {digest}
endpoint: https://Quay.io

input: [::1]:80/c@{digest}
registry: [::1]:80
repository: c
digest: {digest}
endpoint: https://[::1]:80
"
        ));
    regq("parse --plain-http example.com:5000/a").code(0).stderr("").stdout(
        "\
input: example.com:5000/a
registry: example.com:5000
repository: a
tag: latest
endpoint: http://example.com:5000
",
    );
}

#[test]
fn parse_shows_names_as_objects() {
    let ran = regq("parse --json index.docker.io/alpine Foo/bar");
    ran.code(2).stdout(concat!(
        r#"{"input":"index.docker.io/alpine","registry":"docker.io","repository":"library/alpine","#,
        r#""tag":"latest","digest":null,"endpoint":"https://registry-1.docker.io"}"#,
        "\n",
        r#"{"input":"Foo/bar","error":{"kind":"usage","#,
        r#""message":"\"Foo/bar\": byte 0: repository names are lower case","#,
        r#""hint":"did you mean foo/bar"}}"#,
        "\n",
    ));
    ran.stderr(
        "regq: \"Foo/bar\": byte 0: repository names are lower case\nhint: did you mean foo/bar\n",
    );
    // Objects only, also without a hint.
    let objects = regq("parse --json a..b").code(2).json();
    assert_eq!(objects[0]["error"]["hint"], serde_json::Value::Null);
    assert_eq!(objects[0]["error"].as_object().unwrap().len(), 3);
}

#[test]
fn names_that_look_like_something_else_are_pointed_out() {
    let ran = regq("parse --get repository localhost:5000");
    ran.code(0).stdout("library/localhost\n").stderr(
        "note: localhost:5000: without a slash this is a repository on Docker Hub and its tag; \
         a registry and its port are followed by / and a repository\n",
    );
    regq("parse -q --get tag sha256:0123456789abcdef")
        .code(0)
        .stdout("0123456789abcdef\n")
        .stderr("");
    let ran = regq("parse --get tag sha256:0123456789abcdef");
    assert!(
        ran.stderr.starts_with("note: sha256:0123456789abcdef: without a repository "),
        "{ran}"
    );
    regq("parse docker://alpine").code(2).stdout("").stderr(
        "regq: \"docker://alpine\": byte 7: a name has no scheme in front\nhint: did you mean alpine\n",
    );
}

#[test]
fn one_value_is_printed_bare() {
    regq("parse --get endpoint alpine quay.io/x")
        .code(0)
        .stderr("")
        .stdout("https://registry-1.docker.io\nhttps://quay.io\n");
    // Null and not there are the same: nothing, and no.
    regq("parse --get digest alpine").code(1).stdout("").stderr("");
    regq("parse --get digset alpine").code(1).stdout("").stderr("");
    regq("parse --get tag.x alpine").code(1).stdout("").stderr("");
    // What failed has values too, and its code comes first when it stands first.
    regq("parse -q --get error.kind a..b").code(2).stdout("usage\n");
    regq("parse --get digest a..b alpine").code(2).stdout("");
    regq("parse --get digest alpine a..b").code(1).stdout("");
    // Anything but a string is JSON.
    let ran = regq("parse --get error a..b");
    assert_eq!(ran.code(2).json()[0]["kind"], "usage", "{ran}");
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
        "regq: \"--json\": byte 0: a repository name has lower-case letters and digits, with . _ __ or - between them\n",
    );
}

#[test]
fn lists_on_stdin() {
    let list = b"# images\n\n  alpine \t# the small one\r\n\xff\xfe\nquay.io/a/b:c".to_vec();
    Regq::new()
        .args(["parse", "--get", "repository", "first", "-", "last"])
        .stdin(list)
        .run()
        .code(2)
        .stdout("library/first\nlibrary/alpine\na/b\nlibrary/last\n")
        .stderr("regq: \u{fffd}\u{fffd}: byte 0: a name is UTF-8 text\n");
    regq("parse -").code(0).stdout("").stderr("");
}

#[test]
fn long_lines_are_failures_of_their_own() {
    let long = "a".repeat(70_000);
    let blank = " ".repeat(70_000);
    let list = format!("{long}\nalpine{blank}x\none # {long}\n# {long}\ntwo\n{long}");
    let shown = format!("{}...", "a".repeat(64));
    let why = "the line is longer than 65536 bytes";
    Regq::new()
        .args(["parse", "--get", "input", "-"])
        .stdin(list)
        .run()
        .code(2)
        .stdout(format!("{shown}\nalpine...\none\ntwo\n{shown}\n"))
        .stderr(format!("regq: {shown}: {why}\nregq: alpine...: {why}\nregq: {shown}: {why}\n"));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    for line in [
        "parse alpine",
        "parse --json alpine a..b",
        "parse --get tag alpine",
        "--help",
        "--version",
    ] {
        Regq::new().args(line.split(' ')).closed_stdout().run().code(0).stderr("");
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    for line in
        ["parse alpine", "parse --json alpine", "parse --get tag alpine", "--help", "--version"]
    {
        Regq::new()
            .args(line.split(' '))
            .full_stdout()
            .run()
            .code(8)
            .stderr("regq: standard output: No space left on device (os error 28)\n");
    }
}

#[test]
fn what_does_not_print_is_escaped() {
    let name = "a\u{1b}[31m\u{202e}\u{200b}b";
    Regq::new().args(["parse", name]).run().code(2).stdout("").stderr(
        "regq: \"a\\u{1b}[31m\\u{202e}\\u{200b}b\": byte 1: a repository name has lower-case \
         letters and digits, with . _ __ or - between them\n",
    );
    Regq::new().arg("\u{1b}]0;x\u{7}").run().code(2).stdout("").stderr(
        "regq: unknown command \"\\u{1b}]0;x\\u{7}\"\nhint: regq --help lists the commands\n",
    );
    // Into a pipe goes what was typed, in JSON's own escapes.
    let objects = Regq::new().args(["parse", "--json", name]).run().code(2).json();
    assert_eq!(objects[0]["input"], name);
}

/// A process that reads a list from its stdin, and has answered its first line.
fn reading(ignored: bool) -> (Child, ChildStdin, BufReader<std::process::ChildStdout>) {
    let program = env!("CARGO_BIN_EXE_regq");
    let mut command = Command::new("sh");
    let trap = if ignored { "trap '' INT TERM; " } else { "" };
    command.args(["-c", &format!("{trap}exec \"$0\" parse --get tag -"), program]);
    let mut child =
        command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    // That the answer comes before the list ends is asserted here too.
    stdin.write_all(b"alpine:first\n").unwrap();
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "first\n");
    (child, stdin, stdout)
}

#[track_caller]
fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn signals_end_the_program() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let (mut child, stdin, _stdout) = reading(false);
        send(&child, signal);
        let status = child.wait().unwrap();
        // Ended by itself, which is what makes it work as PID 1.
        assert_eq!((status.code(), status.signal()), (Some(code), None), "{signal}");
        drop(stdin);
    }
}

#[test]
fn signals_that_were_ignored_stay_ignored() {
    let (mut child, mut stdin, mut stdout) = reading(true);
    for signal in ["-INT", "-TERM"] {
        send(&child, signal);
    }
    stdin.write_all(b"alpine:second\n").unwrap();
    drop(stdin);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "second\n");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// A registry without TLS that asks for tokens, with an index and an image.
fn registry() -> (Registry, Content, Content) {
    let registry = Registry::start(Auth::Token, None);
    let (index, image) = (Content::index(), Content::image("linux/amd64"));
    registry.push("team/app", "1", &index);
    registry.push("team/tool", "2", &image);
    (registry, index, image)
}

/// Runs with HOST for the registry, in the arguments and in what is said.
#[track_caller]
fn asked(registry: &Registry, line: &str) -> Ran {
    let line = line.replace("HOST", &registry.authority());
    regq(&format!("-q {line}")).replace(registry.authority(), "HOST")
}

#[test]
fn one_digest_stands_alone_and_several_have_their_reference() {
    let (registry, index, image) = registry();
    let (index, image) = (&index.digest, &image.digest);
    asked(&registry, "digest HOST/team/app:1").code(0).stdout(format!("{index}\n")).stderr("");
    asked(&registry, "digest HOST/team/tool:2 HOST/team/app:1")
        .code(0)
        .stdout(format!("{image}  HOST/team/tool:2\n{index}  HOST/team/app:1\n"))
        .stderr("");
    asked(&registry, "digest --full-ref HOST/team/app:1")
        .code(0)
        .stdout(format!("HOST/team/app@{index}\n"))
        .stderr("");
    asked(&registry, "digest --full-ref HOST/team/app:1 HOST/team/tool:2")
        .code(0)
        .stdout(format!(
            "HOST/team/app@{index}  HOST/team/app:1\nHOST/team/tool@{image}  HOST/team/tool:2\n"
        ))
        .stderr("");
}

#[test]
fn a_list_gives_lines_with_the_reference_even_for_one() {
    let (registry, index, _) = registry();
    let host = registry.authority();
    Regq::new()
        .args(["-q", "digest", "-"])
        .stdin(format!("{host}/team/app:1 # the app\n"))
        .run()
        .code(0)
        .stdout(format!("{}  {host}/team/app:1\n", index.digest))
        .stderr("");
}

#[test]
fn failures_do_not_stop_the_others_and_the_first_gives_the_code() {
    let (registry, index, _) = registry();
    let digest = &index.digest;
    let ran = asked(&registry, "digest HOST/team/app:1 HOST/team/app:none a..b");
    ran.code(3).stdout(format!("{digest}  HOST/team/app:1\n"));
    let said: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("regq: ")).collect();
    assert_eq!(said.len(), 2, "{ran}");
    assert!(said[0].starts_with("regq: HOST/team/app:none: "), "{ran}");
    assert!(said[1].starts_with("regq: \"a..b\": byte 2: "), "{ran}");
    asked(&registry, "digest a..b HOST/team/app:none HOST/team/app:1").code(2);
}

#[test]
fn digests_as_objects() {
    let (registry, index, image) = registry();
    let ran = asked(&registry, "digest --json HOST/team/app:1 HOST/team/app:none");
    let size = index.bytes.len();
    let first = format!(
        "{{\"reference\":\"HOST/team/app:1\",\"digest\":\"{}\",\"mediaType\":\"{}\",\"size\":{size}}}\n",
        index.digest, index.media_type
    );
    assert!(ran.stdout.starts_with(first.as_bytes()), "{ran}");
    let objects = ran.code(3).json();
    assert_eq!(objects.len(), 2, "{ran}");
    assert_eq!(objects[1]["reference"], "HOST/team/app:none");
    assert_eq!(objects[1]["error"]["kind"], "not-found");
    let message = objects[1]["error"]["message"].as_str().unwrap();
    let hint = objects[1]["error"]["hint"].as_str().unwrap();
    ran.stderr(format!("regq: HOST/team/app:none: {message}\nhint: {hint}\n"));
    asked(&registry, "digest --get size HOST/team/tool:2")
        .code(0)
        .stdout(format!("{}\n", image.bytes.len()))
        .stderr("");
    asked(&registry, "digest --get mediaType HOST/team/tool:2 -q")
        .code(0)
        .stdout(format!("{}\n", image.media_type));
}

#[test]
fn a_manifest_is_its_bytes_alone() {
    let (registry, index, _) = registry();
    asked(&registry, "manifest HOST/team/app:1").code(0).stdout(&index.bytes).stderr("");
    let ran = asked(&registry, "manifest HOST/team/app:none");
    ran.code(3).stdout("");
    assert!(ran.stderr.starts_with("regq: HOST/team/app:none: "), "{ran}");
    let line = format!("{}/team/app:1", registry.authority());
    Regq::new().args(["-q", "manifest", &line]).closed_stdout().run().code(0).stderr("");
    Regq::new()
        .args(["-q", "manifest", &line])
        .full_stdout()
        .run()
        .code(8)
        .stderr("regq: standard output: No space left on device (os error 28)\n");
}

/// A file of this test's own.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("cli-{}-{name}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn passwords_are_read_without_their_line_end() {
    let (registry, index, _) = registry();
    registry.private("team/app");
    registry.user("me", "hunter2 ");
    let name = format!("{}/team/app:1", registry.authority());
    let digest = format!("{}\n", index.digest);
    for password in ["hunter2 ", "hunter2 \n", "hunter2 \r\n"] {
        let path = file("password", password.as_bytes());
        Regq::new()
            .args(["-q", "digest", "--user", "me", "--password-stdin", &name])
            .stdin(password)
            .run()
            .code(0)
            .stdout(&digest)
            .stderr("");
        Regq::new()
            .args(["-q", "digest", "--user", "me", &name, "--password-file"])
            .arg(&path)
            .run()
            .code(0)
            .stdout(&digest)
            .stderr("");
        std::fs::remove_file(path).unwrap();
    }
    let run = |extra: &[&str], password: &str| {
        Regq::new().args(["digest", &name]).args(extra).stdin(password).run()
    };
    // One line end is dropped and no more.
    let ran = run(&["--user", "me", "--password-stdin"], "hunter2 \n\n");
    ran.code(8)
        .stdout("")
        .stderr("regq: standard input: a password cannot hold control characters\n");
    let ran = run(&["-v", "--user", "me", "--password-stdin"], "hunter2");
    ran.code(4).stdout("");
    assert!(ran.stderr.contains("> HEAD http") && !ran.stderr.contains("hunter2"), "{ran}");
    assert!(!ran.stderr.contains("bWU6aHVudGVyMg"), "{ran}");
    assert!(ran.stderr.ends_with(
        "hint: check the user name and the password, and whether they may read this repository\n"
    ), "{ran}");
    let ran = run(&["-q", "--anonymous"], "");
    ran.code(4).stdout("");
    assert!(ran.stderr.contains("\nhint: if it exists, it is not for everybody: log in "), "{ran}");
}

#[test]
fn passwords_that_cannot_be_read_stop_everything() {
    let (registry, _, _) = registry();
    let name = format!("{}/team/app:1", registry.authority());
    let stdin = ["digest", "--user", "me", "--password-stdin", &name];
    Regq::new()
        .args(stdin)
        .stdin("x".repeat(65_537))
        .run()
        .code(8)
        .stdout("")
        .stderr("regq: standard input: a password has at most 65536 bytes\n");
    Regq::new()
        .args(stdin)
        .stdin(b"\xff".to_vec())
        .run()
        .code(8)
        .stdout("")
        .stderr("regq: standard input: a password is UTF-8 text\n");
    regq(&format!("digest --user me --password-file /nonexistent/file {name}"))
        .code(8)
        .stdout("")
        .stderr(
            "regq: /nonexistent/file: cannot be read: No such file or directory (os error 2)\n",
        );
    assert_eq!(registry.lines(), Vec::<String>::new());
}

#[test]
fn authorities_that_cannot_be_read_stop_everything() {
    let (registry, _, _) = registry();
    let name = format!("{}/team/app:1", registry.authority());
    let missing =
        "regq: /nonexistent/ca.pem: cannot be read: No such file or directory (os error 2)\n";
    regq(&format!("digest --ca-file /nonexistent/ca.pem {name}"))
        .code(8)
        .stdout("")
        .stderr(missing);
    let run =
        |value: &str| Regq::new().env("SSL_CERT_FILE", value).args(["-q", "digest", &name]).run();
    run("/nonexistent/ca.pem").code(8).stdout("").stderr(missing);
    assert_eq!(registry.lines(), Vec::<String>::new());
    // A variable that is set to nothing is not set.
    run("").code(0);
}

#[test]
fn a_fall_back_to_plain_http_is_said_once() {
    let (registry, index, _) = registry();
    let host = registry.authority();
    let name = format!("{host}/team/app:1");
    let line = format!("{}  {name}\n", index.digest);
    Regq::new()
        .args(["digest", &name, &name])
        .run()
        .code(0)
        .stdout(line.repeat(2))
        .stderr(format!("note: {host} does not speak TLS and is asked in plain http\n"));
    Regq::new().args(["digest", "--plain-http", &name, &name]).run().code(0).stderr("");
}
