//! The sources of credentials: which are searched, in which order, and when.

use super::{
    Access, Folder, auths, entry, entry_of, hosted, manifest, name, question, received, registry,
};
use crate::support::secrets::{PASSWORD, READY};
use crate::support::{Regq, Reply, Server};
use regq::credentials::Keychain;
use regq::reference::Reference;
use regq::registry::{Client, Config, ResolveOptions};

/// Refuses every credential, so that a test can check which one was sent.
fn refusing_all() -> Server {
    Server::start(None, |_| Reply::new(401).header("WWW-Authenticate", "Basic realm=\"x\""))
}

#[test]
fn the_first_source_with_an_entry_wins() {
    /// A flag or variable, and the file that it points to.
    const SOURCES: &[(&str, &str)] = &[
        ("--authfile", "flag.json"),
        ("DOCKER_AUTH_CONFIG", ""),
        ("DOCKER_CONFIG", "docker/config.json"),
        ("XDG_RUNTIME_DIR", "run/containers/auth.json"),
        ("XDG_CONFIG_HOME", "config/containers/auth.json"),
    ];
    let folder = Folder::new();
    for first in 0..SOURCES.len() {
        let server = refusing_all();
        let host = server.authority();
        let mut regq = question(&server);
        for (at, (source, file)) in SOURCES.iter().enumerate() {
            // The sources before it exist, too, but have no entry for this registry.
            let key = if at < first { "other.example" } else { host.as_str() };
            let text = auths(key, &entry_of(&format!("user{at}"), "p4ssw0rd-of-x"));
            let path = folder.write(if file.is_empty() { "unused" } else { file }, &text);
            regq = match *source {
                "--authfile" => regq.arg("--authfile").arg(path),
                "DOCKER_AUTH_CONFIG" => regq.env(source, text),
                "DOCKER_CONFIG" => regq.env(source, folder.path("docker")),
                "XDG_RUNTIME_DIR" => regq.env(source, folder.path("run")),
                _ => regq.env(source, folder.path("config")),
            };
        }
        regq.run().code(4);
        assert_eq!(received(&server), [format!("user{first}:p4ssw0rd-of-x")], "{first}");
    }
}

#[test]
fn default_files_are_in_the_home_folder() {
    let folder = Folder::new();
    for (file, text) in [
        (".docker/config.json", entry_of("docker", "p4ssw0rd-of-x")),
        (".config/containers/auth.json", entry_of("podman", "p4ssw0rd-of-x")),
    ] {
        let server = refusing_all();
        let path = folder.write(file, auths(&server.authority(), &text));
        let ran = question(&server).env("HOME", &folder.0).arg("-v").run();
        assert_eq!(received(&server).len(), 1, "{ran}");
        assert!(ran.stderr.contains(&format!("* {}: credentials of ", path.display())), "{ran}");
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn named_sources_precede_default_ones() {
    let folder = Folder::new();
    let server = refusing_all();
    let host = server.authority();
    let flag = folder.write("flag.json", auths(&host, &entry_of("flag", "p4ssw0rd-of-x")));
    let variable = folder.write("var.json", auths(&host, &entry_of("variable", "p4ssw0rd-of-x")));
    let other = folder.write("other.json", auths("other.example", &entry()));
    question(&server)
        .env("REGISTRY_AUTH_FILE", &variable)
        .arg("--authfile")
        .arg(&flag)
        .run()
        .code(4);
    question(&server).env("REGISTRY_AUTH_FILE", &variable).run().code(4);
    // The flag replaces the variable, even if its file has no entry for the registry.
    question(&server)
        .env("REGISTRY_AUTH_FILE", &variable)
        .arg("--authfile")
        .arg(other)
        .run()
        .code(4);
    question(&server)
        .env("REGISTRY_AUTH_FILE", &variable)
        .args(["--user", "typed", "--password-stdin"])
        .stdin("p4ssw0rd-of-x")
        .run()
        .code(4);
    let users: Vec<_> = received(&server);
    let expected = ["flag", "variable", "typed"].map(|user| format!("{user}:p4ssw0rd-of-x"));
    assert_eq!(users, expected);
}

#[test]
fn anonymous_disables_all_sources() {
    let folder = Folder::new();
    folder.helper("x", "echo '{}'");
    let server = registry(Access::Private);
    let text = auths(&server.authority(), &entry());
    folder.write("config.json", r#"{"credsStore":"x"}"#);
    question(&server)
        .arg("--anonymous")
        .env("REGISTRY_AUTH_FILE", "/nonexistent/auth.json")
        .env("DOCKER_AUTH_CONFIG", text)
        .env("DOCKER_CONFIG", &folder.0)
        .env("PATH", folder.search_path())
        .run()
        .code(4);
    assert_eq!(received(&server), [""; 0]);
    assert_eq!(folder.calls("x"), "");
}

#[test]
fn named_files_are_read_before_the_first_request() {
    let server = registry(Access::Open);
    let missing =
        "regq: /nonexistent/file: cannot be read: No such file or directory (os error 2)\n";
    let flag = |flag: &str| question(&server).args([flag, "/nonexistent/file"]).run();
    flag("--token-file").code(8).stdout("").stderr(missing);
    flag("--authfile").code(8).stdout("").stderr(missing);
    let variable = question(&server).env("REGISTRY_AUTH_FILE", "/nonexistent/file").run();
    variable.code(8).stdout("").stderr(missing.replace("regq: ", "regq: REGISTRY_AUTH_FILE: "));
    let folder = Folder::new();
    for text in ["", " \n", "two words", "caf\u{e9}"] {
        let path = folder.write("token", text);
        let ran = question(&server).arg("--token-file").arg(&path).run();
        ran.code(8).stderr(format!(
            "regq: {}: does not contain a token (one word of visible ASCII)\n",
            path.display()
        ));
    }
    assert_eq!(server.connections(), 0);
    // An empty variable counts as unset.
    question(&server).env("REGISTRY_AUTH_FILE", "").run().code(0);
}

#[test]
fn default_files_are_read_only_after_a_401() {
    let folder = Folder::new();
    let path = folder.write("config.json", "{\"auths\":\n{,}}");
    let fault = format!("{}: line 2, column 2: invalid JSON", path.display());
    let run_digest = |access| {
        let server = registry(access);
        let ran = question(&server).env("DOCKER_CONFIG", &folder.0).run();
        hosted(&ran, &server)
    };
    // The registry requires no login, so no source is read.
    run_digest(Access::Open).code(0).stderr("");
    // Anonymous access works: the file is only a warning.
    run_digest(Access::Public)
        .code(0)
        .stderr(format!("note: {fault}; continuing without credentials\n"));
    // Anonymous access is denied: the file is the error.
    for (access, refusal) in [
        (Access::Private, "HOST denied anonymous access (401)"),
        (Access::Basic, "HOST denied access (401): it requires a user name and password"),
    ] {
        let ran = run_digest(access);
        ran.code(8).stdout("");
        assert!(
            ran.stderr
                .starts_with(&format!("regq: HOST/team/app:1: {fault}; anonymous access failed: ")),
            "{ran}"
        );
        assert!(ran.stderr.contains(refusal), "{ran}");
    }
    // No other source is searched.
    let server = registry(Access::Private);
    let text = auths(&server.authority(), &entry());
    folder.write("run/containers/auth.json", text);
    let run = question(&server)
        .env("DOCKER_CONFIG", &folder.0)
        .env("XDG_RUNTIME_DIR", folder.path("run"))
        .run();
    run.code(8);
    assert_eq!(received(&server), [""; 0]);
    // A source before the broken one is used.
    let text = auths(&server.authority(), &entry());
    question(&server)
        .env("DOCKER_CONFIG", &folder.0)
        .env("DOCKER_AUTH_CONFIG", text)
        .run()
        .code(0)
        .stderr("");
}

#[test]
fn helpers_run_only_after_a_401() {
    let folder = Folder::new();
    folder.write("config.json", r#"{"credsStore":"x"}"#);
    folder.helper("x", "echo credentials not found; exit 1");
    let server = registry(Access::Open);
    let run_digest = |server: &Server| {
        let regq = question(server).env("PATH", folder.search_path());
        regq.env("DOCKER_CONFIG", &folder.0).run().code(0).stderr("");
    };
    run_digest(&server);
    assert_eq!(folder.calls("x"), "");
    let server = registry(Access::Public);
    run_digest(&server);
    assert_eq!(folder.calls("x"), format!("get {}\n", server.authority()));
}

#[test]
fn a_variable_works_without_a_home_folder() {
    let server = registry(Access::Private);
    let text = auths(&server.authority(), &entry());
    let run = |regq: Regq| regq.env("DOCKER_AUTH_CONFIG", &text).run();
    run(question(&server)).code(0).stderr("");
    run(question(&server).env("HOME", "/nonexistent")).code(0).stderr("");
    // An invalid value is reported without showing it.
    let ran = question(&server).env("DOCKER_AUTH_CONFIG", format!("{{\"{PASSWORD}\"}}")).run();
    ran.code(8);
    assert!(ran.stderr.contains("DOCKER_AUTH_CONFIG: line 1, column "), "{ran}");
}

#[test]
fn a_missing_home_folder_is_not_an_error() {
    for home in ["", "/nonexistent", "/dev/null", "relative"] {
        let server = registry(Access::Public);
        question(&server).env("HOME", home).run().code(0).stderr("");
    }
    let server = registry(Access::Public);
    question(&server).run().code(0).stderr("");
}

/// A shell script that runs the program as the user nobody, who cannot read root's files. If the caller is not
/// root, the user stays the same.
pub(super) fn as_nobody(folder: &str) -> String {
    format!(
        r#"[ "$(id -u)" = 0 ] || exec "$0" "$@"
        cp "$0" {folder}/regq && chmod 755 {folder} {folder}/regq
        exec setpriv --reuid=65534 --regid=65534 --clear-groups {folder}/regq "$@""#
    )
}

#[test]
fn an_unreadable_file_is_an_error_but_an_unreadable_home_folder_is_not() {
    let folder = Folder::new();
    // The target folder may be closed to the user nobody.
    let public = std::env::temp_dir().join(format!("regq-test-{}", std::process::id()));
    std::fs::create_dir(&public).unwrap();
    let home = public.join("home");
    std::fs::create_dir_all(home.join(".docker")).unwrap();
    std::fs::write(home.join(".docker/config.json"), "{").unwrap();
    let mode = |path: &std::path::Path, mode: &str| {
        assert!(
            std::process::Command::new("chmod").arg(mode).arg(path).status().unwrap().success()
        );
    };
    let run_digest = |access| {
        let server = registry(access);
        let script = as_nobody(public.to_str().unwrap());
        let ran = question(&server)
            .env("HOME", &home)
            .env("PATH", folder.search_path())
            .through(&script)
            .run();
        hosted(&ran, &server)
    };
    mode(&home.join(".docker/config.json"), "000");
    let file = run_digest(Access::Private);
    mode(&home, "000");
    let (anonymous, denied) = (run_digest(Access::Public), run_digest(Access::Private));
    mode(&home, "700");
    std::fs::remove_dir_all(&public).unwrap();
    file.code(8);
    assert!(file.stderr.contains("config.json: cannot be read: Permission denied"), "{file}");
    anonymous.code(0).stderr("");
    denied.code(4);
}

#[test]
fn a_token_from_a_file_is_sent_at_once_and_to_the_named_registry_only() {
    let folder = Folder::new();
    let path = folder.write("token", format!("{READY}\n"));
    let server = registry(Access::Private);
    question(&server).arg("--token-file").arg(&path).run().code(0).stderr("");
    assert_eq!(server.lines(), ["HEAD /v2/team/app/manifests/1"]);
    assert_eq!(received(&server), [format!("Bearer {READY}")]);
    // It is sent neither to a redirect target nor to that host's token server.
    let other = registry(Access::Public);
    let target = format!("{}/v2/team/app/manifests/1", other.url());
    let server = Server::start(None, move |_| Reply::new(307).header("Location", &target));
    question(&server).arg("--token-file").arg(&path).run().code(0).stderr("");
    assert_eq!(received(&server), [format!("Bearer {READY}")]);
    assert_eq!(received(&other), [""; 0]);
    assert_eq!(other.lines().len(), 3);
}

#[test]
fn a_refused_token_from_a_file_is_final() {
    let folder = Folder::new();
    folder.helper("x", "echo credentials not found; exit 1");
    // Other sources are not used, broken or not.
    for config in ["{", r#"{"credsStore":"x"}"#] {
        let server = registry(Access::Private);
        folder.write("config.json", config);
        let path = folder.write("token", "wr0ng");
        let ran = question(&server)
            .arg("--token-file")
            .arg(&path)
            .env("DOCKER_CONFIG", &folder.0)
            .env("PATH", folder.search_path())
            .run();
        let ran = hosted(&ran, &server);
        ran.code(4).stdout("");
        let expected = format!("HOST refused the token from {} (401)", path.display());
        assert!(ran.stderr.contains(&expected), "{ran}");
        let mut lines = server.lines();
        lines.dedup();
        // Only the GET that reads the error message follows; no token is requested.
        assert_eq!(lines, ["HEAD /v2/team/app/manifests/1", "GET /v2/team/app/manifests/1"]);
        assert_eq!(folder.calls("x"), "");
    }
}

#[test]
fn a_redirect_target_gets_its_own_credential_only() {
    let folder = Folder::new();
    let other = Server::start(None, |request| {
        match request.header("authorization") == Some(&super::basic("bob", "p4ssw0rd-of-bob")) {
            true => manifest(),
            false => Reply::new(401).header("WWW-Authenticate", r#"Basic realm="other""#),
        }
    });
    let target = format!("{}/v2/team/app/manifests/1", other.url());
    let first = Server::start(None, move |request| {
        match request.header("authorization") == Some(&super::basic("ada", PASSWORD)) {
            true => Reply::new(307).header("Location", &target),
            false => Reply::new(401).header("WWW-Authenticate", r#"Basic realm="first""#),
        }
    });
    let text = format!(
        r#"{{"auths":{{"{}":{},"{}":{}}}}}"#,
        first.authority(),
        entry(),
        other.authority(),
        entry_of("bob", "p4ssw0rd-of-bob"),
    );
    let path = folder.write("auth.json", text);
    question(&first).arg("--authfile").arg(&path).run().code(0);
    assert_eq!(received(&first), [format!("ada:{PASSWORD}")]);
    assert_eq!(received(&other), ["bob:p4ssw0rd-of-bob"]);
    // A password from the command line is for the named registry only; the other host still gets its own entry.
    question(&first)
        .args(["--user", "ada", "--password-stdin", "--authfile"])
        .arg(&path)
        .stdin(PASSWORD)
        .run()
        .code(0);
    question(&first).args(["--user", "ada", "--password-stdin"]).stdin(PASSWORD).run().code(4);
    assert_eq!(received(&other), ["bob:p4ssw0rd-of-bob", "bob:p4ssw0rd-of-bob"]);
    assert!(received(&first).iter().all(|user| user.starts_with("ada:")));
}

#[test]
fn the_trace_shows_each_source_and_its_result() {
    let folder = Folder::new();
    folder.write("docker/config.json", auths("other.example", "{}"));
    let server = registry(Access::Private);
    let text = auths(&format!("http://{}/v2/", server.authority()), &entry());
    let podman = folder.write("run/containers/auth.json", text);
    let ran = question(&server)
        .arg("-v")
        .env("DOCKER_AUTH_CONFIG", "{}")
        .env("DOCKER_CONFIG", folder.path("docker"))
        .env("XDG_RUNTIME_DIR", folder.path("run"))
        .run();
    let ran = hosted(&ran, &server);
    ran.code(0);
    let lines: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("* ")).collect();
    let expected = [
        "* DOCKER_AUTH_CONFIG: no credentials for this registry".to_owned(),
        format!(
            "* {}: no credentials for this registry",
            folder.path("docker/config.json").display()
        ),
        format!("* {}: credentials of \"ada\" under \"http://HOST/v2/\"", podman.display()),
    ];
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.contains("connected")).collect();
    assert_eq!(lines, expected, "{ran}");
}

#[test]
fn one_source_serves_several_registries() {
    let (first, second) = (registry(Access::Private), registry(Access::Basic));
    let text = format!(
        r#"{{"auths":{{"{}":{},"{}":{}}}}}"#,
        first.authority(),
        entry(),
        second.authority(),
        entry()
    );
    let ran = question(&first).arg(name(&second)).env("DOCKER_AUTH_CONFIG", text).run();
    ran.code(0);
}

#[test]
fn a_default_file_is_read_once_for_all_references() {
    let folder = Folder::new();
    let server = registry(Access::Private);
    let path = folder.write("config.json", auths(&server.authority(), &entry()));
    let mut config = Config::default();
    config.keychain = Keychain::default();
    config.keychain.add_default_file(&path);
    let client = Client::new(config).unwrap();
    for tag in ["a", "b"] {
        let name = format!("{}/team/{tag}:1", server.authority());
        client.resolve(&Reference::parse(&name).unwrap(), &ResolveOptions::default()).unwrap();
        // The second reference is of another repository, so it needs another token and the password again.
        let _ = std::fs::remove_file(&path);
    }
}

#[test]
fn a_key_that_ends_in_a_repository_called_v1_is_for_that_repository_only() {
    let folder = Folder::new();
    for (key, used) in [
        ("HOST/v1", true),
        ("https://HOST/v2/", true),
        ("HOST/team", true),
        ("HOST/team/v1", false),
        ("https://HOST/team/v2/", false),
        ("HOST/team/v3", false),
    ] {
        let server = refusing_all();
        let key = key.replace("HOST", &server.authority());
        let path = folder.write("auth.json", auths(&key, &entry()));
        question(&server).arg("--authfile").arg(path).run().code(4);
        assert_eq!(!received(&server).is_empty(), used, "{key}");
    }
}
