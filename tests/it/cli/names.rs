//! `regq parse`, which shows every format of output without a request.

use super::regq;
use crate::support::Regq;

#[test]
fn references_are_printed_as_lines() {
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
endpoint: https://quay.io

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
fn references_are_printed_as_objects() {
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
    // Without a hint the object has the same keys.
    let objects = regq("parse --json a..b").code(2).json();
    assert_eq!(objects[0]["error"]["hint"], serde_json::Value::Null);
    assert_eq!(objects[0]["error"].as_object().unwrap().len(), 3);
}

#[test]
fn ambiguous_references_have_a_note() {
    let ran = regq("parse --get repository localhost:5000");
    ran.code(0).stdout("library/localhost\n").stderr(
        "note: localhost:5000: without a slash this names a repository on Docker Hub; \
         for a registry, add / and a repository\n",
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
        "regq: \"docker://alpine\": byte 7: a scheme or transport prefix is not part of a reference\nhint: did you mean alpine\n",
    );
}

#[test]
fn get_prints_one_value() {
    regq("parse --get endpoint alpine quay.io/x")
        .code(0)
        .stderr("")
        .stdout("https://registry-1.docker.io\nhttps://quay.io\n");
    // A null and a missing value are treated the same.
    regq("parse --get digest alpine").code(1).stdout("").stderr("");
    regq("parse --get digset alpine").code(1).stdout("").stderr("");
    regq("parse --get tag.x alpine").code(1).stdout("").stderr("");
    // A failure is an object, too. The first failure decides the exit code.
    regq("parse -q --get error.kind a..b").code(2).stdout("usage\n");
    regq("parse --get digest a..b alpine").code(2).stdout("");
    regq("parse --get digest alpine a..b").code(1).stdout("");
    // Values other than strings are printed as JSON.
    let ran = regq("parse --get error a..b");
    assert_eq!(ran.code(2).json()[0]["kind"], "usage", "{ran}");
}

#[test]
fn references_are_read_from_stdin() {
    let list = b"# images\n\n  alpine \t# the small one\r\n\xff\xfe\nquay.io/a/b:c".to_vec();
    Regq::new()
        .args(["parse", "--get", "repository", "first", "-", "last"])
        .stdin(list)
        .run()
        .code(2)
        .stdout("library/first\nlibrary/alpine\na/b\nlibrary/last\n")
        .stderr("regq: \u{fffd}\u{fffd}: byte 0: not UTF-8\n");
    regq("parse -").code(0).stdout("").stderr("");
}

#[test]
fn too_long_lines_are_failures_of_one_item() {
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
fn endless_line_stops_the_command() {
    Regq::new()
        .args(["parse", "--get", "input", "first", "-", "last"])
        .through("exec timeout 20 \"$0\" \"$@\" </dev/zero")
        .run()
        .code(2)
        .stdout("first\n")
        .stderr("regq: standard input: not a list of references: a line is longer than 1 MiB\n");
}

#[test]
fn password_in_a_reference_is_not_printed() {
    for name in ["https://ada:s3cret@h.example/app", "ada:s3cret@h.example/app"] {
        let ran = regq(&format!("parse {name}"));
        ran.code(2).stdout("");
        assert!(ran.stderr.contains("ada:...@h.example/app"), "{ran}");
        assert!(!ran.stderr.contains("s3cret"), "{ran}");
    }
    // After the @ of a reference comes a digest, and before it may be a tag.
    let ran = regq("parse app:1.0@sha256:00");
    assert!(ran.stderr.contains("\"app:1.0@sha256:00\""), "{ran}");
}
