//! Where credentials are looked for, in which order, and when.

use super::{
    Door, Folder, auths, entry, entry_of, hosted, manifest, name, question, registry, shown,
};
use crate::support::secrets::{PASSWORD, READY};
use crate::support::{Regq, Reply, Server};
use regq::credentials::Keychain;
use regq::reference::Reference;
use regq::registry::{Client, Config, ResolveOptions};

/// Refuses everybody, so that what was shown is the only outcome.
fn recorder() -> Server {
    Server::start(None, |_| Reply::new(401).header("WWW-Authenticate", "Basic realm=\"x\""))
}

#[test]
fn the_first_source_that_has_an_entry_wins() {
    /// A flag or variable, and the file that it leads to.
    const SOURCES: &[(&str, &str)] = &[
        ("--authfile", "flag.json"),
        ("DOCKER_AUTH_CONFIG", ""),
        ("DOCKER_CONFIG", "docker/config.json"),
        ("XDG_RUNTIME_DIR", "run/containers/auth.json"),
        ("XDG_CONFIG_HOME", "config/containers/auth.json"),
    ];
    let folder = Folder::new();
    for first in 0..SOURCES.len() {
        let server = recorder();
        let host = server.authority();
        let mut regq = question(&server);
        for (at, (source, file)) in SOURCES.iter().enumerate() {
            // Those before it are there too, with nothing for this registry.
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
        assert_eq!(shown(&server), [format!("user{first}:p4ssw0rd-of-x")], "{first}");
    }
}

#[test]
fn without_variables_the_files_are_below_home() {
    let folder = Folder::new();
    for (file, text) in [
        (".docker/config.json", entry_of("docker", "p4ssw0rd-of-x")),
        (".config/containers/auth.json", entry_of("podman", "p4ssw0rd-of-x")),
    ] {
        let server = recorder();
        let path = folder.write(file, auths(&server.authority(), &text));
        let ran = question(&server).env("HOME", &folder.0).arg("-v").run();
        assert_eq!(shown(&server).len(), 1, "{ran}");
        assert!(ran.stderr.contains(&format!("* {}: credentials of ", path.display())), "{ran}");
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn what_the_user_named_goes_before_all() {
    let folder = Folder::new();
    let server = recorder();
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
    // The flag is in place of the variable, whether it has an entry or not.
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
    let users: Vec<_> = shown(&server);
    let expected = ["flag", "variable", "typed"].map(|user| format!("{user}:p4ssw0rd-of-x"));
    assert_eq!(users, expected);
}

#[test]
fn anonymous_switches_all_off() {
    let folder = Folder::new();
    folder.helper("x", "echo '{}'");
    let server = registry(Door::Private);
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
    assert_eq!(shown(&server), [""; 0]);
    assert_eq!(folder.asked("x"), "");
}

#[test]
fn files_that_the_user_named_are_opened_before_the_first_request() {
    let server = registry(Door::Open);
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
    // A variable that is set to nothing is not set.
    question(&server).env("REGISTRY_AUTH_FILE", "").run().code(0);
}

#[test]
fn everything_else_is_read_only_after_a_401() {
    let folder = Folder::new();
    let path = folder.write("config.json", "{\"auths\":\n{,}}");
    let fault = format!("{}: line 2, column 2: invalid JSON", path.display());
    let ask = |door| {
        let server = registry(door);
        let ran = question(&server).env("DOCKER_CONFIG", &folder.0).run();
        hosted(&ran, &server)
    };
    // Nobody asked for credentials, so nobody looked for any.
    ask(Door::Open).code(0).stderr("");
    // The registry lets us in without: a warning.
    ask(Door::Public).code(0).stderr(format!("note: {fault}; continuing without credentials\n"));
    // It does not: the file is the failure.
    for (door, refusal) in [
        (Door::Private, "HOST denied anonymous access (401)"),
        (Door::Basic, "HOST denied access (401): it requires a user name and password"),
    ] {
        let ran = ask(door);
        ran.code(8).stdout("");
        assert!(ran.stderr.starts_with(&format!("regq: HOST/team/app:1: {fault}: ")), "{ran}");
        assert!(ran.stderr.contains(refusal), "{ran}");
    }
    // No other place is tried in its stead.
    let server = registry(Door::Private);
    let text = auths(&server.authority(), &entry());
    folder.write("run/containers/auth.json", text);
    let run = question(&server)
        .env("DOCKER_CONFIG", &folder.0)
        .env("XDG_RUNTIME_DIR", folder.path("run"))
        .run();
    run.code(8);
    assert_eq!(shown(&server), [""; 0]);
    // What was found before it counts.
    let text = auths(&server.authority(), &entry());
    question(&server)
        .env("DOCKER_CONFIG", &folder.0)
        .env("DOCKER_AUTH_CONFIG", text)
        .run()
        .code(0)
        .stderr("");
}

#[test]
fn helpers_are_asked_only_after_a_401() {
    let folder = Folder::new();
    folder.write("config.json", r#"{"credsStore":"x"}"#);
    folder.helper("x", "echo credentials not found; exit 1");
    let server = registry(Door::Open);
    let ask = |server: &Server| {
        let regq = question(server).env("PATH", folder.search_path());
        regq.env("DOCKER_CONFIG", &folder.0).run().code(0).stderr("");
    };
    ask(&server);
    assert_eq!(folder.asked("x"), "");
    let server = registry(Door::Public);
    ask(&server);
    assert_eq!(folder.asked("x"), format!("get {}\n", server.authority()));
}

#[test]
fn the_variable_needs_no_file() {
    let server = registry(Door::Private);
    let text = auths(&server.authority(), &entry());
    let run = |regq: Regq| regq.env("DOCKER_AUTH_CONFIG", &text).run();
    run(question(&server)).code(0).stderr("");
    run(question(&server).env("HOME", "/nonexistent")).code(0).stderr("");
    // A broken one is named, not shown.
    let ran = question(&server).env("DOCKER_AUTH_CONFIG", format!("{{\"{PASSWORD}\"}}")).run();
    ran.code(8);
    assert!(ran.stderr.contains("DOCKER_AUTH_CONFIG: line 1, column "), "{ran}");
}

#[test]
fn no_home_is_normal() {
    for home in ["", "/nonexistent", "/dev/null", "relative"] {
        let server = registry(Door::Public);
        question(&server).env("HOME", home).run().code(0).stderr("");
    }
    let server = registry(Door::Public);
    question(&server).run().code(0).stderr("");
}

/// What makes a shell run the program as nobody, who cannot read what is root's. Others than root need not change.
pub(super) fn as_nobody(folder: &str) -> String {
    format!(
        r#"[ "$(id -u)" = 0 ] || exec "$0" "$@"
        cp "$0" {folder}/regq && chmod 755 {folder} {folder}/regq
        exec setpriv --reuid=65534 --regid=65534 --clear-groups {folder}/regq "$@""#
    )
}

#[test]
fn a_home_that_cannot_be_read_is_normal_and_a_file_is_not() {
    let folder = Folder::new();
    // Below the target folder nobody may be let in at all.
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
    let ask = |door| {
        let server = registry(door);
        let script = as_nobody(public.to_str().unwrap());
        let ran = question(&server)
            .env("HOME", &home)
            .env("PATH", folder.search_path())
            .through(&script)
            .run();
        hosted(&ran, &server)
    };
    mode(&home.join(".docker/config.json"), "000");
    let file = ask(Door::Private);
    mode(&home, "000");
    let (lets_in, refuses) = (ask(Door::Public), ask(Door::Private));
    mode(&home, "700");
    std::fs::remove_dir_all(&public).unwrap();
    file.code(8);
    assert!(file.stderr.contains("config.json: cannot be read: Permission denied"), "{file}");
    lets_in.code(0).stderr("");
    refuses.code(4);
}

#[test]
fn a_token_file_goes_with_the_first_request_to_the_asked_registry_alone() {
    let folder = Folder::new();
    let path = folder.write("token", format!("{READY}\n"));
    let server = registry(Door::Private);
    question(&server).arg("--token-file").arg(&path).run().code(0).stderr("");
    assert_eq!(server.lines(), ["HEAD /v2/team/app/manifests/1"]);
    assert_eq!(shown(&server), [format!("Bearer {READY}")]);
    // Not to where it redirects, nor to that one's realm.
    let other = registry(Door::Public);
    let target = format!("{}/v2/team/app/manifests/1", other.url());
    let server = Server::start(None, move |_| Reply::new(307).header("Location", &target));
    question(&server).arg("--token-file").arg(&path).run().code(0).stderr("");
    assert_eq!(shown(&server), [format!("Bearer {READY}")]);
    assert_eq!(shown(&other), [""; 0]);
    assert_eq!(other.lines().len(), 3);
}

#[test]
fn a_token_file_that_is_refused_is_final() {
    let folder = Folder::new();
    folder.helper("x", "echo credentials not found; exit 1");
    // Neither a broken file nor a helper has anything to do with it.
    for config in ["{", r#"{"credsStore":"x"}"#] {
        let server = registry(Door::Private);
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
        let said = format!("HOST refused the token from {} (401)", path.display());
        assert!(ran.stderr.contains(&said), "{ran}");
        let mut lines = server.lines();
        lines.dedup();
        // The GET that reads why, and no token request.
        assert_eq!(lines, ["HEAD /v2/team/app/manifests/1", "GET /v2/team/app/manifests/1"]);
        assert_eq!(folder.asked("x"), "");
    }
}

#[test]
fn a_registry_that_is_redirected_to_gets_what_is_kept_for_it() {
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
    assert_eq!(shown(&first), [format!("ada:{PASSWORD}")]);
    assert_eq!(shown(&other), ["bob:p4ssw0rd-of-bob"]);
    // What is typed is for the registry that is typed, and the other's own entry is still its own.
    question(&first)
        .args(["--user", "ada", "--password-stdin", "--authfile"])
        .arg(&path)
        .stdin(PASSWORD)
        .run()
        .code(0);
    question(&first).args(["--user", "ada", "--password-stdin"]).stdin(PASSWORD).run().code(4);
    assert_eq!(shown(&other), ["bob:p4ssw0rd-of-bob", "bob:p4ssw0rd-of-bob"]);
    assert!(shown(&first).iter().all(|user| user.starts_with("ada:")));
}

#[test]
fn the_trace_says_where_it_was_looked_and_what_was_found() {
    let folder = Folder::new();
    folder.write("docker/config.json", auths("other.example", "{}"));
    let server = registry(Door::Private);
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
    let said: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("* ")).collect();
    let expected = [
        "* DOCKER_AUTH_CONFIG: no credentials for this registry".to_owned(),
        format!(
            "* {}: no credentials for this registry",
            folder.path("docker/config.json").display()
        ),
        format!("* {}: credentials of \"ada\" under \"http://HOST/v2/\"", podman.display()),
    ];
    let said: Vec<_> = said.into_iter().filter(|line| !line.contains("connected")).collect();
    assert_eq!(said, expected, "{ran}");
}

#[test]
fn one_file_for_several_registries() {
    let (first, second) = (registry(Door::Private), registry(Door::Basic));
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
    let server = registry(Door::Private);
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
        let server = recorder();
        let key = key.replace("HOST", &server.authority());
        let path = folder.write("auth.json", auths(&key, &entry()));
        question(&server).arg("--authfile").arg(path).run().code(4);
        assert_eq!(!shown(&server).is_empty(), used, "{key}");
    }
}
