//! Credential helpers: their input, their output, and their failures.

use super::{Access, Folder, auths, entry, entry_of, hosted, question, received, registry};
use crate::support::secrets::{IDENTITY, PASSWORD};
use crate::support::{Ran, Server};

/// A script that prints a credential as helpers do.
fn answer(user: &str, secret: &str) -> String {
    format!(r#"echo '{{"ServerURL":"x","Username":"{user}","Secret":"{secret}"}}'"#)
}

/// `regq digest` with a folder's helpers and `config.json`.
fn run_digest(folder: &Folder, server: &Server, config: &str) -> Ran {
    folder.write("config.json", config.replace("HOST", &server.authority()));
    let regq = question(server).env("DOCKER_CONFIG", &folder.0);
    hosted(&regq.env("PATH", folder.search_path()).run(), server)
}

const STORE: &str = r#"{"credsStore":"x"}"#;

#[test]
fn a_helper_gets_host_and_port() {
    let folder = Folder::new();
    folder.helper("x", &answer("ada", PASSWORD));
    for config in [STORE, r#"{"credHelpers":{"HOST":"x"}}"#] {
        let server = registry(Access::Private);
        run_digest(&folder, &server, config).code(0).stderr("");
        assert_eq!(received(&server), [format!("ada:{PASSWORD}")]);
        assert!(folder.calls("x").ends_with(&format!("get {}\n", server.authority())));
    }
    assert_eq!(folder.calls("x").lines().count(), 2);
}

#[test]
fn the_user_name_token_marks_an_identity_token() {
    let folder = Folder::new();
    folder.helper("x", &answer("<token>", IDENTITY));
    let server = registry(Access::Private);
    run_digest(&folder, &server, STORE).code(0).stderr("");
    assert_eq!(received(&server), [format!("identity token {IDENTITY}")]);
}

#[test]
fn stderr_of_a_successful_helper_is_ignored() {
    let folder = Folder::new();
    folder.helper("x", &format!("echo unlocking >&2; {}; echo done >&2", answer("ada", PASSWORD)));
    let server = registry(Access::Private);
    run_digest(&folder, &server, STORE).code(0).stderr("");
}

#[test]
fn cred_helpers_precede_the_creds_store_and_helpers_precede_entries() {
    let folder = Folder::new();
    for name in ["own", "store"] {
        folder.helper(name, &answer(name, "p4ssw0rd-of-x"));
    }
    folder.helper("none", "echo credentials not found in native keychain; exit 1");
    let inline = entry_of("inline", "p4ssw0rd-of-x");
    for (helpers, chosen) in [
        (r#""credHelpers":{"HOST":"own"},"credsStore":"store""#, "own"),
        (r#""credHelpers":{"other.example":"own"},"credsStore":"store""#, "store"),
        (r#""credHelpers":{"HOST":"none"},"credsStore":"store""#, "inline"),
        (r#""credsStore":"none""#, "inline"),
        (r#""credsStore":"""#, "inline"),
        // How docker excludes one registry from the store.
        (r#""credHelpers":{"HOST":""},"credsStore":"store""#, "inline"),
    ] {
        let server = Server::start(None, |request| match request.header("authorization") {
            Some(_) => super::manifest(),
            None => crate::support::Reply::new(401).header("WWW-Authenticate", "Basic realm=x"),
        });
        let config = format!(r#"{{{helpers},"auths":{{"HOST":{inline}}}}}"#);
        run_digest(&folder, &server, &config).code(0).stderr("");
        assert_eq!(received(&server), [format!("{chosen}:p4ssw0rd-of-x")], "{helpers}");
    }
}

#[test]
fn a_helper_without_a_credential_is_not_an_error() {
    let folder = Folder::new();
    for script in [
        "echo credentials not found in native keychain; exit 1",
        "echo credentials not found in native keychain >&2; exit 1",
        "echo '{\"ServerURL\":\"x\",\"Username\":\"\",\"Secret\":\"\"}'",
    ] {
        folder.helper("x", script);
        let server = registry(Access::Public);
        run_digest(&folder, &server, STORE).code(0).stderr("");
        assert_eq!(received(&server), [""; 0]);
        let server = registry(Access::Private);
        let ran = run_digest(&folder, &server, STORE);
        ran.code(4);
        assert!(
            ran.stderr.starts_with("regq: HOST/team/app:1: HOST denied anonymous access (401)"),
            "{ran}"
        );
    }
}

/// Checks that a failing helper is reported with this fault.
#[track_caller]
fn fails(folder: &Folder, config: &str, fault: &str) {
    // A public image is available without credentials.
    let server = registry(Access::Public);
    let line = format!("note: {fault}; continuing without credentials\n");
    run_digest(folder, &server, config).code(0).stderr(&line);
    assert_eq!(received(&server), [""; 0]);
    // A private image is not: the message begins with the fault. No other source is searched.
    for (access, refusal) in [
        (Access::Private, "HOST denied anonymous access (401)"),
        (Access::Basic, "HOST denied access (401): it requires a user name and password"),
    ] {
        let server = registry(access);
        let ran = run_digest_with_entries(folder, &server, config);
        ran.code(4).stdout("");
        let rest = ran.stderr.strip_prefix(&line);
        let expected = rest.is_some_and(|rest| {
            rest.starts_with(&format!(
                "regq: HOST/team/app:1: {fault}; anonymous access failed: {refusal}"
            ))
        });
        assert!(expected, "{ran}");
        assert_eq!(received(&server), [""; 0]);
    }
}

/// `regq digest` with a helper, and with the user's entry in the same file and in podman's file.
fn run_digest_with_entries(folder: &Folder, server: &Server, config: &str) -> Ran {
    let host = server.authority();
    folder.write("run/containers/auth.json", auths(&host, &entry()));
    let inline = format!(r#","auths":{{"HOST":{}}}}}"#, entry());
    let config = config.strip_suffix('}').unwrap().to_owned() + &inline;
    folder.write("config.json", config.replace("HOST", &host));
    let ran = question(server)
        .env("DOCKER_CONFIG", &folder.0)
        .env("XDG_RUNTIME_DIR", folder.path("run"))
        .env("PATH", folder.search_path())
        .run();
    hosted(&ran, server)
}

#[test]
fn a_missing_helper_is_reported() {
    let folder = Folder::new();
    fails(&folder, STORE, "docker-credential-x is not on PATH");
    fails(&folder, r#"{"credHelpers":{"HOST":"x"}}"#, "docker-credential-x is not on PATH");
}

#[test]
fn a_helper_that_cannot_be_run_is_reported() {
    let folder = Folder::new();
    folder.write("docker-credential-x", "#!/bin/sh\n");
    let fault = "docker-credential-x cannot be run: Permission denied (os error 13)";
    fails(&folder, STORE, fault);
}

#[test]
fn helper_names_cannot_be_paths() {
    let folder = Folder::new();
    folder.helper("x", &answer("ada", PASSWORD));
    folder.write("docker-credential-../keep", "");
    for (name, shown) in [
        ("../x", "../x"),
        ("a/b", "a/b"),
        ("/bin/sh", "/bin/sh"),
        ("x y", "x y"),
        ("x;y", "x;y"),
        ("\u{e9}", "\u{e9}"),
        ("x\\u0000", "x\\u{0}"),
        ("x\\n", "x\\n"),
    ] {
        let config = format!(r#"{{"credsStore":"{name}"}}"#);
        let server = registry(Access::Public);
        let line = format!(
            "note: docker-credential-{shown} is not on PATH; continuing without credentials\n"
        );
        run_digest(&folder, &server, &config).code(0).stderr(line);
    }
    assert_eq!(folder.calls("x"), "");
}

#[test]
fn a_failing_helper_is_reported_with_its_message() {
    let folder = Folder::new();
    for (script, fault) in [
        ("exit 1", "failed without a message"),
        (
            "echo the keychain is locked; exit 1",
            "failed with the message \"the keychain is locked\"",
        ),
        ("echo 'gpg: no key' >&2; exit 2", "failed with the message \"gpg: no key\""),
        ("kill -9 $$", "failed without a message"),
        // "credentials not found" inside another message.
        (
            "echo 'permission denied; credentials not found because it is locked'; exit 3",
            "failed with the message \"permission denied; credentials not found because it is locked\"",
        ),
        ("printf 'a \\033[31m b\\nmore'; exit 1", "failed with the message \"a \\u{1b}[31m b\""),
        // On stdout, anything but a sentence may be the secret.
        ("echo hunter2-from-the-store; exit 1", "failed without a message"),
        ("echo '{\"Secret\": \"of three words\"}'; exit 1", "failed without a message"),
    ] {
        folder.helper("x", script);
        fails(&folder, STORE, &format!("docker-credential-x {fault}"));
    }
}

#[test]
fn an_invalid_helper_response_is_reported() {
    let folder = Folder::new();
    for script in [
        "",
        "echo no JSON",
        "echo '[]'",
        "echo '{\"Username\":\"ada\"}'",
        "echo '{\"Username\":\"a:b\",\"Secret\":\"x\"}'",
        "echo '{\"Username\":\"ada\",\"Secret\":\"a\\u000ab\"}'",
        "echo '{\"Username\":\"<token>\",\"Secret\":\"\"}'",
    ] {
        folder.helper("x", script);
        fails(&folder, STORE, "docker-credential-x returned an invalid response");
    }
}

#[test]
fn helper_output_is_limited() {
    let folder = Folder::new();
    for script in ["yes | head -c 5000000", "yes", "yes >&2"] {
        folder.helper("x", script);
        fails(&folder, STORE, "docker-credential-x wrote more than 65536 bytes");
    }
}

#[test]
fn a_secret_in_the_output_of_a_failing_helper_is_not_printed() {
    let folder = Folder::new();
    for script in [format!("{}; exit 1", answer("ada", PASSWORD)), "cat \"$0\"; exit 1".to_owned()]
    {
        folder.program("x", &format!("{script} # {PASSWORD}"));
        // The runner searches the output for it.
        run_digest(&folder, &registry(Access::Public), STORE).code(0);
    }
}

#[test]
fn a_helper_may_leave_a_background_process() {
    let folder = Folder::new();
    // The background process keeps both outputs open, as an agent that a helper started would.
    let (pipe, _open) = folder.pipe("pipe");
    folder.helper("x", &format!("cat {} & {}", pipe.display(), answer("ada", PASSWORD)));
    let server = registry(Access::Private);
    run_digest(&folder, &server, STORE).code(0).stderr("");
}

#[test]
fn a_helper_has_no_more_time_than_the_timeout_allows() {
    let folder = Folder::new();
    let (pipe, _open) = folder.pipe("pipe");
    folder.helper("x", &format!("exec cat {}", pipe.display()));
    folder.write("config.json", STORE);
    let server = registry(Access::Public);
    let ran = question(&server)
        .args(["--timeout", "300ms"])
        .env("DOCKER_CONFIG", &folder.0)
        .env("PATH", folder.search_path())
        .run();
    let ran = hosted(&ran, &server);
    ran.code(6).stdout("");
    assert!(ran.stderr.starts_with("note: docker-credential-x timed out after "), "{ran}");
    assert!(ran.stderr.contains("\nregq: HOST/team/app:1: timed out after 300 ms\n"), "{ran}");
}

#[test]
fn a_hanging_helper_is_killed() {
    let folder = Folder::new();
    let (pipe, _open) = folder.pipe("pipe");
    let id = folder.path("id");
    folder.program("x", &format!("echo $$ > {}; exec cat {}", id.display(), pipe.display()));
    folder.write("config.json", STORE);
    // One of these is enough for the helper to start, on any machine.
    for time in ["300ms", "3s", "30s"] {
        let server = registry(Access::Public);
        let regq = question(&server).args(["--timeout", time]).env("DOCKER_CONFIG", &folder.0);
        regq.env("PATH", folder.search_path()).run().code(6);
        if !folder.read("id").is_empty() {
            break;
        }
    }
    let alive = std::process::Command::new("/bin/sh")
        .args(["-c", r#"kill -0 "$0" 2>/dev/null"#, folder.read("id").trim()])
        .status();
    assert!(!alive.unwrap().success(), "{} is still running", folder.read("id"));
}

#[test]
fn a_helper_that_was_cut_short_runs_again() {
    let folder = Folder::new();
    let (pipe, _open) = folder.pipe("pipe");
    folder.write("config.json", STORE);
    // The first call hangs.
    let first = folder.path("first");
    let hangs = format!("mkdir {} && exec cat {}", first.display(), pipe.display());
    folder.helper("x", &format!("{hangs}\n{}", answer("ada", PASSWORD)));
    let server = registry(Access::Private);
    let ran = question(&server)
        .arg(format!("{}/team/other:1", server.authority()))
        .args(["--timeout", "2s"])
        .env("DOCKER_CONFIG", &folder.0)
        .env("PATH", folder.search_path())
        .run();
    let call = format!("get {}\n", server.authority());
    assert_eq!(folder.calls("x"), call.repeat(2), "{ran}");
    assert_eq!(received(&server), [format!("ada:{PASSWORD}")], "{ran}");
}

#[test]
fn the_trace_shows_which_setting_names_the_helper() {
    let folder = Folder::new();
    folder.helper("x", &answer("ada", PASSWORD));
    for (config, role) in [
        (STORE, "credsStore"),
        (r#"{"credHelpers":{"HOST":"x"}}"#, "credHelpers HOST"),
        (
            r#"{"credHelpers":{"http://HOST/v2/":"x"},"credsStore":"y"}"#,
            "credHelpers http://HOST/v2/",
        ),
    ] {
        let server = registry(Access::Private);
        let path = folder.write("config.json", config.replace("HOST", &server.authority()));
        let regq = question(&server).arg("-v").env("DOCKER_CONFIG", &folder.0);
        let ran = hosted(&regq.env("PATH", folder.search_path()).run(), &server);
        let key = format!("docker-credential-x, {role}");
        let line = format!("* {}: credentials of \"ada\" under {key:?}\n", path.display());
        assert!(ran.code(0).stderr.contains(&line), "{line}{ran}");
        // The message for a refused credential names it, too.
        folder.helper("x", &answer("bob", "p4ssw0rd-of-bob"));
        let server = registry(Access::Basic);
        let ran = run_digest(&folder, &server, config);
        let source = format!("docker-credential-x ({role} in {})", path.display());
        let refused = format!("HOST refused the credentials of \"bob\" from {source} (401)");
        assert!(ran.code(4).stderr.contains(&refused), "{refused}\n{ran}");
        folder.helper("x", &answer("ada", PASSWORD));
    }
}

#[test]
fn a_helper_runs_once_for_all_repositories_of_a_registry() {
    let folder = Folder::new();
    folder.write("config.json", STORE);
    let run_digest = |code: i32| {
        let server = registry(Access::Private);
        let names = ["a", "b/c", "team/app"].map(|path| format!("{}/{path}:1", server.authority()));
        let ran = question(&server)
            .args(names)
            .env("DOCKER_CONFIG", &folder.0)
            .env("PATH", folder.search_path())
            .run();
        ran.code(code);
        let calls = folder.calls("x");
        std::fs::remove_file(folder.path("docker-credential-x.log")).unwrap();
        assert_eq!(calls, format!("get {}\n", server.authority()), "{ran}");
        ran
    };
    folder.helper("x", &answer("ada", PASSWORD));
    run_digest(0);
    folder.helper("x", "echo credentials not found; exit 1");
    run_digest(4);
    // A failing helper is not run again either: one that hangs would cost its time each time.
    folder.helper("x", "echo locked; exit 1");
    let ran = run_digest(4);
    assert_eq!(ran.stderr.matches("note: ").count(), 1, "{ran}");
}
