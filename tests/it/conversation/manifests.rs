//! Manifests: which documents are accepted, and that their bytes are returned unchanged.

use super::{GET, MANIFEST, OCI_MANIFEST, chain, config, https, manifest, reference, sha256};
use crate::support::Reply;
use regq::error::{Error, Kind};
use regq::oci::Shape;
use regq::reference::Reference;
use regq::registry::{Client, Manifest};

/// Fetches a manifest from a registry that sends this response.
fn fetch(reply: Reply) -> Result<Manifest, Error> {
    let server = https(move |_| reply.clone());
    let result = Client::new(config()).unwrap().fetch_manifest(&reference(&server), None);
    assert_eq!(server.lines(), [GET]);
    result
}

/// Checks that a response is refused as invalid, with an error that contains this message.
fn assert_invalid(reply: Reply, message: &str) {
    let error = fetch(reply).expect_err("invalid");
    assert_eq!(error.kind(), Kind::Invalid, "{error}");
    assert!(chain(&error).contains(message), "{message:?} is not in {:?}", chain(&error));
}

/// A 200 with this body and the Content-Type of an OCI manifest.
fn body(body: &str) -> Reply {
    Reply::new(200).header("Content-Type", OCI_MANIFEST).body(body)
}

#[test]
fn the_bytes_of_a_manifest_are_returned_unchanged() {
    let unusual = format!(" \n{MANIFEST}\n\n\t");
    let fetched = fetch(body(&unusual)).unwrap();
    assert_eq!(fetched.bytes, unusual.as_bytes());
    assert_eq!(fetched.digest, sha256(&unusual));
    assert_eq!(fetched.media_type.as_deref(), Some(OCI_MANIFEST));
    assert_eq!(fetched.shape, Shape::Image);
}

#[test]
fn fetching_a_manifest_needs_one_get() {
    let server = https(|_| manifest());
    Client::new(config()).unwrap().fetch_manifest(&reference(&server), None).unwrap();
    assert_eq!(server.lines(), [GET]);
}

#[test]
fn a_body_must_match_the_digest_header_and_the_pinned_digest() {
    let error = fetch(manifest().body("{}")).expect_err("another body");
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.to_string().contains(&sha256(MANIFEST).to_string()), "{error}");
    assert!(error.to_string().contains(&sha256("{}").to_string()), "{error}");

    let server = https(|_| body(MANIFEST));
    let pin = sha256("what was pinned");
    let text = format!("{}/team/app@{pin}", server.authority());
    let pinned = Reference::parse(&text).unwrap();
    let error =
        Client::new(config()).unwrap().fetch_manifest(&pinned, None).expect_err("another digest");
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.to_string().contains(&pin.to_string()), "{error}");
    assert!(error.to_string().contains(&sha256(MANIFEST).to_string()), "{error}");
}

#[test]
fn documents_that_are_not_manifests_are_invalid() {
    let html = Reply::new(200).header("Content-Type", "text/html").body(MANIFEST);
    assert_invalid(html, "Content-Type is \"text/html\"");
    assert_invalid(Reply::new(200).header("Content-Type", "image/png").body(MANIFEST), "image/png");
    assert_invalid(body("<html>"), "invalid JSON");
    assert_invalid(body("[]"), "no schemaVersion");
    assert_invalid(body("[2"), "JSON");
    assert_invalid(body("[2]"), "no schemaVersion");
    assert_invalid(body("{}"), "no schemaVersion");
    assert_invalid(body(r#"{"schemaVersion":null}"#), "no schemaVersion");
    assert_invalid(body(r#"{"schemaVersion":2"#), "JSON");
    assert_invalid(body(r#"{"schemaVersion":2}{}"#), "JSON");
    assert_invalid(body(r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#), "ambiguous");
    assert_invalid(body(r#"{"schemaVersion":2,"manifests":[],"config":{}}"#), "ambiguous");
    let other = "application/vnd.oci.image.index.v1+json";
    assert_invalid(body(&format!(r#"{{"schemaVersion":2,"mediaType":"{other}"}}"#)), "contradicts");
}

#[test]
fn generic_content_types_and_schema_1_are_accepted() {
    let types = [
        None,
        Some("application/json"),
        Some("text/plain; charset=utf-8"),
        Some("application/octet-stream"),
        Some("APPLICATION/VND.OCI.IMAGE.MANIFEST.V1+JSON"),
    ];
    for name in types {
        let reply = Reply::new(200).body(MANIFEST);
        let reply = name.iter().fold(reply, |reply, name| reply.header("Content-Type", name));
        let fetched = fetch(reply).unwrap();
        assert_eq!(fetched.media_type.as_deref(), Some(OCI_MANIFEST), "{name:?}");
    }
    let schema1 = r#"{"schemaVersion":1,"name":"app","tag":"1.0","architecture":"amd64"}"#;
    let name = "application/vnd.docker.distribution.manifest.v1+json";
    let fetched = fetch(Reply::new(200).header("Content-Type", name).body(schema1)).unwrap();
    assert_eq!(fetched.shape, Shape::Schema1);
    let bare = fetch(Reply::new(200).body(r#"{"schemaVersion":2,"layers":[]}"#)).unwrap();
    assert_eq!(bare.media_type, None);
}

#[test]
fn an_encoded_body_must_match_a_known_digest() {
    let gzip = |reply: Reply| reply.header("Content-Encoding", "gzip");
    // The header is wrong: the body is not encoded, and its digest is correct.
    assert_eq!(fetch(gzip(manifest())).unwrap().bytes, MANIFEST.as_bytes());
    // Without a digest to compare it with.
    assert_invalid(gzip(body(MANIFEST)), "unexpected Content-Encoding \"gzip\"");
    // The body is really encoded.
    assert_invalid(
        gzip(manifest().body(b"\x1f\x8b\x08\x00".as_slice())),
        "unexpected Content-Encoding",
    );
    // `identity` means not encoded.
    assert!(fetch(body(MANIFEST).header("Content-Encoding", "identity")).is_ok());
}

#[test]
fn chunked_and_unframed_bodies_are_read_whole() {
    for reply in [manifest().chunked(), manifest().until_close()] {
        assert_eq!(fetch(reply).unwrap().bytes, MANIFEST.as_bytes());
    }
}
