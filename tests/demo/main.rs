//! `make demo`: the digest of a tag, from a registry that asks for a token.
//!
//! It starts the loopback registry of the tests, with TLS, runs the regq that
//! is named as its one argument against it, and shows the command, the answer
//! and the requests that arrived. No network is needed. It fails when regq
//! does, or when the answer or the number of requests is another one.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what it shows is what it is for")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the registry is the tests', and a test that fails should fail loudly"
)]

#[path = "../it/support/mod.rs"]
mod support;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use support::{Auth, Certificate, Content, Registry, Request};

fn main() -> ExitCode {
    let Some(regq) = std::env::args_os().nth(1) else {
        eprintln!("usage: demo PATH-OF-REGQ");
        return ExitCode::from(2);
    };
    let registry = Registry::start(Auth::Token, Some(Certificate::Server));
    let image = Content::index();
    registry.push("library/alpine", "3.20", &image);

    let reference = format!("{}/library/alpine:3.20", registry.authority());
    let args = ["digest", &reference, "--ca-file", "tests/vectors/tls/ca.pem"];
    println!("$ regq {}", args.join(" "));
    // The paths above are the repository's; no proxy or other setting of the
    // environment has a part in this.
    let regq = std::path::absolute(regq).expect("a path");
    let output = Command::new(&regq)
        .args(args)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env_clear()
        .stderr(Stdio::inherit())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            eprintln!("demo: {}: {error}", regq.display());
            return ExitCode::FAILURE;
        }
    };
    print!("{}", String::from_utf8_lossy(&output.stdout));

    let requests = registry.server.requests();
    println!("\nWhat the registry was asked:");
    for (request, number) in requests.iter().zip(1..) {
        println!("  {number}. {}", shown(request));
    }
    if !output.status.success() {
        eprintln!("demo: regq failed: {}", output.status);
        return ExitCode::FAILURE;
    }
    if output.stdout != format!("{}\n", image.digest).into_bytes() || requests.len() != 3 {
        eprintln!("demo: expected {} after three requests", image.digest);
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// One line: the request, a word on its token, and the status of the answer.
fn shown(request: &Request) -> String {
    // The scheme is shown, what comes after it never.
    let authorization = request
        .header("authorization")
        .and_then(|value| value.split(' ').next())
        .map(|scheme| format!(" (Authorization: {scheme} ...)"));
    format!("{}{} -> {}", request.line(), authorization.unwrap_or_default(), request.status)
}
