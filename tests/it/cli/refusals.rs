//! The hint of a refusal: the cause in a few words, and where to hear the rest.

use crate::support::{Ran, Regq, Reply, Server};

/// What a registry that answers to everything like this is asked, with HOST for it.
fn asked(server: &Server, args: &[&str]) -> Ran {
    let host = server.authority();
    let args = args.iter().map(|arg| arg.replace("HOST", &host));
    let regq = Regq::new().args(["-q", "--plain-http"]).args(args).stdin("secret-of-ada");
    regq.run().replace(&host, "HOST")
}

#[track_caller]
fn hinted(ran: &Ran, hint: &str) {
    ran.code(4).stdout("");
    assert!(ran.stderr.ends_with(&format!("\nhint: {hint}\n")), "{ran}");
}

#[test]
fn every_command_that_is_refused_names_the_cause_and_explain() {
    let basic = |reply: Reply| reply.header("WWW-Authenticate", "Basic realm=\"x\"");
    let server = Server::start(None, move |_| basic(Reply::new(401)));
    let cause = "the registry wants a user name and a password";
    for command in ["digest", "manifest"] {
        let ran = asked(&server, &[command, "HOST/team/app:1"]);
        hinted(&ran, &format!("{cause}; for details, run: regq explain HOST/team/app:1"));
    }
    let ran = asked(&server, &["digest", "--platform", "linux/arm64", "HOST/team/app"]);
    hinted(&ran, &format!("{cause}; for details, run: regq explain HOST/team/app"));
    let user = ["--user", "ada", "--password-stdin"];
    let ran = asked(&server, &[&["digest"], &user[..], &["HOST/team/app:1"]].concat());
    hinted(&ran, "the credentials are not taken; for details, run: regq explain HOST/team/app:1");
    let folder = env!("CARGO_TARGET_TMPDIR");
    let file = format!("{folder}/refusals-{}.json", std::process::id());
    let login = [&["login", "--authfile", &file], &user[..], &["HOST"]].concat();
    hinted(
        &asked(&server, &login),
        "the credentials are not taken; for details, run: regq explain HOST/REPOSITORY",
    );
}

#[test]
fn a_refusal_without_a_cause_that_is_known_leads_to_explain_too() {
    let server = Server::start(None, |_| Reply::new(451));
    let ran = asked(&server, &["digest", "HOST/team/app:1"]);
    hinted(&ran, "for details, run: regq explain HOST/team/app:1");
}

#[test]
fn other_failures_have_their_own_advice() {
    for status in [404, 429, 500] {
        let server = Server::start(None, move |_| Reply::new(status));
        let ran = asked(&server, &["digest", "--retries", "0", "HOST/team/app:1"]);
        assert!(!ran.stderr.contains("regq explain"), "{ran}");
    }
}

#[test]
fn each_reference_has_its_own_cause() {
    let server = Server::start(None, |request| match request.path() {
        path if path.contains("/team/") => Reply::new(403),
        _ => Reply::new(401),
    });
    let ran = asked(&server, &["digest", "HOST/team/app:1", "HOST/other/app:1"]);
    let hints: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("hint: ")).collect();
    assert_eq!(
        hints,
        [
            "hint: the registry forbids it; for details, run: regq explain HOST/team/app:1",
            "hint: the registry does not say how to log in; for details, run: regq explain HOST/other/app:1",
        ],
        "{ran}"
    );
}
