//! Credential files and helpers: the real program with real files and helper programs, and a loopback registry that
//! records which credentials it receives.
//!
//! The exchange of tokens is tested in `conversation`. The runner checks that no output contains a secret
//! (`support/secrets.rs`).

mod changes;
mod files;
mod helpers;
mod login;
mod secrets;
mod sources;
mod unusable;

use crate::support::secrets::{GRANTED, IDENTITY, PASSWORD, READY, USER};
use crate::support::{Ran, Regq, Reply, Request, Server};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A temporary folder of one test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("credentials-{}-{number}", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file and creates its folder.
    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The names of its files, sorted.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Writes a helper program that logs its calls for [`Folder::calls`] before it runs a script.
    fn helper(&self, name: &str, script: &str) {
        let log = r#"{ printf '%s ' "$1"; cat; echo; } >> "$0.log""#;
        self.program(name, &format!("{log}\n{script}"));
    }

    /// Writes a helper program. A shell does the writing: if this process had the file open, a program that another test
    /// starts could inherit it, and the helper could not be run (ETXTBSY).
    fn program(&self, name: &str, script: &str) {
        let path = self.path(&format!("docker-credential-{name}"));
        let mut shell = Command::new("/bin/sh")
            .args(["-c", r#"cat > "$0" && chmod 755 "$0""#])
            .arg(path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
    }

    /// The calls of a helper, one a line: the action and its stdin.
    fn calls(&self, name: &str) -> String {
        self.read(&format!("docker-credential-{name}.log"))
    }

    /// Creates a named pipe. Reading it blocks until the returned file is dropped.
    fn pipe(&self, name: &str) -> (PathBuf, std::fs::File) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let open = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        (path, open)
    }

    /// A `PATH` with this folder's helpers and the system's tools.
    fn search_path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.0.display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Which requests a registry accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// All, without authentication.
    Open,
    /// Those with a token from `/token`, which issues one to everyone.
    Public,
    /// Those with the user's token from `/token`.
    Private,
    /// Those with the user's password, in HTTP's Basic scheme.
    Basic,
}

/// A registry that has every image and knows one user: by password, identity token or registry token.
fn registry(access: Access) -> Server {
    Server::start(None, move |request| answer(access, request))
}

fn answer(access: Access, request: &Request) -> Reply {
    let sent = request.header("authorization");
    if request.path() == "/token" {
        let known = match request.method.as_str() {
            "POST" => request.form("refresh_token") == [IDENTITY],
            _ => sent == Some(&basic(USER, PASSWORD)),
        };
        return match sent {
            _ if known => token(GRANTED),
            None if request.method == "GET" => token("anonymous"),
            _ => Reply::new(401).body("wrong"),
        };
    }
    let known = match access {
        Access::Open => true,
        Access::Public | Access::Private => {
            let anonymous = access == Access::Public && sent == Some("Bearer anonymous");
            let granted = [GRANTED, READY].iter().any(|token| sent == Some(&bearer(token)));
            anonymous || granted
        }
        Access::Basic => sent == Some(&basic(USER, PASSWORD)),
    };
    match (known, access) {
        (true, _) => manifest(),
        (false, Access::Basic) => {
            Reply::new(401).header("WWW-Authenticate", r#"Basic realm="registry""#)
        }
        (false, _) => challenge(request),
    }
}

/// 401 with a token server on the same host.
fn challenge(request: &Request) -> Reply {
    let host = request.header("host").unwrap_or_default();
    let challenge = format!(r#"Bearer realm="http://{host}/token",service="registry""#);
    Reply::new(401).header("WWW-Authenticate", challenge)
}

fn token(token: &str) -> Reply {
    Reply::new(200)
        .header("Content-Type", "application/json")
        .body(format!(r#"{{"token":"{token}"}}"#))
}

fn manifest() -> Reply {
    let body = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    Reply::new(200)
        .header("Content-Type", "application/vnd.oci.image.index.v1+json")
        .header("Docker-Content-Digest", crate::support::content::sha256(body.as_bytes()))
        .body(body)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", encoded(user, password))
}

fn encoded(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

/// The user's entry in a credential file.
fn entry() -> String {
    entry_of(USER, PASSWORD)
}

fn entry_of(user: &str, password: &str) -> String {
    format!(r#"{{"auth":"{}"}}"#, encoded(user, password))
}

/// A credential file with one entry.
fn auths(key: &str, entry: &str) -> String {
    format!(r#"{{"auths":{{"{key}":{entry}}}}}"#)
}

/// The credentials that a server received, in order. The GET after a refused HEAD repeats them and does not count.
fn received(server: &Server) -> Vec<String> {
    let requests = server.requests();
    let mut before: Option<&Request> = None;
    let mut received = Vec::new();
    for request in &requests {
        let again = before.is_some_and(|head| {
            head.method == "HEAD" && head.status == 401 && head.target == request.target
        });
        if !(again && request.method == "GET") {
            received.extend(sent_credential(request));
        }
        before = Some(request);
    }
    received
}

fn sent_credential(request: &Request) -> Option<String> {
    if request.method == "POST" {
        return Some(format!("identity token {}", request.form("refresh_token").join("+")));
    }
    let sent = request.header("authorization")?;
    match sent.strip_prefix("Basic ") {
        Some(pair) => Some(String::from_utf8(STANDARD.decode(pair).unwrap()).unwrap()),
        None if [bearer(GRANTED), bearer("anonymous")].iter().any(|token| token == sent) => None,
        None => Some(sent.to_owned()),
    }
}

/// `regq digest` of `team/app:1`, without TLS.
fn question(server: &Server) -> Regq {
    Regq::new().args(["digest", "--plain-http"]).arg(name(server))
}

fn name(server: &Server) -> String {
    format!("{}/team/app:1", server.authority())
}

/// The output with HOST in place of the server's address.
fn hosted(ran: &Ran, server: &Server) -> Ran {
    ran.clone().replace(server.authority(), "HOST")
}

/// A vector file with the server's address as the registry.
fn vector(name: &str, server: &Server) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/auth");
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    text.replace("127.0.0.1:5000", &server.authority())
}
