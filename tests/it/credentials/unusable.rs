//! Unusable and refused credentials: exit code, message and hint, depending on how the registry responds.

use super::{Access, Folder, auths, entry, entry_of, hosted, question, received, registry, token};
use crate::support::secrets::{GRANTED, IDENTITY};
use crate::support::{Ran, Regq, Reply, Server};

/// Issues anonymous tokens and answers requests that carry one with `reply`. Identity tokens are not exchanged.
fn with_anonymous_token(reply: Reply) -> Server {
    Server::start(None, move |request| match request.header("authorization") {
        _ if request.path() == "/token" => match request.method.as_str() {
            "POST" => Reply::new(404),
            _ => token("anonymous"),
        },
        Some("Bearer anonymous") => reply.clone(),
        _ => super::challenge(request),
    })
}

/// Issues no tokens.
fn without_tokens() -> Server {
    Server::start(None, |request| match request.path() {
        "/token" => Reply::new(401),
        _ => super::challenge(request),
    })
}

/// `regq digest` with the `config.json` in this folder.
fn with_config(folder: &Folder, server: &Server) -> Ran {
    let regq = question(server).env("DOCKER_CONFIG", &folder.0);
    hosted(&regq.env("PATH", folder.search_path()).run(), server)
}

#[track_caller]
fn check_hint(ran: &Ran, expected: Option<&str>) {
    let found = ran.stderr.lines().find_map(|line| line.strip_prefix("hint: "));
    let same = match (found, expected) {
        (Some(found), Some(expected)) => found.starts_with(expected),
        (found, expected) => found == expected,
    };
    assert!(same, "expected the hint {expected:?}\n{ran}");
}

#[test]
fn a_broken_default_file_is_an_error_unless_anonymous_access_works() {
    let folder = Folder::new();
    let path = folder.write("config.json", "{");
    let fault = format!("{}: line 1, column 1: invalid JSON", path.display());
    let note = format!("note: {fault}; continuing without credentials\n");
    with_config(&folder, &with_anonymous_token(super::manifest())).code(0).stderr(&note);
    // An image that is hidden from anonymous users may be visible to the user.
    for status in [401, 403, 404] {
        let ran = with_config(&folder, &with_anonymous_token(Reply::new(status)));
        ran.code(8).stdout("");
        assert!(
            ran.stderr
                .starts_with(&format!("regq: HOST/team/app:1: {fault}; anonymous access failed: ")),
            "{ran}"
        );
        // The message already states what to do.
        check_hint(&ran, None);
    }
}

#[test]
fn a_failing_helper_is_an_error_only_if_access_is_denied() {
    let folder = Folder::new();
    folder.write("config.json", r#"{"credsStore":"x"}"#);
    folder.helper("x", "exit 1");
    let fault = "docker-credential-x failed without a message";
    let note = format!("note: {fault}; continuing without credentials\n");
    with_config(&folder, &with_anonymous_token(super::manifest())).code(0).stderr(&note);
    let lines = |ran: &Ran| {
        let lines = ran.stderr.strip_prefix(&note).unwrap_or_else(|| panic!("{ran}"));
        lines.starts_with(&format!("regq: HOST/team/app:1: {fault}; anonymous access failed: "))
    };
    for status in [401, 403] {
        let ran = with_config(&folder, &with_anonymous_token(Reply::new(status)));
        assert!(lines(ran.code(4)), "{ran}");
        check_hint(&ran, Some("fix the helper, or bypass it with "));
    }
    let ran = with_config(&folder, &with_anonymous_token(Reply::new(404)));
    assert!(!lines(ran.code(3)), "{ran}");
    check_hint(&ran, Some("check the spelling"));
}

#[test]
fn a_broken_named_source_is_always_an_error() {
    let folder = Folder::new();
    let check = |with: &dyn Fn(Regq, String) -> Regq, fault: &str| {
        let server = registry(Access::Public);
        let ran = hosted(&with(question(&server), server.authority()).run(), &server);
        ran.code(8).stdout("");
        assert!(ran.stderr.contains(fault), "{fault}\n{ran}");
        assert_eq!(received(&server), [""; 0], "{ran}");
        check_hint(&ran, None);
    };
    check(&|regq, _| regq.env("DOCKER_AUTH_CONFIG", "{"), "DOCKER_AUTH_CONFIG: line 1, column 1");
    let fault = "the entry \"HOST\" has no usable credential";
    let entry = |host: String| auths(&host, r#"{"auth":"***"}"#);
    check(&|regq, host| regq.env("DOCKER_AUTH_CONFIG", entry(host)), fault);
    let file = |host| folder.write("named.json", entry(host));
    check(&|regq, host| regq.arg("--authfile").arg(file(host)), fault);
    check(&|regq, host| regq.env("REGISTRY_AUTH_FILE", file(host)), fault);
}

#[test]
fn a_pipe_is_not_opened() {
    let folder = Folder::new();
    let (path, _open) = folder.pipe(".docker/config.json");
    let fault = format!("{}: cannot be read: it is a pipe", path.display());
    for (access, code) in [(Access::Open, 0), (Access::Public, 0), (Access::Private, 8)] {
        let server = registry(access);
        // The test ends even if the program hangs.
        let regq = question(&server).through(r#"exec timeout 20 "$0" "$@""#);
        let ran = regq.env("HOME", &folder.0).run();
        ran.code(code);
        assert_eq!(ran.stderr.contains(&fault), access != Access::Open, "{ran}");
    }
}

#[test]
fn an_unexchanged_identity_token_is_reported_once() {
    let folder = Folder::new();
    let identity = format!(r#"{{"identitytoken":"{IDENTITY}"}}"#);
    let run_digest = |server: &Server| {
        let path = folder.write("config.json", auths(&server.authority(), &identity));
        let regq = question(server).arg(format!("{}/team/other:1", server.authority()));
        let ran = hosted(&regq.env("DOCKER_CONFIG", &folder.0).run(), server);
        let note = format!(
            "note: HOST did not accept the identity token from the entry \"HOST\" in {}; continuing without credentials\n",
            path.display()
        );
        let rest = ran.stderr.strip_prefix(&note).unwrap_or_else(|| panic!("{note}{ran}"));
        (ran.clone(), rest.to_owned())
    };
    let (ran, rest) = run_digest(&with_anonymous_token(super::manifest()));
    ran.code(0);
    assert_eq!(rest, "");
    // The registry then refuses the anonymous token.
    for (status, refused, hint) in [
        (401, "denied anonymous access (401)", "the token is refused without a challenge"),
        (403, "denied access (403)", "the registry denies access; "),
    ] {
        let (ran, rest) = run_digest(&with_anonymous_token(Reply::new(status)));
        ran.code(4);
        let expected = format!("regq: HOST/team/app:1: HOST {refused}");
        assert!(rest.starts_with(&expected), "{expected}\n{ran}");
        assert!(!rest.contains("note: "), "{ran}");
        check_hint(&ran, Some(hint));
    }
}

#[test]
fn falling_back_to_the_password_is_not_reported() {
    let folder = Folder::new();
    let server = Server::start(None, |request| match request.header("authorization") {
        _ if request.method == "POST" => Reply::new(404),
        Some(sent) if request.path() == "/token" && sent.starts_with("Basic ") => token(GRANTED),
        Some(_) => super::manifest(),
        None => super::challenge(request),
    });
    let both = entry().replace('}', &format!(r#","identitytoken":"{IDENTITY}"}}"#));
    folder.write("config.json", auths(&server.authority(), &both));
    with_config(&folder, &server).code(0).stderr("");
}

#[test]
fn the_credential_that_the_token_server_refused_is_named() {
    let folder = Folder::new();
    let identity = format!(r#"{{"identitytoken":"{IDENTITY}"}}"#);
    for (entry, expected) in [
        (identity, "refused the identity token from "),
        (entry(), "refused the credentials of \"ada\" from "),
    ] {
        let server = without_tokens();
        folder.write("config.json", auths(&server.authority(), &entry));
        let ran = with_config(&folder, &server);
        ran.code(4).stdout("");
        assert!(ran.stderr.contains(expected), "{ran}");
        check_hint(&ran, Some("the credentials were refused; for details, run: regq explain "));
    }
}

#[test]
fn a_token_for_all_repositories_is_fetched_for_each_credential() {
    let folder = Folder::new();
    // As on Gitea, the scope is the same for all repositories.
    let server = Server::start(None, |request| {
        let host = request.header("host").unwrap_or_default();
        let sent = request.header("authorization").unwrap_or_default();
        let of = |name: &str| super::basic("ada", &format!("p4ssw0rd-of-{name}"));
        let [first, second] = ["first", "second"].map(|name| (name, of(name)));
        match (request.path(), [first, second].into_iter().find(|(_, basic)| basic == sent)) {
            ("/token", Some((name, _))) => token(name),
            ("/token", None) => Reply::new(401),
            (path, _) if path.split('/').nth(2).map(super::bearer).as_deref() == Some(sent) => {
                super::manifest()
            }
            // The token of another user.
            _ if sent.starts_with("Bearer ") => Reply::new(404),
            _ => {
                let realm = format!(r#"Bearer realm="http://{host}/token",service="s",scope="*""#);
                Reply::new(401).header("WWW-Authenticate", realm)
            }
        }
    });
    let host = server.authority();
    let entries = ["first", "second"].map(|name| {
        format!(r#""{host}/{name}":{}"#, entry_of("ada", &format!("p4ssw0rd-of-{name}")))
    });
    folder.write("config.json", format!(r#"{{"auths":{{{}}}}}"#, entries.join(",")));
    let names = ["first/a", "first/b", "second/a"].map(|path| format!("{host}/{path}:1"));
    let regq = Regq::new().args(["digest", "--plain-http"]).args(names);
    regq.env("DOCKER_CONFIG", &folder.0).run().code(0).stderr("");
    // Two of the repositories share an entry, and so a token.
    let tokens = server.requests().into_iter().filter(|request| request.path() == "/token");
    let sent: Vec<_> =
        tokens.map(|request| request.header("authorization").map(str::to_owned)).collect();
    let expected =
        ["first", "second"].map(|name| Some(super::basic("ada", &format!("p4ssw0rd-of-{name}"))));
    assert_eq!(sent, expected);
}
