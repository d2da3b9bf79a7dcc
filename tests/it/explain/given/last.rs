//! Supplied final responses.

use crate::explain::given::{Row, decisive, silent};
use crate::explain::given_builder::{CHALLENGE, NAME, Supplied, access, claims, correct, jwt, of};
use serde_json::json;

const BASIC: &str = "Basic realm=\"harbor\"";
const S3: &str = "<?xml version=\"1.0\"?>\n<Error><Code>InvalidArgument</Code><Message>Only one auth \
                  mechanism allowed</Message></Error>";

fn unaccepted() -> Supplied {
    of(NAME).status(404).body(
        "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"OCI index found, but accept header does not \
         support OCI indexes\"}]}",
    )
}

pub(super) fn rows() -> Vec<Row> {
    let pinned = |digest: &str| of(&format!("reg.example.com/team/app@{digest}")).status(200);
    let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let nothing = || correct().token(claims(access("team/app", &[])));
    let response = |status: u16, text: &str| of(NAME).status(status).body(text);
    vec![
        decisive("token-rejected", "kid: \"K1\"", correct().error("invalid_token")),
        decisive("token-rejected", "iss: \"auth.example.com\"", correct().error("invalid_token")),
        decisive(
            "token-rejected",
            "invalid_token",
            correct().token("b3BhcXVl").error("invalid_token"),
        ),
        decisive(
            "token-rejected",
            "could not be checked without",
            correct().no_date().error("invalid_token"),
        ),
        silent("token-rejected", correct()),
        silent("token-rejected", correct().no_token().error("invalid_token")),
        silent(
            "token-rejected",
            correct().token(claims(json!({"aud": "x"}))).error("invalid_token"),
        ),
        silent(
            "token-rejected",
            correct().date("Thu, 22 Sep 2016 12:28:03 GMT").error("invalid_token"),
        ),
        silent("token-rejected", correct().token("ghp_0123456789").error("invalid_token")),
        silent(
            "token-rejected",
            correct().token(jwt("{\"alg\":\"none\"}", "{}")).error("invalid_token"),
        ),
        silent("token-rejected", correct().error("insufficient_scope")),
        //
        decisive(
            "insufficient-scope",
            "lacks repository:team/app:pull",
            nothing().error("insufficient_scope"),
        ),
        decisive(
            "insufficient-scope",
            "repository:team/app:pull",
            correct().token("b3BhcXVl").error("insufficient_scope"),
        ),
        silent("insufficient-scope", nothing()),
        silent("insufficient-scope", nothing().error("insufficient_scope").status(403)),
        //
        decisive("challenge-flipped-to-basic", "only Basic", correct().challenge(BASIC)),
        silent("challenge-flipped-to-basic", correct().challenge(BASIC).no_token()),
        silent("challenge-flipped-to-basic", correct().challenge(BASIC).line(CHALLENGE)),
        silent("challenge-flipped-to-basic", correct().challenge(BASIC).status(404)),
        //
        decisive("rejected-without-challenge", "401", correct().challenge("")),
        silent("rejected-without-challenge", correct().no_challenge().status(401)),
        silent("rejected-without-challenge", correct().challenge("").no_token()),
        silent("rejected-without-challenge", correct()),
        //
        decisive("private-or-missing", "DENIED", nothing().codes(&["DENIED", "UNAUTHORIZED"])),
        decisive(
            "private-or-missing",
            "UNAUTHORIZED",
            correct().token(claims(json!({"access": []}))).codes(&["UNAUTHORIZED", "DENIED"]),
        ),
        silent("private-or-missing", nothing().codes(&["UNAUTHORIZED"])),
        silent("private-or-missing", nothing().codes(&["DENIED"])),
        silent("private-or-missing", correct().codes(&["DENIED", "UNAUTHORIZED"])),
        //
        decisive(
            "forbidden",
            "no right to it",
            response(403, "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no right to it\"}]}"),
        ),
        decisive("forbidden", "403", of(NAME).status(403)),
        silent("forbidden", response(401, "{\"errors\":[{\"code\":\"DENIED\"}]}")),
        //
        decisive("not-found", "NAME_UNKNOWN", of(NAME).status(404).codes(&["NAME_UNKNOWN"])),
        decisive("not-found", "MANIFEST_UNKNOWN", of("").status(404).codes(&["MANIFEST_UNKNOWN"])),
        silent("not-found", of(NAME).status(404)),
        silent("not-found", response(404, "<html>Not Found</html>")),
        silent("not-found", of(NAME).status(401).codes(&["NAME_UNKNOWN"])),
        silent("not-found", unaccepted()),
        //
        decisive("accept-too-short", "OCI indexes", unaccepted()),
        silent("accept-too-short", of(NAME).status(404).codes(&["MANIFEST_UNKNOWN"])),
        silent("accept-too-short", unaccepted().status(401)),
        //
        decisive("authorization-forwarded", "Only one auth mechanism", response(400, S3)),
        silent("authorization-forwarded", response(403, S3)),
        silent("authorization-forwarded", response(400, "<Error><Code>NoSuchKey</Code></Error>")),
        silent(
            "authorization-forwarded",
            response(
                400,
                "{\"errors\":[{\"code\":\"UNSUPPORTED\",\"message\":\"authorization\"}]}",
            ),
        ),
        //
        decisive(
            "rate-limited",
            "pull rate limit",
            response(
                429,
                "{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"You have reached your pull rate limit\"}]}",
            ),
        ),
        decisive("rate-limited", "429", of(NAME).status(429)),
        silent("rate-limited", response(503, "{\"errors\":[{\"code\":\"TOOMANYREQUESTS\"}]}")),
        //
        decisive("token-too-large", "431; the token has", correct().no_challenge().status(431)),
        decisive(
            "token-too-large",
            "Too Large",
            response(400, "<html><title>400 Request Header Or Cookie Too Large</title>"),
        ),
        silent("token-too-large", response(400, "<html><title>400 Bad Request</title>")),
        silent("token-too-large", response(413, "Request Header Or Cookie Too Large")),
        //
        decisive("upstream-refused", "DENIED", of(NAME).status(500).codes(&["DENIED"])),
        decisive(
            "upstream-refused",
            "denied",
            response(
                500,
                "{\"errors\":[{\"code\":\"UNKNOWN\",\"message\":\"errors: denied: requested access\"}]}",
            ),
        ),
        silent("upstream-refused", response(500, "{\"errors\":[{\"code\":\"UNKNOWN\"}]}")),
        silent("upstream-refused", of(NAME).status(401).codes(&["DENIED"])),
        //
        decisive(
            "digest-mismatch",
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            pinned(&digest.replace("44136f", "44136e")).body("{}"),
        ),
        silent("digest-mismatch", pinned(digest).body("{}")),
        silent("digest-mismatch", pinned(&digest.replace("44136f", "44136e")).body("")),
        silent(
            "digest-mismatch",
            pinned(&digest.replace("44136f", "44136e")).body("{}").status(404),
        ),
        silent("digest-mismatch", of(NAME).status(200).body("{}")),
        //
        decisive("not-a-manifest", "Log in", response(200, "<html>Log in</html>")),
        decisive("not-a-manifest", "{\\\"ok\\\":true}", response(200, "{\"ok\":true}")),
        silent("not-a-manifest", response(200, "{\"schemaVersion\":2,\"manifests\":[]}")),
        silent("not-a-manifest", response(404, "{\"ok\":true}")),
        silent("not-a-manifest", response(200, "")),
        silent("not-a-manifest", of(NAME).status(200)),
    ]
}
