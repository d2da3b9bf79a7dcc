//! Tests refresh tokens: regq exchanges them with POST, falls back to GET if the token server refuses that, and sends them
//! to the token server only.
//!
//! A proxy in front of the registry records what it is sent.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::Outcome;
use crate::peers::{RunResult, Surroundings};
use crate::report::Report;
use crate::servers::{Program, Registry, Settings};
use crate::stage::Stage;
use crate::support::{Reply, Request, Server};
use crate::token_server::{ISSUER, OWNER, Posts, REFRESH_TOKEN, TokenServer};

/// The user name that docker writes with an identity token.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// A registry with its token server and the proxy in front of it, which record all requests.
struct Scene<'a> {
    stage: &'a Stage,
    proxy: Server,
    tokens: TokenServer,
    _registry: Registry,
    folder: PathBuf,
}

/// The entry of a credential file.
#[derive(Debug, Clone, Copy)]
enum Entry {
    /// An identity token, as docker stores it.
    Token,
    /// The same with a user name and a password.
    TokenAndPassword,
    /// A token that is unknown to the server.
    Unknown,
}

impl Entry {
    fn write(self) -> Value {
        let token = if matches!(self, Self::Unknown) { "an-unknown-token" } else { REFRESH_TOKEN };
        let pair = match self {
            Self::TokenAndPassword => format!("{}:{}", OWNER.0, OWNER.1),
            Self::Token | Self::Unknown => format!("{NOBODY}:"),
        };
        json!({"auth": STANDARD.encode(pair), "identitytoken": token})
    }
}

/// Reads the private image with a refresh token, from token servers that exchange it and from others. The images must
/// already be pushed.
pub(crate) fn against(stage: &Stage, program: &Program, report: &mut Report) -> Outcome<()> {
    let scene = Scene::open(stage, program, Posts::Exchanged, "localhost")?;
    report.check("refresh token: exchanged with POST", scene.check_exchange());
    report.check("refresh token: other clients read the same file", scene.check_other_clients());
    let outcome = scene.digest(Entry::Unknown, &[]).and_then(|result| result.exits(4));
    report.check("refresh token: exit 4 if unknown", outcome);
    report.check(
        "refresh token: sent only to the token server, in the body of a POST",
        scene.check_discretion(),
    );
    for status in [405, 404] {
        let scene = Scene::open(stage, program, Posts::Refused(status), "localhost")?;
        report.check(
            &format!("refresh token: GET with the password after {status} to POST"),
            scene.check_fallback(),
        );
        let what = format!("refresh token: exit 4 after {status} to POST without a password");
        report.check(&what, scene.check_fallback_without_password());
        let what = format!("refresh token: not sent elsewhere after {status} to POST");
        report.check(&what, scene.check_discretion());
    }
    let scene = Scene::open(stage, program, Posts::Exchanged, "127.0.0.1")?;
    report.check(
        "refresh token: exit 7 for another host's realm, not sent",
        scene.check_foreign_realm(),
    );
    let outcome = scene
        .digest(Entry::Token, &["--trust-realm", "127.0.0.1"])
        .and_then(|result| scene.reads(result))
        .and_then(|()| scene.check_discretion());
    report.check("refresh token: sent with --trust-realm", outcome);
    Ok(())
}

impl<'a> Scene<'a> {
    /// Starts all three. The registry names the token server by `host`.
    fn open(stage: &'a Stage, program: &Program, posts: Posts, host: &str) -> Outcome<Self> {
        let tokens = TokenServer::start_with(posts, "127.0.0.1:0", &stage.certificates)?;
        let registry = Registry::start(
            program,
            &Settings {
                folder: program.folder(&stage.folder),
                address: "127.0.0.1:0",
                realm: &tokens.realm_at(host),
                service: "the registry behind the proxy",
                issuer: ISSUER,
                certificates: &stage.certificates,
                tls: false,
            },
        )?;
        let folder = stage.folder.join("identity");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let proxy = start_proxy(registry.address, stage)?;
        Ok(Self { stage, proxy, tokens, _registry: registry, folder })
    }

    fn check_exchange(&self) -> Outcome<()> {
        self.reads(self.digest(Entry::Token, &[])?)?;
        let requests = self.tokens.requests();
        let [post] = requests.as_slice() else { return Err(lines(&requests)) };
        let fields = [
            ("grant_type", "refresh_token"),
            ("service", "the registry behind the proxy"),
            ("client_id", "regq"),
            ("refresh_token", REFRESH_TOKEN),
            ("scope", "repository:private/single:pull"),
        ];
        let is_expected = fields.iter().all(|(name, value)| post.form(name) == [*value]);
        if is_expected && post.line() == "POST /token" && post.header("authorization").is_none() {
            Ok(())
        } else {
            Err(format!("{}\n{}", post.line(), String::from_utf8_lossy(&post.body)))
        }
    }

    /// Checks the file and the token server with other clients. Not with skopeo: it sends the form in chunks, which this
    /// server does not support.
    fn check_other_clients(&self) -> Outcome<()> {
        let (_, around) = self.write_credentials(Entry::Token)?;
        let image = self.image();
        if let Some(crane) = &self.stage.peers.crane {
            self.reads(around.run(crane, &["digest", &image], "")?)?;
        }
        if let Some(regctl) = &self.stage.peers.regctl {
            self.reads(around.run(regctl, &["image", "digest", &image], "")?)?;
        }
        Ok(())
    }

    fn check_fallback(&self) -> Outcome<()> {
        self.reads(self.digest(Entry::TokenAndPassword, &[])?)?;
        let requests = self.tokens.requests();
        let [post, get] = requests.as_slice() else { return Err(lines(&requests)) };
        let bare = post.header("authorization").is_none();
        let basic = STANDARD.encode(format!("{}:{}", OWNER.0, OWNER.1));
        let is_expected = get.header("authorization") == Some(&format!("Basic {basic}"));
        let in_order = post.method == "POST" && get.method == "GET";
        if bare && is_expected && in_order { Ok(()) } else { Err(lines(&requests)) }
    }

    fn check_fallback_without_password(&self) -> Outcome<()> {
        let before = self.tokens.requests().len();
        self.digest(Entry::Token, &[])?.exits(4)?;
        let requests = self.tokens.requests().split_off(before);
        let [post, get] = requests.as_slice() else { return Err(lines(&requests)) };
        let bare = [post, get].iter().all(|request| request.header("authorization").is_none());
        let in_order = post.method == "POST" && get.method == "GET";
        if bare && in_order { Ok(()) } else { Err(lines(&requests)) }
    }

    fn check_foreign_realm(&self) -> Outcome<()> {
        self.digest(Entry::Token, &[])?.exits(7)?;
        let requests = self.tokens.requests();
        if requests.is_empty() { self.check_discretion() } else { Err(lines(&requests)) }
    }

    /// Checks that the refresh token was only in bodies of POST to the token server, and that the registry got no
    /// password.
    fn check_discretion(&self) -> Outcome<()> {
        let (at_registry, at_tokens) = (self.proxy.requests(), self.tokens.requests());
        if at_registry.is_empty() {
            return Err("the registry got no request".to_owned());
        }
        let basic = |request: &&Request| {
            let sent = request.header("authorization").unwrap_or_default();
            sent.to_ascii_lowercase().starts_with("basic")
        };
        let leak = at_registry.iter().find(|r| contains_refresh_token(r) || in_body(r) || basic(r));
        let leak = leak.or_else(|| {
            at_tokens
                .iter()
                .find(|r| contains_refresh_token(r) || (r.method != "POST" && in_body(r)))
        });
        leak.map_or(Ok(()), |request| Err(format!("sent with {}", request.line())))
    }

    fn digest(&self, entry: Entry, more: &[&str]) -> Outcome<RunResult> {
        let (file, _) = self.write_credentials(entry)?;
        let file = file.display().to_string();
        let image = self.image();
        self.stage.regq(&[&["digest", "--authfile", &file], more, &[&image]].concat())
    }

    /// Writes docker's file, and returns it with surroundings that use it.
    fn write_credentials(&self, entry: Entry) -> Outcome<(PathBuf, Surroundings)> {
        let folder = self.folder.join(format!("{entry:?}"));
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let host = format!("localhost:{}", self.proxy.port());
        let file = folder.join("config.json");
        write(&file, &json!({"auths": {host: entry.write()}}))?;
        let around = self.stage.surroundings.with_docker_config(&folder);
        Ok((file, around))
    }

    fn image(&self) -> String {
        format!("localhost:{}/private/single:1", self.proxy.port())
    }

    fn reads(&self, result: RunResult) -> Outcome<()> {
        let (description, expected) = (result.describe(), &self.stage.images.private.top.digest);
        if result.text()? == *expected {
            Ok(())
        } else {
            Err(format!("expected {expected}:\n{description}"))
        }
    }
}

fn write(file: &Path, value: &Value) -> Outcome<()> {
    fs::write(file, value.to_string()).map_err(|error| format!("{}: {error}", file.display()))
}

fn lines(requests: &[Request]) -> String {
    let lines = requests.iter().map(|request| format!("{} {}", request.line(), request.status));
    format!("requests to the token server:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// Whether the head of a request contains the refresh token, plain or in base64.
fn contains_refresh_token(request: &Request) -> bool {
    let bare = |text: &str| {
        let word = text.rsplit(' ').next().unwrap_or_default();
        let pair = STANDARD.decode(word).unwrap_or_default();
        text.contains(REFRESH_TOKEN) || String::from_utf8_lossy(&pair).contains(REFRESH_TOKEN)
    };
    let query = request.query("refresh_token");
    bare(&request.target) || !query.is_empty() || request.headers.iter().any(|(_, v)| bare(v))
}

fn in_body(request: &Request) -> bool {
    let body = String::from_utf8_lossy(&request.body);
    body.contains(REFRESH_TOKEN) || request.form("refresh_token").concat() == REFRESH_TOKEN
}

/// Starts a TLS server that forwards every request to a registry without TLS.
fn start_proxy(registry: SocketAddr, stage: &Stage) -> Outcome<Server> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let config = stage.certificates.server_config()?;
    Ok(Server::start_on(listener, Some(config), move |request| {
        forward(registry, request).map_or_else(|_| Reply::new(502), Reply::raw)
    }))
}

/// Forwards a request and returns the response as it came. The registry closes the connection after it.
fn forward(registry: SocketAddr, request: &Request) -> std::io::Result<Vec<u8>> {
    let mut head = format!("{} HTTP/1.1\r\n", request.line());
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "connection") {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("connection: close\r\n\r\n");
    let mut stream = TcpStream::connect(registry)?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(&request.body)?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response)?;
    Ok(response)
}
