//! A static program alone: in a root folder that holds it, the file that `--ca-file` names and, for names,
//! `/etc/resolv.conf`. Read-only, as a user of no name, with an empty environment: no `HOME`, no `/tmp`, no `/proc`,
//! no `/dev`, no `/etc/hosts`. Its standard streams are opened outside.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;
use crate::name_server::{Ipv6, NameServer};
use crate::peers::{self, Answer, Surroundings};
use crate::report::Report;
use crate::stage::{Open, Stage};
use crate::support::{Reply, Server};

/// Whom it runs as.
const NOBODY: &str = "--userspec=+65534:+65534";

/// What is tested: a program, and what it asks.
pub(crate) struct Subject<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) open: &'a Open,
    pub(crate) program: &'a Path,
    /// The target that it was built for.
    pub(crate) target: &'a str,
}

/// Runs every scene.
pub(crate) fn check(subject: &Subject<'_>, report: &mut Report) -> Outcome<()> {
    let root = Root::build(subject, "alone")?;
    root.seal()?;
    answers(&root, subject, report);
    exit_codes(&root, subject, report)?;
    streams(&root, subject, report)?;
    localhost(&root, subject.stage, report)?;
    nobody_knows_names(&root, report);
    names(subject, report)?;
    closed(subject, report)
}

/// A root folder. Its mounts end with the namespace.
struct Root {
    folder: PathBuf,
    around: Surroundings,
}

impl Root {
    /// Writes the program and the authority's certificate into a folder of this name.
    fn build(subject: &Subject<'_>, name: &str) -> Outcome<Self> {
        let stage = subject.stage;
        let folder = stage.folder.join("roots").join(subject.target).join(name);
        let around = Surroundings::new(&stage.folder);
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        for (from, to) in [(subject.program, "regq"), (&*stage.certificates.authority(), "ca.pem")]
        {
            fs::copy(from, folder.join(to)).map_err(|error| error.to_string())?;
        }
        Ok(Self { folder, around })
    }

    /// The same with a name server to ask.
    fn with_resolver(self) -> Outcome<Self> {
        let folder = self.folder.join("etc");
        fs::create_dir(&folder)
            .and_then(|()| fs::write(folder.join("resolv.conf"), "nameserver 127.0.0.1\n"))
            .map_err(|error| error.to_string())?;
        Ok(self)
    }

    /// The same with `/dev/null`.
    fn with_null(self) -> Outcome<Self> {
        let file = self.folder.join("dev/null");
        fs::create_dir(self.folder.join("dev"))
            .and_then(|()| File::create(&file))
            .map_err(|error| error.to_string())?;
        self.mount(&["--bind", "/dev/null", &file.display().to_string()])?;
        Ok(self)
    }

    /// Makes it read-only.
    fn seal(&self) -> Outcome<()> {
        let folder = self.folder.display().to_string();
        self.mount(&["--rbind", &folder, &folder])?;
        self.mount(&["-o", "remount,bind,ro", &folder])?;
        match File::create(self.folder.join("file")) {
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(()),
            other => Err(format!("the root can be written to: {other:?}")),
        }
    }

    fn mount(&self, words: &[&str]) -> Outcome<()> {
        let mount = peers::find("mount").ok_or("mount has gone")?;
        self.around.run(&mount, words, "")?.bytes().map(drop)
    }

    /// A run that is asked nothing on stdin, and whose answer is read, until it is told otherwise.
    fn regq(&self, words: &[&str]) -> Run {
        self.run_through(&[], words)
    }

    /// The same, started by a shell that does this with the streams.
    fn redirected(&self, redirection: &str, words: &[&str]) -> Run {
        let script = format!("exec \"$@\" {redirection}");
        let mut run = self.run_through(&["/bin/sh", "-c", &script, "sh"], words);
        run.line.extend([" ", redirection]);
        run
    }

    fn run_through(&self, first: &[&str], words: &[&str]) -> Run {
        let chroot = peers::find("chroot").unwrap_or_default();
        let mut command = Command::new("timeout");
        command.env_clear().arg(peers::TIME_LIMIT).args(first).arg(chroot).arg(NOBODY);
        command.arg(&self.folder).arg("/regq").args(words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Run { command, line: format!("regq {}", words.join(" ")) }
    }
}

/// A run that is about to begin.
struct Run {
    command: Command,
    line: String,
}

impl Run {
    fn stdin(mut self, stream: impl Into<Stdio>) -> Self {
        self.command.stdin(stream);
        self
    }

    fn stdout(mut self, stream: impl Into<Stdio>) -> Self {
        self.command.stdout(stream);
        self
    }

    fn stderr(mut self, stream: impl Into<Stdio>) -> Self {
        self.command.stderr(stream);
        self
    }

    fn answer(mut self) -> Outcome<Answer> {
        let child = self.command.spawn().map_err(|error| error.to_string())?;
        // What it holds of a pipe must end before the other side does.
        drop(self.command);
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        Ok(Answer::of(output, self.line))
    }

    fn exits(self, code: i32) -> Outcome<()> {
        self.answer()?.exits(code)
    }

    /// Whether it answers with this, and a line end.
    fn prints(self, due: &str) -> Outcome<()> {
        let text = self.answer()?.text()?;
        if text == due { Ok(()) } else { Err(format!("{due} is due, not {text}")) }
    }
}

/// Whether `text` has `part`.
fn has(text: &str, part: &str) -> Outcome<()> {
    if text.contains(part) { Ok(()) } else { Err(format!("{part:?} is due in: {text}")) }
}

/// What it is for: https with a token, and an authority beside the built-in ones.
fn answers(root: &Root, subject: &Subject<'_>, report: &mut Report) {
    let (stage, open) = (subject.stage, subject.open);
    let name = &open.name("public/single:1");
    let image = &stage.images.single.top;
    let digest = root.regq(&["digest", "--ca-file", "/ca.pem", name]).prints(&image.digest);
    report.check("digest", digest);
    let index = &open.name("public/index:1");
    let arm = ["digest", "--ca-file", "/ca.pem", "--platform", "linux/arm/v7", index];
    let due = stage.images.index.children.iter().find(|child| child.platform == "linux/arm/v7");
    let due = due.map(|child| child.digest.as_str()).unwrap_or_default();
    report.check("digest --platform", root.regq(&arm).prints(due));
    let answer = root.regq(&["manifest", "--ca-file", "/ca.pem", index]).answer();
    let outcome = answer.and_then(Answer::bytes).and_then(|bytes| {
        if bytes == stage.images.index.top.bytes { Ok(()) } else { Err("other bytes".to_owned()) }
    });
    report.check("manifest", outcome);
    let answer = root.regq(&["explain", "--ca-file", "/ca.pem", name]).answer();
    let outcome = answer.and_then(Answer::text);
    let due = format!("This works:\n  regq digest --ca-file /ca.pem {name}");
    report.check("explain", outcome.and_then(|text| has(&text, &due)));
    let answer = root.regq(&["explain", "--json", "--ca-file", "/ca.pem", name]).answer();
    let outcome = answer.and_then(Answer::text).and_then(|text| {
        let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        has(&value["outcome"].to_string(), "\"exitCode\":0")
    });
    report.check("explain --json", outcome);
}

/// Every code of the README's table.
fn exit_codes(root: &Root, subject: &Subject<'_>, report: &mut Report) -> Outcome<()> {
    let (stage, open) = (subject.stage, subject.open);
    let config = stage.certificates.server_config()?;
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let scripted = Server::start_on(listener, Some(config), |request| {
        if request.path().contains("/limited/") {
            Reply::new(429)
        } else {
            Reply::new(200).body("no manifest")
        }
    });
    let scripted = |repository: &str| format!("localhost:{}/{repository}/a:1", scripted.port());
    // A port that nobody listens to.
    let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let free = format!("{}/a/b:1", free.map_err(|error| error.to_string())?);
    let (name, absent) = (open.name("public/single:1"), open.name("public/single:absent"));
    let (private, limited, wrong) =
        (open.name("private/single:1"), scripted("limited"), scripted("wrong"));
    let trusting = ["digest", "--retries", "0", "--ca-file", "/ca.pem"];
    let cases: [(i32, &str, &[&str]); 9] = [
        (0, "--version", &["--version"]),
        (1, "parse", &["parse", "--get", "digest", "alpine"]),
        (2, "digest", &["digest"]),
        (3, "no such tag", &[&trusting[..], &[&absent]].concat()),
        (4, "a private image", &[&trusting[..], &[&private]].concat()),
        (5, "a limit", &[&trusting[..], &[&limited]].concat()),
        (6, "nobody listens", &[&trusting[..], &[&free]].concat()),
        (7, "no manifest", &[&trusting[..], &[&wrong]].concat()),
        (8, "no such file", &["digest", "--ca-file", "/absent.pem", &name]),
    ];
    for (code, what, words) in cases {
        report.check(&format!("exit {code}: {what}"), root.regq(words).exits(code));
    }
    let answer = root.regq(&["digest", &name]).answer()?;
    let outcome = answer.exits(6).and_then(|()| has(&answer.stderr, "certificate"));
    report.check("exit 6: the built-in authorities did not sign it", outcome);
    Ok(())
}

/// A device, to read from and write to.
fn device(name: &str) -> Outcome<File> {
    let device = File::options().read(true).write(true).open(name);
    device.map_err(|error| format!("{name}: {error}"))
}

/// Pipes whose other ends are closed: to read from, and to write to.
fn closed_pipes() -> Outcome<(io::PipeReader, io::PipeWriter)> {
    let pipe = || io::pipe().map_err(|error| error.to_string());
    Ok((pipe()?.0, pipe()?.1))
}

/// Streams that end never, at once, or take nothing.
fn streams(root: &Root, subject: &Subject<'_>, report: &mut Report) -> Outcome<()> {
    let (stage, open) = (subject.stage, subject.open);
    let (name, absent) = (&open.name("public/single:1"), &open.name("public/single:absent"));
    let due = &stage.images.single.top.digest;
    let digest = || root.regq(&["digest", "--ca-file", "/ca.pem", name]);
    let fails = || root.regq(&["digest", "--ca-file", "/ca.pem", absent]);
    let reads = || root.regq(&["digest", "--ca-file", "/ca.pem", "-"]);
    for name in ["/dev/zero", "/dev/full"] {
        report.check(&format!("stdin {name}"), digest().stdin(device(name)?).prints(due));
        // Zeros are no reference, and they are not read without an end.
        report.check(&format!("- of {name}: exit 2"), reads().stdin(device(name)?).exits(2));
    }
    report.check("stdin a closed pipe", digest().stdin(closed_pipes()?.0).prints(due));
    report.check("stdout /dev/zero", digest().stdout(device("/dev/zero")?).exits(0));
    report.check("stdout /dev/full: exit 8", digest().stdout(device("/dev/full")?).exits(8));
    // That its reader has gone is no failure.
    report.check("stdout a closed pipe", digest().stdout(closed_pipes()?.1).exits(0));
    for name in ["/dev/zero", "/dev/full"] {
        report.check(&format!("stderr {name}"), fails().stderr(device(name)?).exits(3));
    }
    report.check("stderr a closed pipe", fails().stderr(closed_pipes()?.1).exits(3));
    let (mut output, input) = io::pipe().map_err(|error| error.to_string())?;
    let both = input.try_clone().map_err(|error| error.to_string())?;
    let outcome = digest().stdout(input).stderr(both).exits(0).and_then(|()| {
        let mut text = String::new();
        output.read_to_string(&mut text).map_err(|error| error.to_string())?;
        if text == format!("{due}\n") { Ok(()) } else { Err(text) }
    });
    report.check("stdout and stderr one pipe", outcome);
    let (output, mut input) = io::pipe().map_err(|error| error.to_string())?;
    writeln!(input, "{name}").map_err(|error| error.to_string())?;
    drop(input);
    report.check("- of a pipe", reads().stdin(output).prints(&format!("{due}  {name}")));
    Ok(())
}

/// `localhost` is 127.0.0.1, then ::1, although there is no `/etc/hosts`.
fn localhost(root: &Root, stage: &Stage, report: &mut Report) -> Outcome<()> {
    let serve = |address: &str| {
        let config = stage.certificates.server_config()?;
        let listener = TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))?;
        let bytes = stage.images.single.top.bytes.clone();
        Outcome::Ok(Server::start_on(listener, Some(config), move |_| {
            Reply::new(200)
                .header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
                .body(bytes.clone())
        }))
    };
    let second = serve("[::1]:0")?;
    let name = format!("localhost:{}/a/b:1", second.port());
    let ask = || {
        let words = ["digest", "--verify", "--ca-file", "/ca.pem", &name];
        root.regq(&words).prints(&stage.images.single.top.digest)
    };
    report.check("localhost, nobody at 127.0.0.1", ask());
    let first = serve(&format!("127.0.0.1:{}", second.port()))?;
    let before = second.connections();
    let outcome = ask().and_then(|()| match (first.connections(), second.connections() - before) {
        (1.., 0) => Ok(()),
        other => Err(format!("connections to 127.0.0.1 and ::1: {other:?}")),
    });
    report.check("localhost, both", outcome);
    Ok(())
}

/// Without a name server, and nobody at 127.0.0.1 who might be one: an error that says so, within the time.
fn nobody_knows_names(root: &Root, report: &mut Report) {
    const NAME: &str = "registry.example.com/a/b:1";
    let unresolved = "cannot resolve registry.example.com: ";
    for (what, options, said, least, most) in [
        ("no name server", &[][..], unresolved, 0, 8_000),
        // What may pass is not waited for again: a name is asked once.
        (
            "no name server, within --connect-timeout",
            &["--connect-timeout", "1"],
            unresolved,
            900,
            3_000,
        ),
        (
            "no name server, within --timeout",
            &["--timeout", "1"],
            "timed out after 1 s",
            900,
            3_000,
        ),
    ] {
        let begun = Instant::now();
        let words = [&["digest"], options, &[NAME]].concat();
        let outcome = root.regq(&words).answer().and_then(|answer| {
            let took = begun.elapsed();
            answer.exits(6)?;
            has(&answer.stderr, said)?;
            if (Duration::from_millis(least)..Duration::from_millis(most)).contains(&took) {
                Ok(())
            } else {
                Err(format!("after {took:?}: {}", answer.describe()))
            }
        });
        report.check(what, outcome);
    }
}

/// Names by the name server of `/etc/resolv.conf`.
fn names(subject: &Subject<'_>, report: &mut Report) -> Outcome<()> {
    let open = subject.open;
    let root = Root::build(subject, "names")?.with_resolver()?;
    root.seal()?;
    let name = format!("registry.example.com:{}/public/single:1", open.registry.address.port());
    let digest = || root.regq(&["digest", "--ca-file", "/ca.pem", "--connect-timeout", "2", &name]);
    for (what, ipv6, code) in [
        ("a name with an IPv4 address alone", Ipv6::None, 0),
        // As musl's resolver has it: one failed half is the answer's failure.
        ("its IPv6 address is a failure: exit 6", Ipv6::Failure, 6),
        ("its IPv6 address is no such name: exit 6", Ipv6::NoSuchName, 6),
    ] {
        let _server = NameServer::start(ipv6)?;
        report.check(what, digest().exits(code));
    }
    Ok(())
}

/// Descriptors that are closed: Rust's runtime opens `/dev/null` in their place, and ends where there is none.
fn closed(subject: &Subject<'_>, report: &mut Report) -> Outcome<()> {
    let (stage, open) = (subject.stage, subject.open);
    let root = Root::build(subject, "null")?.with_null()?;
    root.seal()?;
    let name = open.name("public/single:1");
    let words = ["digest", "--ca-file", "/ca.pem", &name];
    let due = &stage.images.single.top.digest;
    report.check("stdin closed", root.redirected("0<&-", &words).prints(due));
    report.check("stdout closed", root.redirected("1>&-", &words).exits(0));
    report.check("stderr closed", root.redirected("2>&-", &words).prints(due));
    report.check("all closed", root.redirected("0<&- 1>&- 2>&-", &words).exits(0));
    let root = Root::build(subject, "no-null")?;
    root.seal()?;
    // -1 stands for a signal.
    report
        .check("stdin closed, no /dev/null: it aborts", root.redirected("0<&-", &words).exits(-1));
    Ok(())
}
