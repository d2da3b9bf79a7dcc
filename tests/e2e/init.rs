//! regq as the first process of a container: a signal without a handler is lost there, so it has
//! handlers of its own. A PID namespace makes it one here.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};

use crate::report::Report;
use crate::support::Server;
use crate::{Outcome, REGQ, peers};

/// SIGINT and SIGTERM end it with their codes while it waits for an answer that never comes.
pub(crate) fn check(report: &mut Report) {
    report.scope("as process 1");
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        report.check(&format!("SIG{signal} ends it: exit {code}"), ends(signal, code));
    }
    report.scope("");
}

fn ends(signal: &str, code: i32) -> Outcome<()> {
    let server = Server::silent();
    let unshare = peers::find("unshare").ok_or("the unshare command is needed (util-linux)")?;
    let mut command = Command::new(unshare);
    if !fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0) {
        command.arg("--map-root-user");
    }
    let name = format!("{}/a:b", server.authority());
    command.args(["--pid", "--fork", "--", REGQ, "digest", "-v", &name]).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("starting unshare: {error}"))?;
    let outcome = signalled(&mut child, signal, code);
    // Where it did not end by itself it is ended with its namespace.
    let _ = child.kill();
    let _ = child.wait();
    outcome
}

fn signalled(child: &mut Child, signal: &str, code: i32) -> Outcome<()> {
    // Its first line is the request: by then it has its handlers.
    let mut line = String::new();
    let mut stderr = BufReader::new(child.stderr.take().ok_or("no standard error")?);
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
        _ => Err(format!("it ended with {status}, said {line:?}")),
    }
}
