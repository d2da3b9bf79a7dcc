//! Platforms: out of an index with one GET, and not silently ignored on an image for one platform.

use super::{GET, MANIFEST, OCI_MANIFEST, config, https, reference, sha256};
use crate::support::{Reply, Request, Server};
use regq::error::{Error, Kind};
use regq::platform::Platform;
use regq::registry::{Client, ResolveOptions, Resolved};

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn entry(platform: &str, of: &str) -> String {
    let mut parts = platform.split('/');
    let (os, architecture) = (parts.next().unwrap(), parts.next().unwrap());
    let variant = parts.next().map(|v| format!(r#","variant":"{v}""#)).unwrap_or_default();
    format!(
        r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{}","size":{},"platform":{{"os":"{os}","architecture":"{architecture}"{variant}}}}}"#,
        sha256(of),
        of.len()
    )
}

/// An index over these platforms; the manifest of each is the platform's own name.
fn index(platforms: &[&str]) -> String {
    let entries: Vec<_> = platforms.iter().map(|platform| entry(platform, platform)).collect();
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{}]}}"#,
        entries.join(",")
    )
}

fn serve(body: String) -> Server {
    https(move |_| Reply::new(200).header("Content-Type", OCI_INDEX).body(body.clone()))
}

fn choose(server: &Server, platform: &str) -> Result<Resolved, Error> {
    let options = ResolveOptions {
        platform: Some(Platform::parse(platform).unwrap()),
        ..ResolveOptions::default()
    };
    Client::new(config()).unwrap().resolve(&reference(server), &options)
}

#[test]
fn an_index_takes_one_get_and_the_child_is_not_asked() {
    let platforms =
        ["unknown/unknown", "linux/amd64", "linux/arm64/v8", "linux/arm/v6", "linux/arm/v7"];
    for (wanted, chosen) in [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/arm64", "linux/arm64/v8"),
        ("linux/aarch64", "linux/arm64/v8"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("linux/amd64/v3", "linux/amd64"),
    ] {
        let server = serve(index(&platforms));
        let resolved = choose(&server, wanted).unwrap();
        assert_eq!(resolved.digest, sha256(chosen), "{wanted}");
        assert_eq!(resolved.media_type.as_deref(), Some(OCI_MANIFEST));
        assert_eq!(resolved.size, u64::try_from(chosen.len()).ok());
        assert_eq!(server.lines(), [GET]);
    }
}

#[test]
fn a_platform_that_is_not_there_lists_those_that_are() {
    let server = serve(index(&["linux/amd64", "linux/arm/v7", "unknown/unknown"]));
    for wanted in ["linux/s390x", "windows/amd64", "linux/arm/v5", "unknown/unknown"] {
        let error = choose(&server, wanted).expect_err("not there");
        assert_eq!(error.kind(), Kind::NotFound, "{wanted}");
        let text = error.to_string();
        assert!(text.contains("only for linux/amd64, linux/arm/v7"), "{text}");
        assert!(!text.contains("for linux/amd64, linux/arm/v7, unknown"), "{text}");
    }
}

#[test]
fn an_index_with_a_digest_that_is_none_is_invalid() {
    let body = index(&["linux/amd64"]).replace("sha256:", "sha256:../../");
    let error = choose(&serve(body), "linux/amd64").expect_err("no digest");
    assert_eq!(error.kind(), Kind::Invalid, "{error:?}");
}

/// An image for one platform: manifest and config.
fn image(config: &'static str) -> Server {
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
fn an_image_for_one_platform_has_its_config_read() {
    let config = r#"{"os":"linux","architecture":"arm64","rootfs":{}}"#;
    let server = image(config);
    let blob = format!("GET /v2/team/app/blobs/{}", sha256(config));
    choose(&server, "linux/arm64").unwrap();
    assert_eq!(server.lines(), [GET, &blob]);
    let error = choose(&server, "linux/amd64").expect_err("another platform");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(
        error.to_string().contains("not available for linux/amd64, only for linux/arm64"),
        "{error}"
    );
}

#[test]
fn something_that_is_no_image_has_no_platform() {
    let error = choose(&image("{}"), "linux/amd64").expect_err("no platform");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("names no platform"), "{error}");
}

#[test]
fn a_config_is_verified() {
    let server = https(|request| match request.path().contains("/blobs/") {
        true => Reply::new(200).body(r#"{"os":"linux","architecture":"amd64"}"#),
        false => Reply::new(200).header("Content-Type", OCI_MANIFEST).body(MANIFEST),
    });
    assert!(matches!(choose(&server, "linux/amd64"), Err(Error::DigestMismatch { .. })));
}

#[test]
fn a_config_in_storage_elsewhere_is_followed_without_a_token() {
    let config = r#"{"os":"linux","architecture":"amd64"}"#;
    let storage = https(move |_| Reply::new(200).body(config));
    let target = format!("{}/stored", storage.url());
    let server = https(move |request| {
        if request.path() == "/token" {
            return super::token("T");
        }
        if request.header("authorization").is_none() {
            return super::bearer(request);
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
    choose(&server, "linux/amd64").unwrap();
    assert_eq!(storage.lines(), ["GET /stored"]);
    assert_eq!(storage.requests()[0].header("authorization"), None);
}

#[test]
fn a_schema_1_manifest_names_its_platform_itself() {
    let body = r#"{"schemaVersion":1,"architecture":"arm","history":[{"v1Compatibility":"{\"os\":\"linux\"}"}]}"#;
    let name = "application/vnd.docker.distribution.manifest.v1+json";
    let server = https(move |_| Reply::new(200).header("Content-Type", name).body(body));
    choose(&server, "linux/arm").unwrap();
    assert_eq!(choose(&server, "linux/amd64").expect_err("arm").kind(), Kind::NotFound);
}

#[test]
fn the_manifest_of_a_platform_is_fetched_and_verified() {
    let body = format!(
        r#"{{"schemaVersion":2,"manifests":[{},{}]}}"#,
        entry("linux/amd64", MANIFEST),
        entry("linux/arm64", "something else")
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
fn one_odd_entry_does_not_hide_the_others() {
    let unknown = format!("\"blake3:{}\"", "0".repeat(64));
    let due = format!("\"{}\"", sha256("linux/amd64"));
    let odd: [(&str, &str, &str); 4] = [
        ("a digest of another algorithm", &due, &unknown),
        ("no digest", &due, "null"),
        ("a number for a digest", &due, "5"),
        (
            "no system",
            r#""os":"linux","architecture":"amd64""#,
            r#""os":null,"architecture":"amd64""#,
        ),
    ];
    for (what, is, becomes) in odd {
        let body = index(&["linux/amd64", "linux/arm64"]).replacen(is, becomes, 1);
        assert!(body.contains(becomes), "{what}");
        let resolved = choose(&serve(body.clone()), "linux/arm64").unwrap();
        assert_eq!(resolved.digest, sha256("linux/arm64"), "{what}");
        let error = choose(&serve(body), "linux/amd64").expect_err(what);
        let kind = if what == "no system" { Kind::NotFound } else { Kind::Invalid };
        assert_eq!(error.kind(), kind, "{what}: {error}");
    }
}

#[test]
fn a_config_may_have_8_mib_and_not_a_byte_more() {
    let limit = 8 * 1024 * 1024;
    let begin = r#"{"os":"linux","architecture":"amd64"}"#;
    let config = |length: usize| -> &'static str {
        format!("{begin}{}", " ".repeat(length - begin.len())).leak()
    };
    choose(&image(config(limit)), "linux/amd64").unwrap();
    let error = choose(&image(config(limit + 1)), "linux/amd64").expect_err("too large");
    assert!(matches!(error, Error::TooLarge { what: "config", .. }), "{error:?}");
    assert_eq!(error.kind(), Kind::Invalid);
}
