//! References: vectors, errors, ambiguous names, and a comparison with a second implementation of the grammar.

use std::collections::BTreeSet;

use arbtest::arbitrary::{self, Unstructured};
use arbtest::arbtest;
use regq::digest::{Algorithm, Digest};
use regq::reference::{Ambiguity, Reference, ReferenceErrorKind, Registry, Repository, Tag};

use crate::properties_reference::reference_never_panics;

/// The rows of a tab-separated table, without its header.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table.lines().skip(1).map(|line| line.split('\t').collect())
}

fn reference(text: &str) -> Reference {
    Reference::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn vectors_parse_as_expected() {
    let mut count = 0;
    for row in rows(include_str!("../vectors/references.tsv")) {
        let [id, input, expect, registry, repository, tag, digest, api_host, ..] = row[..] else {
            panic!("{row:?}")
        };
        let input: String = serde_json::from_str(input).unwrap();
        count += 1;
        match (expect, Reference::parse(&input)) {
            ("error", Err(_)) => {}
            ("ok", Ok(read)) => {
                let port = read.registry().port().map_or(String::new(), |port| format!(":{port}"));
                assert_eq!(read.registry().name(), registry, "{id}");
                assert_eq!(read.repository().path(), repository, "{id}");
                assert_eq!(read.tag().map_or("", Tag::as_str), tag, "{id}");
                assert_eq!(read.digest().map_or(String::new(), Digest::to_string), digest, "{id}");
                assert_eq!(format!("{}{port}", read.registry().api_host()), api_host, "{id}");
                assert_eq!(reference(&read.to_string()), read, "{id}");
            }
            (expect, read) => panic!("row {id}: {input:?} expected {expect}, got {read:?}"),
        }
        reference_never_panics(&input);
    }
    assert_eq!(count, 75);
}

#[test]
fn errors_have_a_position_a_kind_and_a_hint() {
    let mut count = 0;
    for row in rows(include_str!("../vectors/reference-errors.tsv")) {
        let [input, at, kind, hint] = row[..] else { panic!("{row:?}") };
        let input: String = serde_json::from_str(input).unwrap();
        count += 1;
        let error = Reference::parse(&input).unwrap_err();
        assert_eq!(
            format!("{} {:?}", error.at(), error.kind()),
            format!("{at} {kind}"),
            "{input:?}"
        );
        assert_eq!(error.hint().unwrap_or_default(), hint, "{input:?}");
        assert_eq!(error.input(), input);
        reference_never_panics(&input);
    }
    assert!(count > 100, "{count}");
}

#[test]
fn an_error_is_one_printable_line() {
    for (input, shown) in [
        ("Foo/bar", r#""Foo/bar": byte 0: repository names are lower case"#),
        ("", r#""": byte 0: the name is empty"#),
        (
            "a\u{1b}[2Jb\n",
            r#""a\u{1b}[2Jb\n": byte 1: a repository name has lower-case letters and digits, separated by . _ __ or -"#,
        ),
        (
            "a\u{202e}",
            r#""a\u{202e}": byte 1: a repository name has lower-case letters and digits, separated by . _ __ or -"#,
        ),
        (
            "a@md5:0",
            r#""a@md5:0": byte 2: unsupported digest algorithm md5: only sha256 and sha512 are supported"#,
        ),
        ("a@sha256:0", r#""a@sha256:0": byte 10: a sha256 digest has 64 hexadecimal digits"#),
        (
            "docker://a",
            r#""docker://a": byte 7: a scheme or transport prefix is not part of a reference"#,
        ),
    ] {
        assert_eq!(Reference::parse(input).unwrap_err().to_string(), shown);
    }
}

#[test]
fn all_names_of_docker_hub_are_one_registry() {
    for name in ["docker.io", "index.docker.io", "registry-1.docker.io", "Index.Docker.IO"] {
        let registry = Registry::parse(name).unwrap();
        assert!(registry.is_docker_hub());
        assert_eq!(
            (registry.name().as_str(), registry.api_host()),
            ("docker.io", "registry-1.docker.io")
        );
        assert_eq!(reference(&format!("{name}/alpine")), reference("alpine"));
        assert_eq!(reference(&format!("{name}/a/b")), reference("a/b"));
    }
    for name in ["docker.io:443", "auth.docker.io", "docker.com", "example.com", "localhost"] {
        let registry = Registry::parse(name).unwrap();
        assert!(!registry.is_docker_hub(), "{name}");
        assert_eq!(registry.name(), name);
        assert_eq!(reference(&format!("{name}/alpine")).repository().path(), "alpine");
    }
}

#[test]
fn a_host_keeps_its_case_and_brackets() {
    for (text, name, api_host, port) in [
        ("Example.COM", "Example.COM", "Example.COM", None),
        ("LOCALHOST", "LOCALHOST", "LOCALHOST", None),
        ("Registry:5000", "Registry:5000", "Registry", Some(5000)),
        ("example.com:1", "example.com:1", "example.com", Some(1)),
        ("example.com:65535", "example.com:65535", "example.com", Some(65535)),
        ("example.com:00080", "example.com:80", "example.com", Some(80)),
        ("[2001:DB8::1]", "[2001:DB8::1]", "[2001:DB8::1]", None),
        ("[2001:db8::1]:5000", "[2001:db8::1]:5000", "[2001:db8::1]", Some(5000)),
        ("xn--n3h.com", "xn--n3h.com", "xn--n3h.com", None),
    ] {
        let registry = Registry::parse(text).unwrap();
        assert_eq!(
            (registry.name().as_str(), registry.api_host(), registry.port()),
            (name, api_host, port)
        );
        let read = reference(&format!("{text}/a"));
        assert_eq!(read.registry(), &registry);
        assert_eq!(read.to_string(), format!("{name}/a:latest"));
    }
}

#[test]
fn loopback_depends_on_the_name_only() {
    for (name, loopback) in [
        ("localhost", true),
        ("LocalHost:5000", true),
        ("registry.localhost", true),
        ("a.b.LOCALHOST:1", true),
        ("127.0.0.1", true),
        ("127.255.255.254:5000", true),
        ("[::1]", true),
        ("[0:0:0:0:0:0:0:1]:5000", true),
        ("localhost.localdomain", false),
        ("notlocalhost:5000", false),
        ("localhost.example.com", false),
        ("127.0.0.1.example.com", false),
        ("127.1", false),
        ("128.0.0.1", false),
        ("0.0.0.0", false),
        ("[::]", false),
        ("[::2]", false),
        ("[::ffff:7f00:1]", false),
        ("docker.io", false),
    ] {
        assert_eq!(Registry::parse(name).unwrap().is_loopback(), loopback, "{name}");
    }
}

#[test]
fn nothing_may_follow_a_registry() {
    for (text, at, kind, suggestion) in [
        ("", 0, ReferenceErrorKind::Empty, None),
        ("alpine", 6, ReferenceErrorKind::NoRegistry, None),
        ("alpine/git", 6, ReferenceErrorKind::NoRegistry, None),
        ("my_registry", 2, ReferenceErrorKind::Host, None),
        ("ghcr.io/a", 7, ReferenceErrorKind::RegistryAlone, Some("ghcr.io")),
        ("ghcr.io/", 7, ReferenceErrorKind::RegistryAlone, Some("ghcr.io")),
        ("https://Example.com/v2/", 6, ReferenceErrorKind::Scheme, Some("Example.com")),
        ("https://localhost:5000", 6, ReferenceErrorKind::Scheme, Some("localhost:5000")),
        ("https://alpine", 6, ReferenceErrorKind::Scheme, None),
        ("ghcr.io@x", 7, ReferenceErrorKind::Host, None),
        ("ghcr.io:443:1", 11, ReferenceErrorKind::Port, None),
        ("::1", 0, ReferenceErrorKind::Host, None),
        ("[::1", 4, ReferenceErrorKind::Address, None),
    ] {
        let error = Registry::parse(text).unwrap_err();
        assert_eq!(
            (error.at(), error.kind(), error.suggestion()),
            (at, &kind, suggestion),
            "{text:?}"
        );
    }
}

#[test]
fn a_repository_must_have_no_tag_or_digest() {
    for (text, shown) in [
        ("alpine", "docker.io/library/alpine"),
        ("bitnami/redis", "docker.io/bitnami/redis"),
        ("localhost:5000/a/b", "localhost:5000/a/b"),
    ] {
        assert_eq!(Repository::parse(text).unwrap().to_string(), shown);
    }
    for (text, at, kind, suggestion) in [
        ("alpine:3", 6, ReferenceErrorKind::RepositoryAlone, None),
        ("alpine@", 6, ReferenceErrorKind::RepositoryAlone, None),
        ("localhost:5000", 9, ReferenceErrorKind::RepositoryAlone, None),
        ("ghcr.io/a:1", 9, ReferenceErrorKind::RepositoryAlone, None),
        ("Alpine", 0, ReferenceErrorKind::UpperCase, Some("alpine")),
        ("docker://alpine", 7, ReferenceErrorKind::Scheme, Some("alpine")),
        ("docker-daemon:alpine", 13, ReferenceErrorKind::Scheme, Some("alpine")),
    ] {
        let error = Repository::parse(text).unwrap_err();
        assert_eq!(
            (error.at(), error.kind(), error.suggestion()),
            (at, &kind, suggestion),
            "{text:?}"
        );
    }
}

#[test]
fn a_tag_must_be_valid_as_a_whole() {
    for text in ["latest", "_", "V1.2-x_y", "0", &"t".repeat(128)] {
        assert_eq!(Tag::parse(text).unwrap().to_string(), *text);
    }
    for (text, at, kind) in [
        ("", 0, ReferenceErrorKind::EmptyTag),
        (".a", 0, ReferenceErrorKind::Tag),
        ("-a", 0, ReferenceErrorKind::Tag),
        ("a:b", 1, ReferenceErrorKind::Tag),
        ("https://a", 5, ReferenceErrorKind::Tag),
        (&"t".repeat(129), 128, ReferenceErrorKind::TagTooLong),
    ] {
        let error = Tag::parse(text).unwrap_err();
        assert_eq!((error.at(), error.kind(), error.hint()), (at, &kind, None), "{text:?}");
    }
}

#[test]
fn ambiguous_references_are_reported() {
    let hex = "0123456789abcdef".repeat(4);
    let table = [
        ("localhost:5000", Some(Ambiguity::RegistryAsName)),
        ("test.com:5000", Some(Ambiguity::RegistryAsName)),
        ("registry.example.com:5000", Some(Ambiguity::RegistryAsName)),
        ("192.168.1.1:5000", Some(Ambiguity::RegistryAsName)),
        ("localhost:65535", Some(Ambiguity::RegistryAsName)),
        ("localhost:65536", None),
        ("localhost:0", None),
        ("test.com:20240101", None),
        ("localhost:v5000", None),
        ("localhost", Some(Ambiguity::RegistryAsName)),
        ("quay.io", Some(Ambiguity::RegistryAsName)),
        ("docker.io/library/quay.io", None),
        ("python:3", None),
        ("alpine:3", None),
        ("node:20", None),
        ("alpine:3.20", None),
        ("library/localhost:5000", None),
        ("docker.io/library/localhost:5000", None),
        ("localhost:5000/a:1", None),
        ("sha256", None),
        ("sha256:latest", None),
        ("sha1:0123", None),
        ("library/sha256:0123", None),
        ("alpine:0123456789abcdef", None),
    ];
    for (text, ambiguity) in table {
        assert_eq!(reference(text).ambiguity(), ambiguity, "{text}");
    }
    for text in
        [format!("sha256:{hex}"), format!("sha512:{hex}{hex}"), "sha256:4bcff63911fc".to_owned()]
    {
        assert_eq!(reference(&text).ambiguity(), Some(Ambiguity::DigestAsName), "{text}");
    }
}

#[test]
fn equality_order_and_hash_ignore_how_a_reference_was_typed() {
    let (bare, full) = (reference("localhost:5000"), reference("docker.io/library/localhost:5000"));
    assert_ne!(bare.ambiguity(), full.ambiguity());
    assert_eq!(bare, full);
    let set: std::collections::HashSet<Reference> = [bare, full].into();
    assert_eq!(set.len(), 1);
    assert_ne!(reference("a:1"), reference("a:2"));
    assert_ne!(reference("a:1"), reference("b:1"));
    let digest = Digest::of(Algorithm::Sha256, b"");
    assert_ne!(reference(&format!("a:1@{digest}")), reference("a:1"));
    assert_ne!(reference(&format!("a:1@{digest}")), reference(&format!("a@{digest}")));
    let names = ["b", "a:2", "quay.io/a", "a:1", "localhost:5000"];
    let ordered: BTreeSet<Reference> = names.map(reference).into();
    let ordered: Vec<String> = ordered.iter().map(Reference::to_string).collect();
    assert!(ordered.is_sorted(), "{ordered:?}");
    assert_eq!(ordered.len(), names.len());
}

#[test]
fn the_digest_of_a_reference_takes_precedence_over_its_tag() {
    let digest = Digest::of(Algorithm::Sha256, b"");
    for (text, tag, pinned, segment) in [
        ("a".to_owned(), Some("latest"), None, "latest"),
        ("a:1".to_owned(), Some("1"), None, "1"),
        (format!("a@{digest}"), None, Some(&digest), digest.as_str()),
        (format!("a:1@{digest}"), Some("1"), Some(&digest), digest.as_str()),
    ] {
        let parsed = reference(&text);
        assert_eq!((parsed.tag().map(Tag::as_str), parsed.digest()), (tag, pinned), "{text}");
        assert_eq!(parsed.tag_or_digest(), segment, "{text}");
    }
}

/// Text that resembles a reference.
fn near_text(u: &mut Unstructured) -> arbitrary::Result<String> {
    const PIECES: &[&str] = &[
        "a",
        "0",
        "z9",
        "A",
        "é",
        ".",
        "..",
        "_",
        "__",
        "-",
        ":",
        "/",
        "//",
        "@",
        "[",
        "]",
        "[::1]",
        "://",
        " ",
        "localhost",
        "docker.io",
        "index.docker.io",
        "example.com",
        ":5000",
        ":65535",
        ":65536",
        "sha256:",
        "https",
        "docker-daemon:",
        "\0",
        "\u{202e}",
    ];
    let mut text = String::new();
    for _ in 0..u.int_in_range(0..=10)? {
        match u.int_in_range(0..=9)? {
            0 => text.push_str(Digest::of(Algorithm::Sha256, b"").as_str()),
            1 => text.push_str(&"a".repeat(u.int_in_range(1..=260)?)),
            2 => text.push_str(u.arbitrary()?),
            _ => text.push_str(u.choose(PIECES)?),
        }
    }
    Ok(text)
}

#[test]
fn any_text_parses_without_a_panic() {
    arbtest(|u| {
        reference_never_panics(u.arbitrary::<&str>()?);
        reference_never_panics(&near_text(u)?);
        Ok(())
    })
    .size_min(1 << 7)
    .budget_ms(300);
}

/// A valid reference in canonical form, except that the tag and `library/` may be missing.
fn legal(u: &mut Unstructured) -> arbitrary::Result<String> {
    let word = |u: &mut Unstructured, words: &[&'static str]| u.choose(words).copied();
    let host = word(
        u,
        &["docker.io", "localhost", "LOCALHOST", "A-b.C9", "127.0.0.1", "[::1]", "[FE80:0::9]"],
    )?;
    let mut text = host.to_owned();
    if u.arbitrary()? {
        text.push_str(&format!(":{}", u.int_in_range(1..=65535_u16)?));
    }
    for _ in 0..u.int_in_range(1..=3)? {
        text.push('/');
        text.push_str(word(u, &["a", "0", "library", "zz9"])?);
        for _ in 0..u.int_in_range(0..=2)? {
            text.push_str(word(u, &[".", "_", "__", "-", "---", ""])?);
            text.push_str(word(u, &["a", "7", "b0"])?);
        }
    }
    if u.arbitrary()? {
        text.push(':');
        text.push_str(word(u, &["latest", "_", "A.-_", "5000"])?);
    }
    if u.arbitrary()? {
        let algorithm = *u.choose(&[Algorithm::Sha256, Algorithm::Sha512])?;
        text.push_str(&format!("@{}", Digest::of(algorithm, u.bytes(1)?)));
    }
    Ok(text)
}

#[test]
fn a_displayed_reference_parses_as_an_equal_one() {
    arbtest(|u| {
        let text = legal(u)?;
        let read = reference(&text);
        assert_eq!(reference(&read.to_string()), read);
        assert_eq!(read.ambiguity(), None);
        let full = read.to_string();
        let latest = if read.digest().is_none() && !text.ends_with(read.tag().unwrap().as_str()) {
            ":latest"
        } else {
            ""
        };
        let library = text.replacen("docker.io/", "docker.io/library/", 1);
        assert!(
            [format!("{text}{latest}"), format!("{library}{latest}")].contains(&full),
            "{text} {full}"
        );
        Ok(())
    })
    .size_min(1 << 7);
}

#[test]
fn the_error_points_at_the_invalid_character() {
    arbtest(|u| {
        // A broken LOCALHOST is not a registry any more, so the error would be at its first letter: upper case.
        let mut text = legal(u)?.replace("LOCALHOST", "localhost");
        let at = u.int_in_range(0..=text.len())?;
        text.insert(at, *u.choose(&['%', ' ', '\0', 'é', '\u{200b}'])?);
        assert_eq!(Reference::parse(&text).unwrap_err().at(), at, "{text:?}");
        Ok(())
    })
    .size_min(1 << 7);
}

/// A slow, literal implementation of distribution/reference's grammar: a rule takes the positions where it
/// may begin and returns those where it may end.
mod grammar {
    use super::BTreeSet;

    type Places = BTreeSet<usize>;

    struct Text<'a>(&'a [u8]);

    impl Text<'_> {
        fn one(&self, from: &Places, allowed: impl Fn(u8) -> bool) -> Places {
            from.iter()
                .filter(|at| self.0.get(**at).is_some_and(|byte| allowed(*byte)))
                .map(|at| at + 1)
                .collect()
        }

        fn byte(&self, from: &Places, byte: u8) -> Places {
            self.one(from, |found| found == byte)
        }

        fn optional(&self, from: &Places, rule: impl Fn(&Places) -> Places) -> Places {
            from | &rule(from)
        }

        fn many(&self, from: &Places, rule: impl Fn(&Places) -> Places) -> Places {
            let mut reached = from.clone();
            loop {
                let more = &reached | &rule(&reached);
                if more == reached {
                    return reached;
                }
                reached = more;
            }
        }

        /// `[a-zA-Z0-9] | [a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]`
        fn domain_component(&self, from: &Places) -> Places {
            let first = self.one(from, |byte| byte.is_ascii_alphanumeric());
            let inner = self.many(&first, |at| {
                self.one(at, |byte| byte.is_ascii_alphanumeric() || byte == b'-')
            });
            &first | &self.one(&inner, |byte| byte.is_ascii_alphanumeric())
        }

        /// `domain-component ('.' domain-component)* (':' [0-9]+)?`
        fn domain(&self, from: &Places) -> Places {
            let first = self.domain_component(from);
            let host = self.many(&first, |at| self.domain_component(&self.byte(at, b'.')));
            self.optional(&host, |at| {
                let digit = |at: &Places| self.one(at, |byte| byte.is_ascii_digit());
                self.many(&digit(&self.byte(at, b':')), digit)
            })
        }

        /// `[a-z0-9]+ (('.' | '_' | '__' | '-'+) [a-z0-9]+)*`
        fn path_component(&self, from: &Places) -> Places {
            let low = |at: &Places| {
                self.one(at, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            };
            let word = |at: &Places| self.many(&low(at), low);
            self.many(&word(from), |at| {
                let underscore = self.byte(at, b'_');
                let hyphens = self.many(&self.byte(at, b'-'), |at| self.byte(at, b'-'));
                let separators =
                    [self.byte(at, b'.'), self.byte(&underscore, b'_'), underscore, hyphens];
                word(&separators.into_iter().flatten().collect())
            })
        }

        /// `path-component ('/' path-component)* (':' [A-Za-z0-9_][A-Za-z0-9_.-]*)?`
        fn path_and_tag(&self, from: &Places) -> Places {
            let path = self
                .many(&self.path_component(from), |at| self.path_component(&self.byte(at, b'/')));
            self.optional(&path, |at| {
                let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                let first = self.one(&self.byte(at, b':'), word);
                self.many(&first, |at| self.one(at, |byte| word(byte) || b".-".contains(&byte)))
            })
        }
    }

    /// Whether a short text without digest and brackets is a reference.
    pub(super) fn accepts(text: &str) -> bool {
        let grammar = Text(text.as_bytes());
        let begin = Places::from([0]);
        let first = text.split('/').next().filter(|first| *first != text);
        let host = first
            .filter(|first| first.contains(['.', ':']) || first.eq_ignore_ascii_case("localhost"));
        let path = match host {
            Some(host) if !grammar.domain(&begin).contains(&host.len()) => return false,
            Some(host) => Places::from([host.len() + 1]),
            None => begin,
        };
        let port = host
            .and_then(|host| host.split_once(':'))
            .map_or(Ok(1), |(_, port)| port.parse::<u64>());
        port.is_ok_and(|port| (1..=65535).contains(&port))
            && grammar.path_and_tag(&path).contains(&text.len())
    }
}

#[test]
fn exactly_what_the_grammar_accepts_is_accepted() {
    const PIECES: &[&str] = &[
        "a",
        "b",
        "0",
        "7",
        "9",
        "A",
        ".",
        ".",
        "_",
        "_",
        "-",
        "-",
        ":",
        ":",
        "/",
        "/",
        "/",
        "é",
        " ",
        "@",
        "localhost",
    ];
    let check = |text: &str| {
        let accepted = grammar::accepts(text);
        assert_eq!(Reference::parse(text).is_ok(), accepted, "{text:?}");
        accepted
    };
    arbtest(|u| {
        let mut text = String::new();
        for _ in 0..u.int_in_range(0..=9)? {
            text.push_str(u.choose(PIECES)?);
        }
        check(&text);
        Ok(())
    })
    .size_min(1 << 6)
    .budget_ms(500)
    .run();
    // The same texts on every machine, however slow, so that both outcomes are known to occur.
    let mut state = 1_u64;
    let mut choose = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut text = || (0..choose(10)).map(|_| PIECES[choose(PIECES.len())]).collect::<String>();
    let accepted = (0..10_000).filter(|_| check(&text())).count();
    assert!((100..9_900).contains(&accepted), "{accepted} accepted");
}

#[test]
fn the_error_in_a_truncated_address_is_at_its_end() {
    // In a truncated address the closing bracket does not fit. If the prefix is itself an address, it is the
    // missing bracket that the error points at.
    for address in ["2001:db8::1", "1:2:3:4:5:6:7:8888", "::", "1::", "fe80::1:2:3"] {
        for length in 0..address.len() {
            let prefix = address.get(..length).unwrap();
            let whole = prefix.parse::<std::net::Ipv6Addr>().is_ok();
            let read = Reference::parse(&format!("[{prefix}]/a"));
            match read {
                Ok(_) => assert!(whole, "{prefix}"),
                Err(error) => {
                    assert!(!whole, "{prefix}");
                    assert_eq!(
                        (error.at(), error.kind()),
                        (length + 1, &ReferenceErrorKind::Address),
                        "{prefix}"
                    );
                }
            }
            let open = Reference::parse(&format!("[{prefix}/a")).unwrap_err();
            assert_eq!(
                (open.at(), open.kind()),
                (length + 1, &ReferenceErrorKind::Address),
                "{prefix}"
            );
        }
    }
}
