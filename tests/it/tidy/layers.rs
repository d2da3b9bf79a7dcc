//! The rules over `src/`: layers, homes of dependencies, purity, no global state, the shape of files.
//!
//! From texts to complaints, so that the tests at the end can show that each rule complains.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Path, Source};

/// Files and folders of `src/` by rank: a file imports from lower ranks only. Within a folder, and among
/// the files of the program itself (the last rank), siblings import each other one way.
const RANKS: &[(u8, &[&str])] = &[
    (0, &["digest", "platform", "url", "dates", "json", "redact"]),
    (1, &["reference", "oci", "http"]),
    (2, &["error"]),
    (3, &["files"]),
    (4, &["credentials"]),
    (5, &["event", "token"]),
    (6, &["transport"]),
    (7, &["registry"]),
    (8, &["explain", "archive"]),
    (PROGRAM, &["main", "cli", "signal"]),
    // The library's root declares its modules; nothing imports from it.
    (ROOT, &["lib"]),
];
const PURE: u8 = 1;
const LIBRARY: u8 = 8;
const PROGRAM: u8 = 9;
const ROOT: u8 = 10;

/// What may be named in one place only.
const HOMES: &[(&str, &str)] = &[
    ("ureq", "transport"),
    ("rustls", "transport"),
    ("webpki", "transport"),
    ("webpki_roots", "transport"),
    ("lexopt", "cli"),
    ("libc", "signal"),
    ("std::process::Command", "credentials"),
    ("std::env", "main"),
];

/// What pure code never names: files, environment, sockets, clocks, processes, threads.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
    "std::net::ToSocketAddrs",
    "std::os",
    "std::time::SystemTime",
    "std::time::Instant",
    "std::process",
    "std::thread",
];

/// Constants of the target, known when it is compiled.
const ALWAYS_ALLOWED: &str = "std::env::consts";

/// Types that make a `static` global state.
const MUTABLE: &[&str] = &[
    "Cell",
    "LazyCell",
    "LazyLock",
    "Mutex",
    "Once",
    "OnceCell",
    "OnceLock",
    "RefCell",
    "RwLock",
    "UnsafeCell",
];

const MAX_LINES: usize = 500;

/// The rules over `src/`; names of files are relative to it.
pub(super) fn complaints(files: &[(String, String)]) -> Vec<String> {
    let mut complaints = Vec::new();
    let known: BTreeMap<Path, &str> = files
        .iter()
        .map(|(file, _)| (module(file), file.as_str()))
        .filter(|(path, _)| !path.is_empty())
        .collect();
    let mut siblings: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (file, text) in files {
        let Some(rank) = rank(file) else {
            complaints.push(format!("src/{file} is new: give it a rank in RANKS, in {}", file!()));
            continue;
        };
        let source = Source::read(text);
        complaints.extend(shape(file, text));
        complaints.extend(words(file, rank, &source));
        complaints.extend(source.paths.iter().flat_map(|path| foreign(file, rank, path)));
        for path in source.paths.iter().filter_map(|path| absolute(file, &source, path)) {
            match (1..=path.len()).rev().find_map(|length| known.get(&path[..length])) {
                Some(target) if *target == file => {}
                Some(target) if are_siblings(file, target) => {
                    siblings.entry(file).or_default().insert(target);
                }
                target => complaints.extend(import(file, rank, &path, target.copied())),
            }
        }
    }
    complaints.extend(circle(&siblings));
    complaints.sort();
    complaints.dedup();
    complaints
}

/// What is wrong with an import from outside the file and its siblings.
fn import(file: &str, rank: u8, path: &[String], target: Option<&str>) -> Option<String> {
    let Some(target) = target else {
        return Some(format!("src/{file} names crate::{}, which is in no module", path.join("::")));
    };
    // A target without a rank has a complaint of its own.
    let other = self::rank(target).filter(|other| *other >= rank)?;
    Some(format!("src/{file} (rank {rank}) imports from src/{target} (rank {other})"))
}

/// `registry` for `registry/mod.rs` and `registry/client.rs`, `digest` for `digest.rs`.
fn unit(file: &str) -> &str {
    file.split_once('/').map_or(file.trim_end_matches(".rs"), |(folder, _)| folder)
}

fn rank(file: &str) -> Option<u8> {
    RANKS.iter().find(|(_, units)| units.contains(&unit(file))).map(|(rank, _)| *rank)
}

fn are_siblings(one: &str, other: &str) -> bool {
    unit(one) == unit(other) || (rank(one) == Some(PROGRAM) && rank(other) == Some(PROGRAM))
}

/// The path of the module that a file is; empty for the two roots.
fn module(file: &str) -> Path {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if path == "lib" || path == "main" {
        Path::new()
    } else {
        path.split('/').map(str::to_owned).collect()
    }
}

/// A path from the crate's root on, when it leads to a module of regq.
fn absolute(file: &str, source: &Source, path: &[String]) -> Option<Path> {
    let mut here = module(file);
    let first = path.first()?;
    if first == "crate" || first == "regq" {
        return Some(path[1..].to_vec());
    }
    let supers = path.iter().take_while(|segment| *segment == "super").count();
    if supers > 0 {
        here.truncate(here.len().saturating_sub(supers));
        return Some([here.as_slice(), &path[supers..]].concat());
    }
    if first == "self" {
        return Some([here.as_slice(), &path[1..]].concat());
    }
    source.modules.contains(first).then(|| [here.as_slice(), path].concat())
}

/// Lines and the opening words.
fn shape(file: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        complaints.push(format!("src/{file} has {lines} lines, more than {MAX_LINES}"));
    }
    if !text.starts_with("//!") {
        complaints.push(format!("src/{file} does not open with what it is, `//! ...`"));
    }
    complaints
}

/// Words that stand in one file only, or in none.
fn words(file: &str, rank: u8, source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    if unit(file) != "signal" && source.has(&["unsafe"]) {
        found.push("unsafe".to_owned());
    }
    for name in ["print", "println", "eprint", "eprintln", "dbg"] {
        if rank <= LIBRARY && source.has(&[name, "!"]) {
            found.push(format!("{name}!"));
        }
    }
    if source.has(&["thread_local", "!"]) {
        found.push("thread_local!".to_owned());
    }
    found.extend(global_state(&source.tokens));
    found.into_iter().map(|what| format!("src/{file} has {what}")).collect()
}

/// Each `static mut`, and each `static` whose type can change behind a shared reference.
fn global_state(tokens: &[String]) -> Vec<String> {
    let starts = tokens.iter().enumerate().filter(|(_, token)| *token == "static");
    let declaration =
        |(at, _)| tokens[at..].iter().take_while(|token| *token != "=" && *token != ";");
    let is_mutable = |token: &String| {
        token == "mut" || token.starts_with("Atomic") || MUTABLE.contains(&token.as_str())
    };
    let statics = starts.map(|start| declaration(start).cloned().collect::<Vec<_>>());
    statics.filter(|tokens| tokens.iter().any(is_mutable)).map(|tokens| tokens.join(" ")).collect()
}

/// Paths into std and other crates that this file may not name.
fn foreign(file: &str, rank: u8, path: &[String]) -> Vec<String> {
    let written = path.join("::");
    if reaches(&written, ALWAYS_ALLOWED) && !written.ends_with('*') {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for (what, home) in HOMES {
        if reaches(&written, what) && unit(file) != *home {
            complaints.push(format!("src/{file} names {written}; {what} belongs in {home}"));
        }
    }
    if rank <= PURE && IMPURE.iter().any(|what| reaches(&written, what)) {
        complaints.push(format!("src/{file} (rank {rank}) names {written}, and is not pure"));
    }
    for what in ["std::process::exit", "std::process::abort"] {
        if rank <= LIBRARY && reaches(&written, what) {
            complaints.push(format!("src/{file} names {written}, and a library does not exit"));
        }
    }
    complaints
}

/// Whether a path is `what`, leads through it, or is a glob that brings it in.
fn reaches(path: &str, what: &str) -> bool {
    let begins = |path: &str, start: &str| {
        path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    begins(path, what) || path.strip_suffix("::*").is_some_and(|before| begins(what, before))
}

/// The first circle among siblings that import each other.
fn circle(imports: &BTreeMap<&str, BTreeSet<&str>>) -> Option<String> {
    fn walk<'a>(
        imports: &BTreeMap<&'a str, BTreeSet<&'a str>>,
        trail: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
        file: &'a str,
    ) -> Option<String> {
        if let Some(start) = trail.iter().position(|before| *before == file) {
            return Some(format!(
                "src/{} import each other in a circle",
                trail[start..].join(", src/")
            ));
        }
        if !done.contains(file) {
            trail.push(file);
            let found = imports
                .get(file)
                .into_iter()
                .flatten()
                .find_map(|to| walk(imports, trail, done, to));
            if found.is_some() {
                return found;
            }
            trail.pop();
            done.insert(file);
        }
        None
    }
    let mut done = BTreeSet::new();
    imports.keys().find_map(|file| walk(imports, &mut Vec::new(), &mut done, file))
}

// The rules can fail.

/// The complaints about these files, each given its opening words.
fn about(files: &[(&str, &str)]) -> Vec<String> {
    let opened =
        |(file, text): &(&str, &str)| ((*file).to_owned(), format!("//! What it is.\n{text}"));
    complaints(&files.iter().map(opened).collect::<Vec<_>>())
}

const NOTHING: [&str; 0] = [];

#[test]
fn imports_go_down_only() {
    let digest = ("digest.rs", "pub struct Digest;");
    let client = ("registry/client.rs", "pub struct Client;");
    assert_eq!(about(&[digest, ("reference.rs", "use crate::digest::Digest;")]), NOTHING);
    assert_eq!(
        about(&[digest, client, ("cli/mod.rs", "use regq::{digest::Digest, registry::client};")]),
        NOTHING
    );

    let up = "src/digest.rs (rank 0) imports from src/registry/client.rs (rank 7)";
    for text in [
        "use crate::registry::client::Client;",
        "use crate::{registry::{client::{self, Client as C}}};",
        "pub(crate) use super::registry::client::*;",
        "fn f() -> crate::registry::client::Client { todo() }",
        "fn f() { m!(x => crate::registry::client::Client::new()) }",
    ] {
        assert_eq!(about(&[client, ("digest.rs", text)]), [up], "{text}");
    }
    let equal = about(&[digest, ("platform.rs", "use crate::digest;")]);
    assert_eq!(equal, ["src/platform.rs (rank 0) imports from src/digest.rs (rank 0)"]);
    let root =
        about(&[digest, ("lib.rs", "pub mod digest; pub struct X;"), ("oci.rs", "use crate::X;")]);
    assert_eq!(root, ["src/oci.rs names crate::X, which is in no module"]);
}

#[test]
fn siblings_import_one_way_only() {
    let (a, b) = (("cli/a.rs", "use super::b::X;"), ("cli/b.rs", "pub struct X;"));
    assert_eq!(about(&[a, b, ("cli/mod.rs", "mod a; mod b; pub use a::Y;")]), NOTHING);
    let two = about(&[a, ("cli/b.rs", "fn f() { crate::cli::a::g() }")]);
    assert_eq!(two, ["src/cli/a.rs, src/cli/b.rs import each other in a circle"]);
    let parent =
        about(&[("cli/mod.rs", "mod b; fn f() { b::g() }"), ("cli/b.rs", "use super::f;")]);
    assert_eq!(parent, ["src/cli/b.rs, src/cli/mod.rs import each other in a circle"]);
    let program = about(&[
        ("main.rs", "mod cli; mod signal; use cli::f;"),
        ("signal.rs", ""),
        ("cli/mod.rs", "use crate::signal;"),
    ]);
    assert_eq!(program, NOTHING);
    let program = about(&[("signal.rs", "use crate::cli;"), ("cli/mod.rs", "use crate::signal;")]);
    assert_eq!(program.len(), 1, "{program:?}");
}

#[test]
fn pure_files_touch_nothing() {
    for text in [
        "use std::fs;",
        "use std::{io, fs::File};",
        "fn f() { std::env::var(x) }",
        "use std::env; fn f() { env::args() }",
        "use std::net::{IpAddr, TcpStream};",
        "use std::net::*;",
        "use std as s; fn f() { s::thread::spawn(g) }",
        "use ::std::time::Instant as I;",
        "fn f() -> std::time::SystemTime { now() }",
        "use std::process;",
    ] {
        let complaints = about(&[("oci.rs", text)]);
        assert!(
            complaints.iter().any(|complaint| complaint.contains("not pure")),
            "{text}: {complaints:?}"
        );
    }
    let fine = "use std::net::{IpAddr, Ipv6Addr}; use std::time::Duration; const A: &str = std::env::consts::ARCH;
        // std::fs::read
        /* nested /* */ std::fs */ const B: &str = \"std::fs::read \\\" std::fs::x\"; const C: &str = r#\"\" std::fs::x \"#;
        fn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' || g::<'a>(b'\"') }
        #[cfg(test)] mod tests { use std::fs; fn f() { println!(); crate::registry::x() } }";
    assert_eq!(about(&[("oci.rs", fine)]), NOTHING);
    // The scanner finds its way back out of all that.
    assert_eq!(about(&[("oci.rs", &format!("{fine} use std::fs;"))]).len(), 1);
}

#[test]
fn dependencies_and_words_stay_at_home() {
    for (home, text) in [
        ("transport/tls.rs", "use ureq::Agent;"),
        ("transport/tls.rs", "fn f(x: ureq::Error) {}"),
        ("cli/parse.rs", "use lexopt::prelude::*;"),
        ("signal.rs", "use libc as c;"),
        ("signal.rs", "fn f() { unsafe { g() } }"),
        ("credentials/helper.rs", "use std::process::Command;"),
        ("credentials/helper.rs", "use std::process; fn f() { process::Command::new(x) }"),
        ("main.rs", "fn f() { std::env::args_os() }"),
        ("main.rs", "use std::env::*;"),
        ("cli/output.rs", "fn f() { eprintln!(\"x\") }"),
        ("cli/output.rs", "fn f() { std::process::exit(1) }"),
    ] {
        assert_eq!(about(&[(home, text)]), NOTHING, "{text}");
        assert_eq!(about(&[("explain/mod.rs", text)]).len(), 1, "{text}");
    }
}

#[test]
fn there_is_no_global_state() {
    for text in [
        "static mut X: u8 = 0;",
        "pub(crate) static X: AtomicUsize = AtomicUsize::new(0);",
        "static X: std::sync::OnceLock<u8> = std::sync::OnceLock::new();",
        "fn f() { static X: &Mutex<u8> = &Mutex::new(0); }",
        "thread_local! { }",
    ] {
        assert_eq!(about(&[("signal.rs", text)]).len(), 1, "{text}");
    }
    let fine = "static X: &[&str] = &[]; fn f(x: &'static mut Mutex<u8>) {} const Y: Option<&'static Cell<u8>> = None;";
    assert_eq!(about(&[("signal.rs", fine)]), NOTHING);
}

#[test]
fn files_have_a_rank_a_beginning_and_an_end() {
    assert_eq!(
        about(&[("helper.rs", "")]),
        ["src/helper.rs is new: give it a rank in RANKS, in tests/it/tidy/layers.rs"]
    );
    assert_eq!(about(&[("misc/helper.rs", "")]).len(), 1);
    assert_eq!(about(&[("oci.rs", &"\n".repeat(499))]), NOTHING);
    assert_eq!(
        about(&[("oci.rs", &"\n".repeat(500))]),
        ["src/oci.rs has 501 lines, more than 500"]
    );
    let bare = complaints(&[("oci.rs".to_owned(), "// What it is.\n".to_owned())]);
    assert_eq!(bare, ["src/oci.rs does not open with what it is, `//! ...`"]);
}
