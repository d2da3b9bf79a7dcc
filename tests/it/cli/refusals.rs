//! The hint after a refusal: the cause in a few words, and the command that explains it.

use crate::support::{Ran, Regq, Reply, Server};

/// Runs regq with HOST replaced by the address of the server, in arguments and output.
fn run(server: &Server, args: &[&str]) -> Ran {
    let host = server.authority();
    let args = args.iter().map(|arg| arg.replace("HOST", &host));
    let regq = Regq::new().args(["-q", "--plain-http"]).args(args).stdin("secret-of-ada");
    regq.run().replace(&host, "HOST")
}

#[track_caller]
fn expect_hint(ran: &Ran, hint: &str) {
    ran.code(4).stdout("");
    assert!(ran.stderr.ends_with(&format!("\nhint: {hint}\n")), "{ran}");
}

#[test]
fn refused_commands_name_the_cause_and_explain() {
    let basic = |reply: Reply| reply.header("WWW-Authenticate", "Basic realm=\"x\"");
    let server = Server::start(None, move |_| basic(Reply::new(401)));
    let login = "log in: regq login --plain-http --user NAME --password-stdin HOST";
    for command in ["digest", "manifest"] {
        let ran = run(&server, &[command, "HOST/team/app:1"]);
        expect_hint(
            &ran,
            &format!("{login}; for details, run: regq explain --plain-http HOST/team/app:1"),
        );
    }
    let ran = run(&server, &["digest", "--platform", "linux/arm64", "HOST/team/app"]);
    expect_hint(
        &ran,
        &format!("{login}; for details, run: regq explain --plain-http HOST/team/app"),
    );
    let user = ["--user", "ada", "--password-stdin"];
    let ran = run(&server, &[&["digest"], &user[..], &["HOST/team/app:1"]].concat());
    expect_hint(
        &ran,
        "the credentials were refused; for details, run: regq explain --user ada --password-stdin --plain-http HOST/team/app:1",
    );
    let folder = env!("CARGO_TARGET_TMPDIR");
    let file = format!("{folder}/refusals-{}.json", std::process::id());
    let login = [&["login", "--authfile", &file], &user[..], &["HOST"]].concat();
    expect_hint(
        &run(&server, &login),
        "the credentials were refused; for details, run: regq explain --user ada --password-stdin --plain-http HOST/REPOSITORY",
    );
}

#[test]
fn hint_repeats_the_flags_that_explain_takes() {
    let server = Server::start(None, |_| Reply::new(403));
    let folder = env!("CARGO_TARGET_TMPDIR");
    let file = format!("{folder}/auth of refusals-{}.json", std::process::id());
    std::fs::write(&file, "{}").unwrap();
    let flags = ["--timeout", "7.5", "--authfile", &file, "--retries=0"];
    let end = format!(
        "run: regq explain --authfile '{file}' --plain-http --timeout 7.5 --retries 0 HOST/a:1"
    );
    for command in [&["digest", "--json", "--platform", "linux/arm64"][..], &["manifest"]] {
        let ran = run(&server, &[command, &flags, &["HOST/a:1"]].concat());
        ran.code(4);
        assert!(ran.stderr.ends_with(&format!("{end}\n")), "{ran}");
    }
    // A flag that counts once is printed once, with the value that counts.
    let ran =
        run(&server, &["digest", "--timeout", "5", "--timeout", "6s", "--plain-http", "HOST/a:1"]);
    assert!(
        ran.stderr.ends_with("run: regq explain --timeout 6s --plain-http HOST/a:1\n"),
        "{ran}"
    );
    // The others keep all their values.
    let trust = ["--trust-realm", "a.example", "--trust-realm", "b.example"];
    let ran = run(&server, &[&["digest"], &trust[..], &["HOST/a:1"]].concat());
    let end = "--trust-realm a.example --trust-realm b.example --plain-http HOST/a:1\n";
    assert!(ran.stderr.ends_with(end), "{ran}");
    let user = ["--user", "ada", "--password-stdin"];
    let login = [&["login", "--authfile", &file], &user[..], &["HOST"]].concat();
    let ran = run(&server, &login);
    // Not the file in which login would have saved the password.
    let end = "regq explain --user ada --password-stdin --plain-http HOST/REPOSITORY\n";
    assert!(ran.stderr.ends_with(end), "{ran}");
    std::fs::remove_file(file).unwrap();
}

#[test]
fn refusal_without_a_known_cause_names_explain() {
    let server = Server::start(None, |_| Reply::new(451));
    let ran = run(&server, &["digest", "HOST/team/app:1"]);
    expect_hint(&ran, "for details, run: regq explain --plain-http HOST/team/app:1");
}

#[test]
fn other_failures_do_not_name_explain() {
    for status in [404, 429, 500] {
        let server = Server::start(None, move |_| Reply::new(status));
        let ran = run(&server, &["digest", "--retries", "0", "HOST/team/app:1"]);
        assert!(!ran.stderr.contains("regq explain"), "{ran}");
    }
}

#[test]
fn each_reference_has_its_own_cause() {
    let server = Server::start(None, |request| match request.path() {
        path if path.contains("/team/") => Reply::new(403),
        _ => Reply::new(401),
    });
    let ran = run(&server, &["digest", "HOST/team/app:1", "HOST/other/app:1"]);
    let hints: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("hint: ")).collect();
    assert_eq!(
        hints,
        [
            "hint: the registry denies access; for details, run: regq explain --plain-http HOST/team/app:1",
            "hint: the registry does not say how to log in; for details, run: regq explain --plain-http HOST/other/app:1",
        ],
        "{ran}"
    );
}

#[test]
fn a_password_refused_for_an_earlier_reference_is_the_cause() {
    let basic =
        Server::start(None, |_| Reply::new(401).header("WWW-Authenticate", "Basic realm=\"x\""));
    let realm = Server::start(None, |request| match request.path() {
        "/token" => Reply::new(401),
        _ => {
            let host = request.header("host").unwrap_or_default();
            let challenge = format!(r#"Bearer realm="http://{host}/token",service="s""#);
            Reply::new(401).header("WWW-Authenticate", challenge)
        }
    });
    for server in [basic, realm] {
        let references = ["HOST/team/app:1", "HOST/team/app:2", "HOST/other/app:1"];
        let flags = ["digest", "--user", "ada", "--password-stdin"];
        let ran = run(&server, &[&flags[..], &references].concat());
        ran.code(4);
        let hints = ran.stderr.lines().filter(|line| line.starts_with("hint: "));
        let cause = "hint: the credentials were refused; ";
        assert_eq!(hints.filter(|hint| hint.starts_with(cause)).count(), 3, "{ran}");
    }
}

#[test]
fn no_login_is_suggested_for_a_host_that_a_redirect_led_to() {
    let other =
        Server::start(None, |_| Reply::new(401).header("WWW-Authenticate", "Basic realm=\"x\""));
    let target = format!("http://localhost:{}/v2/team/app/manifests/1", other.port());
    let server = Server::start(None, move |_| Reply::new(307).header("Location", &target));
    let ran = run(&server, &["digest", "HOST/team/app:1"]);
    ran.code(4);
    assert!(!ran.stderr.contains("regq login"), "{ran}");
}

#[test]
fn a_private_repository_may_need_a_login() {
    let server = Server::start(None, |request| match request.path() {
        "/token" => Reply::new(200).body(r#"{"token":"anonymous-token"}"#),
        _ => {
            let host = request.header("host").unwrap_or_default();
            let challenge = format!(r#"Bearer realm="http://{host}/token",service="s""#);
            Reply::new(401).header("WWW-Authenticate", challenge)
        }
    });
    let ran = run(&server, &["digest", "HOST/team/app:1"]);
    let login = "regq login --plain-http --user NAME --password-stdin HOST";
    expect_hint(
        &ran,
        &format!(
            "if the repository is private, log in: {login}; for details, run: regq explain --plain-http HOST/team/app:1"
        ),
    );
}
