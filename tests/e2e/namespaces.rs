//! Runs checks that need public names or addresses in their own network and mount namespaces.
//!
//! This program starts a copy of itself under `unshare -nm`, gives the loopback device documentation addresses (RFC 5737,
//! which count as public) and a private one, and mounts a hosts file over `/etc/hosts`. No connection can leave the
//! namespace.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::checks::{digest_agrees, manifest_agrees};
use crate::examples;
use crate::logins;
use crate::peers::{self, Surroundings};
use crate::recipes;
use crate::report::Report;
use crate::servers::{Program, Registry, Settings};
use crate::stage::Stage;
use crate::token_server::{ISSUER, OWNER, TokenServer};

/// The argument of the copy of this program inside.
pub(crate) const INSIDE: &str = "inside-namespace";

/// The addresses of the loopback device.
const ADDRESSES: [&str; 5] =
    ["192.0.2.1/32", "192.0.2.2/32", "192.0.2.3/32", "198.51.100.1/32", "10.1.2.3/32"];

/// The hosts file. crane uses Docker Hub's older name, `index.docker.io`.
const HOSTS: &str = "\
127.0.0.1 localhost
192.0.2.1 registry-1.docker.io registry.public.example
192.0.2.1 index.docker.io
192.0.2.2 quay.io
192.0.2.3 registry.example.com
198.51.100.1 auth.docker.io auth.quay.io auth.example.com
10.1.2.3 token.private.example registry.private.example
";

const DOCKER_HUB: &str = "Docker Hub";
const EXAMPLES: &str = "the examples of the documentation";
const RECIPES: &str = "the recipes";
const PRIVATE_REALM: &str = "a realm on a private address";
const CUT_OFF: &str = "no network";

/// Runs the scenes with a registry, each in its own namespaces.
pub(crate) fn run_all(stage: &Stage, program: &Program, report: &mut Report) {
    for scene in [DOCKER_HUB, EXAMPLES, RECIPES, PRIVATE_REALM] {
        run(stage, scene, program.name, report);
    }
}

/// Runs the scene without a registry.
pub(crate) fn run_cut_off(stage: &Stage, report: &mut Report) {
    run(stage, CUT_OFF, "", report);
}

/// Runs a scene in a copy of this program, and counts its checks.
fn run(stage: &Stage, scene: &str, program: &str, report: &mut Report) {
    let (passed, failed) = report.counts();
    let outcome = start_inside(stage, scene, program).and_then(|(output, succeeded)| {
        report.adopt(&output);
        // Failed checks are counted already; other failures are not.
        match report.counts() {
            counts if counts == (passed, failed) => Err("nothing was checked".to_owned()),
            (_, after) if after == failed && !succeeded => Err("the scene failed".to_owned()),
            _ => Ok(()),
        }
    });
    if outcome.is_err() {
        report.check(&format!("the scene `{scene}`"), outcome);
    }
}

fn start_inside(stage: &Stage, scene: &str, program: &str) -> Outcome<(String, bool)> {
    let unshare = peers::find("unshare").ok_or("unshare is required (util-linux)")?;
    let this = env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(unshare);
    let is_root = fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0);
    if !is_root {
        command.arg("--map-root-user");
    }
    command.args(["--net", "--mount", "--"]).arg(this);
    command.args([INSIDE, scene, program]).arg(&stage.folder);
    let output = command.output().map_err(|error| format!("starting unshare: {error}"))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok((text, output.status.success()))
}

/// Runs a scene inside the namespaces. Returns whether no check failed.
pub(crate) fn inside(scene: &str, program: &str, folder: &Path) -> Outcome<bool> {
    let stage = Stage::reopen(folder, program)?;
    let mut report = Report::default();
    if scene == CUT_OFF {
        report.scope(CUT_OFF);
        cut_off(&stage, &mut report);
        return Ok(!report.has_failures());
    }
    let program = stage.programs.first().ok_or("the registry is missing")?;
    report.scope(&format!("{}, {scene}", program.name));
    build_network(folder)?;
    match scene {
        DOCKER_HUB => docker_hub(&stage, program, &mut report)?,
        EXAMPLES => examples::check(&stage, program, &mut report)?,
        RECIPES => recipes::check(&stage, program, &mut report)?,
        PRIVATE_REALM => private_realm(&stage, program, &mut report)?,
        _ => return Err(format!("unknown scene {scene}")),
    }
    Ok(!report.has_failures())
}

/// Sets up the loopback device and the hosts file.
fn build_network(folder: &Path) -> Outcome<()> {
    let (program, first) = ip_command()?;
    let ip = |words: &[&str]| command(folder, &program, &[first, words].concat());
    ip(&["link", "set", "lo", "up"])?;
    for address in ADDRESSES {
        ip(&["addr", "add", address, "dev", "lo"])?;
    }
    let hosts = folder.join("hosts");
    fs::write(&hosts, HOSTS).map_err(|error| error.to_string())?;
    let mount = peers::find("mount").ok_or("mount is required")?;
    command(folder, &mount, &["--bind", &hosts.display().to_string(), "/etc/hosts"])
}

/// The `ip` command of iproute2 or busybox.
fn ip_command() -> Outcome<(PathBuf, &'static [&'static str])> {
    let iproute = peers::find("ip").map(|file| (file, &[][..]));
    let found = iproute.or_else(|| peers::find("busybox").map(|file| (file, &["ip"][..])));
    found.ok_or_else(|| "ip is required (iproute2 or busybox)".to_owned())
}

fn command(folder: &Path, program: &Path, words: &[&str]) -> Outcome<()> {
    Surroundings::new(folder).run(program, words, "")?.bytes().map(drop)
}

/// Checks `regq digest alpine` and other names of Docker Hub.
fn docker_hub(stage: &Stage, program: &Program, report: &mut Report) -> Outcome<()> {
    let tokens = TokenServer::start("198.51.100.1:443", &stage.certificates)?;
    let _registry = Registry::start(
        program,
        &Settings {
            folder: program.folder(&stage.folder),
            address: "192.0.2.1:443",
            realm: "https://auth.docker.io/token",
            service: "registry.docker.io",
            issuer: ISSUER,
            certificates: &stage.certificates,
            tls: true,
        },
    )?;
    let digest = &stage.images.index.top.digest;
    for name in ["alpine", "alpine:latest", "docker.io/library/alpine"] {
        let outcome = digest_agrees(stage, name, Some(digest));
        report.check(&format!("regq digest {name}"), outcome);
    }
    report.check("regq manifest alpine", manifest_agrees(stage, "alpine"));
    let requests = tokens.requests();
    let first = requests.first().ok_or("no token was requested")?;
    let is_expected = first.query("service") == ["registry.docker.io"]
        && first.query("scope") == ["repository:library/alpine:pull"];
    let outcome = if is_expected { Ok(()) } else { Err(format!("requested: {}", first.line())) };
    report.check("requests a token for library/alpine", outcome);
    let result = stage.regq(&["digest", "alpine:absent"])?;
    report.check("regq digest alpine:absent: exit 3", result.exits(3));
    let result = stage.regq(&["digest", "nobody/nothing"])?;
    report.check("regq digest nobody/nothing: exit 4", result.exits(4));
    let outcome = as_owner(stage, &["private/single:1"]);
    report.check("sends credentials for docker.io to auth.docker.io", outcome);
    logins::against(stage, "docker.io", "https://index.docker.io/v1/", report)
}

/// Checks that a realm cannot lead from a public address to a private one without --allow-private.
fn private_realm(stage: &Stage, program: &Program, report: &mut Report) -> Outcome<()> {
    let tokens = TokenServer::start("10.1.2.3:443", &stage.certificates)?;
    let _registry = Registry::start(
        program,
        &Settings {
            folder: program.folder(&stage.folder),
            address: "0.0.0.0:5000",
            realm: "https://token.private.example/token",
            service: "registry of the private realm",
            issuer: ISSUER,
            certificates: &stage.certificates,
            tls: true,
        },
    )?;
    let public = "registry.public.example:5000/public/index:1";
    let result = stage.regq(&["digest", public])?;
    report.check("exit 7 for a public registry", result.exits(7));
    let outcome = tokens.requests().first().map_or(Ok(()), |request| Err(request.line()));
    report.check("sends nothing to the private address", outcome);
    let expected = &stage.images.index.top.digest;
    for (what, words) in [
        ("--allow-private", &["digest", "--allow-private", public][..]),
        (
            "a registry with the same address",
            &["digest", "registry.private.example:5000/public/index:1"],
        ),
    ] {
        let outcome = stage.regq(words)?.text().and_then(|digest| {
            if digest == *expected {
                Ok(())
            } else {
                Err(format!("expected {expected}, not {digest}"))
            }
        });
        report.check(what, outcome);
    }
    foreign_realm(stage, &tokens, report)
}

/// Checks that credentials are not sent to a realm of another domain without --trust-realm.
fn foreign_realm(stage: &Stage, tokens: &TokenServer, report: &mut Report) -> Outcome<()> {
    let private = "registry.public.example:5000/private/single:1";
    let before = tokens.requests().len();
    let words = ["digest", "--allow-private", "--user", OWNER.0, "--password-stdin", private];
    let result = stage.regq_with_input(&words, OWNER.1)?;
    report.check("exit 7 for credentials and another domain", result.exits(7));
    let sent = tokens.requests().split_off(before);
    let sent = sent.iter().find(|request| request.header("authorization").is_some());
    let outcome = sent.map_or(Ok(()), |request| Err(request.line()));
    report.check("does not send them", outcome);
    let trusted = ["--allow-private", "--trust-realm", "token.private.example", private];
    report.check("sends them with --trust-realm", as_owner(stage, &trusted));
    Ok(())
}

/// Checks the digest of the private image with the owner's password.
fn as_owner(stage: &Stage, arguments: &[&str]) -> Outcome<()> {
    let words = [&["digest", "--user", OWNER.0, "--password-stdin"], arguments].concat();
    let digest = stage.regq_with_input(&words, OWNER.1)?.text()?;
    let expected = &stage.images.private.top.digest;
    if digest == *expected { Ok(()) } else { Err(format!("expected {expected}, not {digest}")) }
}

/// Checks the exit code without any network, even loopback.
fn cut_off(stage: &Stage, report: &mut Report) {
    let authority = stage.certificates.authority().display().to_string();
    for name in ["alpine", "192.0.2.1/library/alpine"] {
        let words = ["digest", "--retries", "0", "--ca-file", &authority, name];
        let outcome = stage.regq(&words).and_then(|result| result.exits(6));
        report.check(&format!("regq digest {name}: exit 6"), outcome);
    }
}
