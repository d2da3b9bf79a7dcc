//! Messages on standard error: waits, warnings, and the length of lines.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{Content, Ran, Regq, Reply, Request, Server};

/// A registry without TLS with these replies.
fn registry(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(None, handler)
}

/// Runs regq with plain HTTP and HOST replaced by the registry's address.
#[track_caller]
fn run(server: &Server, line: &str) -> Ran {
    let line = line.replace("HOST", &server.authority());
    Regq::new().args(line.split(' ')).arg("--plain-http").run().replace(server.authority(), "HOST")
}

fn image() -> Reply {
    let image = Content::image("linux/amd64");
    Reply::new(200)
        .header("Content-Type", image.media_type)
        .header("Docker-Content-Digest", image.digest)
        .body(image.bytes)
}

#[test]
fn warning_is_printed_once_and_not_with_quiet() {
    let server = registry(|_| image().header("Warning", r#"299 - "moves in May""#));
    let line = "digest HOST/team/app:1 HOST/team/app:2";
    run(&server, line).code(0).stderr("warning from HOST: \"moves in May\"\n");
    run(&server, &format!("-q {line}")).code(0).stderr("");
}

#[test]
fn short_wait_is_printed_with_verbose_only() {
    let failing = || {
        let failed = AtomicBool::new(false);
        registry(move |_| match failed.swap(true, Ordering::SeqCst) {
            false => Reply::new(503),
            true => image(),
        })
    };
    run(&failing(), "digest HOST/team/app:1").code(0).stderr("");
    let ran = run(&failing(), "-v digest HOST/team/app:1");
    ran.code(0);
    let lines = ran.stderr.lines().filter(|line| line.starts_with("retrying ")).count();
    assert_eq!(lines, 1, "{ran}");
    assert!(ran.stderr.contains("ms: status 503\n"), "{ran}");
}

/// A reply with one header.
fn with(status: u16, name: &str, value: impl AsRef<[u8]>) -> Reply {
    Reply::new(status).header(name, value)
}

/// An index of `count` platforms, each with a name of `length` letters and its number.
fn index(count: usize, length: usize) -> Reply {
    let entry = |n: usize| {
        let name = format!("{n}{}", "a".repeat(length));
        let digest = Content::image("linux/amd64").digest;
        format!(r#"{{"digest":"{digest}","platform":{{"os":"linux","architecture":"{name}"}}}}"#)
    };
    let entries: Vec<_> = (0..count).map(entry).collect();
    let body = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
    with(200, "Content-Type", "application/vnd.oci.image.index.v1+json").body(body)
}

#[test]
fn lines_are_bounded() {
    let long = "x".repeat(50_000);
    let challenge = |value: String| with(401, "WWW-Authenticate", value);
    let errors = |count: usize, message: &str| {
        let entry = format!(r#"{{"code":"DENIED","message":"{message}"}}"#);
        Reply::new(403).body(format!(r#"{{"errors":[{}]}}"#, vec![entry; count].join(",")))
    };
    let rows = [
        ("many errors", errors(1_200, "no")),
        ("a long error", errors(1, &long)),
        ("a long text", Reply::new(403).body(long.clone())),
        ("an unusable realm", challenge(format!(r#"Bearer realm="ftp://{long}""#))),
        (
            "a realm without a valid host",
            challenge(format!(r#"Bearer realm="http://a..b/{long}""#)),
        ),
        ("a long scope", challenge(format!(r#"Bearer realm="http://[::1]:1/",scope="{long}""#))),
        ("a long host", challenge(format!(r#"Bearer realm="http://{long}.localhost:1/""#))),
        ("a long realm's scheme", challenge(format!(r#"Bearer realm="{long}:x""#))),
        ("a long path", challenge(format!(r#"Bearer realm="http://localhost:1/{long}""#))),
        ("a long scheme", challenge(format!("{long} realm=\"a\""))),
        ("a long parameter", challenge(format!("Bearer {long}=a,{long}=b"))),
        ("many challenges", challenge("Negotiate, ".repeat(1_200) + "NTLM")),
        ("many wrong realms", challenge(vec![r#"Bearer realm="a:b""#; 1_200].join(", "))),
        ("a long target", with(307, "Location", format!("ftp://h/{long}"))),
        ("a long host to go to", with(307, "Location", format!("http://{long}.localhost:1/"))),
        ("a long path to go to", with(307, "Location", format!("http://localhost:1/{long}"))),
        ("a long port", with(307, "Location", format!("http://localhost:{long}/"))),
        ("a long type", with(200, "Content-Type", format!("text/{long}"))),
        ("a long digest", with(200, "Docker-Content-Digest", format!("sha256:{long}"))),
        ("a long algorithm", with(200, "Docker-Content-Digest", format!("{long}:00"))),
        ("a long encoding", image().header("Content-Encoding", &long).body("other")),
        ("a long wait", with(429, "Retry-After", "9".repeat(50_000))),
        ("a long status line", Reply::raw(format!("HTTP/1.1 {long}\r\n\r\n"))),
        ("many platforms", index(1_200, 10)),
        ("a long platform", index(1, 50_000)),
    ];
    for (what, reply) in rows {
        let server = registry(move |_| reply.clone());
        for more in ["", "--verify ", "--platform linux/s390x "] {
            let line = format!("digest --retries 0 {more}HOST/team/app:1");
            let ran = run(&server, &line);
            for line in ran.stderr.lines() {
                let length = line.chars().count();
                assert!(length < 2_500, "{what}: {length} characters: {line:.300}");
            }
            assert!(!ran.stderr.is_empty() || ran.code == 0, "{what}: {ran}");
        }
    }
}

#[test]
fn warning_is_cut_at_the_limit_of_the_specification() {
    let server =
        registry(|_| image().header("Warning", format!("299 - \"{}\"", "x".repeat(9_000))));
    let ran = run(&server, "digest HOST/team/app:1");
    let begin = "299 - \"".len();
    ran.code(0).stderr(format!("warning from HOST: \"{}\"\n", "x".repeat(4_096 - begin)));
}
