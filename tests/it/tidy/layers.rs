//! Rules for the files in `src/`: layers, where dependencies may be used, purity, no global state, length and header.
//!
//! The rules take texts and return complaints, so that the tests at the end can check each of them.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Path, Source};

/// Files and folders of `src/` by rank. A file imports only from lower ranks. Within a folder, and within the program
/// (the last rank), siblings may import each other, but not in a cycle. `src/lib.rs` documents the same table.
const RANKS: &[(u8, &[&str])] = &[
    (0, &["digest", "platform", "lock", "url", "dates", "decimal", "json", "redact"]),
    (1, &["reference", "oci", "http"]),
    (2, &["error"]),
    (3, &["files"]),
    (4, &["credentials"]),
    (5, &["event", "token"]),
    (6, &["transport"]),
    (7, &["registry"]),
    (8, &["explain", "archive"]),
    (PROGRAM, &["main", "cli", "signal", "bug"]),
    // Declares the library's modules; nothing imports from it.
    (ROOT, &["lib"]),
];
/// Helpers of rank 0 that the other files of rank 0 may import. They import no module of regq themselves.
const HELPERS: &[&str] = &["decimal"];
const PURE: u8 = 1;
const LIBRARY: u8 = 8;
const PROGRAM: u8 = 9;
const ROOT: u8 = 10;

/// Paths that only one file or folder may use.
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

/// Paths that pure code must not use: files, environment, sockets, clocks, processes, threads.
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

/// Constants of the target, known at compile time.
const ALWAYS_ALLOWED: &str = "std::env::consts";

/// Types that make a `static` mutable.
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

/// Returns the complaints about these files. Their names are relative to `src/`.
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
            complaints.push(format!("src/{file} has no rank: add it to RANKS in {}", file!()));
            continue;
        };
        let source = Source::read(text);
        complaints.extend(shape(file, text));
        if !is_test(file) {
            complaints.extend(forbidden_words(file, rank, &source));
            complaints
                .extend(source.paths.iter().flat_map(|path| forbidden_paths(file, rank, path)));
        }
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
    complaints.extend(cycle(&siblings));
    complaints.sort();
    complaints.dedup();
    complaints
}

/// Whether a file holds tests only, which may use what product code may not.
fn is_test(file: &str) -> bool {
    file.trim_end_matches(".rs").split('/').any(|segment| segment == "tests")
}

/// Returns the differences between RANKS and the table in the documentation of `lib.rs`. The table may omit units that do
/// not exist yet.
pub(super) fn table_differences(lib: &str, files: &[(String, String)]) -> Vec<String> {
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! | ")?.split_once(" | "));
    let rows = rows.filter_map(|(rank, rest)| Some((rank.parse::<u8>().ok()?, rest)));
    let mut documented = BTreeMap::new();
    for (rank, rest) in rows {
        let (names, _) = rest.split_once(" | ").unwrap_or((rest, ""));
        for name in names.split('`').skip(1).step_by(2) {
            documented.insert(name.trim_end_matches(".rs").trim_end_matches('/'), rank);
        }
    }
    let ranks: BTreeMap<&str, u8> =
        RANKS.iter().flat_map(|(rank, units)| units.iter().map(|unit| (*unit, *rank))).collect();
    let existing: BTreeSet<&str> = files.iter().map(|(file, _)| unit(file)).collect();
    let missing = existing.iter().filter(|unit| **unit != "lib" && !documented.contains_key(*unit));
    let missing = missing.map(|unit| format!("src/lib.rs does not document {unit}"));
    let differing = documented.iter().filter(|(unit, rank)| ranks.get(*unit) != Some(*rank));
    let differing = differing.map(|(unit, rank)| {
        format!("src/lib.rs has {unit} at rank {rank}, RANKS at {:?}", ranks.get(unit))
    });
    missing.chain(differing).collect()
}

/// Returns the complaint about an import from a file that is not a sibling.
fn import(file: &str, rank: u8, path: &[String], target: Option<&str>) -> Option<String> {
    let Some(target) = target else {
        return Some(format!(
            "src/{file} uses crate::{}, which is not in a module",
            path.join("::")
        ));
    };
    if HELPERS.contains(&unit(target)) {
        return None;
    }
    // A target without a rank is reported when it is read.
    let other = self::rank(target).filter(|other| *other >= rank)?;
    Some(format!("src/{file} (rank {rank}) imports from src/{target} (rank {other})"))
}

/// The unit with a rank: `registry` for `registry/mod.rs` and `registry/client.rs`, `digest` for `digest.rs`.
fn unit(file: &str) -> &str {
    file.split_once('/').map_or(file.trim_end_matches(".rs"), |(folder, _)| folder)
}

fn rank(file: &str) -> Option<u8> {
    RANKS.iter().find(|(_, units)| units.contains(&unit(file))).map(|(rank, _)| *rank)
}

fn are_siblings(one: &str, other: &str) -> bool {
    unit(one) == unit(other) || (rank(one) == Some(PROGRAM) && rank(other) == Some(PROGRAM))
}

/// The module path of a file; empty for the two crate roots.
fn module(file: &str) -> Path {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if path == "lib" || path == "main" {
        Path::new()
    } else {
        path.split('/').map(str::to_owned).collect()
    }
}

/// The path relative to the crate root; `None` if it does not lead to a module of regq.
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

/// Checks the length and the header of a file.
fn shape(file: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        complaints.push(format!("src/{file} has {lines} lines, more than {MAX_LINES}"));
    }
    if !text.starts_with("//!") {
        complaints.push(format!("src/{file} has no header comment (`//! ...`)"));
    }
    complaints
}

/// Checks keywords and macros that are allowed in one file only, or in none.
fn forbidden_words(file: &str, rank: u8, source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    if unit(file) != "signal" && source.has(&["unsafe"]) {
        found.push("unsafe".to_owned());
    }
    for name in ["print", "println", "eprint", "eprintln", "dbg"] {
        if rank <= LIBRARY && source.has(&[name, "!"]) {
            found.push(format!("{name}!"));
        }
    }
    if source.paths.iter().any(|path| path.join("::") == "std::thread::spawn") {
        // Panics if the thread cannot be started; `std::thread::Builder::spawn` returns an error.
        found.push("std::thread::spawn".to_owned());
    }
    if source.has(&["thread_local", "!"]) {
        found.push("thread_local!".to_owned());
    }
    found.extend(global_state(&source.tokens));
    found.into_iter().map(|what| format!("src/{file} contains {what}")).collect()
}

/// Returns each `static mut`, and each `static` with interior mutability.
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

/// Checks the paths into std and other crates.
fn forbidden_paths(file: &str, rank: u8, path: &[String]) -> Vec<String> {
    let written = path.join("::");
    if reaches(&written, ALWAYS_ALLOWED) && !written.ends_with('*') {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for (what, home) in HOMES {
        if reaches(&written, what) && unit(file) != *home {
            complaints.push(format!("src/{file} uses {written}; only {home} may use {what}"));
        }
    }
    if rank <= PURE && IMPURE.iter().any(|what| reaches(&written, what)) {
        complaints.push(format!("src/{file} (rank {rank}) uses {written}, but must be pure"));
    }
    for what in ["std::process::exit", "std::process::abort"] {
        if rank <= LIBRARY && reaches(&written, what) {
            complaints.push(format!("src/{file} uses {written}, but a library must not exit"));
        }
    }
    complaints
}

/// Whether a path is `what`, leads through it, or is a glob that imports it.
fn reaches(path: &str, what: &str) -> bool {
    let begins = |path: &str, start: &str| {
        path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    begins(path, what) || path.strip_suffix("::*").is_some_and(|before| begins(what, before))
}

/// Returns the first cycle of imports among siblings.
fn cycle(imports: &BTreeMap<&str, BTreeSet<&str>>) -> Option<String> {
    fn visit<'a>(
        imports: &BTreeMap<&'a str, BTreeSet<&'a str>>,
        trail: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
        file: &'a str,
    ) -> Option<String> {
        if let Some(start) = trail.iter().position(|before| *before == file) {
            return Some(format!(
                "src/{} import each other in a cycle",
                trail[start..].join(", src/")
            ));
        }
        if !done.contains(file) {
            trail.push(file);
            let found = imports
                .get(file)
                .into_iter()
                .flatten()
                .find_map(|to| visit(imports, trail, done, to));
            if found.is_some() {
                return found;
            }
            trail.pop();
            done.insert(file);
        }
        None
    }
    let mut done = BTreeSet::new();
    imports.keys().find_map(|file| visit(imports, &mut Vec::new(), &mut done, file))
}

// Tests of the rules.

/// Returns the complaints about these files, each with a header added.
fn complaints_about(files: &[(&str, &str)]) -> Vec<String> {
    let opened = |(file, text): &(&str, &str)| ((*file).to_owned(), format!("//! Header.\n{text}"));
    complaints(&files.iter().map(opened).collect::<Vec<_>>())
}

const NOTHING: [&str; 0] = [];

#[test]
fn imports_from_equal_or_higher_ranks_are_found() {
    let digest = ("digest.rs", "pub struct Digest;");
    let client = ("registry/client.rs", "pub struct Client;");
    assert_eq!(
        complaints_about(&[digest, ("reference.rs", "use crate::digest::Digest;")]),
        NOTHING
    );
    assert_eq!(
        complaints_about(&[
            digest,
            client,
            ("cli/mod.rs", "use regq::{digest::Digest, registry::client};")
        ]),
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
        assert_eq!(complaints_about(&[client, ("digest.rs", text)]), [up], "{text}");
    }
    let helper = ("decimal.rs", "pub fn parse() {}");
    assert_eq!(complaints_about(&[helper, ("url.rs", "use crate::decimal;")]), NOTHING);
    let helper = complaints_about(&[digest, ("decimal.rs", "use crate::digest;")]);
    assert_eq!(helper, ["src/decimal.rs (rank 0) imports from src/digest.rs (rank 0)"]);
    let equal = complaints_about(&[digest, ("platform.rs", "use crate::digest;")]);
    assert_eq!(equal, ["src/platform.rs (rank 0) imports from src/digest.rs (rank 0)"]);
    let root = complaints_about(&[
        digest,
        ("lib.rs", "pub mod digest; pub struct X;"),
        ("oci.rs", "use crate::X;"),
    ]);
    assert_eq!(root, ["src/oci.rs uses crate::X, which is not in a module"]);
}

#[test]
fn cycles_among_siblings_are_found() {
    let (a, b) = (("cli/a.rs", "use super::b::X;"), ("cli/b.rs", "pub struct X;"));
    assert_eq!(complaints_about(&[a, b, ("cli/mod.rs", "mod a; mod b; pub use a::Y;")]), NOTHING);
    let two = complaints_about(&[a, ("cli/b.rs", "fn f() { crate::cli::a::g() }")]);
    assert_eq!(two, ["src/cli/a.rs, src/cli/b.rs import each other in a cycle"]);
    let parent = complaints_about(&[
        ("cli/mod.rs", "mod b; fn f() { b::g() }"),
        ("cli/b.rs", "use super::f;"),
    ]);
    assert_eq!(parent, ["src/cli/b.rs, src/cli/mod.rs import each other in a cycle"]);
    let program = complaints_about(&[
        ("main.rs", "mod cli; mod signal; use cli::f;"),
        ("signal.rs", ""),
        ("cli/mod.rs", "use crate::signal;"),
    ]);
    assert_eq!(program, NOTHING);
    let program =
        complaints_about(&[("signal.rs", "use crate::cli;"), ("cli/mod.rs", "use crate::signal;")]);
    assert_eq!(program.len(), 1, "{program:?}");
}

#[test]
fn impure_paths_in_pure_files_are_found() {
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
        let complaints = complaints_about(&[("oci.rs", text)]);
        assert!(
            complaints.iter().any(|complaint| complaint.contains("must be pure")),
            "{text}: {complaints:?}"
        );
    }
    let fine = "use std::net::{IpAddr, Ipv6Addr}; use std::time::Duration; const A: &str = std::env::consts::ARCH;
        // std::fs::read
        /* nested /* */ std::fs */ const B: &str = \"std::fs::read \\\" std::fs::x\"; const C: &str = r#\"\" std::fs::x \"#;
        fn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' || g::<'a>(b'\"') }
        #[cfg(test)] mod tests { use std::fs; fn f() { println!(); crate::registry::x() } }";
    assert_eq!(complaints_about(&[("oci.rs", fine)]), NOTHING);
    // The scanner continues correctly after all of these.
    assert_eq!(complaints_about(&[("oci.rs", &format!("{fine} use std::fs;"))]).len(), 1);
}

#[test]
fn paths_outside_their_home_are_found() {
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
        assert_eq!(complaints_about(&[(home, text)]), NOTHING, "{text}");
        assert_eq!(complaints_about(&[("explain/mod.rs", text)]).len(), 1, "{text}");
    }
}

#[test]
fn threads_that_are_not_spawned_by_builders_are_found() {
    for text in [
        "fn f() { std::thread::spawn(g) }",
        "use std::thread; fn f() { thread::spawn(g) }",
        "use std::thread::spawn; fn f() { spawn(g) }",
        "use std::thread as t; fn f() { t::spawn(g) }",
    ] {
        assert_eq!(
            complaints_about(&[("signal.rs", text)]),
            ["src/signal.rs contains std::thread::spawn"],
            "{text}"
        );
    }
    let fine = "use std::thread; fn f() { thread::Builder::new().spawn(g); thread::sleep(d) }
        #[cfg(test)] mod tests { fn f() { std::thread::spawn(g) } }";
    assert_eq!(complaints_about(&[("signal.rs", fine)]), NOTHING);
}

#[test]
fn global_state_is_found() {
    for text in [
        "static mut X: u8 = 0;",
        "pub(crate) static X: AtomicUsize = AtomicUsize::new(0);",
        "static X: std::sync::OnceLock<u8> = std::sync::OnceLock::new();",
        "fn f() { static X: &Mutex<u8> = &Mutex::new(0); }",
        "thread_local! { }",
    ] {
        assert_eq!(complaints_about(&[("signal.rs", text)]).len(), 1, "{text}");
    }
    let fine = "static X: &[&str] = &[]; fn f(x: &'static mut Mutex<u8>) {} const Y: Option<&'static Cell<u8>> = None;";
    assert_eq!(complaints_about(&[("signal.rs", fine)]), NOTHING);
}

#[test]
fn a_table_that_differs_from_the_ranks_is_found() {
    let files =
        [("digest.rs".to_owned(), String::new()), ("error/mod.rs".to_owned(), String::new())];
    let table =
        "//! | 0 | [`digest`], `json` | values |\n//! | 2 | [`error`](mod@error) | errors |\n";
    assert_eq!(table_differences(table, &files), NOTHING);
    assert_eq!(
        table_differences("//! | 1 | [`digest`] | values |\n", &files),
        ["src/lib.rs does not document error", "src/lib.rs has digest at rank 1, RANKS at Some(0)"]
    );
}

#[test]
fn test_modules_may_use_what_they_need() {
    assert_eq!(complaints_about(&[("cli/tests/readme.rs", "use std::env; use std::fs;")]), NOTHING);
}

#[test]
fn files_without_rank_or_header_and_long_files_are_found() {
    assert_eq!(
        complaints_about(&[("helper.rs", "")]),
        ["src/helper.rs has no rank: add it to RANKS in tests/it/tidy/layers.rs"]
    );
    assert_eq!(complaints_about(&[("misc/helper.rs", "")]).len(), 1);
    assert_eq!(complaints_about(&[("oci.rs", &"\n".repeat(499))]), NOTHING);
    assert_eq!(
        complaints_about(&[("oci.rs", &"\n".repeat(500))]),
        ["src/oci.rs has 501 lines, more than 500"]
    );
    let bare = complaints(&[("oci.rs".to_owned(), "// Not a header.\n".to_owned())]);
    assert_eq!(bare, ["src/oci.rs has no header comment (`//! ...`)"]);
}
