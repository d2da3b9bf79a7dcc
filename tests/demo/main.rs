//! `make demo`: the digest of a tag with the requests it takes, then a refusal and its explanation.
//!
//! Starts the tests' loopback registry with TLS, and runs the regq that its one argument names against it. No network is
//! needed. Fails if regq's output, exit code or number of requests is not the expected one.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "prints what it demonstrates")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "includes the tests' registry, where a failure should be loud"
)]

#[path = "../it/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use support::{Auth, Certificate, Content, Registry, Request};

/// The tests' certificate authority, relative to the repository.
const CA_FILE: &str = "tests/vectors/tls/ca.pem";

fn main() -> ExitCode {
    let Some(regq) = std::env::args_os().nth(1) else {
        eprintln!("usage: demo PATH-OF-REGQ");
        return ExitCode::from(2);
    };
    match std::path::absolute(regq).map_err(|error| error.to_string()).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("demo: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(regq: PathBuf) -> Result<(), String> {
    let registry = Registry::start(Auth::Token, Some(Certificate::Server));
    let image = Content::index();
    registry.push("library/alpine", "3.20", &image);
    registry.push("team/app", "1", &image);
    registry.private("team/app");
    let host = registry.authority();

    println!("\nA registry listens on {host}. It requires tokens, as Docker Hub does.\n");
    let output =
        run_regq(&regq, &["digest", "--ca-file", CA_FILE, &format!("{host}/library/alpine:3.20")])?;
    let requests = registry.server.requests();
    println!("\nregq sent {} requests:", requests.len());
    for (request, number) in requests.iter().zip(1..) {
        println!("  {number}. {}", describe(request));
    }
    if output.stdout != format!("{}\n", image.digest).into_bytes() || requests.len() != 3 {
        return Err(format!("expected {} after three requests", image.digest));
    }

    println!("\nteam/app is private:\n");
    let private = format!("{host}/team/app:1");
    let refused = run_regq(&regq, &["digest", "--ca-file", CA_FILE, &private])?;
    println!("\nWhy? explain performs the same login and shows each step:\n");
    let explained = run_regq(&regq, &["explain", "--ca-file", CA_FILE, &private])?;
    for output in [refused, explained] {
        if output.status.code() != Some(4) {
            return Err(format!("expected exit code 4: {}", output.status));
        }
    }
    println!(
        "\nAll of this ran on localhost. For a real registry: {} digest alpine",
        regq.display()
    );
    Ok(())
}

/// Prints a command line, runs it and prints its output. The environment is empty, so that no setting of the user matters.
fn run_regq(regq: &Path, args: &[&str]) -> Result<Output, String> {
    println!("$ regq {}", args.join(" "));
    let mut command = Command::new(regq);
    command.args(args).current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))).env_clear();
    let output = command.output().map_err(|error| format!("{}: {error}", regq.display()))?;
    print!("{}", String::from_utf8_lossy(&output.stderr));
    print!("{}", String::from_utf8_lossy(&output.stdout));
    Ok(output)
}

/// Describes a request in one line: request line, authentication scheme, status of the response.
fn describe(request: &Request) -> String {
    // The credential after the scheme is secret.
    let scheme = request.header("authorization").and_then(|value| value.split(' ').next());
    let authorization = scheme.map(|scheme| format!(" (Authorization: {scheme} ...)"));
    format!("{}{} -> {}", request.line(), authorization.unwrap_or_default(), request.status)
}
