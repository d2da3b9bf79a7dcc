//! `regq digest` and `regq manifest`: the formats of their output, and the files they read before the first request.

use std::path::PathBuf;

use super::regq;
use crate::support::{Auth, Content, Ran, Registry, Regq};

/// A registry without TLS that requires tokens, with an index and an image.
fn registry() -> (Registry, Content, Content) {
    let registry = Registry::start(Auth::Token, None);
    let (index, image) = (Content::index(), Content::image("linux/amd64"));
    registry.push("team/app", "1", &index);
    registry.push("team/tool", "2", &image);
    (registry, index, image)
}

/// Runs regq with HOST replaced by the registry's address, in arguments and output.
#[track_caller]
fn run(registry: &Registry, line: &str) -> Ran {
    let line = line.replace("HOST", &registry.authority());
    regq(&format!("-q {line}")).replace(registry.authority(), "HOST")
}

#[test]
fn several_digests_are_printed_with_their_reference() {
    let (registry, index, image) = registry();
    let (index, image) = (&index.digest, &image.digest);
    run(&registry, "digest HOST/team/app:1").code(0).stdout(format!("{index}\n")).stderr("");
    run(&registry, "digest HOST/team/tool:2 HOST/team/app:1")
        .code(0)
        .stdout(format!("{image}  HOST/team/tool:2\n{index}  HOST/team/app:1\n"))
        .stderr("");
    run(&registry, "digest --full-ref HOST/team/app:1")
        .code(0)
        .stdout(format!("HOST/team/app@{index}\n"))
        .stderr("");
    run(&registry, "digest --full-ref HOST/team/app:1 HOST/team/tool:2")
        .code(0)
        .stdout(format!(
            "HOST/team/app@{index}  HOST/team/app:1\nHOST/team/tool@{image}  HOST/team/tool:2\n"
        ))
        .stderr("");
}

#[test]
fn list_of_one_is_printed_with_its_reference() {
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
fn failures_do_not_stop_other_references_and_the_first_decides_the_code() {
    let (registry, index, _) = registry();
    let digest = &index.digest;
    let ran = run(&registry, "digest HOST/team/app:1 HOST/team/app:none a..b");
    ran.code(3).stdout(format!("{digest}  HOST/team/app:1\n"));
    let errors: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("regq: ")).collect();
    assert_eq!(errors.len(), 2, "{ran}");
    assert!(errors[0].starts_with("regq: HOST/team/app:none: "), "{ran}");
    assert!(errors[1].starts_with("regq: \"a..b\": byte 2: "), "{ran}");
    run(&registry, "digest a..b HOST/team/app:none HOST/team/app:1").code(2);
}

#[test]
fn digests_are_printed_as_objects() {
    let (registry, index, image) = registry();
    let ran = run(&registry, "digest --json HOST/team/app:1 HOST/team/app:none");
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
    run(&registry, "digest --get size HOST/team/tool:2")
        .code(0)
        .stdout(format!("{}\n", image.bytes.len()))
        .stderr("");
    run(&registry, "digest --get mediaType HOST/team/tool:2 -q")
        .code(0)
        .stdout(format!("{}\n", image.media_type));
}

#[test]
fn manifest_prints_exact_bytes_only() {
    let (registry, index, _) = registry();
    run(&registry, "manifest HOST/team/app:1").code(0).stdout(&index.bytes).stderr("");
    let ran = run(&registry, "manifest HOST/team/app:none");
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

/// Writes a file that only this test uses.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("cli-{}-{name}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn one_trailing_newline_of_a_password_is_removed() {
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
    // Only one newline is removed.
    let ran = run(&["--user", "me", "--password-stdin"], "hunter2 \n\n");
    ran.code(8).stdout("").stderr("regq: standard input: the password has more than one line\n");
    for (password, message) in [("", "the password is empty"), ("\n", "the password is empty")] {
        let ran = run(&["--user", "me", "--password-stdin"], password);
        ran.code(8).stdout("").stderr(format!("regq: standard input: {message}\n"));
    }
    run(&["--user", "me", "--password-stdin"], "hunter2\t")
        .code(8)
        .stdout("")
        .stderr("regq: standard input: a password cannot contain control characters\n");
    let ran = run(&["-v", "--user", "me", "--password-stdin"], "hunter2");
    ran.code(4).stdout("");
    assert!(ran.stderr.contains("> HEAD http") && !ran.stderr.contains("hunter2"), "{ran}");
    assert!(!ran.stderr.contains("bWU6aHVudGVyMg"), "{ran}");
    assert!(
        ran.stderr.ends_with(&format!(
            "hint: the credentials were refused; for details, run: regq explain --user me --password-stdin {name}\n"
        )),
        "{ran}"
    );
    let ran = run(&["-q", "--anonymous"], "");
    ran.code(4).stdout("");
    let hint = format!(
        "\nhint: the token allows nothing; for details, run: regq explain --anonymous {name}\n"
    );
    assert!(ran.stderr.ends_with(&hint), "{ran}");
}

#[test]
fn unreadable_password_stops_the_command() {
    let (registry, _, _) = registry();
    let name = format!("{}/team/app:1", registry.authority());
    let stdin = ["digest", "--user", "me", "--password-stdin", &name];
    Regq::new()
        .args(stdin)
        .stdin("x".repeat(65_537))
        .run()
        .code(8)
        .stdout("")
        .stderr("regq: standard input: larger than the limit of 65536 bytes\n");
    Regq::new()
        .args(stdin)
        .stdin(b"\xff".to_vec())
        .run()
        .code(8)
        .stdout("")
        .stderr("regq: standard input: the password is not UTF-8 text\n");
    regq(&format!("digest --user me --password-file /nonexistent/file {name}"))
        .code(8)
        .stdout("")
        .stderr(
            "regq: /nonexistent/file: cannot be read: No such file or directory (os error 2)\n",
        );
    assert_eq!(registry.lines(), Vec::<String>::new());
}

#[test]
fn unreadable_ca_file_stops_the_command() {
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
    let named = missing.replace("regq: ", "regq: SSL_CERT_FILE: ");
    run("/nonexistent/ca.pem").code(8).stdout("").stderr(named);
    assert_eq!(registry.lines(), Vec::<String>::new());
    // An empty variable counts as unset.
    run("").code(0);
}

#[test]
fn fallback_to_plain_http_is_reported_once() {
    let (registry, index, _) = registry();
    let host = registry.authority();
    let name = format!("{host}/team/app:1");
    let line = format!("{}  {name}\n", index.digest);
    Regq::new()
        .args(["digest", &name, &name])
        .run()
        .code(0)
        .stdout(line.repeat(2))
        .stderr(format!("note: {host} does not use TLS; using plain HTTP\n"));
    Regq::new().args(["digest", "--plain-http", &name, &name]).run().code(0).stderr("");
}

#[test]
fn credentials_on_the_command_line_are_for_one_registry() {
    let (first, index, _) = registry();
    let (second, _, _) = registry();
    first.user("me", "hunter2");
    let line = format!(
        "digest --user me --password-stdin {0}/team/app:1 {1}/team/app:1 {0}/team/app:1",
        first.authority(),
        second.authority()
    );
    let ran = Regq::new().args(line.split(' ')).stdin("hunter2").run();
    let lines = format!("{0}  {1}/team/app:1\n", index.digest, first.authority());
    ran.code(2).stdout(lines.repeat(2));
    assert!(
        ran.stderr.contains(&format!(
            "regq: {1}/team/app:1: the credentials on the command line are for {0}\n\
         hint: run regq separately for {1}\n",
            first.authority(),
            second.authority()
        )),
        "{ran}"
    );
    assert_eq!(second.lines(), Vec::<String>::new());
}

#[test]
fn trace_reports_credentials_of_the_command_line() {
    let (registry, _, _) = registry();
    registry.user("me", "hunter2");
    registry.private("team/app");
    let name = format!("{}/team/app:1", registry.authority());
    let ran = Regq::new()
        .args(["digest", "-v", "--user", "me", "--password-stdin", &name])
        .stdin("hunter2");
    let ran = ran.run();
    ran.code(0);
    let line = "* command line: credentials of \"me\"\n";
    assert_eq!(ran.stderr.matches(line).count(), 1, "{ran}");
}
