//! Digests: from the `Docker-Content-Digest` of a HEAD response, or from the hash of a GET's body.

use super::{
    GET, HEAD, MANIFEST, OCI_MANIFEST, TOKEN, bearer_challenge, chain, config, https, manifest,
    reference, require_token, resolve, resolve_error, sha256, token,
};
use crate::support::{Reply, Server};
use regq::digest::{Algorithm, Digest};
use regq::error::{Error, Kind};
use regq::reference::Reference;
use regq::registry::{Client, ResolveOptions};

#[test]
fn a_public_registry_needs_one_request() {
    let server = https(|_| manifest());
    let resolved = resolve(&server, config()).unwrap();
    assert_eq!(resolved.digest, sha256(MANIFEST));
    assert_eq!(resolved.media_type.as_deref(), Some(OCI_MANIFEST));
    assert_eq!(resolved.size, u64::try_from(MANIFEST.len()).ok());
    assert_eq!(server.lines(), [HEAD]);
}

#[test]
fn a_registry_with_tokens_needs_three_requests_on_one_connection() {
    let server = https(require_token);
    assert_eq!(resolve(&server, config()).unwrap().digest, sha256(MANIFEST));
    assert_eq!(server.lines(), [HEAD, TOKEN, HEAD]);
    assert_eq!(server.connections(), 1);
}

#[test]
fn the_first_request_accepts_all_manifest_types_and_names_regq() {
    let server = https(|_| manifest());
    resolve(&server, config()).unwrap();
    let request = server.requests().remove(0);
    let accept = request.header("accept").unwrap();
    for name in [
        "application/vnd.oci.image.index.v1+json",
        OCI_MANIFEST,
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ] {
        assert!(accept.contains(name), "{accept}");
    }
    assert_eq!(request.header_all("accept").len(), 1);
    assert_eq!(request.header("accept-encoding"), Some("identity"));
    assert_eq!(request.header("user-agent"), Some(concat!("regq/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(request.header("authorization"), None);
}

/// Starts a registry that requires a token, sends this response to a HEAD, and the manifest to a GET.
fn server_with_head(head: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    https(move |request| match (request.method.as_str(), request.header("authorization")) {
        ("HEAD", Some("Bearer T")) => head(),
        ("GET", Some("Bearer T")) => manifest(),
        ("GET", None) if request.line() == TOKEN => token("T"),
        _ => bearer_challenge(request),
    })
}

#[test]
fn a_head_without_a_usable_digest_is_followed_by_a_get_with_the_same_token() {
    let heads: [fn() -> Reply; 6] = [
        || Reply::new(200).header("Content-Type", OCI_MANIFEST),
        || Reply::new(200).header("Docker-Content-Digest", ""),
        || Reply::new(200).header("Docker-Content-Digest", "blake3:00ff"),
        || Reply::new(405),
        || Reply::new(501),
        || Reply::new(200),
    ];
    for head in heads {
        let server = server_with_head(head);
        let resolved = resolve(&server, config()).unwrap();
        assert_eq!(resolved.digest, sha256(MANIFEST));
        assert_eq!(resolved.size, u64::try_from(MANIFEST.len()).ok());
        assert_eq!(server.lines(), [HEAD, TOKEN, HEAD, GET]);
        assert_eq!(server.requests()[3].header("authorization"), Some("Bearer T"));
    }
}

#[test]
fn a_malformed_digest_header_is_invalid() {
    for value in ["sha256:", "sha256:abc", "SHA256:00", "nonsense", "sha256:ZZ", ":", "a b"] {
        let server = https(move |_| {
            Reply::new(200)
                .header("Content-Type", OCI_MANIFEST)
                .header("Docker-Content-Digest", value)
        });
        let error = resolve_error(&server, config());
        assert_eq!(error.kind(), Kind::Invalid, "{value}: {error}");
        assert!(error.to_string().contains(&format!("{value:?}")), "{error}");
        assert_eq!(server.lines(), [HEAD], "{value}");
    }
}

#[test]
fn digest_headers_must_agree() {
    let server = https(|_| manifest().header("Docker-Content-Digest", sha256("x").to_string()));
    assert_eq!(resolve_error(&server, config()).kind(), Kind::Invalid);
    let server =
        https(|_| manifest().header("Docker-Content-Digest", sha256(MANIFEST).to_string()));
    assert_eq!(resolve(&server, config()).unwrap().digest, sha256(MANIFEST));
}

#[test]
fn verifying_detects_a_wrong_digest_header() {
    let server = https(|_| {
        Reply::new(200)
            .header("Content-Type", OCI_MANIFEST)
            .header("Docker-Content-Digest", sha256("something else").to_string())
            .body(MANIFEST)
    });
    let client = Client::new(config()).unwrap();
    let options = ResolveOptions { verify: true, ..ResolveOptions::default() };
    let error = client.resolve(&reference(&server), &options).expect_err("a wrong header");
    assert_eq!(error.kind(), Kind::Invalid);
    let text = error.to_string();
    assert!(text.contains(&sha256("something else").to_string()), "{text}");
    assert!(text.contains(&sha256(MANIFEST).to_string()), "{text}");
    assert_eq!(server.lines(), [GET]);
}

#[test]
fn verifying_needs_one_get() {
    let server = https(|_| manifest());
    let client = Client::new(config()).unwrap();
    let options = ResolveOptions { verify: true, ..ResolveOptions::default() };
    let resolved = client.resolve(&reference(&server), &options).unwrap();
    assert_eq!(resolved.digest, sha256(MANIFEST));
    assert_eq!(server.lines(), [GET]);
}

/// `team/app:1.0` with a digest.
fn pinned(server: &Server, digest: &Digest) -> Reference {
    Reference::parse(&format!("{}/team/app:1.0@{digest}", server.authority())).unwrap()
}

#[test]
fn the_digest_of_a_reference_takes_precedence_over_its_tag() {
    let server = https(|_| manifest());
    let digest = sha256(MANIFEST);
    let client = Client::new(config()).unwrap();
    let resolved = client.resolve(&pinned(&server, &digest), &ResolveOptions::default()).unwrap();
    assert_eq!(resolved.digest, digest);
    assert_eq!(server.lines(), [format!("HEAD /v2/team/app/manifests/{digest}")]);
}

#[test]
fn a_digest_header_that_differs_from_the_pinned_digest_is_an_error() {
    let server = https(|_| manifest());
    let digest = sha256("another manifest");
    let client = Client::new(config()).unwrap();
    let error =
        client.resolve(&pinned(&server, &digest), &ResolveOptions::default()).expect_err("differs");
    assert_eq!(error.kind(), Kind::Invalid);
    let text = error.to_string();
    assert!(text.contains(&digest.to_string()), "{text}");
    assert!(text.contains(&sha256(MANIFEST).to_string()), "{text}");
}

#[test]
fn a_pinned_digest_of_another_algorithm_is_compared_with_the_body() {
    let server = https(|_| manifest());
    let digest = Digest::of(Algorithm::Sha512, MANIFEST.as_bytes());
    let client = Client::new(config()).unwrap();
    let resolved = client.resolve(&pinned(&server, &digest), &ResolveOptions::default()).unwrap();
    assert_eq!(resolved.digest, digest);
    let path = format!("/v2/team/app/manifests/{digest}");
    assert_eq!(server.lines(), [format!("HEAD {path}"), format!("GET {path}")]);
    let wrong = Digest::of(Algorithm::Sha512, b"another manifest");
    let error =
        client.resolve(&pinned(&server, &wrong), &ResolveOptions::default()).expect_err("differs");
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error:?}");
}

#[test]
fn an_announced_sha512_digest_is_used_and_verified() {
    let announced = Digest::of(Algorithm::Sha512, MANIFEST.as_bytes());
    let value = announced.to_string();
    let server = https(move |_| {
        Reply::new(200)
            .header("Content-Type", OCI_MANIFEST)
            .header("Docker-Content-Digest", &value)
            .body(MANIFEST)
    });
    assert_eq!(resolve(&server, config()).unwrap().digest, announced);
    let client = Client::new(config()).unwrap();
    assert_eq!(client.fetch_manifest(&reference(&server), None).unwrap().digest, announced);
}

#[test]
fn most_failed_heads_are_not_followed_by_a_get() {
    for (status, kind) in [
        (404, Kind::NotFound),
        (429, Kind::RateLimited),
        (500, Kind::Unavailable),
        (503, Kind::Unavailable),
        (408, Kind::Unavailable),
        (407, Kind::Unavailable),
        (451, Kind::Denied),
        (400, Kind::Invalid),
        (410, Kind::Invalid),
        (204, Kind::Invalid),
        (304, Kind::Invalid),
    ] {
        let server = https(move |_| Reply::new(status));
        let error = resolve_error(&server, config());
        assert_eq!(error.kind(), kind, "{status}: {error}");
        assert!(error.to_string().contains(&status.to_string()), "{error}");
        assert_eq!(server.lines(), [HEAD], "{status}");
    }
}

#[test]
fn a_403_to_a_head_is_followed_by_one_get_for_the_error_message() {
    let body = r#"{"errors":[{"code":"DENIED","message":"blocked by the firewall"}]}"#;
    let server = https(move |request| match request.method.as_str() {
        "HEAD" => Reply::new(403),
        _ => Reply::new(403).body(body),
    });
    let error = resolve_error(&server, config());
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.to_string().contains(r#""DENIED: blocked by the firewall""#), "{error}");
    assert_eq!(server.lines(), [HEAD, GET]);
}

#[test]
fn a_401_to_a_token_is_followed_by_one_get_with_the_same_token() {
    let body = r#"{"errors":[{"code":"DENIED","message":"not yours"}]}"#;
    let server = https(move |request| match request.line().as_str() {
        TOKEN => token("T"),
        HEAD => bearer_challenge(request),
        _ => Reply::new(401).body(body),
    });
    let error = resolve_error(&server, config());
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.to_string().contains(r#""DENIED: not yours""#), "{error}");
    assert_eq!(server.lines(), [HEAD, TOKEN, HEAD, GET]);
    assert_eq!(server.requests()[3].header("authorization"), Some("Bearer T"));
}

#[test]
fn the_get_for_the_error_message_is_not_retried_and_its_failure_is_ignored() {
    for reply in [Reply::new(503), Reply::close(), Reply::new(404)] {
        let server = https(move |request| match request.method.as_str() {
            "HEAD" => Reply::new(403),
            _ => reply.clone(),
        });
        let mut config = config();
        config.retries = 3;
        let error = resolve_error(&server, config);
        assert_eq!(error.kind(), Kind::Denied, "{error}");
        assert_eq!(server.lines(), [HEAD, GET]);
    }
}

#[test]
fn the_get_after_a_403_succeeds_only_with_a_manifest() {
    let server = https(|request| match request.method.as_str() {
        "HEAD" => Reply::new(403),
        _ => manifest(),
    });
    assert_eq!(resolve(&server, config()).unwrap().digest, sha256(MANIFEST));
    let server = https(|request| match request.method.as_str() {
        "HEAD" => Reply::new(403),
        _ => Reply::new(200).header("Content-Type", "text/html").body("<h1>Welcome</h1>"),
    });
    assert_eq!(resolve_error(&server, config()).kind(), Kind::Denied);
}

#[test]
fn a_401_without_a_challenge_is_not_followed_by_a_get() {
    let server = https(|_| Reply::new(401));
    let error = resolve_error(&server, config());
    assert_eq!(error.kind(), Kind::Denied);
    assert_eq!(server.lines(), [HEAD]);
}

#[test]
fn a_head_with_the_content_type_of_a_page_is_invalid() {
    let server = https(|_| {
        Reply::new(200)
            .header("Content-Type", "text/html; charset=utf-8")
            .header("Docker-Content-Digest", sha256(MANIFEST).to_string())
    });
    let error = resolve_error(&server, config());
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(chain(&error).contains("text/html"), "{error}");
}

#[test]
fn generic_content_types_give_no_media_type() {
    for name in ["application/json", "text/plain; charset=utf-8", "application/octet-stream"] {
        let server = https(move |_| {
            Reply::new(200)
                .header("Content-Type", name)
                .header("Docker-Content-Digest", sha256(MANIFEST).to_string())
                .body(MANIFEST)
        });
        let resolved = resolve(&server, config()).unwrap();
        assert_eq!(resolved.media_type, None, "{name}");
        assert_eq!(server.lines(), [HEAD], "{name}");
    }
}

#[test]
fn the_length_of_an_encoded_response_is_not_used_as_the_size() {
    let server = https(|_| manifest().header("Content-Encoding", "gzip"));
    let resolved = resolve(&server, config()).unwrap();
    assert_eq!((resolved.digest, resolved.size), (sha256(MANIFEST), None));
}

#[test]
fn localhost_names_need_no_dns() {
    let server = https(|_| manifest());
    for host in ["localhost", "registry.localhost", "LOCALHOST"] {
        let text = format!("{host}:{}/team/app:1.0", server.port());
        let reference = Reference::parse(&text).unwrap();
        let client = Client::new(config()).unwrap();
        let resolved = client.resolve(&reference, &ResolveOptions::default()).unwrap();
        assert_eq!(resolved.digest, sha256(MANIFEST), "{host}");
    }
}

#[test]
fn a_403_stays_denied_if_the_get_brings_other_json() {
    let server = || {
        https(|request| match request.method.as_str() {
            "HEAD" => Reply::new(403),
            _ => Reply::new(200)
                .header("Content-Type", "application/json")
                .body(r#"{"message":"please log in"}"#),
        })
    };
    let error = resolve_error(&server(), config());
    assert_eq!(error.kind(), Kind::Denied, "{error}");
    let server = server();
    let reference = pinned(&server, &sha256(MANIFEST));
    let error = Client::new(config()).unwrap().resolve(&reference, &ResolveOptions::default());
    let error = error.expect_err("refused");
    assert_eq!(error.kind(), Kind::Denied, "{error}");
    assert_eq!(server.requests().len(), 2);
}
