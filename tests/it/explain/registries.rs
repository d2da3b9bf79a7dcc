//! Successful logins at registries with unusual behavior, as scripts. There must be no finding above `note`.

use super::scripted::{DATE, date};
use super::{Script, ScriptedResponse, jwt, run_script};
use crate::support::secrets::{IDENTITY, PASSWORD, USER};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// A registry, its script, and the expected notes.
type Shape = (&'static str, Script, &'static [&'static str]);

const OPAQUE: &str = "djE6b3BhcXVlLXRva2Vu";
const PULL: &str = "repository:team/app:pull";

/// A token response with a JWT of these claims.
pub(super) fn granted(service: &str, access: &Value) -> ScriptedResponse {
    let claims = json!({
        "iss": "issuer", "sub": "", "aud": service, "access": access,
        "iat": DATE, "nbf": DATE, "exp": DATE + 3600,
    });
    ScriptedResponse::token(jwt(&claims)).header("Date", date(37))
}

/// An `access` claim that allows pulling `team/app`.
pub(super) fn pull() -> Value {
    json!([{ "type": "repository", "name": "team/app", "actions": ["pull"] }])
}

/// A registry with this challenge, whose token is a JWT for `service`.
pub(super) fn with_jwt(challenge: &str, service: &str) -> Script {
    Script::new().https().challenge(challenge).token(granted(service, &pull()))
}

/// A registry with this challenge and an opaque token.
pub(super) fn with_opaque(challenge: &str) -> Script {
    Script::new().https().challenge(challenge).token(ScriptedResponse::token(OPAQUE))
}

pub(super) fn bearer(path: &str, service: &str) -> String {
    format!(r#"Bearer realm="SELF{path}",service="{service}",scope="{PULL}""#)
}

pub(super) fn docker_hub() -> Script {
    let version =
        |say: ScriptedResponse| say.header("Docker-Distribution-Api-Version", "registry/2.0");
    let last = version(ScriptedResponse::manifest()).header("RateLimit-Limit", "100;w=21600");
    let last = last.header("RateLimit-Remaining", "97;w=21600").header("Date", date(38));
    let script = with_jwt(&bearer("/token", "registry.docker.io"), "registry.docker.io");
    let first = version(ScriptedResponse::challenge(bearer("/token", "registry.docker.io")));
    script.first(first.words(&[("UNAUTHORIZED", "authentication required")])).last(last)
}

pub(super) fn ghcr() -> Script {
    with_opaque(&bearer("/token", "HOST"))
}

pub(super) fn quay() -> Script {
    // The scope only in refusals, and only `token` in the body.
    with_jwt(r#"Bearer realm="SELF/v2/auth",service="HOST""#, "quay")
        .challenge(r#"Bearer realm="SELF/v2/auth",service="quay""#)
}

pub(super) fn ecr() -> Script {
    let line = r#"Basic realm="SELF/",service="ecr.amazonaws.com""#;
    let first = ScriptedResponse::challenge(line)
        .header("Content-Type", "text/plain")
        .body("Not Authorized\n");
    // ECR sends the digest header only for HEAD.
    Script::new().https().first(first)
}

pub(super) fn ecr_public() -> Script {
    with_opaque(r#"Bearer realm="SELF/token/",service="HOST",scope="aws""#)
}

pub(super) fn google() -> Script {
    with_opaque(&format!(r#"Bearer realm="SELF/v2/token",service=HOST,scope="{PULL}""#))
}

pub(super) fn artifact_registry() -> Script {
    with_opaque(&format!(r#"Bearer realm="SELF/v2/token",scope="{PULL}""#))
}

pub(super) fn acr() -> Script {
    let line = bearer("/oauth2/token", "registry.azurecr.io");
    let actions = ["pull", "metadata_read", "content_read"];
    let access = json!([{ "type": "repository", "name": "team/app", "actions": actions }]);
    let token = json!({
        "access_token": jwt(&json!({
            "jti": "1", "iss": "Azure Container Registry", "aud": "registry.azurecr.io",
            "sub": "", "version": "1.0", "access": access, "exp": DATE + 4500,
        })),
    });
    let first = ScriptedResponse::challenge(format!(r#"{line},error="invalid_token""#));
    Script::new().https().first(first).token(ScriptedResponse::json(200, &token))
}

pub(super) fn gitlab() -> Script {
    with_jwt(&bearer("/jwt/auth", "container_registry"), "container_registry")
}

pub(super) fn harbor() -> Script {
    let claims = json!({
        "iss": "harbor-token-issuer", "sub": "", "aud": "harbor-registry", "access": pull(),
        "iat": DATE, "nbf": DATE, "exp": DATE + 1800,
    });
    let token = json!({
        "token": jwt(&claims), "access_token": "", "expires_in": 1800,
        "issued_at": "2016-11-06T08:49:37Z",
    });
    let token = ScriptedResponse::json(200, &token).header("Date", date(37));
    let line = bearer("/service/token", "harbor-registry");
    Script::new().https().challenge(&line).token(token)
}

pub(super) fn artifactory() -> Script {
    let service = "artifactory.example.com:443";
    with_jwt(&bearer("/artifactory/api/docker/null/v2/token", service), "*@*")
        .token(ScriptedResponse::json(200, &json!({ "token": OPAQUE, "expires_in": 3600 })))
}

pub(super) fn nexus() -> Script {
    let line = r#"Bearer realm="SELF/v2/token",service="SELF/v2/token""#;
    with_opaque(line)
        .token(ScriptedResponse::token("DockerToken.8ba0d7f6-a5a2-3cdd-9c4a-1b3d4f1e2d3c"))
}

pub(super) fn red_hat() -> Script {
    let realm = "/auth/realms/rhcc/protocol/redhat-docker-v2/auth";
    with_jwt(&bearer(realm, "docker-registry"), "docker-registry")
}

pub(super) fn gitea(line: &str) -> Script {
    // The token names only its user; anonymous users are called Ghost.
    let claims = json!({ "UserID": -1, "nbf": DATE - 5, "exp": DATE + 86400 });
    let first = ScriptedResponse::challenge(line).line(r#"Basic realm="Gitea Container Registry""#);
    let first = first.words(&[("UNAUTHORIZED", "")]);
    Script::new().https().first(first).token(ScriptedResponse::token(jwt(&claims)))
}

pub(super) fn zot() -> Script {
    // Unquoted parameters, and a challenge in successful responses too.
    let line = r"bearer realm=SELF/zot/auth,service=zot,scope=";
    with_jwt(&format!("{line}\"{PULL}\""), "zot")
        .last(ScriptedResponse::manifest().line("bearer realm=SELF"))
}

pub(super) fn distribution(v3: bool) -> Script {
    let line = bearer("/auth", "Docker registry");
    let words = [("UNAUTHORIZED", "authentication required")];
    let first = ScriptedResponse::challenge(line.clone()).words(&words);
    let first = first.header("Docker-Distribution-Api-Version", "registry/2.0");
    let audience = if v3 { json!(["Docker registry"]) } else { json!("Docker registry") };
    let token = granted("", &pull());
    let script = Script::new().https().first(first).token(token);
    let claims = json!({ "iss": "Auth service", "sub": "", "aud": audience, "access": pull() });
    script.token(ScriptedResponse::json(
        200,
        &json!({ "token": jwt(&claims), "access_token": jwt(&claims) }),
    ))
}

pub(super) fn digital_ocean() -> Script {
    let answer = ScriptedResponse::json(200, &json!({ "token": OPAQUE, "expires_in": 3600 }));
    let line = bearer("/v2/registry/auth", "registry.digitalocean.com");
    Script::new().https().challenge(&line).token(answer)
}

pub(super) fn openshift() -> Script {
    let line = r#"Bearer realm="SELF/openshift/token""#;
    with_opaque(line)
        .token(ScriptedResponse::json(200, &json!({ "access_token": "sha256~b3BhcXVl" })))
}

fn shapes() -> Vec<Shape> {
    let gitea_two = r#"Bearer realm="SELF/v2/token",service="container_registry""#;
    let gitea_star = r#"Bearer realm="SELF/v2/token",service="container_registry",scope="*""#;
    let authenticated = |sub: &str| {
        let claims = json!({ "sub": sub, "aud": "harbor-registry", "access": pull() });
        harbor().user().token(ScriptedResponse::token(jwt(&claims)))
    };
    let basic = |realm: &str| {
        let line = format!(r#"Basic realm="{realm}""#);
        Script::new().https().user().challenge(&line)
    };
    let opaque: &[&str] = &["token-opaque"];
    vec![
        ("Docker Hub", docker_hub(), &["local-clock-skew"]),
        ("GHCR", ghcr(), opaque),
        ("Quay", quay(), &[]),
        ("ECR private", ecr().user(), &[]),
        ("ECR Public", ecr_public(), opaque),
        ("GCR", google(), opaque),
        (
            "GCR, with a password",
            google().user().token(ScriptedResponse::token("ya29.c.b0Aaekm1K.l-x_3")),
            opaque,
        ),
        ("Artifact Registry", artifact_registry(), opaque),
        ("ACR", acr(), &[]),
        (
            "ACR, with a refresh token",
            acr().entry(format!(
                r#"{{"auth":"{}","identitytoken":"{IDENTITY}"}}"#,
                STANDARD.encode("00000000-0000-0000-0000-000000000000:")
            )),
            // The script's sub is empty although the walk succeeds.
            &["subject-empty"],
        ),
        ("GitLab", gitlab(), &[]),
        ("Harbor", harbor(), &[]),
        ("Harbor, with a robot", authenticated("robot$team+ci"), &["subject-unexpected"]),
        ("Harbor, with a user", authenticated(USER), &[]),
        ("Artifactory, Basic", basic("Artifactory Realm"), &[]),
        ("Artifactory, Bearer", artifactory(), opaque),
        (
            "Nexus, Basic",
            Script::new().https().user().challenge(r#"BASIC realm="Sonatype Nexus""#),
            &[],
        ),
        ("Nexus, Bearer", nexus(), opaque),
        ("Red Hat", red_hat(), &[]),
        ("Red Hat, with a user", red_hat().user(), &["subject-empty"]),
        ("Gitea, two lines", gitea(gitea_two), &["access-missing"]),
        ("Gitea, scope *", gitea(gitea_star), &["access-missing"]),
        ("Forgejo, with a user", gitea(gitea_star).user(), &["access-missing"]),
        ("zot", zot(), &[]),
        ("zot, Basic", basic("zot"), &[]),
        ("distribution 2", distribution(false), &[]),
        ("distribution 3", distribution(true), &[]),
        ("distribution, Basic", basic("basic-realm"), &[]),
        (
            "distribution, with an error in the first challenge",
            gitlab().challenge(&format!(
                r#"{},error="invalid_token""#,
                bearer("/jwt/auth", "container_registry")
            )),
            &[],
        ),
        ("Cloudflare", basic("SELF/v2/team/app/manifests/1.0"), &[]),
        ("DigitalOcean", digital_ocean(), opaque),
        ("OpenShift", openshift(), opaque),
        ("anonymous access", Script::new().https().first(ScriptedResponse::manifest()), &[]),
        (
            "a challenge with more scopes than needed",
            with_jwt(
                r#"Bearer realm="SELF/token",service="s",scope="repository:team/app:pull,push""#,
                "s",
            ),
            &[],
        ),
        (
            "a token with more access than requested",
            gitlab().token(granted(
                "container_registry",
                &json!([
                    { "type": "repository", "name": "team/app", "actions": ["*"] },
                    { "type": "registry", "name": "catalog", "actions": ["*"] },
                ]),
            )),
            &[],
        ),
        (
            "no support for HEAD",
            gitlab()
                .last(ScriptedResponse::new(405))
                .read(ScriptedResponse::manifest())
                .first(ScriptedResponse::challenge(bearer("/jwt/auth", "container_registry"))),
            &[],
        ),
    ]
}

#[test]
fn unusual_registries_have_no_finding() {
    let mut wrong = Vec::new();
    for (name, script, notes) in shapes() {
        let results = run_script(script);
        let expected: Vec<_> = notes.iter().map(|id| format!("{id} note")).collect();
        if results.code != 0 || results.findings() != expected {
            wrong.push(format!("{name}, expected {expected:?}:{results}"));
        }
        if name.contains("refresh token") {
            let posted = results.requests.iter().find(|request| request.method == "POST").unwrap();
            assert_eq!(posted.form("refresh_token"), [IDENTITY]);
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

#[test]
fn a_realm_on_another_host_has_no_finding() {
    // As Docker Hub's on auth.docker.io. No credentials are sent there.
    let there = Script::new().https().token(granted("registry.docker.io", &pull()));
    let line = format!(r#"Bearer realm="ELSE/token",service="registry.docker.io",scope="{PULL}""#);
    for localhost in [false, true] {
        let line =
            if localhost { line.replace("ELSE", "https://localhost:PORT") } else { line.clone() };
        let here = docker_hub().challenge(&line).elsewhere(there.clone());
        let results = run_script(here.last(ScriptedResponse::manifest()));
        assert_eq!((results.findings(), results.code), (Vec::new(), 0), "{results}");
        assert_eq!(results.elsewhere.len(), usize::from(!localhost));
    }
    // With credentials, on a second port of the same host.
    let results = run_script(Script::new().https().user().challenge(&line).elsewhere(there));
    assert_eq!(results.code, 0, "{results}");
    assert!(!results.text.contains(PASSWORD));
}
