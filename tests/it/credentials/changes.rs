//! How `regq login` and `regq logout` change a credential file: as a whole, one after the other, and for nobody
//! else to read.
//!
//! What stands in the file afterwards is tested in `login`.

use super::login::{login, logout, mode, with_file};
use super::sources::as_nobody;
use super::{Door, Folder, encoded, entry, hosted, registry};
use crate::support::Server;
use crate::support::secrets::PASSWORD;
use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::sync::{Arc, Barrier};
use std::thread;

/// The name under which the new file is written.
const BESIDE: &str = ".auth.json.regq-tmp";

#[test]
fn a_group_that_cannot_be_kept_is_not_exchanged_for_another() {
    // Nobody's own folder, which the target folder may not be.
    let public = std::env::temp_dir().join(format!("regq-test-group-{}", std::process::id()));
    fs::create_dir(&public).unwrap();
    let path = public.join("auth.json");
    let mut seen = Vec::new();
    for bits in [0o660, 0o644, 0o600] {
        fs::write(&path, "{}").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(bits)).unwrap();
        // The file is nobody's, and of a group that nobody is not in. Only root can make it so: for others the
        // group is their own, and stays with all that it may do.
        let foreign = chown(&public, Some(65_534), Some(65_534)).is_ok()
            && chown(&path, Some(65_534), Some(65_533)).is_ok();
        let group = || fs::metadata(&path).unwrap().gid();
        let old = group();
        let server = registry(Door::Open);
        let script = as_nobody(public.to_str().unwrap());
        let ran = with_file(login(&server).through(&script), &path, &server);
        seen.push((ran, foreign, bits, mode(&path), group() == old));
        fs::remove_file(&path).unwrap();
    }
    fs::remove_dir_all(&public).unwrap();
    for (ran, foreign, bits, now, stays) in seen {
        ran.code(0);
        assert_eq!(stays, !foreign, "{ran}");
        assert_eq!(now, if foreign { bits & !0o070 } else { bits }, "{bits:o} is {now:o}");
    }
}

#[test]
fn logins_at_the_same_time_are_all_kept() {
    const MANY: usize = 8;
    let folder = Folder::new();
    let path = folder.write("auth.json", "{}");
    // Nobody is let in before everybody has asked, so that all of them write at once.
    let together = Arc::new(Barrier::new(MANY));
    let servers: Vec<_> = (0..MANY)
        .map(|_| {
            let together = Arc::clone(&together);
            Server::start(None, move |_| {
                together.wait();
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
    let kept = folder.read("auth.json");
    for server in &servers {
        assert!(kept.contains(&format!("\"{}\": {}", server.authority(), entry())), "{kept}");
    }
    assert_eq!(folder.names(), ["auth.json"]);
}

#[test]
fn whoever_reads_the_old_file_reads_all_of_it() {
    let (folder, server) = (Folder::new(), registry(Door::Open));
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
fn a_file_that_would_be_too_large_to_read_is_not_written() {
    const MOST: usize = 1024 * 1024;
    let (folder, server) = (Folder::new(), registry(Door::Open));
    let frame = r#"{"x":""}"#;
    let old = format!(r#"{{"x":"{}"}}"#, "x".repeat(MOST - frame.len()));
    assert_eq!(old.len(), MOST);
    let path = folder.write("auth.json", &old);
    let ran = with_file(login(&server), &path, &server);
    ran.code(8).stdout("");
    assert!(ran.stderr.contains("auth.json: larger than the limit of 1048576 bytes"), "{ran}");
    assert!(folder.read("auth.json") == old, "the old file is not whole");
    assert_eq!(folder.names(), ["auth.json"]);
    // One that still fits is.
    let old = format!(r#"{{"x":"{}"}}"#, "x".repeat(MOST - 1024));
    folder.write("auth.json", old);
    with_file(login(&server), &path, &server).code(0).stdout("");
}

#[test]
fn what_a_change_that_was_cut_off_left_behind_is_cleared_away_by_the_next() {
    let (folder, server) = (Folder::new(), registry(Door::Open));
    let path = folder.write("auth.json", "{}");
    for regq in [login(&server), logout(&server)] {
        let left = folder.write(BESIDE, "half a");
        fs::set_permissions(left, Permissions::from_mode(0o444)).unwrap();
        with_file(regq, &path, &server).code(0);
        assert_eq!(folder.names(), ["auth.json"]);
        assert!(!folder.read("auth.json").contains("half"));
    }
}

#[test]
fn what_is_half_written_is_for_its_owner_alone() {
    let (folder, server) = (Folder::new(), registry(Door::Open));
    let path = folder.write("auth.json", "{}");
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    // The first byte that is written ends the program.
    let killed = r#"umask 0; ulimit -f 0; exec "$0" "$@""#;
    let ran = with_file(login(&server).through(killed), &path, &server);
    assert!(ran.code > 128, "{ran}");
    assert_eq!(folder.names(), [BESIDE, "auth.json"]);
    assert_eq!(mode(&folder.path(BESIDE)), 0o600);
    // The next one has the old file's mode, and nothing is left.
    with_file(login(&server), &path, &server).code(0);
    assert_eq!(mode(&path), 0o644);
    assert_eq!(folder.names(), ["auth.json"]);
}

#[test]
fn a_helper_that_fails_keeps_no_password_in_the_file() {
    for (script, said) in [
        (None, "is not on PATH"),
        (Some("exit 1"), "failed without a message"),
        (
            Some("echo the keychain is locked; exit 1"),
            "failed with the message \"the keychain is locked\"",
        ),
    ] {
        let (folder, server) = (Folder::new(), registry(Door::Open));
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
        assert!(ran.stderr.contains(&format!("docker-credential-x {said}\n")), "{ran}");
        let left: String = folder.read("auth.json").split_whitespace().collect();
        assert_eq!(left, r#"{"credsStore":"x","auths":{"b":{}}}"#, "{said}");
    }
}
