//! Tests regq as process 1, the first process of a container, in a PID namespace. The kernel ignores signals to process 1
//! without a handler, so regq must install its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};

use crate::report::Report;
use crate::support::Server;
use crate::{Outcome, REGQ, peers};

/// Checks that SIGINT and SIGTERM end regq with their codes while it waits for a response.
pub(crate) fn check(report: &mut Report) {
    report.scope("as process 1");
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        report.check(&format!("SIG{signal}: exit {code}"), check_signal(signal, code));
    }
    report.scope("");
}

fn check_signal(signal: &str, code: i32) -> Outcome<()> {
    let server = Server::silent();
    let unshare = peers::find("unshare").ok_or("the unshare command is needed (util-linux)")?;
    let mut command = Command::new(unshare);
    if !fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0) {
        command.arg("--map-root-user");
    }
    let name = format!("{}/a:b", server.authority());
    command.args(["--pid", "--fork", "--", REGQ, "digest", "-v", &name]).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("starting unshare: {error}"))?;
    let outcome = send_signal(&mut child, signal, code);
    // If it is still running, it ends with its namespace.
    let _ = child.kill();
    let _ = child.wait();
    outcome
}

fn send_signal(child: &mut Child, signal: &str, code: i32) -> Outcome<()> {
    // regq prints its first line with the request, after it has installed its handlers.
    let mut line = String::new();
    let mut stderr = BufReader::new(child.stderr.take().ok_or("stderr is missing")?);
    stderr.read_line(&mut line).map_err(|error| error.to_string())?;
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let inside = fs::read_to_string(&children).map_err(|error| format!("{children}: {error}"))?;
    let inside = inside.trim();
    let sent = Command::new("kill").args(["-s", signal, inside]).status();
    if !sent.is_ok_and(|status| status.success()) {
        return Err(format!("kill -s {signal} {inside:?} failed"));
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    match status.code() {
        Some(found) if found == code => Ok(()),
        _ => Err(format!("it ended with {status} after {line:?}")),
    }
}
