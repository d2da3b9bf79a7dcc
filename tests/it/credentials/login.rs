//! `regq login` and `regq logout`: their requests, and what they change in credential files and helpers.

use super::{Access, Folder, encoded, entry, hosted, received, registry};
use crate::support::secrets::PASSWORD;
use crate::support::{Ran, Regq, Reply, Server};
use regq::credentials::{CredentialFile, Location, Password, Secret};
use regq::reference::Registry;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

pub(super) fn login(server: &Server) -> Regq {
    let flags = ["login", "--plain-http", "--user", "ada", "--password-stdin"];
    Regq::new().args(flags).arg(server.authority()).stdin(PASSWORD)
}

pub(super) fn logout(server: &Server) -> Regq {
    Regq::new().args(["logout"]).arg(server.authority())
}

#[track_caller]
pub(super) fn with_file(regq: Regq, path: &Path, server: &Server) -> Ran {
    hosted(&regq.arg("--authfile").arg(path).run(), server)
}

pub(super) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn plain_text(path: &Path) -> String {
    let path = path.display();
    format!("note: the password was saved in {path} in plain text\n")
}

#[test]
fn a_login_is_checked_and_saved() {
    for access in [Access::Private, Access::Basic] {
        let (folder, server) = (Folder::new(), registry(access));
        let path = folder.path("new/folder/auth.json");
        with_file(login(&server), &path, &server).code(0).stdout("").stderr(plain_text(&path));
        let expected =
            format!("{{\n\t\"auths\": {{\n\t\t\"{}\": {}\n\t}}\n}}\n", server.authority(), entry());
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(server.lines()[0], "GET /v2/");
        assert_eq!(received(&server), [format!("ada:{PASSWORD}")]);
        // regq can use it.
        let name = super::name(&server);
        let read = Regq::new().args(["digest", "--plain-http", &name, "--authfile"]).arg(&path);
        read.run().code(0);
    }
}

#[test]
fn a_login_is_saved_where_docker_saves_it() {
    let server = registry(Access::Private);
    let folder = Folder::new();
    login(&server).env("HOME", &folder.0).run().code(0);
    assert!(folder.read(".docker/config.json").contains(&encoded("ada", PASSWORD)));
    login(&server).env("DOCKER_CONFIG", folder.path("docker")).env("HOME", &folder.0).run().code(0);
    assert!(folder.read("docker/config.json").contains(&encoded("ada", PASSWORD)));
    login(&server).env("REGISTRY_AUTH_FILE", folder.path("named.json")).run().code(0);
    assert!(folder.read("named.json").contains(&encoded("ada", PASSWORD)));
    let ran = login(&server).run();
    ran.code(8).stdout("").stderr(
        "regq: no file to save credentials in: HOME is not set\n\
         hint: name a file with --authfile FILE\n",
    );
}

#[test]
fn a_wrong_password_changes_nothing() {
    for access in [Access::Private, Access::Basic] {
        let (folder, server) = (Folder::new(), registry(access));
        let old = "{ \"auths\" : {} }";
        let path = folder.write("auth.json", old);
        let ran = with_file(login(&server).stdin("wrong"), &path, &server);
        ran.code(4).stdout("");
        assert!(ran.stderr.contains("HOST refused the credentials of \"ada\" (401)"), "{ran}");
        assert!(
            ran.stderr.ends_with(
                "\nhint: the credentials were refused; for details, run: regq explain \
                 --user ada --password-stdin --plain-http HOST/REPOSITORY\n"
            ),
            "{ran}"
        );
        assert_eq!(folder.read("auth.json"), old);
        // No file or folder is created, and no helper runs.
        let path = folder.path("new/auth.json");
        with_file(login(&server).stdin("wrong"), &path, &server).code(4);
        folder.helper("x", "");
        let path = folder.write("helped.json", r#"{"credsStore":"x"}"#);
        let run = login(&server).stdin("wrong").env("PATH", folder.search_path());
        with_file(run, &path, &server).code(4);
        assert_eq!(folder.names(), ["auth.json", "docker-credential-x", "helped.json"]);
        // The refused password was sent once for each login.
        assert_eq!(received(&server), ["ada:wrong"; 3]);
    }
}

#[test]
fn an_error_status_changes_nothing() {
    let folder = Folder::new();
    let path = folder.path("auth.json");
    for (status, code) in [(404, 3), (403, 4), (500, 6), (418, 7)] {
        let server = Server::start(None, move |_| Reply::new(status));
        let run = login(&server).args(["--retries", "0"]);
        with_file(run, &path, &server).code(code).stdout("");
        assert!(!path.exists(), "{status}");
    }
}

#[test]
fn a_login_to_an_open_registry_is_saved_with_a_note() {
    let (folder, server) = (Folder::new(), registry(Access::Open));
    let path = folder.path("auth.json");
    with_file(login(&server), &path, &server).code(0).stdout("").stderr(format!(
        "note: HOST allows anonymous access, so the password was not checked\n{}",
        plain_text(&path)
    ));
    assert!(folder.read("auth.json").contains(&encoded("ada", PASSWORD)));
    assert_eq!(received(&server), [""; 0]);
    with_file(login(&server).arg("-q"), &path, &server).code(0).stderr("");
}

#[test]
fn anonymous_access_after_a_redirect_does_not_check_the_password() {
    let (folder, other) = (Folder::new(), registry(Access::Public));
    let target = format!("{}/v2/", other.url());
    let server = Server::start(None, move |_| Reply::new(307).header("Location", &target));
    let path = folder.path("auth.json");
    with_file(login(&server), &path, &server).code(0).stdout("").stderr(format!(
        "note: HOST allows anonymous access, so the password was not checked\n{}",
        plain_text(&path)
    ));
    // The other host accepts an anonymous token.
    assert_eq!(other.lines(), ["GET /v2/", "GET /token?service=registry", "GET /v2/"]);
    assert_eq!(received(&other), [""; 0]);
}

#[test]
fn a_missing_user_or_password_is_a_usage_error() {
    let server = registry(Access::Private);
    for (flags, missing) in [
        (&[][..], &["--user NAME", "--password-stdin", "--password-file"][..]),
        (&["--user", "ada"], &["--password-stdin", "--password-file"]),
        (&["--password-stdin"], &["--user NAME"]),
    ] {
        let ran = Regq::new().arg("login").args(flags).arg(server.authority()).run();
        ran.code(2).stdout("");
        assert!(missing.iter().all(|flag| ran.stderr.contains(flag)), "{ran}");
    }
    assert_eq!(server.connections(), 0);
}

/// A file with values that a careless rewrite would change.
const STRANGE: &str = concat!(
    "{\"z\":1.0e5,\"a\":-0,\"big\":123456789012345678901234567890,\"s\":\"caf\\u00e9 \\/ \\ud83d\\ude00\",\n",
    "  \"nested\":{\"y\":{\"b\":[1,2.50,{\"k\":null}],\"a\":true},\"y\":2},\n",
    " \"auths\":{\"b.example\":{\"auth\":\"Yjpi\",\"email\":\"b@example.com\",\"n\":1E+2},",
    "\"a.example\":{}},\n \"detachKeys\":\"ctrl-e,e\", \"dup\":1,\"dup\":2}"
);

#[test]
fn other_content_of_the_file_is_unchanged() {
    let (folder, server) = (Folder::new(), registry(Access::Private));
    let path = folder.write("auth.json", STRANGE);
    with_file(login(&server), &path, &server).code(0);
    let written = folder.read("auth.json");
    let mut at = 0;
    for part in [
        "\"z\": 1.0e5",
        "\"a\": -0",
        "\"big\": 123456789012345678901234567890",
        r#""s": "caf\u00e9 \/ \ud83d\ude00""#,
        r#""nested": {"y":{"b":[1,2.50,{"k":null}],"a":true},"y":2}"#,
        r#""b.example": {"auth":"Yjpi","email":"b@example.com","n":1E+2}"#,
        r#""a.example": {}"#,
        &format!("\"{}\": {}", server.authority(), entry()),
        "\"detachKeys\": \"ctrl-e,e\"",
        "\"dup\": 1",
        "\"dup\": 2",
    ] {
        let found = written.get(at..).and_then(|rest| rest.find(part));
        at += found.unwrap_or_else(|| panic!("{part} is missing or in another place:\n{written}"));
    }
    // Another login changes nothing, and a logout restores the old values.
    with_file(login(&server), &path, &server).code(0);
    assert_eq!(folder.read("auth.json"), written);
    with_file(logout(&server), &path, &server).code(0);
    let values = |text: &str| -> String { text.split_whitespace().collect() };
    assert_eq!(values(&folder.read("auth.json")), values(STRANGE));
}

#[test]
fn mode_and_owner_of_the_file_are_unchanged() {
    let (folder, server) = (Folder::new(), registry(Access::Private));
    let path = folder.write("auth.json", "{}");
    // Only root can give a file away. Other users test with their own.
    let given = chown(&path, Some(65_534), Some(65_534)).is_ok();
    let owner = fs::metadata(&path).unwrap();
    for bits in [0o600, 0o640, 0o644, 0o400] {
        fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
        with_file(login(&server), &path, &server).code(0);
        assert_eq!(mode(&path), bits);
    }
    let now = fs::metadata(&path).unwrap();
    assert_eq!((now.uid(), now.gid()), (owner.uid(), owner.gid()), "other owner: {given}");
    assert_eq!(folder.names(), ["auth.json"]);
}

#[test]
fn symbolic_links_are_kept() {
    let (folder, server) = (Folder::new(), registry(Access::Private));
    for (link, target) in [("a.json", "there.json"), ("b.json", "not-yet.json")] {
        symlink(target, folder.path(link)).unwrap();
        folder.write("there.json", "{}");
        with_file(login(&server), &folder.path(link), &server).code(0);
        assert_eq!(fs::read_link(folder.path(link)).unwrap(), Path::new(target));
        assert!(folder.read(target).contains(&encoded("ada", PASSWORD)), "{target}");
    }
    // A link to itself.
    symlink("loop.json", folder.path("loop.json")).unwrap();
    with_file(login(&server), &folder.path("loop.json"), &server).code(8);
}

#[test]
fn only_regular_files_are_replaced() {
    let (folder, server) = (Folder::new(), registry(Access::Private));
    let (path, _open) = folder.pipe("pipe");
    for regq in [login(&server), logout(&server)] {
        let ran = with_file(regq, &path, &server);
        ran.code(8).stdout("");
        assert!(ran.stderr.contains("not a regular file"), "{ran}");
    }
    with_file(login(&server), &folder.0, &server).code(8);
    assert_eq!(folder.names(), ["pipe"]);
}

#[test]
fn an_invalid_file_is_not_replaced() {
    let (folder, server) = (Folder::new(), registry(Access::Private));
    for old in ["{", "[]", "{\"auths\":{\"HOST\":5}}", "\u{0}"] {
        let path = folder.write("auth.json", old);
        for regq in [login(&server), logout(&server)] {
            let ran = with_file(regq, &path, &server);
            ran.code(8).stdout("");
            assert!(ran.stderr.contains("auth.json: line 1, column "), "{ran}");
            assert_eq!(folder.read("auth.json"), old);
        }
    }
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let (folder, server) = (Folder::new(), registry(Access::Private));
    let old = format!("{{\"auths\":{{\"{}\":{}}}}}", server.authority(), entry());
    let path = folder.write("auth.json", &old);
    // No file may grow, so writing fails.
    let full = r#"trap '' XFSZ; ulimit -f 0; exec "$0" "$@""#;
    for regq in [login(&server), logout(&server)] {
        let ran = with_file(regq.through(full), &path, &server);
        ran.code(8).stdout("");
        assert!(ran.stderr.contains("auth.json: cannot be written: File too large"), "{ran}");
        assert_eq!(folder.read("auth.json"), old);
        assert_eq!(folder.names(), ["auth.json"]);
    }
    // Without the trap, the limit kills the program while it writes.
    let killed = r#"ulimit -f 0; exec "$0" "$@""#;
    let ran = with_file(login(&server).through(killed), &path, &server);
    assert!(ran.code > 128, "{ran}");
    assert_eq!(folder.read("auth.json"), old);
    // No new file is left behind either.
    with_file(login(&server).through(full), &folder.path("new.json"), &server).code(8);
    assert!(!folder.path("new.json").exists());
}

#[test]
fn a_folder_that_cannot_be_created_is_reported() {
    let (folder, server) = (Folder::new(), registry(Access::Private));
    folder.write("file", "text");
    let path = folder.path("file/auth.json");
    let ran = with_file(login(&server), &path, &server);
    ran.code(8).stdout("");
    assert!(ran.stderr.contains("file/auth.json: cannot be written: "), "{ran}");
    assert_eq!(folder.read("file"), "text");
}

#[test]
fn a_configured_helper_stores_the_credential() {
    for config in [r#"{"credsStore":"x"}"#, r#"{"credsStore":"y","credHelpers":{"HOST":"x"}}"#] {
        let (folder, server) = (Folder::new(), registry(Access::Private));
        folder.helper("x", "");
        let config = config.replace("HOST", &server.authority());
        let path = folder.write("auth.json", &config);
        let run = login(&server).env("PATH", folder.search_path());
        let note = "note: the password was saved with docker-credential-x\n";
        with_file(run, &path, &server).code(0).stdout("").stderr(note);
        let host = server.authority();
        let stored =
            format!(r#"store {{"ServerURL":"{host}","Username":"ada","Secret":"{PASSWORD}"}}"#);
        assert_eq!(folder.calls("x"), format!("{stored}\n"));
        assert_eq!(folder.read("auth.json"), config);
        // And erases it.
        let run = logout(&server).env("PATH", folder.search_path());
        let gone = "note: removed the credentials for HOST from docker-credential-x\n";
        with_file(run, &path, &server).code(0).stderr(gone);
        assert_eq!(folder.calls("x"), format!("{stored}\nerase {host}\n"));
        assert_eq!(folder.read("auth.json"), config);
    }
}

#[test]
fn a_failing_helper_fails_the_login() {
    let server = registry(Access::Private);
    for (script, fault) in [
        (
            "echo the keychain is locked; exit 1",
            "failed with the message \"the keychain is locked\"",
        ),
        ("exit 1", "failed without a message"),
        // The helper prints its input, which contains the password.
        ("cat \"$0.log\"; exit 1", "failed without a message"),
    ] {
        let folder = Folder::new();
        folder.helper("x", script);
        let old = format!(
            r#"{{"credsStore":"x","auths":{{"{}":{}}}}}"#,
            server.authority(),
            super::entry_of("bob", "p4ssw0rd-of-bob")
        );
        let path = folder.write("auth.json", &old);
        let run = login(&server).env("PATH", folder.search_path());
        let line = format!(
            "regq: docker-credential-x {fault}\n\
             hint: fix the helper, or use a file without one: --authfile FILE\n"
        );
        with_file(run, &path, &server).code(8).stdout("").stderr(line);
        assert_eq!(folder.read("auth.json"), old);
    }
    let folder = Folder::new();
    let path = folder.write("auth.json", r#"{"credsStore":"x"}"#);
    for regq in [login(&server), logout(&server)] {
        let ran = with_file(regq.env("PATH", folder.search_path()), &path, &server);
        ran.code(8).stdout("");
        assert!(ran.stderr.contains("docker-credential-x is not on PATH"), "{ran}");
    }
}

#[test]
fn a_helper_need_not_read_its_input() {
    let (folder, server) = (Folder::new(), registry(Access::Open));
    folder.program("x", "exit 0");
    let path = folder.write("auth.json", r#"{"credsStore":"x"}"#);
    // More than a pipe's capacity.
    let run = login(&server).stdin("x".repeat(65_536)).env("PATH", folder.search_path());
    with_file(run, &path, &server).code(0);
}

#[test]
fn logging_out_removes_every_spelling() {
    let (folder, server) = (Folder::new(), registry(Access::Open));
    let spellings = ["HOST", "https://HOST/v1/", "http://HOST", "HOST/v2/", "HOST/"];
    let entries: Vec<_> = spellings.iter().map(|key| format!("\"{key}\":{}", entry())).collect();
    let others = r#""HOST/team":{"auth":"eDp5"},"127.0.0.1":{"auth":"eDp5"},"other.example":{}"#;
    let text = format!(r#"{{"auths":{{{},{others}}},"x":1}}"#, entries.join(","));
    let path = folder.write("auth.json", text.replace("HOST", &server.authority()));
    let note = format!("note: removed the credentials for HOST from {}\n", path.display());
    with_file(logout(&server), &path, &server).code(0).stdout("").stderr(note);
    let left: String = folder.read("auth.json").split_whitespace().collect();
    let expected = format!(r#"{{"auths":{{{others}}},"x":1}}"#);
    assert_eq!(left, expected.replace("HOST", &server.authority()));
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_logout_without_a_login_succeeds() {
    let (folder, server) = (Folder::new(), registry(Access::Open));
    for (name, text) in [
        ("none.json", None),
        ("a.json", Some("{}")),
        ("b.json", Some(" ")),
        ("c.json", Some("{\"auths\" : { \"x\":{} }}")),
    ] {
        if let Some(text) = text {
            folder.write(name, text);
        }
        let path = folder.path(name);
        let note = format!("note: no credentials for HOST in {}\n", path.display());
        with_file(logout(&server), &path, &server).code(0).stdout("").stderr(note);
        assert_eq!(path.exists().then(|| folder.read(name)).as_deref(), text);
    }
    // The same with a helper that has no credential.
    folder.helper("x", "echo credentials not found in native keychain; exit 1");
    let path = folder.write("auth.json", r#"{"credsStore":"x"}"#);
    let run = logout(&server).env("PATH", folder.search_path());
    let ran = with_file(run, &path, &server);
    ran.code(0);
    assert!(ran.stderr.starts_with("note: no credentials for HOST"), "{ran}");
}

#[test]
fn docker_hub_has_dockers_key() {
    let folder = Folder::new();
    let path = folder.write("auth.json", r#"{"auths":{"docker.io":{"auth":"eDp5"},"b":{}}}"#);
    let password = Password::new("ada", Secret::new(PASSWORD)).unwrap();
    let file = CredentialFile::open(&path).unwrap();
    for name in ["docker.io", "index.docker.io", "registry-1.docker.io"] {
        let registry = Registry::parse(name).unwrap();
        assert_eq!(file.store(&registry, &password).unwrap(), Location::File(path.clone()));
        let text: String = folder.read("auth.json").split_whitespace().collect();
        let saved =
            format!(r#"{{"auths":{{"https://index.docker.io/v1/":{},"b":{{}}}}}}"#, entry());
        assert_eq!(text, saved);
    }
    let registry = Registry::parse("docker.io").unwrap();
    let removed_from = || file.erase(&registry).unwrap().from;
    assert_eq!(removed_from(), [Location::File(path.clone())]);
    assert_eq!(removed_from(), []);
    // crane's spelling of the key.
    let text = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/auth/crane-hub.json"),
    );
    let path = folder.write("crane.json", text.unwrap());
    Regq::new().args(["logout", "docker.io", "--authfile"]).arg(&path).run().code(0);
    assert_eq!(folder.read("crane.json"), "{\n\t\"auths\": {}\n}\n");
    // Helpers get the same name.
    folder.helper("x", "");
    let path = folder.write("helped.json", r#"{"credsStore":"x"}"#);
    let logout = Regq::new().args(["logout", "index.docker.io", "--authfile"]).arg(&path);
    logout.env("PATH", folder.search_path()).run().code(0);
    assert_eq!(folder.calls("x"), "erase https://index.docker.io/v1/\n");
}

#[test]
fn an_invalid_file_is_reported_before_any_request() {
    let (folder, server) = (Folder::new(), registry(Access::Private));
    let path = folder.write("auth.json", "{");
    with_file(login(&server), &path, &server).code(8).stdout("");
    assert_eq!((server.connections(), folder.read("auth.json").as_str()), (0, "{"));
}

#[test]
fn a_password_stored_by_a_helper_is_removed_from_the_file() {
    let (folder, server) = (Folder::new(), registry(Access::Private));
    folder.helper("x", "cat > /dev/null");
    let old = format!(
        r#"{{"credsStore":"x","auths":{{"{}":{}}}}}"#,
        server.authority(),
        super::entry_of("ada", "an-older-password")
    );
    let path = folder.write("auth.json", old);
    let run = login(&server).env("PATH", folder.search_path());
    let note = "note: the password was saved with docker-credential-x\n";
    with_file(run, &path, &server).code(0).stdout("").stderr(note);
    let left: String = folder.read("auth.json").split_whitespace().collect();
    assert_eq!(left, r#"{"credsStore":"x","auths":{}}"#);
}

#[test]
fn a_file_that_others_may_read_is_reported() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, server) = (Folder::new(), registry(Access::Private));
    let path = folder.write("auth.json", "{}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = with_file(login(&server), &path, &server);
    ran.code(0);
    assert!(ran.stderr.ends_with("in plain text, and other users can read that file\n"), "{ran}");
}

#[test]
fn the_timeout_applies_to_helpers_of_login_and_logout() {
    let (folder, server) = (Folder::new(), registry(Access::Private));
    folder.helper("x", "exec sleep 60");
    let path = folder.write("auth.json", r#"{"credsStore":"x"}"#);
    for regq in [login(&server), logout(&server)] {
        let run = regq.arg("--timeout=1").env("PATH", folder.search_path());
        let ran = with_file(run, &path, &server);
        ran.code(8).stdout("");
        let message = "regq: docker-credential-x timed out after 1 s\n";
        assert!(ran.stderr.contains(message), "{ran}");
    }
}
