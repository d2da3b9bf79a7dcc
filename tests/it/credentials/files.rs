//! The files in `tests/vectors/auth`, one for each tool that writes credential files, and unusable files.

use super::{
    Access, Folder, auths, basic, entry, hosted, question, received, registry, token, vector,
};
use crate::support::secrets::{IDENTITY, PASSWORD, READY};
use crate::support::{Ran, Regq, Server};
use std::collections::BTreeSet;
use std::path::Path;

/// Accepts any credential, so that a test can check which one was sent.
fn accepting_any() -> Server {
    Server::start(None, |request| match request.header("authorization") {
        _ if request.path() == "/token" => token("anonymous"),
        Some(_) => super::manifest(),
        None => super::challenge(request),
    })
}

/// `regq digest -v` with a credential file.
fn run_digest(server: &Server, file: &Path, repository: &str) -> Ran {
    let name = format!("{}/{repository}:1", server.authority());
    let ran = Regq::new().args(["digest", "--plain-http", "-v", &name, "--authfile"]).arg(file);
    hosted(&ran.run(), server)
}

/// File, repository, the credential that is sent, and part of the trace line for the file.
const ROWS: &[(&str, &str, &str, &str)] = &[
    ("docker.json", "team/app", "ada:p4ssw0rd-of-ada", r#"credentials of "ada" under "HOST""#),
    ("docker-creds-store.json", "team/app", "", "docker-credential-fake has no credentials"),
    ("docker-desktop.json", "team/app", "", "docker-credential-desktop has no credentials"),
    ("docker-ecr.json", "team/app", "", "docker-credential-ecr-login has no credentials"),
    ("docker-identity-token.json", "team/app", "identity token", r#"a token under "HOST""#),
    ("docker-registry-token.json", "team/app", "ready token", r#"a token under "HOST""#),
    ("docker-legacy.json", "team/app", "ada:p4ssw0rd-of-ada", r#"under "https://HOST/v1/""#),
    ("docker-old-padding.json", "team/app", "ada:p4ssw0rd-of-ada", r#"under "HOST""#),
    ("gitlab-ci.json", "team/app", "ada:p4ssw0rd-of-ada", r#"under "HOST""#),
    ("kubernetes.json", "team/app", "ada:p4ssw0rd-of-ada", r#"under "HOST""#),
    ("fields.json", "team/app", "ada:p4ssw0rd-of-ada", r#"under "HOST""#),
    ("wrapped.json", "team/app", "ada:p4ssw0rd-of-ada", r#"under "HOST""#),
    ("skopeo.json", "team/app", "ada:p4ssw0rd-of-ada", r#"under "HOST""#),
    ("skopeo-logout.json", "team/app", "", "no credentials for this registry"),
    ("skopeo-namespaces.json", "app", "ada:p4ssw0rd-of-ada", r#"of "ada" under "HOST""#),
    ("skopeo-namespaces.json", "teams/app", "ada:p4ssw0rd-of-ada", r#"of "ada" under "HOST""#),
    ("skopeo-namespaces.json", "team/a", "team:p4ssw0rd-of-team", r#"of "team" under "HOST/team""#),
    (
        "skopeo-namespaces.json",
        "team/app/x",
        "app:p4ssw0rd-of-app",
        r#"of "app" under "HOST/team/app""#,
    ),
    ("crane.json", "team/app", "ada:p4ssw0rd-of-ada", r#"under "HOST""#),
    ("crane-hub.json", "team/app", "", "no credentials for this registry"),
    ("podman.json", "team/app", "team:p4ssw0rd-of-team", r#"of "team" under "HOST/team""#),
    ("podman.json", "other/app", "", "no credentials for this registry"),
    ("podman-helpers.json", "team/app", "", "docker-credential-secretservice has no credentials"),
];

#[test]
fn every_file_leads_to_the_right_credential() {
    let folder = Folder::new();
    for helper in ["fake", "desktop", "ecr-login", "secretservice"] {
        folder.helper(helper, "echo credentials not found in native keychain; exit 1");
    }
    for (file, repository, credential, trace) in ROWS {
        let server = accepting_any();
        let path = folder.write(file, vector(file, &server));
        let name = format!("{}/{repository}:1", server.authority());
        let ran = Regq::new()
            .args(["digest", "--plain-http", "-v", &name, "--authfile"])
            .arg(&path)
            .env("PATH", folder.search_path())
            .run();
        let ran = hosted(&ran, &server);
        let expected = match *credential {
            "" => vec![],
            "identity token" => vec![format!("identity token {IDENTITY}")],
            "ready token" => vec![format!("Bearer {READY}")],
            pair => vec![pair.to_owned()],
        };
        assert_eq!(received(&server), expected, "{file} {repository}\n{ran}");
        let line = ran.stderr.lines().find(|line| line.contains(&*path.to_string_lossy()));
        assert!(
            line.is_some_and(|line| line.contains(trace)),
            "{file} {repository}: {trace}\n{ran}"
        );
    }
}

#[test]
fn every_file_is_tested_and_documented() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/auth");
    let names = std::fs::read_dir(&folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<_> = names.filter(|name| name != "README.md").collect();
    let rows: BTreeSet<_> = ROWS.iter().map(|(file, ..)| (*file).to_owned()).collect();
    assert_eq!(files, rows);
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    assert!(files.iter().all(|file| readme.contains(&format!("| `{file}` |"))));
}

#[test]
fn unusable_files_are_reported_with_line_and_column() {
    let server = registry(Access::Open);
    let folder = Folder::new();
    for (text, fault) in [
        ("{", "line 1, column 1: invalid JSON"),
        ("{\n  \"auths\": {\n    \"HOST\": {},\n  }\n}", "line 4, column 3: invalid JSON"),
        ("{} {}", "line 1, column 4: invalid JSON"),
        ("\u{feff}{}", "line 1, column 1: invalid JSON"),
        ("<html>", "line 1, column 1: invalid JSON"),
        ("{\"auths\":\n5}", "line 2, column 1: not valid in a credential file"),
        ("{\"auths\":{\"HOST\":{\"auth\":5}}}", "line 1, column 2"),
        ("{\"auths\":{\"HOST\":[1]}}", "line 1, column "),
        ("{\"credsStore\":{}}", "line 1, column "),
        ("{\"credHelpers\":{\"HOST\":5}}", "line 1, column "),
        ("[]", "line 1, column "),
    ] {
        let path = folder.write("auth.json", text);
        let ran = run_digest(&server, &path, "team/app");
        ran.code(8).stdout("");
        let expected = format!("regq: {}: {fault}", path.display());
        assert!(ran.stderr.starts_with(&expected), "{text}: {expected}\n{ran}");
    }
    let path = folder.write("auth.json", format!("{{\"x\":\"{}\"}}", "x".repeat(1024 * 1024)));
    run_digest(&server, &path, "team/app")
        .code(8)
        .stderr(format!("regq: {}: larger than the limit of 1048576 bytes\n", path.display()));
    let ran = run_digest(&server, &folder.path(""), "team/app");
    ran.code(8);
    assert!(ran.stderr.ends_with(": cannot be read: Is a directory (os error 21)\n"), "{ran}");
    // All of this is reported before the first request.
    assert_eq!(server.connections(), 0);
}

#[test]
fn empty_files_are_valid() {
    let folder = Folder::new();
    for text in [
        "",
        "\n",
        "{}",
        r#"{"auths":null,"credHelpers":null,"credsStore":null}"#,
        r#"{"auths":{}}"#,
    ] {
        let server = registry(Access::Public);
        let path = folder.write("auth.json", text);
        run_digest(&server, &path, "team/app").code(0);
        assert_eq!(received(&server), [""; 0], "{text}");
    }
}

#[test]
fn empty_entries_are_skipped() {
    let folder = Folder::new();
    for empty in [
        "{}",
        "null",
        r#"{"auth":""}"#,
        r#"{"auth":null}"#,
        r#"{"email":"a@b","username":""}"#,
        // A colon without a user name and a password.
        r#"{"auth":"Og=="}"#,
    ] {
        let server = registry(Access::Private);
        let host = server.authority();
        // The more specific key has an empty entry, so the other one's entry is used.
        let text = format!(r#"{{"auths":{{"{host}/team":{empty},"{host}":{}}}}}"#, entry());
        let path = folder.write("auth.json", text);
        run_digest(&server, &path, "team/app").code(0);
        assert_eq!(received(&server), [format!("ada:{PASSWORD}")], "{empty}");
        // The next source is searched, too.
        let server = registry(Access::Private);
        let ran = question(&server)
            .arg("--authfile")
            .arg(folder.write("empty.json", auths(&server.authority(), empty)))
            .env("DOCKER_AUTH_CONFIG", auths(&server.authority(), &entry()))
            .run();
        ran.code(0);
    }
}

#[test]
fn an_unusable_entry_is_reported_for_its_own_registry_only() {
    let folder = Folder::new();
    let encode = |text: &str| basic(text, "").replace("Basic ", "");
    let control = encode("ada:a\nb");
    for entry in [
        r#"{"auth":"***"}"#.to_owned(),
        r#"{"auth":"YWRh"}"#.to_owned(),
        r#"{"auth":"/w=="}"#.to_owned(),
        format!(r#"{{"auth":"{control}"}}"#),
        format!(r#"{{"auth":"{}"}}"#, encode("<token>")),
        r#"{"password":"x"}"#.to_owned(),
        r#"{"username":"a:b","password":"x"}"#.to_owned(),
        r#"{"registrytoken":"a b"}"#.to_owned(),
    ] {
        // The message names the key and never the value.
        let server = registry(Access::Private);
        let text = auths(&server.authority(), &entry);
        let path = folder.write("auth.json", &text);
        let ran = run_digest(&server, &path, "team/app");
        ran.code(8);
        let expected = "the entry \"HOST\" has no usable credential";
        assert!(ran.stderr.contains(expected), "{entry}\n{ran}");
        assert_eq!(received(&server), [""; 0], "{entry}");
        // For another registry the entry does not matter.
        let server = registry(Access::Public);
        let ran = run_digest(&server, &path, "team/app");
        ran.code(0);
    }
}

#[test]
fn among_equal_keys_dockers_spelling_wins_then_the_first() {
    let folder = Folder::new();
    for (keys, chosen) in [
        (["http://HOST", "HOST"], 1),
        (["HOST", "https://HOST/v1/"], 0),
        (["https://HOST/v2/", "https://HOST"], 0),
        (["HOST/", "https://HOST/"], 0),
        (["HOST", "HOST"], 0),
    ] {
        let server = accepting_any();
        let entries: Vec<_> = keys
            .iter()
            .zip(["first", "second"])
            .map(|(key, user)| format!("\"{key}\":{}", super::entry_of(user, "p4ssw0rd-of-x")))
            .collect();
        let text = format!("{{\"auths\":{{{}}}}}", entries.join(","));
        let path = folder.write("auth.json", text.replace("HOST", &server.authority()));
        run_digest(&server, &path, "team/app").code(0);
        let user = ["first", "second"][chosen];
        assert_eq!(received(&server), [format!("{user}:p4ssw0rd-of-x")], "{keys:?}");
    }
}

#[test]
fn other_hosts_and_ports_get_nothing() {
    let folder = Folder::new();
    for key in ["127.0.0.1", "127.0.0.1:1", "localhost:PORT", "127.0.0.1:PORT0", "x127.0.0.1:PORT"]
    {
        let server = registry(Access::Public);
        let key = key.replace("PORT", &server.port().to_string());
        let path = folder.write("auth.json", auths(&key, &entry()));
        run_digest(&server, &path, "team/app").code(0);
        assert_eq!(received(&server), [""; 0], "{key}");
    }
}
