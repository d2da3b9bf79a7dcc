//! Checks the repository itself: layers, test modules, dependencies, changelog, language.
//!
//! Each rule is a function of texts, so that it can be tested.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path as FilePath;
use std::process::Command;

use self::source::Source;

mod language;
mod layers;
mod source;

/// The chosen dependencies, each with the packages that it depends on. Other packages in Cargo.toml are among those, at the
/// same version.
const PACKAGES: &[(&str, &[&str])] = &[
    (
        "ureq",
        &[
            "base64",
            "bytes",
            "cfg-if",
            "getrandom",
            "http",
            "httparse",
            "itoa",
            "libc",
            "log",
            "once_cell",
            "percent-encoding",
            "ring",
            "rustls",
            "rustls-pki-types",
            "rustls-webpki",
            "subtle",
            "untrusted",
            "ureq-proto",
            "utf8-zero",
            "webpki-roots",
            "zeroize",
        ],
    ),
    ("serde", &["proc-macro2", "quote", "serde_core", "serde_derive", "syn", "unicode-ident"]),
    ("serde_json", &["itoa", "memchr", "serde_core", "zmij"]),
    ("lexopt", &[]),
];

/// Returns the files in `tests/it/` that no module declares. They would never be compiled.
fn undeclared(files: &[(String, String)]) -> Vec<String> {
    let declared = |parent: &str, name: &str| {
        files.iter().any(|(file, text)| file == parent && Source::read(text).modules.contains(name))
    };
    let is_orphan = |file: &str| {
        let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
        match path.rsplit_once('/') {
            None => path != "main" && !declared("main.rs", path),
            Some((folder, name)) => {
                !declared(&format!("{folder}.rs"), name)
                    && !declared(&format!("{folder}/mod.rs"), name)
            }
        }
    };
    files.iter().map(|(file, _)| file).filter(|file| is_orphan(file)).cloned().collect()
}

/// Returns the packages that a lock file contains in two versions.
fn duplicates(lock: &str) -> BTreeSet<&str> {
    let mut names_so_far = BTreeSet::new();
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    names.filter(|name| !names_so_far.insert(*name)).collect()
}

/// Whether a changelog has one heading `## 1.2.3`, with or without brackets and date, or `## Unreleased`.
fn changelog_is_current(changelog: &str, version: &str) -> bool {
    let headings = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    let names: Vec<&str> = headings
        .filter_map(|heading| heading.split([' ', '[', ']']).find(|word| !word.is_empty()))
        .collect();
    names.contains(&"Unreleased") || names.iter().filter(|name| **name == version).count() == 1
}

// The repository.

fn root() -> &'static FilePath {
    FilePath::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns all `.rs` files in a folder, with names relative to it.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    fn visit(folder: &FilePath, top: &FilePath, files: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, top, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let segments =
                    path.strip_prefix(top).unwrap().iter().map(|name| name.to_str().unwrap());
                files.push((
                    segments.collect::<Vec<_>>().join("/"),
                    fs::read_to_string(&path).unwrap(),
                ));
            }
        }
    }
    let (top, mut files) = (root().join(folder), Vec::new());
    visit(&top, &top, &mut files);
    assert!(files.len() > 1, "{folder}: {} files", files.len());
    files.sort();
    files
}

#[test]
fn sources_follow_the_layers() {
    let complaints = layers::complaints(&rust_files("src"));
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn documented_layers_are_the_checked_ones() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let differences = layers::table_differences(&lib, &rust_files("src"));
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

/// Returns all sources, tests and pages that people read, apart from the rules about language.
fn prose() -> Vec<(String, String)> {
    let sources = ["src", "tests"].into_iter().flat_map(|folder| {
        let files = rust_files(folder).into_iter();
        files.map(move |(file, text)| (format!("{folder}/{file}"), text))
    });
    let pages = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let names = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile"];
    let pages = pages.chain(names.map(|name| root().join(name)));
    let pages = pages.map(|path| {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        (name, fs::read_to_string(&path).unwrap())
    });
    sources.chain(pages).filter(|(file, _)| file != "tests/it/tidy/language.rs").collect()
}

/// `cargo test --test it -- tidy::prose --nocapture` prints the counts.
#[test]
#[expect(clippy::print_stdout, reason = "shows the counts to whoever adjusts the limits")]
fn prose_avoids_phrases_that_are_hard_to_read() {
    let prose = prose();
    for (phrase, count, files) in language::counts(&prose) {
        println!("{count:>4}  {phrase:?}  {}", files.join(", "));
    }
    let complaints = language::complaints(&prose);
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// Returns the names in backticks in the last cells of a table.
fn named_in_last_cells(text: &str) -> Vec<&str> {
    let rows = text.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    let cells = rows.filter_map(|row| row.rsplit('|').next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn tests_that_security_names_exist() {
    let security = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let named = named_in_last_cells(&security);
    let tests: Vec<_> =
        ["src", "tests"].into_iter().flat_map(rust_files).map(|(_, text)| text).collect();
    let exists = |name: &str| match name.strip_prefix("tests/") {
        Some(_) => root().join(name).exists(),
        // A command, not the name of a test.
        None if name.contains(' ') => true,
        None => tests.iter().any(|text| text.contains(&format!("fn {name}()"))),
    };
    let missing: Vec<_> = named.iter().filter(|name| !exists(name)).collect();
    assert!(named.len() > 25, "{named:?}");
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_test_file_is_compiled() {
    let orphans = undeclared(&rust_files("tests/it"));
    assert!(orphans.is_empty(), "no `mod` declares {orphans:?} in tests/it");
}

#[test]
fn cargo_lock_has_one_version_of_each_package() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    assert!(lock.contains("name = \"ureq\""));
    assert_eq!(duplicates(&lock), BTreeSet::new());
}

/// For the target of the released program, so that the result is the same on every machine.
#[test]
fn program_has_only_the_packages_of_its_four_dependencies() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let arguments =
        "tree -e normal --prefix none --offline --locked --target x86_64-unknown-linux-musl";
    let output =
        Command::new(cargo).current_dir(root()).args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let found: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    let expected: BTreeSet<&str> = PACKAGES
        .iter()
        .flat_map(|(direct, brought)| std::iter::once(*direct).chain(brought.iter().copied()))
        .chain(["regq"])
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn changelog_has_this_version() {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        changelog_is_current(&changelog, version),
        "CHANGELOG.md: expected one heading `## {version}`"
    );
}

// Tests of the rules.

const NOTHING: [&str; 0] = [];

#[test]
fn test_file_without_a_mod_is_found() {
    let files = |files: &[(&str, &str)]| -> Vec<(String, String)> {
        files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect()
    };
    let main = ("main.rs", "mod a; mod b; // mod c;");
    let (a, inner) = (("a.rs", "mod inner;"), ("a/inner.rs", ""));
    assert_eq!(
        undeclared(&files(&[main, a, inner, ("b/mod.rs", "mod x;"), ("b/x.rs", "")])),
        NOTHING
    );
    assert_eq!(undeclared(&files(&[main, ("c.rs", "")])), ["c.rs"]);
    assert_eq!(undeclared(&files(&[main, ("c/mod.rs", "")])), ["c/mod.rs"]);
    assert_eq!(undeclared(&files(&[main, a, inner, ("a/other.rs", "")])), ["a/other.rs"]);
}

#[test]
fn package_in_two_versions_is_found() {
    let lock = "[[package]]\nname = \"a\"\nversion = \"1\"\n[[package]]\nname = \"b\"\n[[package]]\nname = \"a\"\n";
    assert_eq!(duplicates(lock), BTreeSet::from(["a"]));
}

#[test]
fn changelog_without_the_version_is_found() {
    for fine in [
        "## 1.2.0\n",
        "# Changes\n\n## [1.2.0] - 2026-01-01\n## 1.1.0\n",
        "## Unreleased\n",
        "## [Unreleased]\n",
    ] {
        assert!(changelog_is_current(fine, "1.2.0"), "{fine}");
    }
    for bad in ["", "1.2.0", "## 1.2.0-rc\n", "## 1.2\n", "## 1.2.0\n## 1.2.0\n", "### 1.2.0\n"] {
        assert!(!changelog_is_current(bad, "1.2.0"), "{bad}");
    }
}
