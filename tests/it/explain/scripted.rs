//! Runs `regq explain` against registries that follow a script.
//!
//! In the texts of a script, `SELF` is the registry's scheme and host, `HOST` its host, and `ELSE` the scheme and host of
//! the second server, if any.

use crate::support::content::sha256;
use crate::support::secrets::{PASSWORD, USER};
use crate::support::{Certificate, Ran, Regq, Reply, Request, Server, tls};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A scripted response.
#[derive(Clone, Debug)]
pub(super) struct ScriptedResponse {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl ScriptedResponse {
    pub(super) fn new(status: u16) -> ScriptedResponse {
        ScriptedResponse { status, headers: Vec::new(), body: String::new() }
    }

    pub(super) fn header(
        mut self,
        name: &'static str,
        value: impl Into<String>,
    ) -> ScriptedResponse {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn body(mut self, body: impl Into<String>) -> ScriptedResponse {
        self.body = body.into();
        self
    }

    /// 401 with one challenge line. [`ScriptedResponse::line`] adds more.
    pub(super) fn challenge(line: impl Into<String>) -> ScriptedResponse {
        ScriptedResponse::new(401).line(line)
    }

    pub(super) fn line(self, line: impl Into<String>) -> ScriptedResponse {
        self.header("WWW-Authenticate", line)
    }

    /// 401 with the usual challenge and more parameters.
    pub(super) fn again(more: &str) -> ScriptedResponse {
        ScriptedResponse::challenge(format!("{CHALLENGE}{more}"))
    }

    /// The usual token response with this token.
    pub(super) fn token(token: impl AsRef<str>) -> ScriptedResponse {
        ScriptedResponse::json(200, &json!({ "token": token.as_ref() }))
    }

    pub(super) fn json(status: u16, body: &Value) -> ScriptedResponse {
        ScriptedResponse::new(status)
            .header("Content-Type", "application/json")
            .body(body.to_string())
    }

    /// An error body as specified.
    pub(super) fn words(self, errors: &[(&str, &str)]) -> ScriptedResponse {
        let errors: Vec<_> = errors
            .iter()
            .map(|(code, message)| json!({ "code": code, "message": message }))
            .collect();
        self.header("Content-Type", "application/json")
            .body(json!({ "errors": errors }).to_string())
    }

    pub(super) fn page(text: &str) -> ScriptedResponse {
        ScriptedResponse::new(200)
            .header("Content-Type", "text/html")
            .body(format!("<html>{text}</html>"))
    }

    /// The manifest with its headers.
    pub(super) fn manifest() -> ScriptedResponse {
        ScriptedResponse::new(200)
            .header("Content-Type", "application/vnd.oci.image.index.v1+json")
            .header("Docker-Content-Digest", digest())
            .body(MANIFEST)
    }

    /// Whether any header value contains a text.
    pub(super) fn has_in_header(&self, text: &str) -> bool {
        self.headers.iter().any(|(_, value)| value.contains(text))
    }

    fn reply(&self, fill: &impl Fn(&str) -> String) -> Reply {
        let reply = Reply::new(self.status).body(fill(&self.body));
        self.headers.iter().fold(reply, |reply, (name, value)| reply.header(name, fill(value)))
    }
}

pub(super) const MANIFEST: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

/// The manifest's digest.
pub(super) fn digest() -> String {
    sha256(MANIFEST.as_bytes())
}

/// A challenge as sent by distribution.
pub(super) const CHALLENGE: &str =
    r#"Bearer realm="SELF/token",service="registry.example",scope="repository:team/app:pull""#;

/// A registry, its token server and the flags of the run.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// The response to a request without credentials.
    pub(super) first: ScriptedResponse,
    /// The response at all paths other than the manifest's.
    pub(super) token: ScriptedResponse,
    /// The response to a POST there, if different.
    pub(super) posted: Option<ScriptedResponse>,
    /// The response to a request with a token or password.
    pub(super) last: ScriptedResponse,
    /// The response to a GET, instead of `last` or `first`.
    pub(super) read: Option<ScriptedResponse>,
    /// The script of a second server.
    pub(super) elsewhere: Option<Box<Script>>,
    pub(super) https: bool,
    /// Whether the password is passed on stdin.
    pub(super) user: bool,
    pub(super) password: &'static str,
    /// The registry's entry in a credential file.
    pub(super) entry: Option<String>,
    pub(super) args: Vec<String>,
    /// Skips `regq digest`.
    pub(super) alone: bool,
    /// The requested repository and tag.
    pub(super) name: &'static str,
}

impl Script {
    /// A registry that gives anyone a token for `team/app:1.0`.
    pub(super) fn new() -> Script {
        Script {
            first: ScriptedResponse::challenge(CHALLENGE),
            token: ScriptedResponse::token(jwt(&claims())),
            posted: None,
            last: ScriptedResponse::manifest(),
            read: None,
            elsewhere: None,
            https: false,
            user: false,
            password: PASSWORD,
            entry: None,
            args: Vec::new(),
            alone: false,
            name: "team/app:1.0",
        }
    }

    pub(super) fn first(self, first: ScriptedResponse) -> Script {
        Script { first, ..self }
    }

    /// Sets the challenge line.
    pub(super) fn challenge(self, line: &str) -> Script {
        self.first(ScriptedResponse::challenge(line))
    }

    pub(super) fn token(self, token: ScriptedResponse) -> Script {
        Script { token, ..self }
    }

    /// Changes the token's claims; `null` removes one.
    pub(super) fn claims(self, changes: &Value) -> Script {
        self.token(ScriptedResponse::token(jwt(&changed(changes))))
    }

    pub(super) fn last(self, last: ScriptedResponse) -> Script {
        Script { last, ..self }
    }

    pub(super) fn read(self, read: ScriptedResponse) -> Script {
        Script { read: Some(read), ..self }
    }

    pub(super) fn posted(self, posted: ScriptedResponse) -> Script {
        Script { posted: Some(posted), ..self }
    }

    pub(super) fn elsewhere(self, script: Script) -> Script {
        Script { elsewhere: Some(Box::new(script)), ..self }
    }

    pub(super) fn https(self) -> Script {
        Script { https: true, ..self }
    }

    pub(super) fn user(self) -> Script {
        Script { user: true, ..self }
    }

    pub(super) fn entry(self, entry: impl Into<String>) -> Script {
        Script { entry: Some(entry.into()), ..self }
    }

    pub(super) fn arg(mut self, arg: impl Into<String>) -> Script {
        self.args.push(arg.into());
        self
    }

    pub(super) fn args(self, args: &[&str]) -> Script {
        args.iter().fold(self, |script, arg| script.arg(*arg))
    }

    pub(super) fn password(self, password: &'static str) -> Script {
        Script { password, ..self.user() }
    }

    pub(super) fn alone(self) -> Script {
        Script { alone: true, ..self }
    }

    pub(super) fn name(self, name: &'static str) -> Script {
        Script { name, ..self }
    }

    /// The token response as JSON.
    pub(super) fn token_response(&self) -> Option<Value> {
        serde_json::from_str(&self.token.body).ok()
    }

    /// All responses.
    pub(super) fn responses(&self) -> Vec<&ScriptedResponse> {
        let responses = [&self.first, &self.token, &self.last].into_iter();
        responses.chain(&self.posted).chain(&self.read).collect()
    }

    fn answer(&self, request: &Request, elsewhere: &str) -> Reply {
        let host = request.header("host").unwrap_or_default();
        let scheme = if self.https { "https" } else { "http" };
        let port = host.rsplit(':').next().unwrap_or_default();
        let fill = |text: &str| {
            text.replace("SELF", &format!("{scheme}://{host}"))
                .replace("HOST", host)
                .replace(":PORT", &format!(":{port}"))
                .replace("ELSE", elsewhere)
        };
        let response =
            match (request.path().contains("/manifests/"), request.header("authorization")) {
                (false, _) if request.method == "POST" => {
                    self.posted.as_ref().unwrap_or(&self.token)
                }
                (false, _) => &self.token,
                (true, _) if request.method == "GET" && self.read.is_some() => {
                    self.read.as_ref().unwrap()
                }
                (true, None) => &self.first,
                (true, Some(_)) => &self.last,
            };
        response.reply(&fill)
    }

    pub(super) fn start(self) -> (Server, Option<Server>) {
        let elsewhere = self.elsewhere.clone().map(|script| script.start().0);
        let at = elsewhere.as_ref().map(Server::url).unwrap_or_default();
        let certificate = self.https.then_some(Certificate::Server);
        (Server::start(certificate, move |request| self.answer(request, &at)), elsewhere)
    }
}

/// The usual claims of a token for `team/app`.
pub(super) fn claims() -> Value {
    json!({
        "iss": "auth.example",
        "sub": "",
        "aud": "registry.example",
        "exp": DATE + 300,
        "nbf": DATE - 10,
        "iat": DATE,
        "jti": "1",
        "access": [{ "type": "repository", "name": "team/app", "actions": ["pull"] }],
    })
}

/// The scripts' current time: Sun, 06 Nov 2016 08:49:37 GMT.
pub(super) const DATE: i64 = 1_478_422_177;

/// The same minute as a header value.
pub(super) fn date(seconds: u8) -> String {
    format!("Sun, 06 Nov 2016 08:49:{seconds:02} GMT")
}

fn changed(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// A JWT with these claims and a dummy signature.
pub(super) fn jwt(claims: &Value) -> String {
    let header = json!({ "typ": "JWT", "alg": "ES256", "kid": "KID1" });
    let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{header}.{claims}.c2lnbmF0dXJl")
}

/// `access` with one entry.
pub(super) fn entry(name: &str, actions: &[&str]) -> Value {
    json!({ "access": [{ "type": "repository", "name": name, "actions": actions }] })
}

/// The results of running a script.
pub(super) struct Results {
    pub(super) object: Value,
    pub(super) text: String,
    pub(super) code: i32,
    /// The requests of one `explain` run, at the registry and at the second server.
    pub(super) requests: Vec<Request>,
    pub(super) elsewhere: Vec<Request>,
    /// The requests of `regq digest` at the registry.
    pub(super) digest: Vec<Request>,
    pub(super) host: String,
    pub(super) other: String,
}

/// Runs `explain --json`, `explain` and `digest` against a script, and checks that they agree.
#[track_caller]
pub(super) fn run_script(script: Script) -> Results {
    let (user, entry, https, name) = (script.user, script.entry.clone(), script.https, script.name);
    let (args, alone, password) = (script.args.clone(), script.alone, script.password);
    let (server, elsewhere) = script.start();
    let at = |server: Option<&Server>| server.map(Server::authority).unwrap_or_default();
    let (host, other) = (server.authority(), at(elsewhere.as_ref()));
    let run = |command: &[&str], args: &[String]| -> Ran {
        let mut regq = Regq::new().args(command).args(["--retries", "0"]);
        regq = match https {
            true => regq.arg("--ca-file").arg(tls::ca_path()),
            false => regq.arg("--plain-http"),
        };
        if user {
            regq = regq.args(["--user", USER, "--password-stdin"]).stdin(password);
        }
        if let Some(entry) = &entry {
            let auths = format!(r#"{{"auths":{{"{host}":{entry}}}}}"#);
            regq = regq.env("DOCKER_AUTH_CONFIG", auths);
        }
        let fill = |arg: &String| arg.replace("HOST", &host).replace("ELSE", &other);
        regq.args(args.iter().map(fill)).arg(format!("{host}/{name}")).run_in_process()
    };
    let json = run(&["explain", "--json"], &args);
    let requests = server.requests();
    let requests_elsewhere = elsewhere.as_ref().map(Server::requests).unwrap_or_default();
    let text = run(&["explain"], &args);
    let before = server.requests().len();
    // `digest` does not take these flags.
    let given = ["--token", "--token-url", "--challenge", "--status", "--body", "--date"];
    let mut own = args.clone();
    while let Some(at) = own.iter().position(|arg| given.contains(&arg.as_str())) {
        own.drain(at..at + 2);
    }
    own.retain(|arg| arg != "--curl");
    let code = if alone { json.code } else { run(&["digest"], &own).code };
    json.code(code);
    text.code(code);
    // Failures are in the explanation, so stderr has only notes.
    let notes = |ran: &Ran| ran.stderr.lines().all(|line| line.starts_with("note: "));
    assert!(notes(&json) && notes(&text), "{json}{text}");
    let text = String::from_utf8(text.stdout).expect("UTF-8");
    for line in text.lines() {
        assert!(super::is_wrapped(line), "too wide: {line}");
        let hidden = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!line.contains(hidden), "not escaped: {line:?}");
    }
    let objects = json.json();
    let [object] = objects.as_slice() else { panic!("one object\n{json}") };
    assert_eq!(object["outcome"]["exitCode"], json.code, "{json}");
    let results = Results {
        object: object.clone(),
        text,
        code: json.code,
        requests,
        elsewhere: requests_elsewhere,
        digest: server.requests().split_off(before),
        host,
        other,
    };
    results.agrees();
    results
}

impl Results {
    /// `id severity` of each finding, in order.
    pub(super) fn findings(&self) -> Vec<String> {
        let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
        let findings = self.object["findings"].as_array().unwrap();
        findings.iter().map(|f| format!("{} {}", text(f, "id"), text(f, "severity"))).collect()
    }

    /// The severity and evidence of a finding.
    pub(super) fn finding(&self, id: &str) -> Option<(&str, &str)> {
        let findings = self.object["findings"].as_array().unwrap();
        let finding = findings.iter().find(|finding| finding["id"] == id)?;
        Some((finding["severity"].as_str().unwrap(), finding["evidence"].as_str().unwrap()))
    }

    /// The details of the steps with this name. HOST and ELSE replace the servers.
    pub(super) fn steps(&self, name: &str) -> Vec<String> {
        let steps = self.object["steps"].as_array().unwrap();
        steps
            .iter()
            .filter(|step| step["step"] == name)
            .map(|step| self.named(step["detail"].as_str().unwrap()))
            .collect()
    }

    /// Replaces the servers in a text by HOST and ELSE.
    pub(super) fn named(&self, text: &str) -> String {
        let text = text.replace(&self.host, "HOST");
        if self.other.is_empty() { text } else { text.replace(&self.other, "ELSE") }
    }

    /// The requests that the registry received: method, path and query.
    pub(super) fn lines(&self) -> Vec<String> {
        self.requests.iter().map(Request::line).collect()
    }

    /// Checks that JSON and text agree, and that the JSON has all keys.
    #[track_caller]
    fn agrees(&self) {
        for name in
            ["reference", "steps", "challenges", "token", "findings", "outcome", "command", "curl"]
        {
            assert!(self.object.get(name).is_some(), "{name}: {self}");
        }
        let order = |finding: &String| match finding.split(' ').nth(1).unwrap() {
            "decisive" => 0,
            "would-fail-next" => 1,
            _ => 2,
        };
        assert!(self.findings().is_sorted_by_key(order), "{self}");
        for finding in self.object["findings"].as_array().unwrap() {
            for name in ["evidence", "advice"] {
                assert!(finding[name].as_str().is_some_and(|text| !text.is_empty()), "{self}");
            }
            let id = finding["id"].as_str().unwrap();
            assert!(self.text.contains(&format!("  {id}: ")), "{id}: {self}");
        }
        let worst = self.findings().first().map(order);
        // The walk succeeded, or a finding explains why not. Supplied data has its own findings.
        let given = !self.steps("given").is_empty();
        if self.code == 0 && !given {
            assert!(worst.is_none_or(|worst| worst == 2), "{self}");
            let success = format!("\nSuccess: {}\n", digest());
            assert_eq!(self.text.matches(&success).count(), 1, "{self}");
        } else if !given {
            let command = self.object["command"].as_str().unwrap_or_default();
            let same = command.starts_with("regq digest ") && !command.contains("--trust-realm");
            assert!(!same, "a command that has just failed does not work: {self}");
            // A status that no check returns precedes all checks.
            let checked = [200, 401, 403, 404].map(Value::from);
            let precedes_checks = !checked.contains(&self.object["outcome"]["status"]);
            assert!(
                worst != Some(1) || precedes_checks,
                "would-fail-next without a decisive finding: {self}"
            );
        }
    }
}

impl std::fmt::Display for Results {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "\ncode {}\n{}", self.code, self.text)?;
        write!(f, "{}", serde_json::to_string_pretty(&self.object["findings"]).unwrap())
    }
}
