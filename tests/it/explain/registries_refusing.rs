//! How real registries refuse access, and the findings for each. There must be no other finding above `note`.

use super::registries::{
    acr, artifact_registry, artifactory, bearer, digital_ocean, distribution, docker_hub, ecr,
    ecr_public, ghcr, gitea, gitlab, google, granted, harbor, nexus, openshift, quay, red_hat, zot,
};
use super::{Script, ScriptedResponse, run_script};
use serde_json::{Value, json};

/// A registry's refusal, the exit code, and the findings above `note`.
type Refused = (&'static str, Script, i32, &'static [&'static str]);

const UNAUTHORIZED: &[(&str, &str)] = &[("UNAUTHORIZED", "authentication required")];
const LOGIN: &[&str] = &["login-required decisive"];

/// An access entry without actions.
fn nothing() -> Value {
    json!([{ "type": "repository", "name": "team/app", "actions": [] }])
}

/// distribution's 401 for a token with insufficient access.
fn insufficient(path: &str, service: &str) -> ScriptedResponse {
    let line = format!(r#"{},error="insufficient_scope""#, bearer(path, service));
    ScriptedResponse::challenge(line).words(UNAUTHORIZED)
}

fn public() -> Vec<Refused> {
    let denied: &[(&str, &str)] = &[("DENIED", "requested access to the resource is denied")];
    let hub = |more: &str| {
        let line = format!("{}{more}", bearer("/token", "registry.docker.io"));
        let words = [("DENIED", "access is denied"), ("UNAUTHORIZED", "authentication required")];
        ScriptedResponse::challenge(line).words(&words)
    };
    let hub_empty = || docker_hub().token(granted("registry.docker.io", &json!([])));
    vec![
        (
            "Docker Hub: private or missing",
            hub_empty().last(hub("")),
            4,
            &["access-empty decisive", "private-or-missing decisive"],
        ),
        (
            "Docker Hub: the same, with the scope that is required",
            hub_empty().last(hub(r#",error="insufficient_scope""#)),
            4,
            &[
                "access-empty decisive",
                "insufficient-scope decisive",
                "private-or-missing decisive",
            ],
        ),
        (
            "Docker Hub: a missing repository of the user",
            docker_hub().last(ScriptedResponse::new(404).words(&[("NAME_UNKNOWN", "not known")])),
            3,
            &["not-found decisive"],
        ),
        (
            "Docker Hub: pull rate limit",
            docker_hub().last(
                ScriptedResponse::new(429)
                    .header("RateLimit-Remaining", "0;w=21600")
                    .words(&[("TOOMANYREQUESTS", "You have reached your pull rate limit.")]),
            ),
            5,
            &["rate-limited decisive"],
        ),
        (
            "Docker Hub: abuse rate limit",
            docker_hub().first(ScriptedResponse::new(429).body("Too Many Requests")),
            5,
            &["rate-limited decisive"],
        ),
        (
            "Docker Hub: a wrong password",
            docker_hub().user().token(ScriptedResponse::json(401, &json!({ "details": "incorrect password" }))),
            4,
            &["credentials-rejected decisive"],
        ),
        ("GHCR: private or missing", ghcr().token(ScriptedResponse::new(401).words(UNAUTHORIZED)), 4, LOGIN),
        (
            "GHCR: no access to the package",
            ghcr().user().token(ScriptedResponse::new(403).words(&[("DENIED", "permission_denied: read_package")])),
            4,
            &["token-denied decisive"],
        ),
        (
            "GHCR: missing tag",
            ghcr().last(ScriptedResponse::new(404).words(&[("MANIFEST_UNKNOWN", "manifest unknown")])),
            3,
            &["not-found decisive"],
        ),
        ("Quay: anonymous without access", quay().token(ScriptedResponse::new(401)), 4, LOGIN),
        (
            "Quay: private or missing",
            quay().token(granted("quay", &nothing())).last(
                ScriptedResponse::challenge(
r#"Bearer realm="SELF/v2/auth",service="quay",scope="repository:team/app:pull""#
)
                .words(&[("UNAUTHORIZED", "access to the requested resource is not authorized")]),
            ),
            4,
            &["access-no-actions decisive"],
        ),
        (
            "Quay: an unsupported scope",
            quay().token(ScriptedResponse::new(400).body("Unable to decode repository and actions")),
            4,
            &["token-request-refused decisive"],
        ),
        ("ECR: anonymous", ecr(), 4, &["basic-only decisive"]),
        (
            "ECR: an expired password",
            ecr().user().last(
                ScriptedResponse::challenge(r#"Basic realm="SELF/",service="ecr.amazonaws.com""#)
                    .words(&[("DENIED", "Your authorization token has expired. Reauthenticate")]),
            ),
            4,
            &["credentials-rejected decisive"],
        ),
        (
            "ECR: no access",
            ecr().user().last(ScriptedResponse::new(403).words(&[("DENIED", "User is not authorized")])),
            4,
            &["forbidden decisive"],
        ),
        (
            "ECR Public: rate limit",
            ecr_public().last(ScriptedResponse::new(429).words(&[("TOOMANYREQUESTS", "Rate exceeded")])),
            5,
            &["rate-limited decisive"],
        ),
        (
            "Google: a rejected token",
            google().last(ScriptedResponse::new(401).words(UNAUTHORIZED)),
            4,
            &["rejected-without-challenge decisive"],
        ),
        (
            "Artifact Registry: no access",
            artifact_registry().last(
                ScriptedResponse::new(403).words(&[("DENIED", "Permission artifactregistry.repositories...")]),
            ),
            4,
            &["forbidden decisive"],
        ),
        (
            "Artifact Registry: a wrong key",
            artifact_registry().user().token(ScriptedResponse::new(401).words(UNAUTHORIZED)),
            4,
            &["credentials-rejected decisive"],
        ),
        ("ACR: anonymous", acr().token(ScriptedResponse::new(401).words(UNAUTHORIZED)), 4, LOGIN),
        (
            "ACR: a firewall",
            acr().first(ScriptedResponse::new(403)).read(ScriptedResponse::new(403).words(&[("DENIED", "client with IP")])),
            4,
            &["forbidden decisive"],
        ),
        (
            "ACR: insufficient scope",
            acr().last(
                ScriptedResponse::challenge(
                    r#"Bearer realm="SELF/oauth2/token",service="registry.azurecr.io",scope="repository:team/app:pull,delete",error="insufficient_scope""#,
                )
                .words(UNAUTHORIZED),
            ),
            4,
            &["insufficient-scope decisive"],
        ),
        (
            "DigitalOcean: missing registry",
            digital_ocean().token(ScriptedResponse::new(400).body("registry not found")),
            4,
            &["token-request-refused decisive"],
        ),
        ("Red Hat: anonymous", red_hat().token(ScriptedResponse::new(401).body("Please login to the Red Hat Registry")), 4, LOGIN),
        (
            "Red Hat: missing image",
            red_hat().last(ScriptedResponse::new(404).words(&[("UNKNOWN", "Not Found")])),
            3,
            &["not-found decisive"],
        ),
        (
            "another registry's error code",
            gitlab().last(ScriptedResponse::new(403).words(denied)),
            4,
            &["forbidden decisive"],
        ),
    ]
}

fn own() -> Vec<Refused> {
    let service = "harbor-registry";
    let gitea_line = r#"Bearer realm="SELF/v2/token",service="container_registry",scope="*""#;
    let registry = "Docker registry";
    vec![
        (
            "GitLab: private or missing",
            gitlab()
                .token(granted("container_registry", &json!([])))
                .last(insufficient("/jwt/auth", "container_registry")),
            4,
            &["access-empty decisive", "insufficient-scope decisive"],
        ),
        (
            "GitLab: refused token request",
            gitlab().token(ScriptedResponse::new(403).words(&[("DENIED", "access forbidden")])),
            4,
            &["token-denied decisive"],
        ),
        (
            "GitLab: no registry",
            gitlab().token(ScriptedResponse::new(404)),
            4,
            &["token-endpoint-not-found decisive"],
        ),
        (
            "GitLab: a wrong password",
            gitlab().user().token(
                ScriptedResponse::new(401).words(&[("UNAUTHORIZED", "HTTP Basic: Access denied")]),
            ),
            4,
            &["credentials-rejected decisive"],
        ),
        (
            "Harbor: private or missing",
            harbor().token(granted(service, &nothing())).last(
                ScriptedResponse::challenge(r#"Basic realm="harbor""#)
                    .words(&[("UNAUTHORIZED", "unauthorized to access repository: team/app")]),
            ),
            4,
            &["access-no-actions decisive", "challenge-flipped-to-basic decisive"],
        ),
        ("Harbor: anonymous", harbor().token(ScriptedResponse::new(401)), 4, LOGIN),
        (
            "Harbor: an unknown service",
            harbor().token(ScriptedResponse::new(400).body("Unable to handle service: x")),
            4,
            &["token-request-refused decisive"],
        ),
        (
            "Harbor: a proxy cache whose upstream refuses",
            harbor().last(
                ScriptedResponse::new(500)
                    .words(&[("UNKNOWN", "http status code: 401, body: DENIED")]),
            ),
            6,
            &["upstream-refused decisive"],
        ),
        (
            "Artifactory: bad credentials",
            Script::new().user().challenge(r#"Basic realm="Artifactory Realm""#).last(
                ScriptedResponse::challenge(r#"Basic realm="Artifactory Realm""#)
                    .body(r#"{"errors":[{"status":401,"message":"Bad Credentials"}]}"#),
            ),
            4,
            &["credentials-rejected decisive"],
        ),
        (
            "Artifactory: a token that is not exchanged",
            artifactory().user().token(ScriptedResponse::new(401)),
            4,
            &["credentials-rejected decisive"],
        ),
        (
            "Artifactory: hidden repositories",
            artifactory().last(ScriptedResponse::new(404).words(&[("MANIFEST_UNKNOWN", "")])),
            3,
            &["not-found decisive"],
        ),
        (
            "Nexus: anonymous",
            Script::new().challenge(r#"BASIC realm="Sonatype Nexus Repository Manager""#),
            4,
            &["basic-only decisive"],
        ),
        (
            "Nexus: no access",
            nexus().last(ScriptedResponse::challenge(
                r#"Bearer realm="SELF/v2/token",service="SELF/v2/token""#,
            )),
            4,
            &["authorization-lost decisive"],
        ),
        (
            "Gitea: private or missing",
            gitea(gitea_line).last(
                ScriptedResponse::challenge(gitea_line)
                    .line(r#"Basic realm="Gitea Container Registry""#)
                    .words(&[("UNAUTHORIZED", "")]),
            ),
            4,
            &["authorization-lost decisive"],
        ),
        (
            "Gitea: ROOT_URL is http",
            gitea(r#"Bearer realm="http://HOST/v2/token",service="container_registry",scope="*""#),
            7,
            &["realm-plain-http decisive"],
        ),
        (
            "Gitea: ROOT_URL is unreachable",
            gitea(r#"Bearer realm="https://127.0.0.1:1/v2/token",service="container_registry""#),
            6,
            &["realm-unreachable decisive"],
        ),
        (
            "zot: a rejected token",
            zot().last(
                ScriptedResponse::new(401)
                    .words(&[("UNSUPPORTED", "the operation is unsupported")]),
            ),
            4,
            &["rejected-without-challenge decisive"],
        ),
        (
            "distribution 2: a wrong key",
            distribution(false).last(
                ScriptedResponse::challenge(format!(
                    r#"{},error="invalid_token""#,
                    bearer("/auth", registry)
                ))
                .words(UNAUTHORIZED),
            ),
            4,
            &["token-rejected decisive"],
        ),
        (
            "distribution 3: a wrong signature",
            distribution(true)
                .last(ScriptedResponse::challenge(bearer("/auth", registry)).words(UNAUTHORIZED)),
            4,
            &["authorization-lost decisive"],
        ),
        (
            "distribution: docker_auth allows nothing",
            distribution(false)
                .token(granted(registry, &nothing()))
                .last(insufficient("/auth", registry)),
            4,
            &["access-no-actions decisive", "insufficient-scope decisive"],
        ),
        (
            "distribution: docker_auth finds an account that is not the user's",
            distribution(false)
                .user()
                .token(ScriptedResponse::new(400).body("user and account are not the same")),
            4,
            &["token-request-refused decisive"],
        ),
        (
            "distribution: a proxy cache whose upstream refuses",
            distribution(false).last(
                ScriptedResponse::new(500)
                    .words(&[("UNKNOWN", "denied: requested access to the resource is denied")]),
            ),
            6,
            &["upstream-refused decisive"],
        ),
        (
            "Cloudflare: anonymous",
            Script::new().challenge(r#"Basic realm="SELF/v2/team/app/manifests/1.0""#),
            4,
            &["basic-only decisive"],
        ),
        (
            "OpenShift: an internal address",
            openshift().challenge(r#"Bearer realm="https://127.0.0.1:1/openshift/token""#),
            6,
            &["realm-unreachable decisive"],
        ),
        (
            "a captive portal",
            Script::new().first(ScriptedResponse::page("Accept the terms of use")),
            7,
            &["not-a-registry decisive", "not-a-manifest decisive"],
        ),
        (
            "a broken proxy",
            Script::new().first(
                ScriptedResponse::new(502).header("Content-Type", "text/html").body("<h1>502</h1>"),
            ),
            6,
            &[],
        ),
    ]
}

#[track_caller]
fn check(rows: Vec<Refused>) {
    let mut wrong = Vec::new();
    for (name, script, code, expected) in rows {
        let results = run_script(script);
        let findings = results.findings();
        let above: Vec<_> = findings.iter().filter(|f| !f.ends_with(" note")).collect();
        if results.code != code || above != expected {
            wrong.push(format!("{name}, expected {code} and {expected:?}:{results}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

#[test]
fn refusals_of_public_registries_are_explained() {
    check(public());
}

#[test]
fn refusals_of_private_registries_are_explained() {
    check(own());
}
