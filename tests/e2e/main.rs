//! End-to-end tests: regq against real registries, Debian's `docker-registry` (distribution 2.8) and distribution v3's
//! `registry`, over TLS on loopback with token authentication. regq must give the same results as skopeo, crane and regctl.
//!
//! Requires one of the registries, skopeo and openssl. Uses crane and regctl if they are in `PEERS` or on `PATH`, and lists
//! what is missing. The argument `bench` measures instead, `static` tests the static programs, `many` runs only the check
//! with many references. What the scripted registry in `tests/it` can test is tested there.
#![expect(clippy::print_stdout, reason = "prints a report")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "includes the server of the other tests, which fails loudly"
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
mod many_references;
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

/// A value, or a message for the report.
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
        ["many"] => {
            let mut report = Report::default();
            many_references::check(&mut report);
            Ok(!report.has_failures())
        }
        ["bench"] => bench::run().map(|()| true),
        [bench::MEASURE, runs, command @ ..] => bench::measure(runs, command).map(|()| true),
        [addresses::INSIDE, folder] => addresses::inside(Path::new(folder)),
        [namespaces::INSIDE, scene, program, folder] => {
            namespaces::inside(scene, program, Path::new(folder))
        }
        _ => Err(format!(
            "unknown arguments {words:?}: none, `bench`, `many` or `static TARGET=FILE...`"
        )),
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

/// Runs all checks and prints the totals. Returns whether none failed.
fn check_everything() -> bool {
    let mut report = Report::default();
    match Stage::prepare() {
        Ok(stage) => check_against_all(&stage, &mut report),
        Err(why) => report.check("preparations", Err(why)),
    }
    report.close();
    !report.has_failures()
}

/// Runs all checks against each registry.
fn check_against_all(stage: &Stage, report: &mut Report) {
    for program in &stage.programs {
        report.scope(program.name);
        if let Err(why) = checks::against(stage, program, report) {
            report.check("starting the registry and pushing images", Err(why));
        }
        if let Err(why) = identity::against(stage, program, report) {
            report.check("starting the registry for refresh tokens", Err(why));
        }
        namespaces::run_all(stage, program, report);
    }
    namespaces::run_cut_off(stage, report);
    addresses::run(stage, report);
    init::check(report);
    many_references::check(report);
    if report.has_failures() {
        println!("the files of this run are in {}", stage.folder.display());
        stage.keep();
    }
}
