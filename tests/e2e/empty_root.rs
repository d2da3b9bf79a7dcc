//! Runs a static program in a root folder that contains only the program, a CA file and, for some checks,
//! `/etc/resolv.conf`.
//!
//! The folder is read-only, the user has no name, the environment is empty: no `HOME`, `/tmp`, `/proc`, `/dev` or
//! `/etc/hosts`. The standard streams are opened outside.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;
use crate::name_server::{Ipv6, NameServer};
use crate::peers::{self, RunResult, Surroundings};
use crate::report::Report;
use crate::stage::{Open, Stage};
use crate::support::{Reply, Server};

/// The user and group to run as.
const USER: &str = "--userspec=+65534:+65534";

/// The tested program, and the registry for it.
pub(crate) struct Subject<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) open: &'a Open,
    pub(crate) program: &'a Path,
    /// Its target.
    pub(crate) target: &'a str,
}

/// Runs all checks.
pub(crate) fn check(subject: &Subject<'_>, report: &mut Report) -> Outcome<()> {
    let root = Root::build(subject, "alone")?;
    root.seal()?;
    check_commands(&root, subject, report);
    check_exit_codes(&root, subject, report)?;
    check_streams(&root, subject, report)?;
    check_localhost(&root, subject.stage, report)?;
    check_without_resolver(&root, report);
    check_resolver(subject, report)?;
    check_closed_streams(subject, report)
}

/// A root folder. The namespace ends its mounts.
struct Root {
    folder: PathBuf,
    around: Surroundings,
}

impl Root {
    /// Creates a root with the program and the CA certificate.
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

    /// Adds `/etc/resolv.conf` with a name server.
    fn with_resolver(self) -> Outcome<Self> {
        let folder = self.folder.join("etc");
        fs::create_dir(&folder)
            .and_then(|()| fs::write(folder.join("resolv.conf"), "nameserver 127.0.0.1\n"))
            .map_err(|error| error.to_string())?;
        Ok(self)
    }

    /// Adds `/dev/null`.
    fn with_null(self) -> Outcome<Self> {
        let file = self.folder.join("dev/null");
        fs::create_dir(self.folder.join("dev"))
            .and_then(|()| File::create(&file))
            .map_err(|error| error.to_string())?;
        self.mount(&["--bind", "/dev/null", &file.display().to_string()])?;
        Ok(self)
    }

    /// Makes the root read-only.
    fn seal(&self) -> Outcome<()> {
        let folder = self.folder.display().to_string();
        self.mount(&["--rbind", &folder, &folder])?;
        self.mount(&["-o", "remount,bind,ro", &folder])?;
        match File::create(self.folder.join("file")) {
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(()),
            other => Err(format!("the root is writable: {other:?}")),
        }
    }

    fn mount(&self, words: &[&str]) -> Outcome<()> {
        let mount = peers::find("mount").ok_or("mount is required")?;
        self.around.run(&mount, words, "")?.bytes().map(drop)
    }

    /// Prepares a run with empty stdin and captured output.
    fn regq(&self, words: &[&str]) -> Run {
        self.run_through(&[], words)
    }

    /// Prepares a run by a shell that redirects its streams.
    fn redirected(&self, redirection: &str, words: &[&str]) -> Run {
        let script = format!("exec \"$@\" {redirection}");
        let mut run = self.run_through(&["/bin/sh", "-c", &script, "sh"], words);
        run.line.extend([" ", redirection]);
        run
    }

    fn run_through(&self, first: &[&str], words: &[&str]) -> Run {
        let chroot = peers::find("chroot").unwrap_or_default();
        let mut command = Command::new("timeout");
        command.env_clear().arg(peers::TIME_LIMIT).args(first).arg(chroot).arg(USER);
        command.arg(&self.folder).arg("/regq").args(words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Run { command, line: format!("regq {}", words.join(" ")) }
    }
}

/// A prepared run.
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

    fn run(mut self) -> Outcome<RunResult> {
        let child = self.command.spawn().map_err(|error| error.to_string())?;
        // Closes this side of the pipes, so that reading the other side ends.
        drop(self.command);
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        Ok(RunResult::of(output, self.line))
    }

    fn exits(self, code: i32) -> Outcome<()> {
        self.run()?.exits(code)
    }

    /// Checks that it prints exactly this line.
    fn prints(self, expected: &str) -> Outcome<()> {
        let text = self.run()?.text()?;
        if text == expected { Ok(()) } else { Err(format!("expected {expected}, not {text}")) }
    }
}

/// Checks that `text` contains `part`.
fn contains(text: &str, part: &str) -> Outcome<()> {
    if text.contains(part) { Ok(()) } else { Err(format!("expected {part:?} in: {text}")) }
}

/// Checks commands over https with a token and an additional CA.
fn check_commands(root: &Root, subject: &Subject<'_>, report: &mut Report) {
    let (stage, open) = (subject.stage, subject.open);
    let name = &open.name("public/single:1");
    let image = &stage.images.single.top;
    let digest = root.regq(&["digest", "--ca-file", "/ca.pem", name]).prints(&image.digest);
    report.check("digest", digest);
    let index = &open.name("public/index:1");
    let words = ["digest", "--ca-file", "/ca.pem", "--platform", "linux/arm/v7", index];
    let child = stage.images.index.children.iter().find(|child| child.platform == "linux/arm/v7");
    let expected = child.map(|child| child.digest.as_str()).unwrap_or_default();
    report.check("digest --platform", root.regq(&words).prints(expected));
    let result = root.regq(&["manifest", "--ca-file", "/ca.pem", index]).run();
    let outcome = result.and_then(RunResult::bytes).and_then(|bytes| {
        if bytes == stage.images.index.top.bytes {
            Ok(())
        } else {
            Err("not the pushed bytes".to_owned())
        }
    });
    report.check("manifest", outcome);
    let result = root.regq(&["explain", "--ca-file", "/ca.pem", name]).run();
    let outcome = result.and_then(RunResult::text);
    let expected = format!("This works:\n  regq digest --ca-file /ca.pem {name}");
    report.check("explain", outcome.and_then(|text| contains(&text, &expected)));
    let result = root.regq(&["explain", "--json", "--ca-file", "/ca.pem", name]).run();
    let outcome = result.and_then(RunResult::text).and_then(|text| {
        let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        contains(&value["outcome"].to_string(), "\"exitCode\":0")
    });
    report.check("explain --json", outcome);
}

/// Checks every exit code of the README's table.
fn check_exit_codes(root: &Root, subject: &Subject<'_>, report: &mut Report) -> Outcome<()> {
    let (stage, open) = (subject.stage, subject.open);
    let config = stage.certificates.server_config()?;
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let scripted = Server::start_on(listener, Some(config), |request| {
        if request.path().contains("/limited/") {
            Reply::new(429)
        } else {
            Reply::new(200).body("not a manifest")
        }
    });
    let scripted = |repository: &str| format!("localhost:{}/{repository}/a:1", scripted.port());
    // A port without a listener.
    let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let free = format!("{}/a/b:1", free.map_err(|error| error.to_string())?);
    let (name, absent) = (open.name("public/single:1"), open.name("public/single:absent"));
    let (private, limited, wrong) =
        (open.name("private/single:1"), scripted("limited"), scripted("wrong"));
    let digest = ["digest", "--retries", "0", "--ca-file", "/ca.pem"];
    let cases: [(i32, &str, &[&str]); 9] = [
        (0, "--version", &["--version"]),
        (1, "parse", &["parse", "--get", "digest", "alpine"]),
        (2, "digest", &["digest"]),
        (3, "unknown tag", &[&digest[..], &[&absent]].concat()),
        (4, "private image", &[&digest[..], &[&private]].concat()),
        (5, "rate limit", &[&digest[..], &[&limited]].concat()),
        (6, "no listener", &[&digest[..], &[&free]].concat()),
        (7, "not a manifest", &[&digest[..], &[&wrong]].concat()),
        (8, "unknown file", &["digest", "--ca-file", "/absent.pem", &name]),
    ];
    for (code, what, words) in cases {
        report.check(&format!("exit {code}: {what}"), root.regq(words).exits(code));
    }
    let result = root.regq(&["digest", &name]).run()?;
    let outcome = result.exits(6).and_then(|()| contains(&result.stderr, "certificate"));
    report.check("exit 6: unknown CA", outcome);
    Ok(())
}

/// Opens a device for reading and writing.
fn device(name: &str) -> Outcome<File> {
    let device = File::options().read(true).write(true).open(name);
    device.map_err(|error| format!("{name}: {error}"))
}

/// Pipes whose other ends are closed: one to read from, one to write to.
fn closed_pipes() -> Outcome<(io::PipeReader, io::PipeWriter)> {
    let pipe = || io::pipe().map_err(|error| error.to_string());
    Ok((pipe()?.0, pipe()?.1))
}

/// Checks streams that never end, end at once, or accept nothing.
fn check_streams(root: &Root, subject: &Subject<'_>, report: &mut Report) -> Outcome<()> {
    let (stage, open) = (subject.stage, subject.open);
    let (name, absent) = (&open.name("public/single:1"), &open.name("public/single:absent"));
    let expected = &stage.images.single.top.digest;
    let digest = || root.regq(&["digest", "--ca-file", "/ca.pem", name]);
    let fails = || root.regq(&["digest", "--ca-file", "/ca.pem", absent]);
    let reads = || root.regq(&["digest", "--ca-file", "/ca.pem", "-"]);
    for name in ["/dev/zero", "/dev/full"] {
        report.check(&format!("stdin {name}"), digest().stdin(device(name)?).prints(expected));
        // Zeros are not a reference, and regq stops reading them.
        report.check(&format!("- from {name}: exit 2"), reads().stdin(device(name)?).exits(2));
    }
    report.check("stdin is a closed pipe", digest().stdin(closed_pipes()?.0).prints(expected));
    report.check("stdout /dev/zero", digest().stdout(device("/dev/zero")?).exits(0));
    report.check("stdout /dev/full: exit 8", digest().stdout(device("/dev/full")?).exits(8));
    // A closed pipe is not an error.
    report.check("stdout is a closed pipe", digest().stdout(closed_pipes()?.1).exits(0));
    for name in ["/dev/zero", "/dev/full"] {
        report.check(&format!("stderr {name}"), fails().stderr(device(name)?).exits(3));
    }
    report.check("stderr is a closed pipe", fails().stderr(closed_pipes()?.1).exits(3));
    let (mut output, input) = io::pipe().map_err(|error| error.to_string())?;
    let both = input.try_clone().map_err(|error| error.to_string())?;
    let outcome = digest().stdout(input).stderr(both).exits(0).and_then(|()| {
        let mut text = String::new();
        output.read_to_string(&mut text).map_err(|error| error.to_string())?;
        if text == format!("{expected}\n") { Ok(()) } else { Err(text) }
    });
    report.check("stdout and stderr are one pipe", outcome);
    let (output, mut input) = io::pipe().map_err(|error| error.to_string())?;
    writeln!(input, "{name}").map_err(|error| error.to_string())?;
    drop(input);
    report.check("- from a pipe", reads().stdin(output).prints(&format!("{expected}  {name}")));
    Ok(())
}

/// Checks that `localhost` is 127.0.0.1, then ::1, without `/etc/hosts`.
fn check_localhost(root: &Root, stage: &Stage, report: &mut Report) -> Outcome<()> {
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
    let check = || {
        let words = ["digest", "--verify", "--ca-file", "/ca.pem", &name];
        root.regq(&words).prints(&stage.images.single.top.digest)
    };
    report.check("localhost: only ::1 listens", check());
    let first = serve(&format!("127.0.0.1:{}", second.port()))?;
    let before = second.connections();
    let outcome =
        check().and_then(|()| match (first.connections(), second.connections() - before) {
            (1.., 0) => Ok(()),
            other => Err(format!("connections to 127.0.0.1 and ::1: {other:?}")),
        });
    report.check("localhost: both listen", outcome);
    Ok(())
}

/// Checks the error and its deadline without `/etc/resolv.conf` and without a name server on 127.0.0.1.
fn check_without_resolver(root: &Root, report: &mut Report) {
    const NAME: &str = "registry.example.com/a/b:1";
    let unresolved = "cannot resolve registry.example.com: ";
    for (what, options, message, min, max) in [
        ("no name server", &[][..], unresolved, 0, 8_000),
        // A lookup is not retried.
        ("no name server: --connect-timeout", &["--connect-timeout", "1"], unresolved, 900, 3_000),
        ("no name server: --timeout", &["--timeout", "1"], "timed out after 1 s", 900, 3_000),
    ] {
        let start = Instant::now();
        let words = [&["digest"], options, &[NAME]].concat();
        let outcome = root.regq(&words).run().and_then(|result| {
            let elapsed = start.elapsed();
            result.exits(6)?;
            contains(&result.stderr, message)?;
            if (Duration::from_millis(min)..Duration::from_millis(max)).contains(&elapsed) {
                Ok(())
            } else {
                Err(format!("after {elapsed:?}: {}", result.describe()))
            }
        });
        report.check(what, outcome);
    }
}

/// Checks names with the name server of `/etc/resolv.conf`.
fn check_resolver(subject: &Subject<'_>, report: &mut Report) -> Outcome<()> {
    let open = subject.open;
    let root = Root::build(subject, "names")?.with_resolver()?;
    root.seal()?;
    let name = format!("registry.example.com:{}/public/single:1", open.registry.address.port());
    let digest = || root.regq(&["digest", "--ca-file", "/ca.pem", "--connect-timeout", "2", &name]);
    for (what, ipv6, code) in [
        ("a name with an IPv4 address only", Ipv6::None, 0),
        // musl's resolver fails if one of the two lookups fails.
        ("the AAAA lookup fails: exit 6", Ipv6::Failure, 6),
        ("NXDOMAIN for AAAA: exit 6", Ipv6::NoSuchName, 6),
    ] {
        let _server = NameServer::start(ipv6)?;
        report.check(what, digest().exits(code));
    }
    Ok(())
}

/// Checks closed descriptors: Rust's runtime opens `/dev/null` in their place, and aborts without it.
fn check_closed_streams(subject: &Subject<'_>, report: &mut Report) -> Outcome<()> {
    let (stage, open) = (subject.stage, subject.open);
    let root = Root::build(subject, "null")?.with_null()?;
    root.seal()?;
    let name = open.name("public/single:1");
    let words = ["digest", "--ca-file", "/ca.pem", &name];
    let expected = &stage.images.single.top.digest;
    report.check("stdin closed", root.redirected("0<&-", &words).prints(expected));
    report.check("stdout closed", root.redirected("1>&-", &words).exits(0));
    report.check("stderr closed", root.redirected("2>&-", &words).prints(expected));
    report.check("all closed", root.redirected("0<&- 1>&- 2>&-", &words).exits(0));
    let root = Root::build(subject, "no-null")?;
    root.seal()?;
    // -1 is a signal.
    report
        .check("stdin closed without /dev/null: aborts", root.redirected("0<&-", &words).exits(-1));
    Ok(())
}
