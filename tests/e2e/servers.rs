//! The registries: Debian's `docker-registry` (distribution 2.8) and distribution v3's `registry`,
//! each a process of its own with TLS, token authentication and storage in a folder of this run.
//!
//! Nothing here waits for a moment that is guessed: a registry is ready when it says where it
//! listens, and a request has arrived when the access log has its line.

use std::fs;
use std::io::{BufRead, BufReader, PipeReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::certificates::Certificates;
use crate::peers;

/// How long a registry may take to say where it listens, or a line of its log to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// One of the two registry programs.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// What the checks call it.
    pub(crate) name: &'static str,
    file: PathBuf,
}

/// The command of each, and what it is called.
const PROGRAMS: [(&str, &str); 2] =
    [("docker-registry", "distribution 2.8"), ("registry", "distribution v3")];

impl Program {
    /// Finds those that are there, and says by name which are not.
    pub(crate) fn find_all() -> Outcome<Vec<Self>> {
        let mut found = Vec::new();
        for (command, name) in PROGRAMS {
            found.extend(peers::find_aloud(name, command).map(|file| Self { name, file }));
        }
        if found.is_empty() { Err("there is no registry to ask".to_owned()) } else { Ok(found) }
    }

    /// The one with this name, for a program started again by this one.
    pub(crate) fn named(wanted: &str) -> Outcome<Self> {
        let mut programs = PROGRAMS.iter().filter(|(_, name)| *name == wanted);
        let (command, name) = programs.next().ok_or("no such registry program")?;
        let file = peers::find(command).ok_or("the registry program has gone")?;
        Ok(Self { name, file })
    }

    /// A folder name for what this registry stores.
    pub(crate) fn folder(&self, parent: &Path) -> PathBuf {
        parent.join(self.name.replace(' ', "-"))
    }
}

/// Where and how a registry runs.
#[derive(Debug)]
pub(crate) struct Settings<'a> {
    /// The folder of its storage, configuration and log.
    pub(crate) folder: PathBuf,
    /// Where it listens; port 0 leaves the choice to the system.
    pub(crate) address: &'a str,
    /// The token server's URL.
    pub(crate) realm: &'a str,
    /// The name it has at the token server.
    pub(crate) service: &'a str,
    /// Who signs its tokens.
    pub(crate) issuer: &'a str,
    /// Its TLS certificate, and that of the key that signs tokens.
    pub(crate) certificates: &'a Certificates,
    /// Whether it speaks TLS.
    pub(crate) tls: bool,
}

impl Settings<'_> {
    fn configuration(&self) -> String {
        let tls = if self.tls {
            let certificate = self.certificates.server_certificate();
            let key = self.certificates.server_key();
            let (certificate, key) = (certificate.display(), key.display());
            format!("\x20 tls:\n    certificate: {certificate}\n    key: {key}\n")
        } else {
            String::new()
        };
        format!(
            "version: 0.1\n\
             log:\n  level: info\n\
             storage:\n  filesystem:\n    rootdirectory: {storage}\n\
             http:\n  addr: {address}\n  secret: of no use here\n\
             {tls}\
             auth:\n  token:\n    realm: {realm}\n    service: {service}\n    issuer: {issuer}\n\
             \x20   rootcertbundle: {bundle}\n",
            storage = self.folder.join("storage").display(),
            address = self.address,
            realm = self.realm,
            service = self.service,
            issuer = self.issuer,
            bundle = self.certificates.token_certificate().display(),
        )
    }
}

/// A registry that runs; it ends with this value.
#[derive(Debug)]
pub(crate) struct Registry {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    log: Arc<Log>,
    reader: Option<JoinHandle<()>>,
}

impl Registry {
    /// Starts a registry and returns when it listens.
    pub(crate) fn start(program: &Program, settings: &Settings<'_>) -> Outcome<Self> {
        fs::create_dir_all(&settings.folder).map_err(|error| error.to_string())?;
        let file = settings.folder.join("config.yml");
        fs::write(&file, settings.configuration()).map_err(|error| error.to_string())?;
        let (output, input) = std::io::pipe().map_err(|error| error.to_string())?;
        let errors = input.try_clone().map_err(|error| error.to_string())?;
        let mut command = Command::new(&program.file);
        command.arg("serve").arg(&file).env_clear().env("OTEL_TRACES_EXPORTER", "none");
        command.stdin(Stdio::null()).stdout(input).stderr(errors);
        let child = command.spawn().map_err(|error| format!("{}: {error}", program.name))?;
        // The command still holds the writing ends: without this the log would never end.
        drop(command);
        let log = Arc::new(Log::default());
        let reader = std::thread::spawn({
            let log = Arc::clone(&log);
            move || log.fill(output)
        });
        let mut registry =
            Self { child, address: SocketAddr::from(([0, 0, 0, 0], 0)), log, reader: Some(reader) };
        let listening = registry.log.wait(|lines| lines.iter().find_map(|line| address_in(line)));
        registry.address = listening
            .ok_or_else(|| format!("{} does not listen:\n{}", program.name, registry.log.tail()))?;
        Ok(registry)
    }

    /// How many requests of `agent` have arrived so far, which is to be at least `least`: the
    /// access log is written after the answer, so its last lines may be on their way.
    pub(crate) fn requests_of(&self, agent: &str, least: usize) -> Outcome<Vec<String>> {
        let theirs = |lines: &[String]| -> Vec<String> {
            let lines = lines.iter().filter(|line| line.contains(" HTTP/") && line.contains(agent));
            lines.cloned().collect()
        };
        let enough = |lines: &[String]| Some(theirs(lines)).filter(|lines| lines.len() >= least);
        self.log.wait(enough).ok_or_else(|| {
            format!("fewer than {least} requests of {agent} in the log:\n{}", self.log.tail())
        })
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // Both fail only when the process has ended by itself, which the checks have noticed.
        drop(self.child.kill());
        drop(self.child.wait());
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
    }
}

/// The address in `... msg="listening on 127.0.0.1:40027, tls" ...`.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening on ")?;
    rest.split([',', '"']).next()?.parse().ok()
}

/// The lines a process has written so far.
#[derive(Debug, Default)]
struct Log {
    state: Mutex<LogState>,
    grown: Condvar,
}

#[derive(Debug, Default)]
struct LogState {
    lines: Vec<String>,
    ended: bool,
}

impl Log {
    /// Reads to the end of the process.
    fn fill(&self, output: PipeReader) {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            self.change(|state| state.lines.push(line));
        }
        self.change(|state| state.ended = true);
    }

    fn change(&self, change: impl FnOnce(&mut LogState)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.grown.notify_all();
    }

    /// Waits until `look` finds something in the lines, the process ends, or patience does.
    fn wait<T>(&self, look: impl Fn(&[String]) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let found = look(&state.lines);
            let left = deadline.saturating_duration_since(Instant::now());
            if found.is_some() || state.ended || left.is_zero() {
                return found;
            }
            let woken = self.grown.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The last lines, for a message.
    fn tail(&self) -> String {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let start = state.lines.len().saturating_sub(10);
        state.lines.get(start..).unwrap_or_default().join("\n")
    }
}
