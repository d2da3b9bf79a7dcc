//! What a manifest must be, and that its bytes are exact.

use super::{GET, HEAD, MANIFEST, OCI_MANIFEST, chain, config, https, manifest, reference, sha256};
use crate::support::Reply;
use regq::error::{Error, Kind};
use regq::oci::Shape;
use regq::reference::Reference;
use regq::registry::{Client, Manifest};

fn fetch(reply: Reply) -> Result<Manifest, Error> {
    let server = https(move |_| reply.clone());
    let result = Client::new(config()).unwrap().fetch_manifest(&reference(&server), None);
    assert_eq!(server.lines(), [GET]);
    result
}

fn invalid(reply: Reply, says: &str) {
    let error = fetch(reply).expect_err("an error");
    assert_eq!(error.kind(), Kind::Invalid, "{error}");
    assert!(chain(&error).contains(says), "{says:?} is not in {:?}", chain(&error));
}

fn body(body: &str) -> Reply {
    Reply::new(200).header("Content-Type", OCI_MANIFEST).body(body)
}

#[test]
fn the_bytes_are_exact() {
    let odd = format!(" \n{MANIFEST}\n\n\t");
    let fetched = fetch(body(&odd)).unwrap();
    assert_eq!(fetched.bytes, odd.as_bytes());
    assert_eq!(fetched.digest, sha256(&odd));
    assert_eq!(fetched.media_type.as_deref(), Some(OCI_MANIFEST));
    assert_eq!(fetched.shape, Shape::Image);
}

#[test]
fn the_first_request_is_the_get() {
    let server = https(|_| manifest());
    Client::new(config()).unwrap().fetch_manifest(&reference(&server), None).unwrap();
    assert_eq!(server.lines(), [GET]);
    assert!(!server.lines().contains(&HEAD.to_owned()));
}

#[test]
fn a_wrong_body_is_told_from_pin_and_header() {
    let error = fetch(manifest().body("{}")).expect_err("another body");
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.to_string().contains(&sha256(MANIFEST).to_string()), "{error}");
    assert!(error.to_string().contains(&sha256("{}").to_string()), "{error}");

    let server = https(|_| body(MANIFEST));
    let pin = sha256("what was pinned");
    let text = format!("{}/team/app@{pin}", server.authority());
    let pinned = Reference::parse(&text).unwrap();
    let error = Client::new(config()).unwrap().fetch_manifest(&pinned, None).expect_err("a pin");
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.to_string().contains(&pin.to_string()), "{error}");
    assert!(error.to_string().contains(&sha256(MANIFEST).to_string()), "{error}");
}

#[test]
fn what_is_no_manifest() {
    let html = Reply::new(200).header("Content-Type", "text/html").body(MANIFEST);
    invalid(html, "Content-Type is \"text/html\"");
    invalid(Reply::new(200).header("Content-Type", "image/png").body(MANIFEST), "image/png");
    invalid(body("<html>"), "invalid JSON");
    invalid(body("[]"), "no schemaVersion");
    invalid(body("[2"), "JSON");
    invalid(body("[2]"), "no schemaVersion");
    invalid(body("{}"), "no schemaVersion");
    invalid(body(r#"{"schemaVersion":null}"#), "no schemaVersion");
    invalid(body(r#"{"schemaVersion":2"#), "JSON");
    invalid(body(r#"{"schemaVersion":2}{}"#), "JSON");
    invalid(body(r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#), "ambiguous");
    invalid(body(r#"{"schemaVersion":2,"manifests":[],"config":{}}"#), "ambiguous");
    let other = "application/vnd.oci.image.index.v1+json";
    invalid(body(&format!(r#"{{"schemaVersion":2,"mediaType":"{other}"}}"#)), "contradicts");
}

#[test]
fn what_is_a_manifest_all_the_same() {
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
    // Called encoded, but is what the digest says.
    assert_eq!(fetch(gzip(manifest())).unwrap().bytes, MANIFEST.as_bytes());
    // Nothing to hold it against.
    invalid(gzip(body(MANIFEST)), "unexpected Content-Encoding \"gzip\"");
    // Really encoded.
    invalid(gzip(manifest().body(b"\x1f\x8b\x08\x00".as_slice())), "unexpected Content-Encoding");
    // Identity is no encoding.
    assert!(fetch(body(MANIFEST).header("Content-Encoding", "identity")).is_ok());
}

#[test]
fn chunked_and_unframed_bodies_are_read_whole() {
    for reply in [manifest().chunked(), manifest().until_close()] {
        assert_eq!(fetch(reply).unwrap().bytes, MANIFEST.as_bytes());
    }
}
