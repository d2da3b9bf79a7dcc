//! regq against real registries that nobody here wrote: Debian's `docker-registry` (distribution
//! 2.8) and distribution v3's `registry`, over TLS on loopback, with token authentication on.
//! skopeo, crane and regctl are asked the same questions, and the answers have to be the same.
//!
//! It takes a registry or two, skopeo and openssl; crane and regctl where they are (under `PEERS`
//! or on `PATH`), and says by name what it did without. `bench` as the argument measures instead.
//! What can be tested against the scripted registry of `tests/it` is tested there, not here.
#![expect(clippy::print_stdout, reason = "the report is this program's answer")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the server that it shares with the other tests fails loudly"
)]

mod addresses;
mod bench;
mod certificates;
mod checks;
mod containers;
mod empty_root;
mod examples;
mod explanations;
mod identity;
mod images;
mod init;
mod logins;
mod name_server;
mod namespaces;
mod peers;
mod recipes;
mod report;
mod servers;
mod stage;
mod static_program;
#[path = "../it/support/mod.rs"]
mod support;
mod token_server;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use report::Report;
use stage::Stage;

/// What succeeds, or why it did not, in words for the report.
type Outcome<T> = Result<T, String>;

/// The program under test.
const REGQ: &str = env!("CARGO_BIN_EXE_regq");

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [] => Ok(check_everything()),
        [static_program::MODE, programs @ ..] => static_program::run(programs),
        [static_program::INSIDE, folder, registry, programs @ ..] => {
            static_program::inside(Path::new(folder), registry, programs)
        }
        ["bench"] => bench::run().map(|()| true),
        [bench::MEASURE, runs, command @ ..] => bench::measure(runs, command).map(|()| true),
        [addresses::INSIDE, folder] => addresses::inside(Path::new(folder)),
        [namespaces::INSIDE, scene, program, folder] => {
            namespaces::inside(scene, program, Path::new(folder))
        }
        _ => Err(format!("no argument, `bench` or `static`, not {words:?}")),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            println!("e2e: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs every check and prints the closing line; true when none failed.
fn check_everything() -> bool {
    let mut report = Report::default();
    match Stage::prepare() {
        Ok(stage) => check_against_all(&stage, &mut report),
        Err(why) => report.check("the preparations", Err(why)),
    }
    report.close();
    !report.has_failures()
}

/// Runs every check against every registry that is there.
fn check_against_all(stage: &Stage, report: &mut Report) {
    for program in &stage.programs {
        report.scope(program.name);
        if let Err(why) = checks::against(stage, program, report) {
            report.check("start and images", Err(why));
        }
        if let Err(why) = identity::against(stage, program, report) {
            report.check("start for refresh tokens", Err(why));
        }
        namespaces::run_all(stage, program, report);
    }
    namespaces::run_cut_off(stage, report);
    addresses::run(stage, report);
    init::check(report);
    if report.has_failures() {
        println!("what the registries stored is kept in {}", stage.folder.display());
        stage.keep();
    }
}
