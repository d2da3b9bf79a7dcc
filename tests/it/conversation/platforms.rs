//! Platforms: selected from an index with one GET, and checked on an image for a single platform.

use super::{GET, MANIFEST, OCI_MANIFEST, config, https, reference, sha256};
use crate::support::{Reply, Request, Server};
use regq::error::{Error, Kind};
use regq::platform::Platform;
use regq::registry::{Client, ResolveOptions, Resolved};

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An index entry for a platform, with the digest and size of this manifest.
fn index_entry(platform: &str, manifest: &str) -> String {
    let mut parts = platform.split('/');
    let (os, architecture) = (parts.next().unwrap(), parts.next().unwrap());
    let variant = parts.next().map(|v| format!(r#","variant":"{v}""#)).unwrap_or_default();
    format!(
        r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{}","size":{},"platform":{{"os":"{os}","architecture":"{architecture}"{variant}}}}}"#,
        sha256(manifest),
        manifest.len()
    )
}

/// An index of these platforms. The text of each one's manifest is the platform's name.
fn index(platforms: &[&str]) -> String {
    let entries: Vec<_> =
        platforms.iter().map(|platform| index_entry(platform, platform)).collect();
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{}]}}"#,
        entries.join(",")
    )
}

/// Starts a registry that sends this index.
fn serve_index(body: String) -> Server {
    https(move |_| Reply::new(200).header("Content-Type", OCI_INDEX).body(body.clone()))
}

/// Resolves `team/app:1.0` for a platform.
fn resolve_platform(server: &Server, platform: &str) -> Result<Resolved, Error> {
    let options = ResolveOptions {
        platform: Some(Platform::parse(platform).unwrap()),
        ..ResolveOptions::default()
    };
    Client::new(config()).unwrap().resolve(&reference(server), &options)
}

#[test]
fn a_platform_is_selected_from_an_index_with_one_get() {
    let platforms =
        ["unknown/unknown", "linux/amd64", "linux/arm64/v8", "linux/arm/v6", "linux/arm/v7"];
    for (wanted, selected) in [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/arm64", "linux/arm64/v8"),
        ("linux/aarch64", "linux/arm64/v8"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("linux/amd64/v3", "linux/amd64"),
    ] {
        let server = serve_index(index(&platforms));
        let resolved = resolve_platform(&server, wanted).unwrap();
        assert_eq!(resolved.digest, sha256(selected), "{wanted}");
        assert_eq!(resolved.media_type.as_deref(), Some(OCI_MANIFEST));
        assert_eq!(resolved.size, u64::try_from(selected.len()).ok());
        assert_eq!(server.lines(), [GET]);
    }
}

#[test]
fn a_missing_platform_is_an_error_that_lists_the_available_ones() {
    let server = serve_index(index(&["linux/amd64", "linux/arm/v7", "unknown/unknown"]));
    for wanted in ["linux/s390x", "windows/amd64", "linux/arm/v5", "unknown/unknown"] {
        let error = resolve_platform(&server, wanted).expect_err("missing");
        assert_eq!(error.kind(), Kind::NotFound, "{wanted}");
        let text = error.to_string();
        assert!(text.contains("only for linux/amd64, linux/arm/v7"), "{text}");
        assert!(!text.contains("for linux/amd64, linux/arm/v7, unknown"), "{text}");
    }
}

#[test]
fn a_malformed_digest_in_an_index_is_invalid() {
    let body = index(&["linux/amd64"]).replace("sha256:", "sha256:../../");
    let error =
        resolve_platform(&serve_index(body), "linux/amd64").expect_err("a malformed digest");
    assert_eq!(error.kind(), Kind::Invalid, "{error:?}");
}

/// Starts a registry with an image for one platform, described by this config.
fn serve_image(config: &'static str) -> Server {
    https(move |request: &Request| {
        if request.path().contains("/blobs/") {
            return Reply::new(200).header("Content-Type", "application/octet-stream").body(config);
        }
        let manifest = MANIFEST.replace(
            "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            sha256(config).as_str(),
        );
        Reply::new(200).header("Content-Type", OCI_MANIFEST).body(manifest)
    })
}

#[test]
fn the_platform_of_a_single_image_is_read_from_its_config() {
    let config = r#"{"os":"linux","architecture":"arm64","rootfs":{}}"#;
    let server = serve_image(config);
    let blob = format!("GET /v2/team/app/blobs/{}", sha256(config));
    resolve_platform(&server, "linux/arm64").unwrap();
    assert_eq!(server.lines(), [GET, &blob]);
    let error = resolve_platform(&server, "linux/amd64").expect_err("another platform");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(
        error.to_string().contains("not available for linux/amd64, only for linux/arm64"),
        "{error}"
    );
}

#[test]
fn a_config_without_a_platform_is_an_error() {
    let error = resolve_platform(&serve_image("{}"), "linux/amd64").expect_err("no platform");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("names no platform"), "{error}");
}

#[test]
fn a_config_must_match_its_digest() {
    let server = https(|request| match request.path().contains("/blobs/") {
        true => Reply::new(200).body(r#"{"os":"linux","architecture":"amd64"}"#),
        false => Reply::new(200).header("Content-Type", OCI_MANIFEST).body(MANIFEST),
    });
    assert!(matches!(resolve_platform(&server, "linux/amd64"), Err(Error::DigestMismatch { .. })));
}

#[test]
fn a_config_on_another_origin_is_fetched_without_the_token() {
    let config = r#"{"os":"linux","architecture":"amd64"}"#;
    let storage = https(move |_| Reply::new(200).body(config));
    let target = format!("{}/stored", storage.url());
    let server = https(move |request| {
        if request.path() == "/token" {
            return super::token("T");
        }
        if request.header("authorization").is_none() {
            return super::bearer_challenge(request);
        }
        if request.path().contains("/blobs/") {
            return Reply::new(307).header("Location", &target);
        }
        let manifest = MANIFEST.replace(
            "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            sha256(config).as_str(),
        );
        Reply::new(200).header("Content-Type", OCI_MANIFEST).body(manifest)
    });
    resolve_platform(&server, "linux/amd64").unwrap();
    assert_eq!(storage.lines(), ["GET /stored"]);
    assert_eq!(storage.requests()[0].header("authorization"), None);
}

#[test]
fn the_platform_of_a_schema_1_manifest_is_read_from_the_manifest() {
    let body = r#"{"schemaVersion":1,"architecture":"arm","history":[{"v1Compatibility":"{\"os\":\"linux\"}"}]}"#;
    let name = "application/vnd.docker.distribution.manifest.v1+json";
    let server = https(move |_| Reply::new(200).header("Content-Type", name).body(body));
    resolve_platform(&server, "linux/arm").unwrap();
    assert_eq!(resolve_platform(&server, "linux/amd64").expect_err("arm").kind(), Kind::NotFound);
}

#[test]
fn the_manifest_of_a_platform_is_fetched_and_verified() {
    let body = format!(
        r#"{{"schemaVersion":2,"manifests":[{},{}]}}"#,
        index_entry("linux/amd64", MANIFEST),
        index_entry("linux/arm64", "something else")
    );
    let server = https(move |request| match request.line().as_str() {
        GET => Reply::new(200).header("Content-Type", OCI_INDEX).body(body.clone()),
        _ => Reply::new(200).header("Content-Type", OCI_MANIFEST).body(MANIFEST),
    });
    let client = Client::new(config()).unwrap();
    let fetch = |platform: &str| {
        client.fetch_manifest(&reference(&server), Some(&Platform::parse(platform).unwrap()))
    };
    let fetched = fetch("linux/amd64").unwrap();
    assert_eq!(fetched.bytes, MANIFEST.as_bytes());
    let child = format!("GET /v2/team/app/manifests/{}", sha256(MANIFEST));
    assert_eq!(server.lines(), [GET, &child]);
    assert!(matches!(fetch("linux/arm64"), Err(Error::DigestMismatch { .. })));
}

#[test]
fn an_unusable_index_entry_does_not_affect_the_others() {
    let unknown = format!("\"blake3:{}\"", "0".repeat(64));
    let digest = format!("\"{}\"", sha256("linux/amd64"));
    let replacements: [(&str, &str, &str); 4] = [
        ("a digest of another algorithm", &digest, &unknown),
        ("no digest", &digest, "null"),
        ("a number for a digest", &digest, "5"),
        (
            "no operating system",
            r#""os":"linux","architecture":"amd64""#,
            r#""os":null,"architecture":"amd64""#,
        ),
    ];
    for (what, original, replacement) in replacements {
        let body = index(&["linux/amd64", "linux/arm64"]).replacen(original, replacement, 1);
        assert!(body.contains(replacement), "{what}");
        let resolved = resolve_platform(&serve_index(body.clone()), "linux/arm64").unwrap();
        assert_eq!(resolved.digest, sha256("linux/arm64"), "{what}");
        let error = resolve_platform(&serve_index(body), "linux/amd64").expect_err(what);
        let kind = if what == "no operating system" { Kind::NotFound } else { Kind::Invalid };
        assert_eq!(error.kind(), kind, "{what}: {error}");
    }
}

#[test]
fn a_config_may_have_8_mib_and_no_more() {
    let limit = 8 * 1024 * 1024;
    let start = r#"{"os":"linux","architecture":"amd64"}"#;
    let config = |length: usize| -> &'static str {
        format!("{start}{}", " ".repeat(length - start.len())).leak()
    };
    resolve_platform(&serve_image(config(limit)), "linux/amd64").unwrap();
    let error =
        resolve_platform(&serve_image(config(limit + 1)), "linux/amd64").expect_err("too large");
    assert!(matches!(error, Error::TooLarge { what: "config", .. }), "{error:?}");
    assert_eq!(error.kind(), Kind::Invalid);
}
