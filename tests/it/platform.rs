//! Platforms: parsing, normalization, and selection from an index.

use arbtest::arbtest;
use regq::platform::{Platform, PlatformErrorKind};

use crate::properties_reference::platform_never_panics;

fn platform(text: &str) -> Platform {
    Platform::parse(text).unwrap()
}

#[test]
fn platforms_are_normalized() {
    for (text, normalized) in [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/x86-64", "linux/amd64"),
        ("LINUX/X86_64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/1", "linux/amd64"),
        ("linux/amd64/v1.0", "linux/amd64"),
        ("linux/x86_64/V3", "linux/amd64/v3"),
        ("linux/amd64/2", "linux/amd64/v2"),
        ("linux/arm64", "linux/arm64/v8"),
        ("linux/aarch64", "linux/arm64/v8"),
        ("linux/arm64/v8", "linux/arm64/v8"),
        ("linux/arm64/8", "linux/arm64/v8"),
        ("linux/arm64/v8.0", "linux/arm64/v8"),
        ("linux/arm64/v8.2", "linux/arm64/v8.2"),
        ("linux/arm64/v8.0.0", "linux/arm64/v8.0.0"),
        ("linux/aarch64/v9", "linux/arm64/v9"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/armel/v5", "linux/arm/v5"),
        ("linux/armhf/v6", "linux/arm/v6"),
        ("linux/arm/7", "linux/arm/v7"),
        ("linux/arm/v5", "linux/arm/v5"),
        ("linux/i386", "linux/386"),
        ("linux/i486", "linux/386"),
        ("linux/i586", "linux/386"),
        ("linux/i686", "linux/386"),
        ("linux/x86", "linux/386"),
        ("linux/ppc64el", "linux/ppc64le"),
        ("linux/ppc64le", "linux/ppc64le"),
        ("linux/ppc64", "linux/ppc64"),
        ("linux/s390x", "linux/s390x"),
        ("linux/riscv64", "linux/riscv64"),
        ("macos/aarch64", "darwin/arm64/v8"),
        ("Darwin/amd64", "darwin/amd64"),
        ("windows/amd64", "windows/amd64"),
        ("unknown/unknown", "unknown/unknown"),
        ("linux/mips64le/7", "linux/mips64le/7"),
    ] {
        assert_eq!(platform(text).to_string(), normalized, "{text}");
    }
}

#[test]
fn fields_from_a_registry_are_normalized_but_not_validated() {
    let odd = Platform::new("Li nux", "\u{202e}AMD64", Some("A/B"));
    assert_eq!(
        (odd.os(), odd.architecture(), odd.variant()),
        ("li nux", "\u{202e}amd64", Some("a/b"))
    );
    let empty = Platform::new("", "", Some(""));
    assert_eq!((empty.os(), empty.architecture(), empty.variant()), ("", "", None));
    assert_eq!(Platform::new("linux", "aarch64", None), platform("linux/arm64/v8"));
    assert_eq!(Platform::new("linux", "arm", Some("")), platform("linux/armhf"));
}

#[test]
fn errors_have_a_position_and_a_kind() {
    for (text, at, kind) in [
        ("", 0, PlatformErrorKind::EmptyPart),
        ("/", 0, PlatformErrorKind::EmptyPart),
        ("linux", 5, PlatformErrorKind::NoArchitecture),
        ("arm64", 5, PlatformErrorKind::NoArchitecture),
        ("linux/", 6, PlatformErrorKind::EmptyPart),
        ("/amd64", 0, PlatformErrorKind::EmptyPart),
        ("linux//v7", 6, PlatformErrorKind::EmptyPart),
        ("linux/arm/", 10, PlatformErrorKind::EmptyPart),
        ("linux/arm/v7/", 12, PlatformErrorKind::TooManyParts),
        ("linux/arm/v7/x", 12, PlatformErrorKind::TooManyParts),
        ("linux/arm v7", 9, PlatformErrorKind::Character),
        ("linux amd64", 5, PlatformErrorKind::Character),
        (" linux/amd64", 0, PlatformErrorKind::Character),
        ("linux/amd64:10.0", 11, PlatformErrorKind::Character),
        ("linux,amd64", 5, PlatformErrorKind::Character),
        ("linüx/amd64", 3, PlatformErrorKind::Character),
        ("linux/amd64\n", 11, PlatformErrorKind::Character),
    ] {
        let error = Platform::parse(text).unwrap_err();
        assert_eq!((error.at(), error.kind()), (at, kind), "{text:?}");
        assert_eq!(error.to_string(), format!("{text:?}: byte {at}: {kind}"));
    }
}

/// The wanted platform, the entries of an index in order, and the position of the selected one.
const SELECTIONS: &[(&str, &[&str], Option<usize>)] = &[
    // Operating system and architecture must be equal.
    ("linux/amd64", &[], None),
    ("linux/amd64", &["linux/amd64"], Some(0)),
    ("linux/amd64", &["windows/amd64", "linux/386", "linux/arm64"], None),
    ("linux/amd64", &["windows/amd64", "linux/amd64"], Some(1)),
    ("linux/386", &["linux/amd64"], None),
    ("linux/arm64", &["linux/arm/v7"], None),
    ("linux/arm/v8", &["linux/arm64"], None),
    ("darwin/arm64", &["macos/aarch64"], Some(0)),
    // The first of equal entries.
    ("linux/amd64", &["linux/arm64", "linux/amd64", "linux/x86_64"], Some(1)),
    ("windows/amd64", &["windows/amd64", "windows/amd64"], Some(0)),
    ("linux/amd64/v3", &["linux/amd64/v2", "linux/amd64/v2"], Some(0)),
    // The same variant first, then the newest older one.
    ("linux/arm/v7", &["linux/arm/v5", "linux/arm/v7", "linux/arm/v6"], Some(1)),
    ("linux/arm/v7", &["linux/arm/v5", "linux/arm/v6"], Some(1)),
    ("linux/arm/v7", &["linux/arm/v6", "linux/arm/v5"], Some(0)),
    ("linux/arm/v7", &["linux/arm/v8"], None),
    ("linux/arm/v7", &["linux/arm"], Some(0)),
    ("linux/arm", &["linux/arm/v6", "linux/arm/v7"], Some(1)),
    ("linux/arm/v6", &["linux/arm/v7"], None),
    ("linux/arm/v6", &["linux/arm/v7", "linux/arm/v5"], Some(1)),
    ("linux/arm/v6", &["linux/arm"], None),
    ("linux/arm/v5", &["linux/arm/v6", "linux/arm/v7"], None),
    ("linux/arm/v8", &["linux/arm/v6", "linux/arm/v7", "linux/arm/v5"], Some(1)),
    ("linux/armhf", &["linux/arm/v6", "linux/arm/7"], Some(1)),
    ("linux/arm/v7", &["linux/arm/vfp", "linux/arm/v5"], Some(1)),
    ("linux/arm/vfp", &["linux/arm/v5", "linux/arm/vfp"], Some(1)),
    ("linux/arm/vfp", &["linux/arm/v5"], None),
    // amd64 without a variant is v1 and runs no later one.
    ("linux/amd64", &["linux/amd64/v2"], None),
    ("linux/amd64", &["linux/amd64/v3", "linux/amd64/v2", "linux/amd64/v1"], Some(2)),
    ("linux/amd64/v1", &["linux/amd64/v2", "linux/amd64"], Some(1)),
    (
        "linux/amd64/v3",
        &["linux/amd64", "linux/amd64/v2", "linux/amd64/v3", "linux/amd64/v4"],
        Some(2),
    ),
    ("linux/amd64/v3", &["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], Some(1)),
    ("linux/amd64/v3", &["linux/amd64/v4", "linux/amd64"], Some(1)),
    ("linux/amd64/v3", &["linux/amd64/v1", "linux/amd64"], Some(0)),
    ("linux/amd64/v10", &["linux/amd64/v9", "linux/amd64/v2"], Some(0)),
    ("linux/amd64/v2", &["linux/amd64/v10"], None),
    ("linux/amd64/fast", &["linux/amd64/v2", "linux/amd64"], Some(1)),
    ("linux/amd64", &["linux/amd64/fast"], None),
    // arm64 is arm64/v8. v9 runs it, and v9.N runs v8.(N+5).
    ("linux/arm64", &["linux/arm64/v8"], Some(0)),
    ("linux/arm64/v8", &["linux/arm64"], Some(0)),
    ("linux/arm64", &["linux/arm64/v9"], None),
    ("linux/arm64", &["linux/arm64/v8.1"], None),
    ("linux/arm64/v9", &["linux/arm64"], Some(0)),
    ("linux/arm64/v9", &["linux/arm64/v8", "linux/arm64/v9"], Some(1)),
    ("linux/arm64/v9", &["linux/arm64/v8", "linux/arm64/v8.5", "linux/arm64/v8.6"], Some(1)),
    ("linux/arm64/v9.1", &["linux/arm64/v8.5", "linux/arm64/v8.6", "linux/arm64/v9.0"], Some(2)),
    ("linux/arm64/v9.1", &["linux/arm64/v9.2", "linux/arm64/v8.7", "linux/arm64/v8.6"], Some(2)),
    ("linux/arm64/v8.2", &["linux/arm64", "linux/arm64/v8.1", "linux/arm64/v8.3"], Some(1)),
    // Variants without an order: the same one, otherwise the entry without a variant.
    ("linux/386", &["linux/386/sse2"], None),
    ("linux/386/sse2", &["linux/386", "linux/386/sse2"], Some(1)),
    ("linux/386/sse2", &["linux/386/mmx", "linux/386"], Some(1)),
    ("linux/ppc64le/power9", &["linux/ppc64le/power8", "linux/ppc64le"], Some(1)),
    ("linux/riscv64", &["linux/riscv64/rva23u64", "linux/riscv64"], Some(1)),
    ("linux/mips/v2", &["linux/mips/v1"], None),
    // Attestations are for unknown/unknown, which never matches.
    ("linux/amd64", &["unknown/unknown", "linux/amd64"], Some(1)),
    ("unknown/unknown", &["unknown/unknown"], None),
    ("linux/unknown", &["unknown/unknown"], None),
];

#[test]
fn the_best_matching_entry_is_selected() {
    for (wanted, entries, selected) in SELECTIONS {
        let wanted = platform(wanted);
        let entries: Vec<Platform> = entries.iter().map(|entry| platform(entry)).collect();
        assert_eq!(wanted.select(entries.iter().enumerate()), *selected, "{wanted} of {entries:?}");
        let runs_any = entries.iter().any(|entry| wanted.runs(entry));
        assert_eq!(runs_any, selected.is_some(), "{wanted} of {entries:?}");
    }
}

#[test]
fn unknown_names_match_nothing() {
    let wanted = platform("linux/amd64");
    let entries = [
        Platform::new("", "", None),
        Platform::new("linux", "", None),
        Platform::new("", "amd64", None),
        Platform::new("linux ", "amd64", None),
        Platform::new("linux", "amd64", Some("v1 ")),
        Platform::new("linux", "amd64", Some("v+1")),
        Platform::new("linux", "amd64", Some("v99999999999")),
    ];
    for entry in &entries {
        assert!(!wanted.runs(entry), "{entry}");
    }
}

#[test]
fn the_local_platform_runs_itself() {
    let local = Platform::local();
    assert!(local.runs(&local));
    assert_eq!(platform(&local.to_string()), local);
    let known = Platform::new(std::env::consts::OS, local.architecture(), None);
    assert!(local.runs(&known));
}

#[test]
fn any_text_parses_without_a_panic() {
    arbtest(|u| {
        platform_never_panics(u.arbitrary::<&str>()?);
        let mut text = String::new();
        for _ in 0..u.int_in_range(0..=8)? {
            let parts = [
                "linux", "/", "/", "ARM", "arm64", "amd64", "unknown", "v", "8", "9", ".0", ".",
                "é",
            ];
            text.push_str(u.choose(&parts)?);
        }
        platform_never_panics(&text);
        Ok(())
    });
}
