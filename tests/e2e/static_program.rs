//! Tests the static programs: linking, size, memory, and that each works, in an empty root (`empty_root`) if this machine
//! can run it, otherwise under qemu-user.
//!
//! The arguments are `static TARGET=FILE...`; root is required. A missing tool is a failure that names it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::empty_root::{self, Subject};
use crate::peers::{self, Surroundings};
use crate::report::Report;
use crate::stage::{Open, Stage};
use crate::{Outcome, REGQ, bench};

/// The argument for this mode, and that of the copy of this program inside namespaces.
pub(crate) const MODE: &str = "static";
pub(crate) const INSIDE: &str = "inside-static";

/// The required tools and their Debian packages.
const TOOLS: [(&str, &str); 6] = [
    ("file", "file"),
    ("readelf", "binutils"),
    ("unshare", "util-linux"),
    ("mount", "mount"),
    ("chroot", "coreutils"),
    ("ip", "iproute2"),
];

/// Limits of `digest` and `--version`: peak memory in MiB, CPU time in milliseconds.
const MAX_DIGEST_MEMORY: f64 = 6.0;
const MAX_VERSION_MEMORY: f64 = 2.0;
const MAX_VERSION_TIME: f64 = 1.0;

/// A target with its maximum size (2.0 or 2.2 MiB) and the emulator for machines that cannot run it.
struct Target {
    name: &'static str,
    max_bytes: u64,
    emulator: Option<&'static str>,
}

const TARGETS: [Target; 5] = [
    Target { name: "x86_64-unknown-linux-musl", max_bytes: 2_097_152, emulator: None },
    Target { name: "i686-unknown-linux-musl", max_bytes: 2_306_867, emulator: None },
    Target {
        name: "aarch64-unknown-linux-musl",
        max_bytes: 2_306_867,
        emulator: Some("qemu-aarch64"),
    },
    Target {
        name: "armv7-unknown-linux-musleabihf",
        max_bytes: 2_306_867,
        emulator: Some("qemu-arm"),
    },
    Target {
        name: "riscv64gc-unknown-linux-musl",
        max_bytes: 2_306_867,
        emulator: Some("qemu-riscv64"),
    },
];

/// A static program for a target.
struct Program {
    target: &'static Target,
    file: PathBuf,
}

impl Program {
    /// Parses `TARGET=FILE`.
    fn parse(word: &str) -> Outcome<Self> {
        let (name, file) = word.split_once('=').ok_or("expected TARGET=FILE")?;
        let target = TARGETS.iter().find(|target| target.name == name);
        let target = target.ok_or_else(|| format!("unknown target {name}"))?;
        let file = PathBuf::from(file);
        if !file.is_file() {
            return Err(format!("{} is missing: `make static TARGET={name}`", file.display()));
        }
        Ok(Self { target, file })
    }

    /// The emulator, if this machine cannot run the program.
    fn emulator(&self) -> Option<Outcome<PathBuf>> {
        let name = self.target.emulator?;
        let found = peers::find(name).or_else(|| peers::find(&format!("{name}-static")));
        Some(found.ok_or_else(|| format!("{name} (qemu-user or qemu-user-static)")))
    }
}

/// Parses all arguments.
fn parse_all(words: &[&str]) -> Outcome<Vec<Program>> {
    if words.is_empty() {
        return Err("programs are missing: static TARGET=FILE...".to_owned());
    }
    words.iter().map(|word| Program::parse(word)).collect()
}

/// Checks the files, and runs them in a copy of this program inside namespaces. Returns whether no check failed.
pub(crate) fn run(words: &[&str]) -> Outcome<bool> {
    let programs = parse_all(words)?;
    let tools = TOOLS.iter().filter(|(tool, _)| peers::find(tool).is_none());
    let missing = tools.map(|(tool, package)| format!("{tool} ({package})"));
    let emulators = programs.iter().filter_map(|program| program.emulator()?.err());
    let missing: Vec<_> = missing.chain(emulators).collect();
    if !missing.is_empty() {
        return Err(format!("missing programs (Debian packages): {}", missing.join(", ")));
    }
    let stage = Stage::prepare()?;
    let mut report = Report::default();
    for program in &programs {
        report.scope(program.target.name);
        report.check("linked statically", check_static_linking(&stage, &program.file));
        report.check("size", check_size(program));
    }
    report.scope("");
    let registry = stage.programs.first().ok_or("no registry is installed")?;
    let before = report.counts();
    let (output, succeeded) = start_inside(&stage, registry.name, words)?;
    report.adopt(&output);
    report.close();
    if report.counts() == before || (!succeeded && !report.has_failures()) {
        return Err("the copy of this program failed".to_owned());
    }
    Ok(!report.has_failures())
}

/// Checks with `file` and `readelf` that a program needs neither an interpreter nor a library.
fn check_static_linking(stage: &Stage, file: &Path) -> Outcome<()> {
    let run = |tool: &str, words: &[&str]| {
        let tool = peers::find(tool).ok_or("it is not installed any more")?;
        let file = file.display().to_string();
        let words = [words, &[&file]].concat();
        stage.surroundings.run(&tool, &words, "")?.text()
    };
    let kind = run("file", &["--brief"])?;
    if !kind.contains("static-pie linked") && !kind.contains("statically linked") {
        return Err(kind);
    }
    let headers = run("readelf", &["--wide", "--program-headers", "--dynamic"])?;
    match ["INTERP", "(NEEDED)", "(RPATH)", "(RUNPATH)"]
        .iter()
        .find(|word| headers.contains(**word))
    {
        Some(word) => Err(format!("{word} in: {headers}")),
        None if headers.contains("LOAD") => Ok(()),
        None => Err(format!("unexpected output of readelf: {headers}")),
    }
}

fn check_size(program: &Program) -> Outcome<()> {
    let bytes = fs::metadata(&program.file).map_err(|error| error.to_string())?.len();
    let max = program.target.max_bytes;
    println!("{}: {bytes} bytes, at most {max}", program.target.name);
    if bytes <= max { Ok(()) } else { Err(format!("{bytes} bytes, at most {max}")) }
}

fn start_inside(stage: &Stage, registry: &str, words: &[&str]) -> Outcome<(String, bool)> {
    let unshare = peers::find("unshare").ok_or("unshare is required (util-linux)")?;
    let this = env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(unshare);
    command.args(["--net", "--mount", "--"]).arg(this).arg(INSIDE).arg(&stage.folder);
    let output = command.arg(registry).args(words).output();
    let output = output.map_err(|error| format!("starting unshare: {error}"))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok((text, output.status.success()))
}

/// Runs the programs inside namespaces, where only loopback exists and port 53 is free. Returns whether no check failed.
pub(crate) fn inside(folder: &Path, registry: &str, words: &[&str]) -> Outcome<bool> {
    let stage = Stage::reopen(folder, registry)?;
    let ip = peers::find("ip").ok_or("ip is required (iproute2)")?;
    Surroundings::new(folder).run(&ip, &["link", "set", "lo", "up"], "")?.bytes()?;
    let open = stage.open(stage.programs.first().ok_or("the registry is missing")?)?;
    let mut report = Report::default();
    for program in parse_all(words)? {
        report.scope(program.target.name);
        match program.emulator() {
            Some(emulator) => {
                let outcome = check_emulated(&emulator?, &stage, &open, &program.file);
                report.check("digest under qemu-user", outcome);
            }
            None => {
                let (target, program) = (program.target.name, &*program.file);
                let subject = Subject { stage: &stage, open: &open, program, target };
                empty_root::check(&subject, &mut report)?;
            }
        }
        if program.target.name.starts_with("x86_64") {
            report
                .check("--version: CPU time and memory", check_version_cost(&stage, &program.file));
            let outcome = check_digest_memory(&stage, &open, &program.file);
            report.check("digest: memory", outcome);
        }
    }
    report.scope("the program for this machine");
    report.check("digest: memory", check_digest_memory(&stage, &open, Path::new(REGQ)));
    Ok(!report.has_failures())
}

fn check_emulated(emulator: &Path, stage: &Stage, open: &Open, file: &Path) -> Outcome<()> {
    let words = bench::words(file, &["digest", &open.name("public/single:1")]);
    let digest = stage.surroundings.run(emulator, &words, "")?.text()?;
    let expected = &stage.images.single.top.digest;
    if digest == *expected { Ok(()) } else { Err(format!("expected {expected}, not {digest}")) }
}

/// Checks the medians of many runs, measured as in `bench`.
fn check_version_cost(stage: &Stage, file: &Path) -> Outcome<()> {
    let (time, memory) = bench::cpu_and_memory(stage, &bench::words(file, &["--version"]))?;
    let figures = format!("{time:.2} ms of CPU time, {memory:.2} MiB");
    println!("--version: {figures}");
    if time <= MAX_VERSION_TIME && memory <= MAX_VERSION_MEMORY { Ok(()) } else { Err(figures) }
}

fn check_digest_memory(stage: &Stage, open: &Open, file: &Path) -> Outcome<()> {
    let words = bench::words(file, &["digest", &open.name("public/single:1")]);
    let (time, memory) = bench::cpu_and_memory(stage, &words)?;
    let figures = format!("{time:.2} ms of CPU time, {memory:.2} MiB");
    println!("digest: {figures}");
    if memory <= MAX_DIGEST_MEMORY { Ok(()) } else { Err(figures) }
}
