//! Memory and time of one run over many references: both must grow in proportion at most.
//!
//! A loopback server issues a token of 4,000 bytes for each repository, so whatever is kept for each of them shows.

use std::env;
use std::process::Command;

use serde_json::Value;

use crate::bench::MEASURE;
use crate::report::Report;
use crate::support::content::sha256;
use crate::support::{Certificate, Reply, Request, Server, tls};
use crate::{Outcome, REGQ};

const MANIFEST: &str = r#"{"schemaVersion":2,"config":{"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}"#;

/// The most memory that a run may take, in KiB.
const MAX_MEMORY: i64 = 10 * 1024;

/// CPU time (microseconds) and peak memory (KiB) of one run.
#[derive(Debug, Clone, Copy)]
struct Usage {
    cpu: i64,
    memory: i64,
}

pub(crate) fn check(report: &mut Report) {
    let server = Server::start(Some(Certificate::Server), respond);
    report.check("2,000 repositories: linear time, at most 10 MiB", check_growth(&server));
}

fn check_growth(server: &Server) -> Outcome<()> {
    let (few, many) = (usage(server, 500)?, usage(server, 2000)?);
    // Four times the work; the rest is for noise on a shared machine.
    if many.cpu > 6 * few.cpu {
        return Err(format!("time: {few:?} for 500 repositories, {many:?} for 2,000"));
    }
    if many.memory > MAX_MEMORY {
        return Err(format!("memory: {few:?} for 500 repositories, {many:?} for 2,000"));
    }
    println!("        500 repositories: {few:?}, 2,000: {many:?}");
    Ok(())
}

fn usage(server: &Server, repositories: usize) -> Outcome<Usage> {
    let this = env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(this);
    command.args([MEASURE, "1", REGQ, "digest", "-q"]).arg("--ca-file").arg(tls::ca_path());
    for number in 0..repositories {
        command.arg(format!("{}/team/app-{number}:1", server.authority()));
    }
    let output = command.env_clear().output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let usage: Option<Value> = serde_json::from_str(text.trim()).ok();
    let field = |name: &str| usage.as_ref()?.get(name)?.as_i64();
    match field("cpu").zip(field("memory")) {
        Some((cpu, memory)) => Ok(Usage { cpu, memory }),
        None => Err(format!("{text}{}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// The token of a repository: 4,000 bytes that start with its name.
fn token(repository: &str) -> String {
    format!("{:x<4000}", format!("token-of-{}", repository.replace('/', "-")))
}

fn respond(request: &Request) -> Reply {
    if request.path() == "/token" {
        let scope = request.query("scope").first().cloned().unwrap_or_default();
        let repository = scope.split(':').nth(1).unwrap_or_default();
        return Reply::new(200).body(format!(r#"{{"token":"{}"}}"#, token(repository)));
    }
    let path = request.path().trim_start_matches("/v2/");
    let repository = path.split("/manifests/").next().unwrap_or_default();
    let expected = format!("Bearer {}", token(repository));
    if request.header("authorization") == Some(expected.as_str()) {
        return Reply::new(200)
            .header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
            .header("Docker-Content-Digest", sha256(MANIFEST.as_bytes()))
            .body(MANIFEST);
    }
    let host = request.header("host").unwrap_or_default();
    Reply::new(401).header(
        "WWW-Authenticate",
        format!(
            r#"Bearer realm="https://{host}/token",service="s",scope="repository:{repository}:pull""#
        ),
    )
}
