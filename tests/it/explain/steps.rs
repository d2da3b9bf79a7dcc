//! The steps of a walk, and the requests behind them.

use super::scripted::{CHALLENGE, DATE, MANIFEST, claims, date};
use super::walk::claims::wrong;
use super::{Script, ScriptedResponse, jwt, run_script};
use crate::support::secrets::{PASSWORD, USER};
use crate::support::{Certificate, Ran, Regq, Reply, Server, tls};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

/// All steps as `step: detail`.
fn step_lines(object: &Value, host: &str) -> Vec<String> {
    let text = |step: &Value, name: &str| step[name].as_str().unwrap().to_owned();
    let steps = object["steps"].as_array().unwrap().iter();
    let steps = steps.map(|step| format!("{}: {}", text(step, "step"), text(step, "detail")));
    steps.map(|step| step.replace(host, "HOST")).collect()
}

#[test]
fn steps_describe_the_whole_walk() {
    let token = jwt(&claims());
    let token_answer = ScriptedResponse::token(&token).header("Date", date(37));
    let words = [("UNAUTHORIZED", "authentication required")];
    let last =
        ScriptedResponse::again(r#",error="invalid_token""#).words(&words).header("Date", date(40));
    let results = run_script(Script::new().https().user().token(token_answer).last(last));
    let shown = format!("{} characters, SHA-256 {}...", token.len(), hash(&token));
    let challenge = CHALLENGE.replace("SELF", "https://HOST");
    let scope = "repository:team/app:pull";
    let head = "HEAD https://HOST/v2/team/app/manifests/1.0";
    let get = "GET https://HOST/v2/team/app/manifests/1.0";
    assert_eq!(
        step_lines(&results.object, &results.host),
        [
            "name: HOST/team/app:1.0".to_owned(),
            "connection: 127.0.0.1 at HOST, TLS 1.3, certificate verified".to_owned(),
            format!("request: {head}, without credentials"),
            format!("answer: 401; WWW-Authenticate: {challenge}"),
            format!(
                r#"challenge: bearer, realm "https://HOST/token", service "registry.example", scope "{scope}""#
            ),
            r#"credentials: the command line: credentials of "ada""#.to_owned(),
            format!(
                r#"token-request: GET https://HOST/token?service=registry.example&scope={scope}, with the credentials of "ada""#
            ),
            format!("token-answer: 200, token: JWT, {shown}"),
            r#"claims: unverified: issuer "auth.example", audience "registry.example", subject """#
                .to_owned(),
            "claims: issued 2016-11-06 08:49:37 UTC, not before 2016-11-06 08:49:27 UTC, expires \
             2016-11-06 08:54:37 UTC, 297 s left at the registry's Date, 2016-11-06 08:49:40 UTC"
                .to_owned(),
            format!("access: {scope}; the challenge requires {scope}"),
            format!("request: {head}, with the token ({shown})"),
            format!(r#"answer: 401; WWW-Authenticate: {challenge},error="invalid_token""#),
            format!(
                r#"challenge: bearer, realm "https://HOST/token", service "registry.example", scope "{scope}", error "invalid_token""#
            ),
            format!("request: {get}, with the token ({shown})"),
            format!(
                r#"answer: 401; WWW-Authenticate: {challenge},error="invalid_token"; it says "UNAUTHORIZED: authentication required""#
            ),
            r#"error: HOST refused the credentials of "ada" (401); it says "UNAUTHORIZED: authentication required""#
                .to_owned(),
        ]
    );
    // The object contains the claims unchanged.
    assert_eq!(results.object["token"]["kind"], "jwt");
    assert_eq!(results.object["token"]["claims"], claims());
    assert_eq!(results.object["token"]["header"]["kid"], "KID1");
    let challenge = &results.object["challenges"][0];
    assert_eq!(challenge["scheme"], "bearer");
    assert_eq!(challenge["params"]["scope"], scope);
    assert_eq!(challenge["token68"], Value::Null);
    let outcome = json!({ "exitCode": 4, "kind": "denied", "status": 401 });
    assert_eq!(results.object["outcome"], outcome);
}

/// The first six characters of a token's SHA-256.
fn hash(token: &str) -> String {
    let digest = crate::support::content::sha256(token.as_bytes());
    digest.chars().skip("sha256:".len()).take(6).collect()
}

#[test]
fn times_are_compared_with_the_registrys_date() {
    for (exp, time_left) in [
        (DATE + 300, "300 s left at"),
        (DATE + 1, "1 s left at"),
        (DATE, "expired 0 s before"),
        (DATE - 86_400, "expired 86400 s before"),
    ] {
        let results = run_script(wrong(&json!({ "exp": exp })));
        let step_lines = results.steps("claims").join("\n");
        let whole = format!("{time_left} the registry's Date, 2016-11-06 08:49:37 UTC");
        assert!(step_lines.contains(&whole), "{time_left}: {step_lines}");
    }
    // Without a Date, the time left is not shown.
    let results =
        run_script(wrong(&json!({})).last(ScriptedResponse::again(r#",error="invalid_token""#)));
    let step_lines = results.steps("claims").join("\n");
    assert!(step_lines.contains("expires 2016-11-06 08:54:37 UTC"), "{step_lines}");
    let end = "08:54:37 UTC, not checked: the response's Date is unknown";
    assert!(
        !step_lines.contains("left") && step_lines.lines().any(|line| line.ends_with(end)),
        "{step_lines}"
    );
}

#[test]
fn granted_access_is_shown_with_the_required_scope() {
    let required = "the challenge requires repository:team/app:pull";
    let one = |name: &str, actions: &[&str]| json!({ "type": "repository", "name": name, "actions": actions });
    for (access, granted) in [
        (json!([]), "nothing"),
        (Value::Null, "claim missing"),
        (json!("all"), "unreadable"),
        (json!([one("app", &["pull", "push"])]), "repository:app:pull,push"),
        (json!([one("a", &[]), one("b", &["*"])]), "repository:a: repository:b:*"),
    ] {
        let results = run_script(wrong(&json!({ "access": access })));
        assert_eq!(results.steps("access"), [format!("{granted}; {required}")]);
    }
}

#[test]
fn only_explain_reads_the_error_body_of_a_failed_head() {
    let words = [("TOOMANYREQUESTS", "slow down")];
    for status in [400, 403, 404, 429, 500, 503] {
        for anonymous in [true, false] {
            let answer = ScriptedResponse::new(status).words(&words);
            let script = match anonymous {
                true => Script::new().first(answer),
                false => Script::new().last(answer),
            };
            let results = run_script(script);
            let lines_of = |requests: &[crate::support::Request]| -> Vec<String> {
                let manifests = requests.iter().filter(|r| r.path().contains("/manifests/"));
                manifests.map(|request| request.method.clone()).collect()
            };
            let mut expected = vec!["HEAD", "GET"];
            if !anonymous {
                expected.insert(0, "HEAD");
            }
            assert_eq!(lines_of(&results.requests), expected, "{status}");
            // For a 403, every command reads the error body.
            if status != 403 {
                expected.pop();
            }
            assert_eq!(lines_of(&results.digest), expected, "{status}");
            let last = results.requests.last().unwrap();
            let before = &results.requests[results.requests.len() - 2];
            for header in ["accept", "authorization"] {
                assert_eq!(last.header(header), before.header(header), "{status}");
            }
            let expected = format!(r#"{status}; it says "TOOMANYREQUESTS: slow down""#);
            assert_eq!(results.steps("answer").last(), Some(&expected), "{status}");
            assert_eq!(results.object["outcome"]["status"], status);
        }
    }
}

#[test]
fn successful_get_after_a_failed_head_changes_nothing() {
    let missing = ScriptedResponse::new(404).header("X-Cache", "MISS");
    let results = run_script(Script::new().last(missing).read(ScriptedResponse::manifest()));
    assert_eq!(results.code, 3, "{results}");
    assert_eq!(results.object["outcome"]["status"], 404);
    // The deciding status is shown, without the manifest's text.
    assert!(!results.text.contains(MANIFEST), "{results}");
}

#[test]
fn redirect_step_names_both_hosts() {
    let there = "ELSE/v2/team/app/manifests/1.0?X-Signature=s3cret";
    let script = Script::new().first(ScriptedResponse::new(307).header("Location", there));
    let results = run_script(script.elsewhere(Script::new()));
    assert_eq!(results.code, 0, "{results}");
    assert_eq!(results.findings(), ["registry-moved note"]);
    let answer = &results.steps("answer")[0];
    assert!(
        answer.starts_with("307, redirect to http://ELSE/v2/team/app/manifests/1.0"),
        "{answer}"
    );
    assert!(!results.text.contains("s3cret"), "{results}");
    assert_eq!(results.steps("connection").len(), 2, "{results}");
}

/// Runs `explain` without a script.
fn explained(server: &Server, args: &[&str]) -> Ran {
    let regq = Regq::new().args(["explain", "--json", "--retries", "0"]).args(args);
    regq.arg(format!("{}/team/app:1.0", server.authority())).run_in_process()
}

#[test]
fn certificates_are_verified_or_not_or_refused() {
    let good = || Server::start(Some(Certificate::Server), |_| found());
    let ca = tls::ca_path().display().to_string();
    let server = good();
    for (args, connection) in [
        (vec!["--ca-file", &ca], "127.0.0.1 at HOST, TLS 1.3, certificate verified"),
        (vec!["--insecure"], "127.0.0.1 at HOST, TLS 1.3, certificate not checked"),
    ] {
        let ran = explained(&server, &args);
        let step_lines = step_lines(&ran.code(0).json()[0], &server.authority());
        assert_eq!(step_lines[1], format!("connection: {connection}"));
    }
    let refused = [
        (good(), "is not signed by a trusted CA"),
        (Server::start(Some(Certificate::WrongName), |_| found()), "other"),
        (Server::start(Some(Certificate::Expired), |_| found()), "expired"),
    ];
    for (at, (server, reason)) in refused.into_iter().enumerate() {
        let args: &[&str] = if at == 0 { &[] } else { &["--ca-file", &ca] };
        let ran = explained(&server, args);
        let digest = Regq::new().args(["digest", "--retries", "0"]).args(args);
        let digest = digest.arg(format!("{}/team/app:1.0", server.authority())).run_in_process();
        let ran = ran.code(digest.code).json();
        let step_lines = step_lines(&ran[0], &server.authority());
        let error = step_lines.last().unwrap();
        assert!(error.starts_with("error: "), "{step_lines:?}");
        assert!(
            error.contains("certificate") && error.contains(reason),
            "{reason}: {step_lines:?}"
        );
        assert_eq!(ran[0]["findings"], json!([]));
        assert_eq!(server.requests().len(), 0);
    }
}

fn found() -> Reply {
    Reply::new(200)
        .header("Content-Type", "application/vnd.oci.image.index.v1+json")
        .header("Docker-Content-Digest", super::scripted::digest())
        .body(MANIFEST)
}

#[test]
fn fallback_to_plain_http_is_a_step() {
    let server = Server::start(None, |_| found());
    let ran = explained(&server, &[]);
    let step_lines = step_lines(&ran.code(0).json()[0], &server.authority());
    assert_eq!(
        step_lines[1..5],
        [
            "request: HEAD https://HOST/v2/team/app/manifests/1.0, without credentials",
            "answer: none",
            "connection: HOST does not use TLS: using plain HTTP",
            "connection: 127.0.0.1 at HOST, without TLS",
        ]
    );
}

#[test]
fn credential_lookups_are_steps() {
    let server = Server::start(None, |request| match request.header("authorization") {
        Some(_) => found(),
        None => Reply::new(401).header("WWW-Authenticate", r#"Basic realm="x""#),
    });
    let host = server.authority();
    let pair = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let auths = |key: &str| format!(r#"{{"auths":{{"{key}":{{"auth":"{pair}"}}}}}}"#);
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("explain-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.json"), auths(&host)).unwrap();
    let ran = Regq::new()
        .args(["explain", "--json", "--plain-http"])
        .arg(format!("{host}/team/app:1.0"))
        .env("DOCKER_AUTH_CONFIG", auths("other.example"))
        .env("DOCKER_CONFIG", &folder)
        .run_in_process();
    let ran = ran.replace(folder.display().to_string(), "FOLDER");
    std::fs::remove_dir_all(&folder).unwrap();
    let step_lines = step_lines(&ran.code(0).json()[0], &host);
    let credentials: Vec<_> =
        step_lines.iter().filter_map(|step| step.strip_prefix("credentials: ")).collect();
    let [first, second] = credentials.as_slice() else { panic!("{step_lines:?}") };
    assert!(first.starts_with("DOCKER_AUTH_CONFIG: "), "{first}");
    assert!(second.starts_with("FOLDER/config.json: "), "{second}");
    assert!(second.contains(r#""HOST""#), "{second}");
    let with =
        format!(r#"with the credentials of "{USER}" from the entry "HOST" in FOLDER/config.json"#);
    assert!(step_lines.iter().any(|step| step.ends_with(&with)), "{step_lines:?}");
}

#[test]
fn a_retried_request_is_one_step() {
    let count = AtomicUsize::new(0);
    let server = Server::start(None, move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new(429).header("Retry-After", "0"),
        _ => found(),
    });
    let name = format!("{}/team/app:1.0", server.authority());
    let ran = Regq::new().args(["explain", "--json", "--plain-http"]).arg(name).run_in_process();
    let object = ran.code(0).json().remove(0);
    assert_eq!(object["findings"], json!([]));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn rate_limit_headers_are_shown() {
    let last = ScriptedResponse::new(429)
        .header("Retry-After", "3600")
        .header("RateLimit-Limit", "100;w=21600");
    let results =
        run_script(Script::new().last(last.header("Docker-RateLimit-Source", "192.0.2.7")));
    assert_eq!(results.code, 5, "{results}");
    let expected =
        "429; retry-after: 3600; ratelimit-limit: 100;w=21600; docker-ratelimit-source: 192.0.2.7";
    assert_eq!(results.steps("answer").last().map(String::as_str), Some(expected));
    assert_eq!(results.findings(), ["rate-limited decisive"]);
}

#[test]
fn addresses_are_shown_if_no_connection_was_made() {
    let ran = Regq::new()
        .args(["explain", "--json", "--retries", "0", "localhost:1/a/b:1"])
        .run_in_process();
    let object = &ran.code(6).json()[0];
    let step_lines = step_lines(object, "localhost");
    let addresses = "connection: HOST at 127.0.0.1:1, [::1]:1: not connected";
    assert!(step_lines.iter().any(|step| step == addresses), "{step_lines:?}");
    // An untrusted certificate ends the connection too. The token server's addresses are shown as well.
    let server = Server::start(Some(Certificate::Server), |_| Reply::new(200));
    let step_lines = self::step_lines(&explained(&server, &[]).json()[0], &server.authority());
    let none = "connection: 127.0.0.1 at HOST: not connected";
    assert!(step_lines.iter().any(|step| step == none), "{step_lines:?}");
}
