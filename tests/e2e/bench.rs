//! Measures one `digest` with regq, crane, regctl and skopeo against the registry of the checks (TLS, tokens).
//!
//! hyperfine measures wall time. CPU time and peak memory are the kernel's figures for each process (`wait4`), measured by
//! a copy of this program: the peak of a process includes the time before its `exec`, so its parent must be small (1 MiB,
//! measured with `/bin/true`). Slow results are not failures.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Outcome;
use crate::peers;
use crate::stage::{Open, Stage};

/// The argument of the copy of this program that measures.
pub(crate) const MEASURE: &str = "measure";

/// How many times each command runs, for hyperfine and for `wait4` each.
const RUNS: &str = "40";

/// regq's targets: wall and CPU time relative to the best other client, and MiB.
const TARGET_WALL: f64 = 0.5;
const TARGET_CPU: f64 = 0.25;
const TARGET_MEMORY: f64 = 6.0;

/// The medians of one client, in milliseconds and MiB.
#[derive(Debug, Clone, Copy)]
struct Figures {
    wall: f64,
    cpu: f64,
    memory: f64,
}

/// Starts a registry, measures all clients, and prints the table.
pub(crate) fn run() -> Outcome<()> {
    let hyperfine = peers::find("hyperfine").ok_or("hyperfine is required")?;
    let stage = Stage::prepare()?;
    let program = stage.programs.last().ok_or("no registry is installed")?;
    let open = stage.open(program)?;
    println!("one digest of a tag, https and token, {}, {RUNS} runs, medians", program.name);
    let commands = commands(&stage, &open);
    for (name, words) in &commands {
        let result = run_once(&stage, words)?;
        if result != stage.images.single.top.digest {
            return Err(format!("{name} printed {result}"));
        }
    }
    let walls = wall_times(&stage, &hyperfine, &commands)?;
    let mut table = Vec::new();
    for ((name, words), wall) in commands.iter().zip(walls) {
        let (cpu, memory) = cpu_and_memory(&stage, words)?;
        table.push((*name, Figures { wall, cpu, memory }));
    }
    print(&table);
    Ok(())
}

/// The command line of each installed client.
fn commands(stage: &Stage, open: &Open) -> Vec<(&'static str, Vec<String>)> {
    let name = open.name("public/single:1");
    let certificates = stage.certificates.folder_for_skopeo().display().to_string();
    let skopeo = ["inspect", "-n", "--cert-dir", &certificates, "--format", "{{.Digest}}"];
    let remote = format!("docker://{name}");
    let mut commands = vec![("regq", words(Path::new(crate::REGQ), &["digest", &name]))];
    if let Some(crane) = &stage.peers.crane {
        commands.push(("crane", words(crane, &["digest", &name])));
    }
    if let Some(regctl) = &stage.peers.regctl {
        commands.push(("regctl", words(regctl, &["image", "digest", &name])));
    }
    commands.push(("skopeo", words(&stage.peers.skopeo, &[&skopeo[..], &[&remote]].concat())));
    commands
}

/// The words of a command line.
pub(crate) fn words(program: &Path, arguments: &[&str]) -> Vec<String> {
    let program = program.display().to_string();
    std::iter::once(program).chain(arguments.iter().map(|word| (*word).to_owned())).collect()
}

fn run_once(stage: &Stage, words: &[String]) -> Outcome<String> {
    let (program, arguments) = words.split_first().ok_or("an empty command")?;
    stage.surroundings.run(Path::new(program), arguments, "")?.text()
}

/// The median wall time of each command in milliseconds, measured by hyperfine.
fn wall_times(
    stage: &Stage,
    hyperfine: &Path,
    commands: &[(&'static str, Vec<String>)],
) -> Outcome<Vec<f64>> {
    let file = stage.folder.join("hyperfine.json");
    let mut command = Command::new(hyperfine);
    stage.surroundings.apply_to(&mut command);
    command.args(["-N", "--style", "none", "--warmup", "3", "--runs", RUNS, "--export-json"]);
    command.arg(&file);
    for (_, words) in commands {
        let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
        command.arg(quoted.join(" "));
    }
    let output = command.output().map_err(|error| format!("hyperfine: {error}"))?;
    if !output.status.success() {
        return Err(format!("hyperfine: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
    let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let results = value.get("results").and_then(Value::as_array).ok_or("hyperfine's results")?;
    let medians = results.iter().map(|result| result.get("median").and_then(Value::as_f64));
    let medians: Option<Vec<_>> =
        medians.map(|median| median.map(|seconds| seconds * 1000.0)).collect();
    medians.ok_or_else(|| "hyperfine printed no medians".to_owned())
}

/// The median CPU time (milliseconds) and peak memory (MiB) of a command.
pub(crate) fn cpu_and_memory(stage: &Stage, words: &[String]) -> Outcome<(f64, f64)> {
    let this = env::current_exe().map_err(|error| error.to_string())?;
    let arguments = [&[MEASURE.to_owned(), RUNS.to_owned()], words].concat();
    let output = stage.surroundings.run(&this, &arguments, "")?.text()?;
    let mut columns: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for line in output.lines() {
        let value: BTreeMap<String, f64> =
            serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
        for (key, value) in value {
            columns.entry(key).or_default().push(value);
        }
    }
    let mut column = |key: &str| median(columns.remove(key).unwrap_or_default());
    Ok((column("cpu")? / 1000.0, column("memory")? / 1024.0))
}

/// The median.
fn median(mut values: Vec<f64>) -> Outcome<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.get(values.len() / 2).copied();
    middle.ok_or_else(|| "nothing was measured".to_owned())
}

/// Runs a command several times, and prints CPU microseconds and peak KiB of each run.
pub(crate) fn measure(runs: &str, command: &[&str]) -> Outcome<()> {
    let runs: u32 = runs.parse().map_err(|_| "not a number of runs")?;
    let (program, arguments) = command.split_first().ok_or("the command is missing")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    fork_to_start(&mut command);
    for _ in 0..runs {
        let child = command.spawn().map_err(|error| error.to_string())?;
        let (cpu, memory) = wait_for_usage(child.id()).map_err(|error| error.to_string())?;
        println!("{}", json!({"cpu": cpu.as_micros(), "memory": memory}));
    }
    Ok(())
}

/// Makes the standard library start the command with fork(2). Otherwise the child shares this program's memory until its
/// `exec`, and all of it counts for the child's peak. After a fork, only copied pages count.
#[expect(unsafe_code, reason = "the only way to avoid posix_spawn")]
fn fork_to_start(command: &mut Command) {
    // SAFETY: the closure does nothing, so it is async-signal-safe.
    unsafe { command.pre_exec(|| Ok(())) };
}

/// Waits for a child, and returns its CPU time and its peak memory in KiB.
#[expect(unsafe_code, reason = "the standard library does not return the resource usage")]
fn wait_for_usage(child: u32) -> io::Result<(Duration, i64)> {
    let child = libc::pid_t::try_from(child).map_err(io::Error::other)?;
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are valid during the call and have the types that wait4(2) writes. All-zero bytes are a valid
    // rusage, so it is initialized even if the kernel does not write all of it.
    let (waited, usage) = unsafe {
        (libc::wait4(child, &raw mut status, 0, usage.as_mut_ptr()), usage.assume_init())
    };
    if waited != child {
        return Err(io::Error::last_os_error());
    }
    if status != 0 {
        return Err(io::Error::other(format!("the command failed (wait status {status})")));
    }
    let time = |value: libc::timeval| {
        let seconds = u64::try_from(value.tv_sec).unwrap_or_default();
        let micros = u64::try_from(value.tv_usec).unwrap_or_default();
        Duration::from_secs(seconds) + Duration::from_micros(micros)
    };
    Ok((time(usage.ru_utime) + time(usage.ru_stime), usage.ru_maxrss))
}

/// Prints the figures of all clients, then regq's figures relative to the best of the others.
fn print(table: &[(&'static str, Figures)]) {
    println!("{:<8} {:>9} {:>9} {:>10}", "", "wall ms", "CPU ms", "peak MiB");
    for (name, figures) in table {
        let Figures { wall, cpu, memory } = figures;
        println!("{name:<8} {wall:>9.1} {cpu:>9.1} {memory:>10.1}");
    }
    let Some(((_, ours), others)) = table.split_first() else { return };
    let best = |of: fn(&Figures) -> f64| {
        others.iter().map(|(_, figures)| of(figures)).fold(f64::INFINITY, f64::min)
    };
    let rows = [
        ("wall time / best other", ours.wall / best(|figures| figures.wall), TARGET_WALL),
        ("CPU time / best other", ours.cpu / best(|figures| figures.cpu), TARGET_CPU),
        ("peak memory, MiB", ours.memory, TARGET_MEMORY),
    ];
    for (what, value, target) in rows {
        let result = if value <= target { "reached" } else { "missed" };
        println!("{what:<24} {value:>6.2}, target {target:.2}: {result}");
    }
    println!("peak memory / best other: {:.2}", ours.memory / best(|it| it.memory));
}
