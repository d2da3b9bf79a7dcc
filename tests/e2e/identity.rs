//! Refresh tokens: exchanged by POST, with GET where the token server does not do that, and sent
//! to nobody but the token server.
//!
//! The registry stands behind a server of our own, which sees what is sent to it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::Outcome;
use crate::peers::{Answer, Surroundings};
use crate::report::Report;
use crate::servers::{Program, Registry, Settings};
use crate::stage::Stage;
use crate::support::{Reply, Request, Server};
use crate::token_server::{ISSUER, OWNER, Posts, REFRESH_TOKEN, TokenServer};

/// The user name that docker writes beside an identity token.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// A registry with its token server, and a look at everything that is sent to either.
struct Scene<'a> {
    stage: &'a Stage,
    front: Server,
    tokens: TokenServer,
    /// Only there to run.
    _registry: Registry,
    folder: PathBuf,
}

/// What a credential file has for the registry.
#[derive(Debug, Clone, Copy)]
enum Entry {
    /// An identity token, as docker keeps it.
    Token,
    /// The same with a user name and password beside.
    TokenAndPassword,
    /// A token that the server does not know.
    Unknown,
}

impl Entry {
    fn write(self) -> Value {
        let token = if matches!(self, Self::Unknown) { "a-token-of-no-one" } else { REFRESH_TOKEN };
        let pair = match self {
            Self::TokenAndPassword => format!("{}:{}", OWNER.0, OWNER.1),
            Self::Token | Self::Unknown => format!("{NOBODY}:"),
        };
        json!({"auth": STANDARD.encode(pair), "identitytoken": token})
    }
}

/// Reads the private image with a refresh token, at token servers that exchange it and at others.
/// The images have been pushed already.
pub(crate) fn against(stage: &Stage, program: &Program, report: &mut Report) -> Outcome<()> {
    let scene = Scene::open(stage, program, Posts::Exchanged, "localhost")?;
    report.check("a refresh token is exchanged by POST", scene.exchanged());
    report.check("the others read with the same file", scene.others());
    let outcome = scene.digest(Entry::Unknown, &[]).and_then(|answer| answer.exits(4));
    report.check("a refresh token that the server does not know: exit 4", outcome);
    report.check("only the token server got it, in the body of a POST", scene.is_discreet());
    for status in [405, 404] {
        let scene = Scene::open(stage, program, Posts::Refused(status), "localhost")?;
        report.check(&format!("POST is answered {status}: GET with the password"), scene.refused());
        let what = format!("POST is answered {status}, and there is no password: exit 4");
        report.check(&what, scene.refused_without_password());
        let what = format!("POST is answered {status}: nobody else got the refresh token");
        report.check(&what, scene.is_discreet());
    }
    let scene = Scene::open(stage, program, Posts::Exchanged, "127.0.0.1")?;
    report.check("a refresh token for another host's realm: exit 7, not sent", scene.foreign());
    let outcome = scene
        .digest(Entry::Token, &["--trust-realm", "127.0.0.1"])
        .and_then(|answer| scene.reads(answer))
        .and_then(|()| scene.is_discreet());
    report.check("a refresh token sent where --trust-realm says so", outcome);
    Ok(())
}

impl<'a> Scene<'a> {
    /// Starts all three; the registry names the token server by `host`.
    fn open(stage: &'a Stage, program: &Program, posts: Posts, host: &str) -> Outcome<Self> {
        let tokens = TokenServer::start_with(posts, "127.0.0.1:0", &stage.certificates)?;
        let registry = Registry::start(
            program,
            &Settings {
                folder: program.folder(&stage.folder),
                address: "127.0.0.1:0",
                realm: &tokens.realm_at(host),
                service: "the registry behind the front",
                issuer: ISSUER,
                certificates: &stage.certificates,
                tls: false,
            },
        )?;
        let folder = stage.folder.join("identity");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let front = start_front(registry.address, stage)?;
        Ok(Self { stage, front, tokens, _registry: registry, folder })
    }

    fn exchanged(&self) -> Outcome<()> {
        self.reads(self.digest(Entry::Token, &[])?)?;
        let asked = self.tokens.requests();
        let [post] = asked.as_slice() else { return Err(lines(&asked)) };
        let fields = [
            ("grant_type", "refresh_token"),
            ("service", "the registry behind the front"),
            ("client_id", "regq"),
            ("refresh_token", REFRESH_TOKEN),
            ("scope", "repository:private/single:pull"),
        ];
        let right = fields.iter().all(|(name, value)| post.form(name) == [*value]);
        if right && post.line() == "POST /token" && post.header("authorization").is_none() {
            Ok(())
        } else {
            Err(format!("{}\n{}", post.line(), String::from_utf8_lossy(&post.body)))
        }
    }

    /// They vouch for the file and for the token server. Not skopeo: it sends the form in chunks,
    /// which the server here does not read.
    fn others(&self) -> Outcome<()> {
        let (_, around) = self.keep(Entry::Token)?;
        let image = self.image();
        if let Some(crane) = &self.stage.peers.crane {
            self.reads(around.run(crane, &["digest", &image], "")?)?;
        }
        if let Some(regctl) = &self.stage.peers.regctl {
            self.reads(around.run(regctl, &["image", "digest", &image], "")?)?;
        }
        Ok(())
    }

    fn refused(&self) -> Outcome<()> {
        self.reads(self.digest(Entry::TokenAndPassword, &[])?)?;
        let asked = self.tokens.requests();
        let [post, get] = asked.as_slice() else { return Err(lines(&asked)) };
        let bare = post.header("authorization").is_none();
        let basic = STANDARD.encode(format!("{}:{}", OWNER.0, OWNER.1));
        let right = get.header("authorization") == Some(&format!("Basic {basic}"));
        let in_order = post.method == "POST" && get.method == "GET";
        if bare && right && in_order { Ok(()) } else { Err(lines(&asked)) }
    }

    fn refused_without_password(&self) -> Outcome<()> {
        let before = self.tokens.requests().len();
        self.digest(Entry::Token, &[])?.exits(4)?;
        let asked = self.tokens.requests().split_off(before);
        let [post, get] = asked.as_slice() else { return Err(lines(&asked)) };
        let bare = [post, get].iter().all(|request| request.header("authorization").is_none());
        let in_order = post.method == "POST" && get.method == "GET";
        if bare && in_order { Ok(()) } else { Err(lines(&asked)) }
    }

    fn foreign(&self) -> Outcome<()> {
        self.digest(Entry::Token, &[])?.exits(7)?;
        let asked = self.tokens.requests();
        if asked.is_empty() { self.is_discreet() } else { Err(lines(&asked)) }
    }

    /// The refresh token has been in bodies of POST to the token server, and nowhere else; the
    /// password has not been sent to the registry either.
    fn is_discreet(&self) -> Outcome<()> {
        let (at_registry, at_tokens) = (self.front.requests(), self.tokens.requests());
        if at_registry.is_empty() {
            return Err("nothing was sent at all".to_owned());
        }
        let basic = |request: &&Request| {
            let sent = request.header("authorization").unwrap_or_default();
            sent.to_ascii_lowercase().starts_with("basic")
        };
        let told = at_registry.iter().find(|r| shows(r) || in_body(r) || basic(r));
        let told = told
            .or_else(|| at_tokens.iter().find(|r| shows(r) || (r.method != "POST" && in_body(r))));
        told.map_or(Ok(()), |request| Err(format!("sent with {}", request.line())))
    }

    fn digest(&self, entry: Entry, more: &[&str]) -> Outcome<Answer> {
        let (file, _) = self.keep(entry)?;
        let file = file.display().to_string();
        let image = self.image();
        self.stage.regq(&[&["digest", "--authfile", &file], more, &[&image]].concat())
    }

    /// Writes docker's file, and gives surroundings in which it is found.
    fn keep(&self, entry: Entry) -> Outcome<(PathBuf, Surroundings)> {
        let folder = self.folder.join(format!("{entry:?}"));
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let host = format!("localhost:{}", self.front.port());
        let file = folder.join("config.json");
        write(&file, &json!({"auths": {host: entry.write()}}))?;
        let around = self.stage.surroundings.with_docker_config(&folder);
        Ok((file, around))
    }

    fn image(&self) -> String {
        format!("localhost:{}/private/single:1", self.front.port())
    }

    fn reads(&self, answer: Answer) -> Outcome<()> {
        let (described, due) = (answer.describe(), &self.stage.images.private.top.digest);
        if answer.text()? == *due { Ok(()) } else { Err(format!("{due} is due:\n{described}")) }
    }
}

fn write(file: &Path, value: &Value) -> Outcome<()> {
    fs::write(file, value.to_string()).map_err(|error| format!("{}: {error}", file.display()))
}

fn lines(requests: &[Request]) -> String {
    let lines = requests.iter().map(|request| format!("{} {}", request.line(), request.status));
    format!("the token server was asked:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// Whether the refresh token, plain or as base64 of a pair, stands in a request's head.
fn shows(request: &Request) -> bool {
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

/// A server with TLS that passes every request on to a registry without, and its answer back.
fn start_front(registry: SocketAddr, stage: &Stage) -> Outcome<Server> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let config = stage.certificates.server_config()?;
    Ok(Server::start_on(listener, Some(config), move |request| {
        pass_on(registry, request).map_or_else(|_| Reply::new(502), Reply::raw)
    }))
}

/// The registry's answer as it came. It closes the connection, so its end is the answer's.
fn pass_on(registry: SocketAddr, request: &Request) -> std::io::Result<Vec<u8>> {
    let mut head = format!("{} HTTP/1.1\r\n", request.line());
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "connection") {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("connection: close\r\n\r\n");
    let mut stream = TcpStream::connect(registry)?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(&request.body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
