//! Walks with faults in the first response and its challenge.

use crate::explain::walk::{Case, check};
use crate::explain::{Script, ScriptedResponse, run_script};
use crate::support::secrets::USER;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "not-a-registry",
        severity: "decisive",
        names: &["200", "page"],
        shows: || Script::new().first(ScriptedResponse::page("Log in to the hotel")),
        // The header shows that this is a registry, whatever the body.
        nearly: || {
            let page = ScriptedResponse::page("Log in");
            Script::new().first(page.header("Docker-Distribution-Api-Version", "registry/2.0"))
        },
    },
    Case {
        id: "challenge-missing",
        severity: "decisive",
        names: &["401", "without a WWW-Authenticate"],
        shows: || Script::new().first(ScriptedResponse::new(401).body("Unauthorized")),
        // A missing challenge after the token is another finding.
        nearly: || Script::new().last(ScriptedResponse::new(401)),
    },
    Case {
        id: "proxy-auth-required",
        severity: "decisive",
        names: &["only negotiate, ntlm"],
        shows: || Script::new().first(ScriptedResponse::challenge("Negotiate").line("NTLM")),
        nearly: || {
            Script::new().first(
                ScriptedResponse::challenge("Negotiate").line(crate::explain::scripted::CHALLENGE),
            )
        },
    },
    Case {
        id: "proxy-auth-required",
        severity: "decisive",
        names: &["407"],
        shows: || {
            Script::new()
                .first(ScriptedResponse::new(407).header("Proxy-Authenticate", "Basic realm=p"))
        },
        nearly: || Script::new().first(ScriptedResponse::new(406)),
    },
    Case {
        id: "basic-only",
        severity: "decisive",
        names: &["only Basic", r#""Sonatype Nexus""#],
        shows: || Script::new().challenge(r#"BASIC realm="Sonatype Nexus""#),
        nearly: || {
            Script::new().first(
                ScriptedResponse::challenge(crate::explain::scripted::CHALLENGE).line("Basic"),
            )
        },
    },
    Case {
        id: "challenge-malformed",
        severity: "decisive",
        names: &[
            "unterminated-quote",
            "byte 13",
            "line 1",
            r#"Bearer realm="HOST/token,service=x"#,
        ],
        shows: || Script::new().challenge(r#"Bearer realm="HOST/token,service=x"#),
        // Unusual, but valid in the grammar.
        nearly: || Script::new().challenge(r#"bearer , realm = "SELF/token" ,, service=s,"#),
    },
    Case {
        id: "challenge-malformed",
        severity: "decisive",
        names: &["duplicate-param", "line 2"],
        shows: || {
            let line = r#"Bearer realm="SELF/a",realm="SELF/b""#;
            Script::new().first(ScriptedResponse::challenge("Digest x=y").line(line))
        },
        nearly: || {
            let line = r#"Bearer realm="SELF/a""#;
            Script::new().first(ScriptedResponse::challenge(line).line(r#"Bearer realm="SELF/b""#))
        },
    },
    Case {
        id: "realm-missing",
        severity: "decisive",
        names: &["no realm"],
        shows: || Script::new().challenge(r#"Bearer service="s",scope="repository:team/app:pull""#),
        nearly: || Script::new().challenge(r#"Bearer service="s",REALM="SELF/token""#),
    },
    Case {
        id: "realm-missing",
        severity: "decisive",
        names: &["empty realm"],
        shows: || Script::new().challenge(r#"Bearer realm="",service="s""#),
        nearly: || Script::new().challenge(r#"Basic realm="""#),
    },
    Case {
        id: "realm-not-absolute",
        severity: "decisive",
        names: &[r#""the token server""#],
        shows: || Script::new().challenge(r#"Bearer realm="the token server",service="s""#),
        nearly: || {
            Script::new().challenge(r#"Bearer realm="SELF/token?account=ada&x=1",service="s""#)
        },
    },
    Case {
        // regq resolves the realm; most clients do not.
        id: "realm-not-absolute",
        severity: "note",
        names: &[r#""/token""#, "http://HOST/token"],
        shows: || Script::new().challenge(r#"Bearer realm="/token",service="registry.example""#),
        nearly: || Script::new().challenge(r#"Bearer realm="HTTP://HOST/token""#),
    },
    Case {
        id: "realm-plain-http",
        severity: "decisive",
        names: &["http://HOST/token"],
        shows: || {
            Script::new().https().challenge(r#"Bearer realm="http://HOST/token",service="s""#)
        },
        nearly: || Script::new().challenge(r#"Bearer realm="http://HOST/token",service="s""#),
    },
    Case {
        id: "realm-unreachable",
        severity: "decisive",
        names: &["127.0.0.1:1"],
        shows: || Script::new().challenge(r#"Bearer realm="http://127.0.0.1:1/token",service="s""#),
        nearly: || Script::new().token(ScriptedResponse::new(502)),
    },
    Case {
        // The server does not support TLS.
        id: "realm-unreachable",
        severity: "decisive",
        names: &["HOST", "TLS"],
        shows: || Script::new().challenge(r#"Bearer realm="https://HOST/token",service="s""#),
        nearly: || Script::new().first(ScriptedResponse::new(502)),
    },
    Case {
        id: "realm-untrusted",
        severity: "decisive",
        names: &["localhost", "127.0.0.1"],
        shows: || Script::new().user().challenge(r#"Bearer realm="http://localhost:PORT/token""#),
        // Without credentials there is nothing to protect.
        nearly: || Script::new().challenge(r#"Bearer realm="http://localhost:PORT/token""#),
    },
    Case {
        id: "realm-untrusted",
        severity: "decisive",
        names: &["localhost", "127.0.0.1"],
        shows: || Script::new().user().challenge(r#"Bearer realm="http://localhost:PORT/token""#),
        // The user trusts the realm.
        nearly: || {
            let script = Script::new().user().args(&["--trust-realm", "localhost"]);
            script.challenge(r#"Bearer realm="http://localhost:PORT/token""#)
        },
    },
    Case {
        id: "scope-other-repository",
        severity: "decisive",
        names: &[r#""proxy/app""#, r#""team/app""#],
        shows: || {
            let line = r#"Bearer realm="SELF/token",service="registry.example",scope="repository:proxy/app:pull""#;
            let last = ScriptedResponse::challenge(format!(r#"{line},error="insufficient_scope""#));
            Script::new().challenge(line).last(last)
        },
        nearly: || {
            let line = r#"Bearer realm="SELF/token",scope="repository:base:pull repository:team/app:pull""#;
            Script::new().challenge(line).last(ScriptedResponse::challenge(line))
        },
    },
    Case {
        // Unusual names are fine unless they belong to another repository.
        id: "scope-other-repository",
        severity: "note",
        names: &[r#""docker/team/app""#],
        shows: || {
            let scope = "repository:docker/team/app:pull";
            Script::new().challenge(&format!(r#"Bearer realm="SELF/token",scope="{scope}""#))
        },
        nearly: || {
            Script::new().challenge(r#"Bearer realm="SELF/token",scope="registry:catalog:*""#)
        },
    },
];

#[test]
fn faults_of_the_first_response_are_found() {
    check(CASES);
}

#[test]
fn refused_realms_are_not_contacted() {
    let line = r#"Bearer realm="http://localhost:PORT/token""#;
    let results = run_script(Script::new().user().challenge(line));
    assert_eq!(results.lines(), ["HEAD /v2/team/app/manifests/1.0"]);
    assert_eq!(results.findings(), ["realm-untrusted decisive"]);
    let command = results.named(results.object["command"].as_str().unwrap());
    assert!(command.starts_with(&format!("regq digest --user {USER} ")), "{command}");
    assert!(command.contains(" --plain-http "), "{command}");
    let end = " --trust-realm localhost HOST/team/app:1.0 < password.txt";
    assert!(command.ends_with(end), "{command}");
}

#[test]
fn malformed_challenge_does_not_hide_a_valid_one() {
    let lines =
        ScriptedResponse::challenge(r#"Basic realm="x"#).line(crate::explain::scripted::CHALLENGE);
    let results = run_script(Script::new().first(lines.clone()));
    assert_eq!(results.findings(), ["challenge-malformed note"]);
    let results = run_script(Script::new().first(lines).last(ScriptedResponse::new(404)));
    assert_eq!(results.findings(), ["not-found decisive", "challenge-malformed note"]);
}
