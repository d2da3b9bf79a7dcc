//! What one `digest` costs: regq beside crane, regctl and skopeo, against the registry of the
//! checks (TLS, token authentication), on this machine, in one run.
//!
//! Wall time is hyperfine's. CPU time and peak memory are the kernel's account of each process
//! (`wait4`), taken by this program started again: the peak of a process counts from before its
//! `exec`, so whoever starts it has to be small (1 MiB, as `/bin/true` measures). Nothing here
//! fails because something is slow.

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

/// The argument that this program gives itself to measure.
pub(crate) const MEASURE: &str = "measure";

/// How often hyperfine, and then `wait4`, runs each command.
const RUNS: &str = "40";

/// What regq is to reach: parts of the best other program's wall and CPU time, and MiB.
const TARGET_WALL: f64 = 0.5;
const TARGET_CPU: f64 = 0.25;
const TARGET_MEMORY: f64 = 6.0;

/// The medians of one program: milliseconds, milliseconds, MiB.
#[derive(Debug, Clone, Copy)]
struct Figures {
    wall: f64,
    cpu: f64,
    memory: f64,
}

/// Starts a registry, measures everybody, and prints the table.
pub(crate) fn run() -> Outcome<()> {
    let hyperfine = peers::find("hyperfine").ok_or("hyperfine is needed to measure")?;
    let stage = Stage::prepare()?;
    let program = stage.programs.last().ok_or("there is no registry to ask")?;
    let open = stage.open(program)?;
    println!("one digest of a tag, https and token, {}, {RUNS} runs, medians", program.name);
    let commands = commands(&stage, &open);
    for (name, words) in &commands {
        let answer = run_once(&stage, words)?;
        if answer != stage.images.single.top.digest {
            return Err(format!("{name} answered {answer}"));
        }
    }
    let walls = wall_times(&stage, &hyperfine, &commands)?;
    let mut table = Vec::new();
    for ((name, words), wall) in commands.iter().zip(walls) {
        let (cpu, memory) = account(&stage, words)?;
        table.push((*name, Figures { wall, cpu, memory }));
    }
    print(&table);
    Ok(())
}

/// The same question to everybody who is there.
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

/// A command line as its words.
pub(crate) fn words(program: &Path, arguments: &[&str]) -> Vec<String> {
    let program = program.display().to_string();
    std::iter::once(program).chain(arguments.iter().map(|word| (*word).to_owned())).collect()
}

fn run_once(stage: &Stage, words: &[String]) -> Outcome<String> {
    let (program, arguments) = words.split_first().ok_or("an empty command")?;
    stage.surroundings.run(Path::new(program), arguments, "")?.text()
}

/// The median wall time of each command, in milliseconds, as hyperfine takes it.
fn wall_times(
    stage: &Stage,
    hyperfine: &Path,
    commands: &[(&'static str, Vec<String>)],
) -> Outcome<Vec<f64>> {
    let file = stage.folder.join("hyperfine.json");
    let mut command = Command::new(hyperfine);
    stage.surroundings.dress(&mut command);
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
    let medians: Option<Vec<_>> = medians.map(|median| median.map(|it| it * 1000.0)).collect();
    medians.ok_or_else(|| "hyperfine gave no medians".to_owned())
}

/// The median CPU time (milliseconds) and peak memory (MiB) of a command.
pub(crate) fn account(stage: &Stage, words: &[String]) -> Outcome<(f64, f64)> {
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

/// The value in the middle.
fn median(mut values: Vec<f64>) -> Outcome<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.get(values.len() / 2).copied();
    middle.ok_or_else(|| "nothing was measured".to_owned())
}

/// Runs a command several times and prints what each run took: microseconds and KiB.
pub(crate) fn measure(runs: &str, command: &[&str]) -> Outcome<()> {
    let runs: u32 = runs.parse().map_err(|_| "not a number of runs")?;
    let (program, arguments) = command.split_first().ok_or("measure what?")?;
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

/// Has the command started by fork(2). The standard library would share this program's memory
/// with the child until its `exec`, and all of it would count for the child's peak; after a fork
/// only the pages that are copied do.
#[expect(unsafe_code, reason = "nothing else keeps the standard library from posix_spawn")]
fn fork_to_start(command: &mut Command) {
    // SAFETY: the closure does nothing, so nothing that is not async-signal-safe.
    unsafe { command.pre_exec(|| Ok(())) };
}

/// Waits for a child of ours: its CPU time and its peak memory in KiB.
#[expect(unsafe_code, reason = "the standard library waits without the kernel's account")]
fn wait_for_usage(child: u32) -> io::Result<(Duration, i64)> {
    let child = libc::pid_t::try_from(child).map_err(io::Error::other)?;
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are to values that live through the call and are of the types that
    // wait4(2) writes. All-zero bytes are a valid rusage, whatever of it the kernel leaves alone.
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

/// Prints everybody's figures, then regq's against the best of the others in each.
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
        ("wall, of the best other", ours.wall / best(|it| it.wall), TARGET_WALL),
        ("CPU, of the best other", ours.cpu / best(|it| it.cpu), TARGET_CPU),
        ("peak memory, MiB", ours.memory, TARGET_MEMORY),
    ];
    for (what, is, target) in rows {
        let word = if is <= target { "reached" } else { "missed" };
        println!("{what:<24} {is:>6.2}, at most {target:.2} is wanted: {word}");
    }
    println!("peak memory is {:.2} of the best other's", ours.memory / best(|it| it.memory));
}
