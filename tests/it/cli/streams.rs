//! Streams and signals: closed pipes, full disks, misleading characters, SIGINT and SIGTERM.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::support::Regq;

#[test]
fn closed_pipe_is_not_an_error() {
    for line in [
        "parse alpine",
        "parse --json alpine a..b",
        "parse --get tag alpine",
        "--help",
        "--version",
        "--generate man",
    ] {
        Regq::new().args(line.split(' ')).closed_stdout().run().code(0).stderr("");
    }
}

#[test]
fn full_disk_is_an_error() {
    for line in [
        "parse alpine",
        "parse --json alpine",
        "parse --get tag alpine",
        "--help",
        "--version",
        "--generate man",
    ] {
        Regq::new()
            .args(line.split(' '))
            .full_stdout()
            .run()
            .code(8)
            .stderr("regq: standard output: No space left on device (os error 28)\n");
    }
}

#[test]
fn misleading_characters_are_escaped() {
    let name = "a\u{1b}[31m\u{202e}\u{200b}b";
    Regq::new().args(["parse", name]).run().code(2).stdout("").stderr(
        "regq: \"a\\u{1b}[31m\\u{202e}\\u{200b}b\": byte 1: a repository name has lower-case \
         letters and digits, separated by . _ __ or -\n",
    );
    Regq::new().arg("\u{1b}]0;x\u{7}").run().code(2).stdout("").stderr(
        "regq: unknown command \"\\u{1b}]0;x\\u{7}\"\nhint: regq --help lists the commands\n",
    );
    // In JSON, a pipe receives the text unescaped.
    let objects = Regq::new().args(["parse", "--json", name]).run().code(2).json();
    assert_eq!(objects[0]["input"], name);
}

/// Starts a process that reads a list from stdin and has answered the first line.
fn reading(ignored: bool) -> (Child, ChildStdin, BufReader<ChildStdout>) {
    let program = env!("CARGO_BIN_EXE_regq");
    // A program inherits ignored signals, for example from the shell that runs the tests.
    let mut command = Command::new("env");
    let trap = if ignored { "trap '' INT TERM; " } else { "" };
    let script = format!("{trap}exec \"$0\" parse --get tag -");
    command.args(["--default-signal=INT,TERM", "sh", "-c", &script, program]);
    let mut child =
        command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    // The answer must arrive before the list ends.
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
        // The program exits by itself, because a signal cannot end PID 1.
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
