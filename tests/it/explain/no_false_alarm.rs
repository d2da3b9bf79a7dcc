//! Correct data, mostly of real registries, has no finding above `note`.

use super::given_builder::{CHALLENGE, DATE, NAME, Supplied, URL, access, claims, correct, of};
use serde_json::json;

#[track_caller]
fn assert_no_finding(rows: Vec<(&str, Supplied)>) {
    let accused = rows.iter().filter_map(|(about, supplied)| {
        let faults = supplied.faults();
        (!faults.is_empty()).then(|| format!("{about}: {faults:#?}"))
    });
    let accused: Vec<_> = accused.collect();
    assert!(accused.is_empty(), "{}", accused.join("\n"));
}

/// A login at a registry: its challenge, the token URL and the token.
fn login(name: &str, challenge: &str, url: &str, token: &str) -> Supplied {
    of(name).challenge(challenge).token_url(url).token(token).date(DATE)
}

/// A token of a token server that follows the specification.
fn token(audience: &str, name: &str) -> String {
    let mut changes = access(name, &["pull"]);
    changes["aud"] = audience.into();
    claims(changes)
}

#[test]
fn correct_logins_at_real_registries_have_no_finding() {
    let gitea = claims(
        json!({"access": null, "aud": null, "iss": null, "sub": null, "UserID": -2, "Scope": ""}),
    );
    assert_no_finding(vec![
        (
            "Docker Hub",
            login(
                "alpine",
                "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:library/alpine:pull\"",
                "https://auth.docker.io/token?service=registry.docker.io&scope=repository:library/alpine:pull",
                &token("registry.docker.io", "library/alpine"),
            ),
        ),
        (
            "Docker Hub's ping",
            login(
                "docker.io/library/alpine",
                "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\"",
                "https://auth.docker.io/token?scope=repository%3Alibrary%2Falpine%3Apull&service=registry.docker.io&offline_token=true&client_id=docker",
                &format!("{{\"token\":\"{0}\",\"access_token\":\"{0}\",\"expires_in\":300,\"issued_at\":\"2016-09-22T12:23:03Z\"}}", token("registry.docker.io", "library/alpine")),
            ),
        ),
        (
            "GHCR",
            login(
                "ghcr.io/o/i",
                "Bearer realm=\"https://ghcr.io/token\",service=\"ghcr.io\",scope=\"repository:o/i:pull\"",
                "https://ghcr.io/token?scope=repository:o/i:pull",
                "djE6b3BhcXVlOjE2",
            ),
        ),
        (
            "Quay",
            login(
                "quay.io/ns/name",
                "Bearer realm=\"https://quay.io/v2/auth\",service=\"quay.io\"",
                "https://quay.io/v2/auth?service=quay.io&scope=repository%3Ans%2Fname%3Apull%2Cpush",
                &token("quay.io", "ns/name"),
            ),
        ),
        (
            "GCR: unquoted service, Google's token",
            login(
                "gcr.io/project/image",
                "Bearer realm=\"https://gcr.io/v2/token\",service=gcr.io",
                "https://gcr.io/v2/token?scope=repository:project/image:pull&service=gcr.io",
                "ya29.c.b0Aaekm1K.x",
            ),
        ),
        (
            "Artifact Registry: no service",
            login(
                "europe-docker.pkg.dev/project/repo/image",
                "Bearer realm=\"https://europe-docker.pkg.dev/v2/token\",scope=\"repository:project/repo/image:pull\"",
                "https://europe-docker.pkg.dev/v2/token?service=&scope=repository:project/repo/image:pull",
                "ya29.A0ARrdaM-x.y",
            ),
        ),
        (
            "ECR Public: a realm that ends in a slash, and a nonstandard scope",
            login(
                "public.ecr.aws/nginx/nginx",
                "Bearer realm=\"https://public.ecr.aws/token/\",service=\"public.ecr.aws\",scope=\"aws\"",
                "https://public.ecr.aws/token/?scope=aws&service=public.ecr.aws",
                "eyJwYXlsb2FkIjoiYWJjIn0=",
            ),
        ),
        (
            "ACR",
            login(
                "contoso.azurecr.io/app",
                "Bearer realm=\"https://contoso.azurecr.io/oauth2/token\",service=\"contoso.azurecr.io\",scope=\"repository:app:metadata_read\",error=\"invalid_token\"",
                "https://contoso.azurecr.io/oauth2/token?service=contoso.azurecr.io&scope=repository:app:metadata_read",
                &claims(json!({"aud": "contoso.azurecr.io", "access": [{"type": "repository", "name": "app", "actions": ["metadata_read"]}]})),
            )
            .no_token(),
        ),
        (
            "GitLab",
            login(
                "registry.gitlab.com/group/sub/project",
                "Bearer realm=\"https://gitlab.com/jwt/auth\",service=\"container_registry\",scope=\"repository:group/sub/project:pull\"",
                "https://gitlab.com/jwt/auth?account=ada&scope=repository%3Agroup%2Fsub%2Fproject%3Apull&service=container_registry",
                &claims(json!({"aud": "container_registry", "sub": "ada", "access": [{"type": "repository", "name": "group/sub/project", "actions": ["pull"], "meta": {"project_path": "group/sub/project"}}]})),
            ),
        ),
        (
            "Harbor",
            login(
                "harbor.example.com/library/app",
                "Bearer realm=\"https://harbor.example.com/service/token\",service=\"harbor-registry\",scope=\"repository:library/app:pull\"",
                "https://harbor.example.com/service/token?scope=repository%3Alibrary%2Fapp%3Apull&service=harbor-registry",
                &claims(json!({"aud": "harbor-registry", "iss": "harbor-token-issuer", "access": [{"type": "repository", "name": "library/app", "actions": ["pull", "push", "delete", "*"]}]})),
            ),
        ),
        (
            "Nexus: the service is the realm",
            login(
                "nexus.example.com:5000/app",
                "Bearer realm=\"https://nexus.example.com:5000/v2/token\",service=\"https://nexus.example.com:5000/v2/token\"",
                "https://nexus.example.com:5000/v2/token?service=https%3A%2F%2Fnexus.example.com%3A5000%2Fv2%2Ftoken&scope=repository:app:pull",
                "DockerToken.6f5b8a3e-1111-2222",
            ),
        ),
        (
            "Artifactory",
            login(
                "art.example.com/docker/app",
                "Bearer realm=\"https://art.example.com/artifactory/api/docker/null/v2/token\",service=\"art.example.com\"",
                "https://art.example.com/artifactory/api/docker/null/v2/token?service=art.example.com&scope=repository:docker/app:pull",
                "AKCp8nH",
            ),
        ),
        (
            "Gitea: its token has no access claim",
            login(
                "git.example.com/o/i",
                "Bearer realm=\"https://git.example.com/v2/token\",service=\"container_registry\",scope=\"*\"",
                "https://git.example.com/v2/token?service=container_registry&scope=*",
                &gitea,
            )
            .line("Basic realm=\"Gitea Container Registry\""),
        ),
        (
            "Gitea, old",
            login("git.example.com/o/i", "Bearer realm=\"https://git.example.com/v2/token\"", "https://git.example.com/v2/token", &gitea)
                .line("Basic"),
        ),
        ("Gitea, only the token supplied", of("git.example.com/o/i").token(gitea)),
        (
            "Red Hat",
            login(
                "registry.access.redhat.com/ubi9/ubi",
                "Bearer realm=\"https://registry.access.redhat.com/auth/realms/rhcc/protocol/redhat-docker-v2/auth\",service=\"docker-registry\"",
                "https://registry.access.redhat.com/auth/realms/rhcc/protocol/redhat-docker-v2/auth?service=docker-registry&scope=repository:ubi9/ubi:pull",
                &token("docker-registry", "ubi9/ubi"),
            ),
        ),
        (
            "zot",
            login(
                "zot.example.com/app",
                "bearer realm=https://zot.example.com/auth/token,service=zot,scope=\"\"",
                "https://zot.example.com/auth/token?service=zot&scope=repository:app:pull",
                &token("zot", "app"),
            ),
        ),
        (
            "DigitalOcean",
            login(
                "registry.digitalocean.com/mine/app",
                "Bearer realm=\"https://api.digitalocean.com/v2/registry/auth\",service=\"registry.digitalocean.com\",scope=\"repository:mine/app:pull\"",
                "https://api.digitalocean.com/v2/registry/auth?account=ada&service=registry.digitalocean.com&scope=repository:mine/app:pull",
                &claims(json!({"aud": "registry.digitalocean.com", "sub": "ada", "access": [{"type": "repository", "name": "mine/app", "actions": ["pull"]}]})),
            ),
        ),
    ]);
}

#[test]
fn equivalent_token_urls_have_no_finding() {
    let with_scope = |scope: &str| {
        correct().token_url(format!(
            "https://auth.example.com/token?service=reg.example.com&scope={scope}"
        ))
    };
    assert_no_finding(vec![
        ("percent-encoded", with_scope("repository%3Ateam%2Fapp%3Apull")),
        ("in lower case", with_scope("repository%3ateam%2fapp%3apull")),
        (
            "two scopes in one parameter",
            with_scope("repository:team/base:pull%20repository:team/app:pull"),
        ),
        (
            "two scopes joined by a plus",
            with_scope("repository:team/base:pull+repository:team/app:pull"),
        ),
        (
            "two scope parameters",
            with_scope("repository:team/base:pull&scope=repository:team/app:pull"),
        ),
        ("a repeated scope", with_scope("repository:team/app:pull&scope=repository:team/app:pull")),
        ("with push", with_scope("repository:team/app:push,pull")),
        ("all actions", with_scope("repository:team/app:*")),
        ("a scope with a class", with_scope("repository(plugin):team/app:pull")),
        ("the catalog scope too", with_scope("registry:catalog:*&scope=repository:team/app:pull")),
        ("an empty query parameter", with_scope("repository:team/app:pull&&")),
        ("a fragment", with_scope("repository:team/app:pull#x")),
        (
            "a host in capitals",
            correct().token_url(URL.replace("auth.example.com", "AUTH.Example.Com")),
        ),
        ("the scheme's default port", correct().token_url(URL.replace(".com/", ".com:443/"))),
        (
            "a user and password in the URL",
            correct()
                .token_url(URL.replace("auth.", "ada:pass-of-ada@auth."))
                .token(claims(json!({"sub": "ada"}))),
        ),
        ("in single quotes", correct().token_url(format!("'{URL}'"))),
        ("in double quotes", correct().token_url(format!(" \"{URL}\" "))),
        ("surrounded by white space", correct().token_url(format!(" {URL}\n"))),
    ]);
}

#[test]
fn equivalent_challenges_have_no_finding() {
    let port = "reg.example.com:5000/team/app";
    let challenge = |line: &str| of(NAME).challenge(line).token(claims(json!({}))).date(DATE);
    assert_no_finding(vec![
        ("with the header name", challenge(&format!("WWW-Authenticate: {CHALLENGE}"))),
        ("in lower case", challenge(&format!("www-authenticate:{CHALLENGE}\r\n"))),
        ("as curl -v prints it", challenge(&format!("< www-authenticate: {CHALLENGE}"))),
        ("without quotes", challenge(&CHALLENGE.replace('"', ""))),
        ("a realm with a query", correct().challenge(CHALLENGE.replace("/token", "/token?x=y"))),
        (
            "a realm in capitals",
            correct().challenge(CHALLENGE.replace("https://auth", "HTTPS://AUTH")),
        ),
        (
            "a realm without a path",
            correct()
                .challenge(CHALLENGE.replace("/token", ""))
                .token_url(URL.replace("/token", "")),
        ),
        ("more parameters", challenge(&format!("{CHALLENGE},error_description=\"\",foo=bar"))),
        (
            "separate lines",
            challenge("Bearer realm=\"https://auth.example.com/token\"")
                .line("service=\"reg.example.com\""),
        ),
        (
            "a port in the name, the scope and the token",
            of(port)
                .token_url(URL.replace("team/", "reg.example.com:5000/team/"))
                .challenge(CHALLENGE.replace("team/", "reg.example.com:5000/team/"))
                .token(claims(access("reg.example.com:5000/team/app", &["pull"]))),
        ),
        (
            "two repositories, one of which is not public",
            correct()
                .challenge(
                    CHALLENGE.replace("repository:", "repository:team/base:pull repository:"),
                )
                .token(claims(json!({"access": [
                {"type": "repository", "name": "team/base", "actions": []},
                {"type": "repository", "name": "team/app", "actions": ["pull"]}]}))),
        ),
        ("a proxy's challenge too", correct().line("Negotiate")),
        ("in a successful response", of(NAME).challenge("basic realm=x").status(200)),
    ]);
}

/// The token with base64 padding, which JWTs do not have.
fn padded(token: &str) -> String {
    let parts = token.split('.').map(|part| format!("{part:=<0$}", part.len().next_multiple_of(4)));
    parts.collect::<Vec<_>>().join(".")
}

#[test]
fn valid_token_variants_have_no_finding() {
    let token = |changes| correct().token(claims(changes)).date(DATE);
    let plain = || claims(json!({}));
    assert_no_finding(vec![
        ("after the word Bearer", correct().token(format!("Bearer {}", plain()))),
        ("a whole header", correct().token(format!("Authorization: bearer {}", plain()))),
        ("a token response with token", correct().token(format!("{{\"token\":\"{}\"}}", plain()))),
        (
            "a token response with access_token",
            correct().token(format!(" {{\"access_token\":\"{}\"}}\n", plain())),
        ),
        ("padding", correct().token(padded(&plain()))),
        ("a list of audiences", token(json!({"aud": ["x", "reg.example.com"]}))),
        ("times with fractions", token(json!({"exp": 1_474_547_283.5, "nbf": 1_474_546_983.25}))),
        ("no times", token(json!({"exp": null, "nbf": null, "iat": null}))),
        ("a subject", token(json!({"sub": "someone"}))),
        ("no subject", token(json!({"sub": null}))),
        (
            "access to more repositories",
            token(json!({"access": [
            {"type": "repository", "name": "a/b", "actions": []},
            {"type": "repository", "class": "plugin", "name": "team/app", "actions": ["push", "pull"]},
            {"type": "registry", "name": "catalog", "actions": ["*"]}]})),
        ),
        ("a clock that is a minute behind", token(json!({"nbf": 1_474_547_050}))),
        ("expired within the tolerance", token(json!({"exp": 1_474_546_930}))),
    ]);
}

/// Responses that match none of the rules.
#[test]
fn responses_without_a_known_cause_have_no_finding() {
    assert_no_finding(vec![
        ("gone", of(NAME).status(410)),
        (
            "two scopes in one parameter, and no challenge to compare them with",
            of("")
                .token_url("https://a.example/t?scope=repository:a:pull,b:pull")
                .token(claims(access("a", &["pull"]))),
        ),
        ("teapot", of(NAME).status(418).body("<html>I'm a teapot")),
        ("request too large", of(NAME).status(413).body("Request Entity Too Large")),
        ("server error", of(NAME).status(500).body("oops")),
        ("bad gateway", of(NAME).status(503).body("<html>Bad Gateway")),
        ("a redirect", of(NAME).status(307)),
        ("created", of(NAME).status(201)),
        ("not found, by a proxy", of(NAME).status(404).body("404 page not found")),
        ("a manifest", of(NAME).status(200).body("{\"schemaVersion\":2,\"layers\":[]}")),
        ("a HEAD", of(NAME).status(200).body("")),
    ]);
}
