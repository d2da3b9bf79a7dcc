//! The static programs: what they are made of, how large they are, what they take, and that each answers: on this
//! machine in an empty root (`empty_root`), elsewhere under Debian's qemu-user.
//!
//! `static TARGET=FILE...` is the argument, as root. What is missing on this machine is a failure that names it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::empty_root::{self, Subject};
use crate::peers::{self, Surroundings};
use crate::report::Report;
use crate::stage::{Open, Stage};
use crate::{Outcome, REGQ, bench};

/// The argument that asks for all this, and the one that this program gives itself inside.
pub(crate) const MODE: &str = "static";
pub(crate) const INSIDE: &str = "inside-static";

/// What it takes beside the programs of every run, and the Debian packages that have it.
const TOOLS: [(&str, &str); 6] = [
    ("file", "file"),
    ("readelf", "binutils"),
    ("unshare", "util-linux"),
    ("mount", "mount"),
    ("chroot", "coreutils"),
    ("ip", "iproute2"),
];

/// What `digest` may take at its peak, and `--version`: MiB, and milliseconds of CPU time.
const DIGEST_MEMORY: f64 = 6.0;
const VERSION_MEMORY: f64 = 2.0;
const VERSION_TIME: f64 = 1.0;

/// A target: its name, what its program may have at most (2.0 and 2.2 MiB), and who runs it where this machine cannot.
struct Target {
    name: &'static str,
    bytes: u64,
    emulator: Option<&'static str>,
}

const TARGETS: [Target; 5] = [
    Target { name: "x86_64-unknown-linux-musl", bytes: 2_097_152, emulator: None },
    Target { name: "i686-unknown-linux-musl", bytes: 2_306_867, emulator: None },
    Target { name: "aarch64-unknown-linux-musl", bytes: 2_306_867, emulator: Some("qemu-aarch64") },
    Target { name: "armv7-unknown-linux-musleabihf", bytes: 2_306_867, emulator: Some("qemu-arm") },
    Target {
        name: "riscv64gc-unknown-linux-musl",
        bytes: 2_306_867,
        emulator: Some("qemu-riscv64"),
    },
];

/// A program that was built for a target.
struct Program {
    target: &'static Target,
    file: PathBuf,
}

impl Program {
    /// From `TARGET=FILE`.
    fn parse(word: &str) -> Outcome<Self> {
        let (name, file) = word.split_once('=').ok_or("TARGET=FILE is due")?;
        let target = TARGETS.iter().find(|target| target.name == name);
        let target = target.ok_or_else(|| format!("no target is called {name} here"))?;
        let file = PathBuf::from(file);
        if !file.is_file() {
            return Err(format!("{} is missing: `make static TARGET={name}`", file.display()));
        }
        Ok(Self { target, file })
    }

    /// The command that runs it, where this machine cannot.
    fn emulator(&self) -> Option<Outcome<PathBuf>> {
        let name = self.target.emulator?;
        let found = peers::find(name).or_else(|| peers::find(&format!("{name}-static")));
        Some(found.ok_or_else(|| format!("{name} (qemu-user or qemu-user-static)")))
    }
}

fn all(words: &[&str]) -> Outcome<Vec<Program>> {
    if words.is_empty() {
        return Err("which programs? static TARGET=FILE...".to_owned());
    }
    words.iter().map(|word| Program::parse(word)).collect()
}

/// Checks the files here, and starts this program again inside for all that runs them; true when nothing failed.
pub(crate) fn run(words: &[&str]) -> Outcome<bool> {
    let programs = all(words)?;
    let tools = TOOLS.iter().filter(|(tool, _)| peers::find(tool).is_none());
    let missing = tools.map(|(tool, package)| format!("{tool} ({package})"));
    let emulators = programs.iter().filter_map(|program| program.emulator()?.err());
    let missing: Vec<_> = missing.chain(emulators).collect();
    if !missing.is_empty() {
        return Err(format!(
            "these programs are missing (Debian's packages): {}",
            missing.join(", ")
        ));
    }
    let stage = Stage::prepare()?;
    let mut report = Report::default();
    for program in &programs {
        report.scope(program.target.name);
        report.check("static, by file and readelf", is_static(&stage, &program.file));
        report.check("small enough", is_small(program));
    }
    report.scope("");
    let registry = stage.programs.first().ok_or("there is no registry to ask")?;
    let before = report.counts();
    let (output, succeeded) = start_inside(&stage, registry.name, words)?;
    report.adopt(&output);
    report.close();
    if report.counts() == before || (!succeeded && !report.has_failures()) {
        return Err("it broke off".to_owned());
    }
    Ok(!report.has_failures())
}

/// `file` and `readelf` say that it needs no interpreter and no library.
fn is_static(stage: &Stage, file: &Path) -> Outcome<()> {
    let ask = |tool: &str, words: &[&str]| {
        let tool = peers::find(tool).ok_or("it has gone")?;
        let file = file.display().to_string();
        let words = [words, &[&file]].concat();
        stage.surroundings.run(&tool, &words, "")?.text()
    };
    let kind = ask("file", &["--brief"])?;
    if !kind.contains("static-pie linked") && !kind.contains("statically linked") {
        return Err(kind);
    }
    let told = ask("readelf", &["--wide", "--program-headers", "--dynamic"])?;
    match ["INTERP", "(NEEDED)", "(RPATH)", "(RUNPATH)"].iter().find(|word| told.contains(**word)) {
        Some(word) => Err(format!("{word} in: {told}")),
        None if told.contains("LOAD") => Ok(()),
        None => Err(format!("readelf tells nothing: {told}")),
    }
}

fn is_small(program: &Program) -> Outcome<()> {
    let bytes = fs::metadata(&program.file).map_err(|error| error.to_string())?.len();
    let most = program.target.bytes;
    println!("{}: {bytes} bytes, at most {most}", program.target.name);
    if bytes <= most { Ok(()) } else { Err(format!("{bytes} bytes, at most {most}")) }
}

fn start_inside(stage: &Stage, registry: &str, words: &[&str]) -> Outcome<(String, bool)> {
    let unshare = peers::find("unshare").ok_or("unshare has gone")?;
    let this = env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(unshare);
    command.args(["--net", "--mount", "--"]).arg(this).arg(INSIDE).arg(&stage.folder);
    let output = command.arg(registry).args(words).output();
    let output = output.map_err(|error| format!("starting unshare: {error}"))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok((text, output.status.success()))
}

/// What runs inside, where nothing but loopback is reached and port 53 is free; true when nothing failed.
pub(crate) fn inside(folder: &Path, registry: &str, words: &[&str]) -> Outcome<bool> {
    let stage = Stage::reopen(folder, registry)?;
    let ip = peers::find("ip").ok_or("ip has gone")?;
    Surroundings::new(folder).run(&ip, &["link", "set", "lo", "up"], "")?.bytes()?;
    let open = stage.open(stage.programs.first().ok_or("which registry?")?)?;
    let mut report = Report::default();
    for program in all(words)? {
        report.scope(program.target.name);
        match program.emulator() {
            Some(emulator) => {
                let outcome = answers_under(&emulator?, &stage, &open, &program.file);
                report.check("digest under qemu-user", outcome);
            }
            None => {
                let (target, program) = (program.target.name, &*program.file);
                let subject = Subject { stage: &stage, open: &open, program, target };
                empty_root::check(&subject, &mut report)?;
            }
        }
        if program.target.name.starts_with("x86_64") {
            report.check("--version: time and memory", takes_little(&stage, &program.file));
            let outcome = digest_takes_little(&stage, &open, &program.file);
            report.check("digest: memory", outcome);
        }
    }
    report.scope("the program for this machine");
    report.check("digest: memory", digest_takes_little(&stage, &open, Path::new(REGQ)));
    Ok(!report.has_failures())
}

fn answers_under(emulator: &Path, stage: &Stage, open: &Open, file: &Path) -> Outcome<()> {
    let words = bench::words(file, &["digest", &open.name("public/single:1")]);
    let digest = stage.surroundings.run(emulator, &words, "")?.text()?;
    let due = &stage.images.single.top.digest;
    if digest == *due { Ok(()) } else { Err(format!("{due} is due, not {digest}")) }
}

/// Medians of many runs, as `bench` takes them.
fn takes_little(stage: &Stage, file: &Path) -> Outcome<()> {
    let (time, memory) = bench::account(stage, &bench::words(file, &["--version"]))?;
    let told = format!("{time:.2} ms of CPU time, {memory:.2} MiB");
    println!("--version: {told}");
    if time <= VERSION_TIME && memory <= VERSION_MEMORY { Ok(()) } else { Err(told) }
}

fn digest_takes_little(stage: &Stage, open: &Open, file: &Path) -> Outcome<()> {
    let words = bench::words(file, &["digest", &open.name("public/single:1")]);
    let (time, memory) = bench::account(stage, &words)?;
    let told = format!("{time:.2} ms of CPU time, {memory:.2} MiB");
    println!("digest: {told}");
    if memory <= DIGEST_MEMORY { Ok(()) } else { Err(told) }
}
