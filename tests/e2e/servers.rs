//! Runs the registries: Debian's `docker-registry` (distribution 2.8) and distribution v3's `registry`, with TLS, token
//! authentication and storage in a folder of this run.
//!
//! Nothing waits for a fixed time: a registry is ready when it logs its address, and a request has arrived when it is in
//! the access log.

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

/// How long to wait for a line in the log of a registry.
const LOG_TIMEOUT: Duration = Duration::from_secs(30);

/// One of the two registry programs.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// Its name in the report.
    pub(crate) name: &'static str,
    file: PathBuf,
}

/// The command of each registry, and its name in the report.
const PROGRAMS: [(&str, &str); 2] =
    [("docker-registry", "distribution 2.8"), ("registry", "distribution v3")];

impl Program {
    /// Finds the registries and prints which are missing.
    pub(crate) fn find_all() -> Outcome<Vec<Self>> {
        let mut found = Vec::new();
        for (command, name) in PROGRAMS {
            found.extend(peers::find_and_print(name, command).map(|file| Self { name, file }));
        }
        if found.is_empty() { Err("no registry is installed".to_owned()) } else { Ok(found) }
    }

    /// Finds the registry with this name, for a copy of this program.
    pub(crate) fn named(searched: &str) -> Outcome<Self> {
        let mut programs = PROGRAMS.iter().filter(|(_, name)| *name == searched);
        let (command, name) = programs.next().ok_or("unknown registry")?;
        let file = peers::find(command).ok_or("the registry is not installed any more")?;
        Ok(Self { name, file })
    }

    /// The folder of this registry.
    pub(crate) fn folder(&self, parent: &Path) -> PathBuf {
        parent.join(self.name.replace(' ', "-"))
    }
}

/// The settings of a registry.
#[derive(Debug)]
pub(crate) struct Settings<'a> {
    /// The folder for its storage and configuration.
    pub(crate) folder: PathBuf,
    /// The address to listen on; port 0 is any free port.
    pub(crate) address: &'a str,
    /// The token server's URL.
    pub(crate) realm: &'a str,
    /// Its service name at the token server.
    pub(crate) service: &'a str,
    /// The issuer of its tokens.
    pub(crate) issuer: &'a str,
    /// Its TLS certificate, and the certificate of the key that signs tokens.
    pub(crate) certificates: &'a Certificates,
    /// Whether to use TLS.
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
             http:\n  addr: {address}\n  secret: unused\n\
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

/// A running registry. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Registry {
    child: Child,
    /// The address it listens on.
    pub(crate) address: SocketAddr,
    log: Arc<Log>,
    reader: Option<JoinHandle<()>>,
}

impl Registry {
    /// Starts a registry and waits until it listens.
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
        // The command holds the writing ends of the pipe; the log would not end while they are open.
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

    /// Returns the access log's lines of a user agent, once there are at least `min`. A registry writes them after it
    /// has responded.
    pub(crate) fn requests_of(&self, agent: &str, min: usize) -> Outcome<Vec<String>> {
        let of_agent = |lines: &[String]| -> Vec<String> {
            let lines = lines.iter().filter(|line| line.contains(" HTTP/") && line.contains(agent));
            lines.cloned().collect()
        };
        let enough = |lines: &[String]| Some(of_agent(lines)).filter(|lines| lines.len() >= min);
        self.log.wait(enough).ok_or_else(|| {
            format!("fewer than {min} requests of {agent} in the log:\n{}", self.log.tail())
        })
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // Both fail only if the process ended by itself, which fails checks.
        drop(self.child.kill());
        drop(self.child.wait());
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
    }
}

/// Parses the address in `... msg="listening on 127.0.0.1:40027, tls" ...`.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening on ")?;
    rest.split([',', '"']).next()?.parse().ok()
}

/// The output of a process so far.
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
    /// Reads until the process ends.
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

    /// Waits until `search` finds something in the lines, the process ends, or `LOG_TIMEOUT` is over.
    fn wait<T>(&self, search: impl Fn(&[String]) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + LOG_TIMEOUT;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let found = search(&state.lines);
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
