//! How `regq login` and `regq logout` replace a credential file: atomically, under a lock, and without giving others
//! access.
//!
//! The content of the file is tested in `login`.

use super::login::{login, logout, mode, with_file};
use super::sources::as_nobody;
use super::{Access, Folder, encoded, entry, hosted, registry};
use crate::support::Server;
use crate::support::secrets::PASSWORD;
use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::sync::{Arc, Barrier};
use std::thread;

/// The name of the temporary file.
const TEMP_FILE: &str = ".auth.json.regq-tmp";

#[test]
fn a_new_group_gets_no_access() {
    // A folder that the user nobody can use; the target folder may be private.
    let public = std::env::temp_dir().join(format!("regq-test-group-{}", std::process::id()));
    fs::create_dir(&public).unwrap();
    let path = public.join("auth.json");
    let mut results = Vec::new();
    for bits in [0o660, 0o644, 0o600] {
        fs::write(&path, "{}").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(bits)).unwrap();
        // The file belongs to the user nobody, but to a group that this user is not in. Only root can set that up; other
        // users test that their own group keeps its access.
        let foreign = chown(&public, Some(65_534), Some(65_534)).is_ok()
            && chown(&path, Some(65_534), Some(65_533)).is_ok();
        let group = || fs::metadata(&path).unwrap().gid();
        let old = group();
        let server = registry(Access::Open);
        let script = as_nobody(public.to_str().unwrap());
        let ran = with_file(login(&server).through(&script), &path, &server);
        results.push((ran, foreign, bits, mode(&path), group() == old));
        fs::remove_file(&path).unwrap();
    }
    fs::remove_dir_all(&public).unwrap();
    for (ran, foreign, bits, now, stays) in results {
        ran.code(0);
        assert_eq!(stays, !foreign, "{ran}");
        assert_eq!(now, if foreign { bits & !0o070 } else { bits }, "{bits:o} is {now:o}");
    }
}

#[test]
fn concurrent_logins_are_all_saved() {
    const LOGINS: usize = 8;
    let folder = Folder::new();
    let path = folder.write("auth.json", "{}");
    // No server responds before all have a request, so that all logins write at the same time.
    let barrier = Arc::new(Barrier::new(LOGINS));
    let servers: Vec<_> = (0..LOGINS)
        .map(|_| {
            let barrier = Arc::clone(&barrier);
            Server::start(None, move |_| {
                barrier.wait();
                super::manifest()
            })
        })
        .collect();
    thread::scope(|scope| {
        for server in &servers {
            scope.spawn(|| {
                with_file(login(server), &path, server).code(0).stdout("");
            });
        }
    });
    let file = folder.read("auth.json");
    for server in &servers {
        assert!(file.contains(&format!("\"{}\": {}", server.authority(), entry())), "{file}");
    }
    assert_eq!(folder.names(), ["auth.json"]);
}

#[test]
fn an_open_file_keeps_its_old_content() {
    let (folder, server) = (Folder::new(), registry(Access::Open));
    let old = r#"{ "x": 1 }"#;
    let path = folder.write("auth.json", old);
    let mut open = File::open(&path).unwrap();
    with_file(login(&server), &path, &server).code(0);
    let mut read = String::new();
    open.read_to_string(&mut read).unwrap();
    assert_eq!(read, old);
    assert!(folder.read("auth.json").contains(&encoded("ada", PASSWORD)));
}

#[test]
fn a_file_above_the_size_limit_is_not_written() {
    const MAX_SIZE: usize = 1024 * 1024;
    let (folder, server) = (Folder::new(), registry(Access::Open));
    let frame = r#"{"x":""}"#;
    let old = format!(r#"{{"x":"{}"}}"#, "x".repeat(MAX_SIZE - frame.len()));
    assert_eq!(old.len(), MAX_SIZE);
    let path = folder.write("auth.json", &old);
    let ran = with_file(login(&server), &path, &server);
    ran.code(8).stdout("");
    assert!(ran.stderr.contains("auth.json: larger than the limit of 1048576 bytes"), "{ran}");
    assert!(folder.read("auth.json") == old, "the old file has changed");
    assert_eq!(folder.names(), ["auth.json"]);
    // A file that still fits is written.
    let old = format!(r#"{{"x":"{}"}}"#, "x".repeat(MAX_SIZE - 1024));
    folder.write("auth.json", old);
    with_file(login(&server), &path, &server).code(0).stdout("");
}

#[test]
fn a_leftover_temporary_file_is_removed() {
    let (folder, server) = (Folder::new(), registry(Access::Open));
    let path = folder.write("auth.json", "{}");
    for regq in [login(&server), logout(&server)] {
        let left = folder.write(TEMP_FILE, "half a");
        fs::set_permissions(left, Permissions::from_mode(0o444)).unwrap();
        with_file(regq, &path, &server).code(0);
        assert_eq!(folder.names(), ["auth.json"]);
        assert!(!folder.read("auth.json").contains("half"));
    }
}

#[test]
fn a_temporary_file_is_readable_by_its_owner_only() {
    let (folder, server) = (Folder::new(), registry(Access::Open));
    let path = folder.write("auth.json", "{}");
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    // The first write kills the program.
    let killed = r#"umask 0; ulimit -f 0; exec "$0" "$@""#;
    let ran = with_file(login(&server).through(killed), &path, &server);
    assert!(ran.code > 128, "{ran}");
    assert_eq!(folder.names(), [TEMP_FILE, "auth.json"]);
    assert_eq!(mode(&folder.path(TEMP_FILE)), 0o600);
    // The next login keeps the old file's mode and leaves no temporary file.
    with_file(login(&server), &path, &server).code(0);
    assert_eq!(mode(&path), 0o644);
    assert_eq!(folder.names(), ["auth.json"]);
}

#[test]
fn a_failing_helper_keeps_no_password_in_the_file() {
    for (script, fault) in [
        (None, "is not on PATH"),
        (Some("exit 1"), "failed without a message"),
        (
            Some("echo the keychain is locked; exit 1"),
            "failed with the message \"the keychain is locked\"",
        ),
    ] {
        let (folder, server) = (Folder::new(), registry(Access::Open));
        if let Some(script) = script {
            folder.helper("x", script);
        }
        let text = format!(
            r#"{{"credsStore":"x","auths":{{"{}":{},"b":{{}}}}}}"#,
            server.authority(),
            entry()
        );
        let path = folder.write("auth.json", text);
        let ran = logout(&server).env("PATH", folder.search_path()).arg("--authfile").arg(&path);
        let ran = hosted(&ran.run(), &server);
        ran.code(8).stdout("");
        assert!(ran.stderr.contains(&format!("docker-credential-x {fault}\n")), "{ran}");
        let left: String = folder.read("auth.json").split_whitespace().collect();
        assert_eq!(left, r#"{"credsStore":"x","auths":{"b":{}}}"#, "{fault}");
    }
}
