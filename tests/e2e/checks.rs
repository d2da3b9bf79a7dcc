//! Checks that run against each registry on loopback.

use crate::Outcome;
use crate::explanations;
use crate::images::Document;
use crate::logins;
use crate::peers::{RunResult, Surroundings};
use crate::report::Report;
use crate::servers::Program;
use crate::stage::{Open, Stage};
use crate::token_server::{OTHER_USER, OWNER};

/// Values of `--platform`, each with the platform of the index that it selects.
const PLATFORMS: [(&str, &str); 5] = [
    ("linux/amd64", "linux/amd64"),
    ("linux/arm64", "linux/arm64/v8"),
    ("linux/arm64/v8", "linux/arm64/v8"),
    ("linux/arm", "linux/arm/v7"),
    ("linux/arm/v7", "linux/arm/v7"),
];

/// The checks of one registry.
struct Checks<'a> {
    stage: &'a Stage,
    open: &'a Open,
    report: &'a mut Report,
}

/// Starts a registry and runs all checks against it.
pub(crate) fn against(stage: &Stage, program: &Program, report: &mut Report) -> Outcome<()> {
    let open = stage.open(program)?;
    let mut checks = Checks { stage, open: &open, report };
    checks.digests();
    checks.manifests();
    checks.platforms();
    checks.missing();
    checks.credentials();
    checks.trust();
    checks.requests();
    explanations::against(stage, &open, report);
    logins::against(stage, &open.host, &open.host, report)
}

impl Checks<'_> {
    /// `regq digest` prints the same as the other clients.
    fn digests(&mut self) {
        let single = self.stage.images.single.top.digest.clone();
        let index = self.stage.images.index.top.digest.clone();
        let cases = [
            ("a single image by its tag", "public/single:1", Some(&single)),
            ("a single image without a tag", "public/single", Some(&single)),
            ("an index by its tag", "public/index:1", Some(&index)),
            ("an image of docker's media types", "public/docker:1", None),
        ];
        for (what, name, known) in cases {
            let name = self.open.name(name);
            let outcome = digest_agrees(self.stage, &name, known.map(String::as_str));
            self.report.check(&format!("digest of {what}"), outcome);
        }
        for (image, digest) in [("public/single", &single), ("public/index", &index)] {
            let name = self.open.name(&format!("{image}@{digest}"));
            let outcome = digest_agrees(self.stage, &name, Some(digest));
            self.report.check(&format!("digest of {image} by its digest"), outcome);
            let name = self.open.name(&format!("{image}:1@{digest}"));
            let others = [output_of("crane", self.stage.crane(&["digest", &name]))];
            let outcome = same(self.digest(&[&name]), digest, others);
            self.report.check(&format!("digest of {image} by tag and digest"), outcome);
            let name = self.open.name(&format!("{image}:1"));
            let outcome = same(self.digest(&["--verify", &name]), digest, []);
            self.report.check(&format!("digest --verify of {image}"), outcome);
            let full = self.open.name(&format!("{image}@{digest}"));
            let others = [output_of("crane", self.stage.crane(&["digest", "--full-ref", &name]))];
            let outcome = same(self.digest(&["--full-ref", &name]), &full, others);
            self.report.check(&format!("digest --full-ref of {image}"), outcome);
        }
        let first = self.open.name("public/single:1");
        let second = self.open.name("public/index:1");
        let lines = format!("{single}  {first}\n{index}  {second}");
        let outcome = same(self.digest(&[&first, &second]), &lines, []);
        self.report.check("digest of two references", outcome);
    }

    /// `regq manifest` prints the bytes that were pushed.
    fn manifests(&mut self) {
        for image in ["public/single:1", "public/index:1", "public/docker:1"] {
            let name = self.open.name(image);
            let outcome = manifest_agrees(self.stage, &name);
            self.report.check(&format!("manifest of {image}"), outcome);
        }
    }

    /// `--platform` selects the same image as crane does, for `digest` and for `manifest`.
    fn platforms(&mut self) {
        let name = self.open.name("public/index:1");
        for (platform, selected) in PLATFORMS {
            let crane = ["digest", "--platform", platform, &name];
            let others = [output_of("crane", self.stage.crane(&crane))];
            let child = child(&self.stage.images.index.children, selected);
            let outcome = child.and_then(|child| {
                same(self.digest(&["--platform", platform, &name]), &child.digest, others)?;
                let words = ["manifest", "--platform", platform, &name];
                let bytes = self.stage.regq(&words)?.bytes()?;
                same_bytes(&bytes, &child.bytes, "the pushed manifest")
            });
            self.report.check(&format!("--platform {platform}"), outcome);
        }
        let single = self.open.name("public/single:1");
        let digest = &self.stage.images.single.top.digest;
        let outcome = same(self.digest(&["--platform", "linux/amd64", &single]), digest, []);
        self.report.check("--platform that a single image has", outcome);
        for (what, name) in [("an index", &name), ("a single image", &single)] {
            let words = ["digest", "--platform", "linux/s390x", name];
            self.exits(&format!("--platform that {what} lacks"), 3, &words, "");
        }
    }

    /// Unknown names are not found, or denied if the token server hides whether they exist.
    fn missing(&mut self) {
        let nothing = format!("sha256:{}", "0".repeat(64));
        let by_digest = format!("public/single@{nothing}");
        let cases = [
            ("an unknown tag", 3, "public/single:absent"),
            ("an unknown digest", 3, by_digest.as_str()),
            ("an unknown public repository", 3, "public/absent:1"),
            ("an unknown repository without access", 4, "absent/absent:1"),
        ];
        for (what, code, name) in cases {
            let name = self.open.name(name);
            self.exits(&format!("digest of {what}"), code, &["digest", &name], "");
            self.exits(&format!("manifest of {what}"), code, &["manifest", &name], "");
        }
    }

    /// Only its owner can read a private repository.
    fn credentials(&mut self) {
        let name = self.open.name("private/single:1");
        let image = self.stage.images.private.top.clone();
        self.exits("private repository without credentials", 4, &["digest", &name], "");
        let owner = ["digest", "--user", OWNER.0, "--password-stdin", &name];
        let outcome = self.digest_as_owner(&owner, &name, &image);
        self.report.check("private repository with credentials", outcome);
        let words = ["manifest", "--user", OWNER.0, "--password-stdin", &name];
        let result = self.stage.regq_with_input(&words, &format!("{}\n", OWNER.1));
        let outcome = result
            .and_then(RunResult::bytes)
            .and_then(|bytes| same_bytes(&bytes, &image.bytes, "the pushed manifest"));
        self.report.check("manifest of a private repository with credentials", outcome);
        let before = self.open.tokens.requests().len();
        self.exits("private repository with a wrong password", 4, &owner, "wrong\n");
        let count = self.open.tokens.requests().len() - before;
        let outcome = if count == 1 { Ok(()) } else { Err(format!("sent {count} times")) };
        self.report.check("a wrong password is sent once", outcome);
        let other_user = ["digest", "--user", OTHER_USER.0, "--password-stdin", &name];
        self.exits("private repository of another user", 4, &other_user, OTHER_USER.1);
        let public = self.open.name("public/single:1");
        let words = ["digest", "--user", OWNER.0, "--password-stdin", &public];
        self.exits("public repository with a wrong password", 4, &words, "wrong\n");
    }

    fn digest_as_owner(&self, words: &[&str], name: &str, image: &Document) -> Outcome<()> {
        let result = self.stage.regq_with_input(words, &format!("{}\n", OWNER.1));
        let credentials = format!("{}:{}", OWNER.0, OWNER.1);
        let options = ["--creds", &credentials, "--format", "{{.Digest}}"];
        let crane = self.stage.crane_as_owner(&self.open.host, &["digest", name])?;
        let others = [
            output_of("skopeo", Some(self.stage.skopeo(&options, name))),
            output_of("crane", crane),
        ];
        same(result.and_then(RunResult::text), &image.digest, others)
    }

    /// regq trusts the CA only if a variable or flag names it.
    fn trust(&mut self) {
        let name = self.open.name("public/single:1");
        let bare = Surroundings::new(&self.stage.folder.join("home"));
        let regq = std::path::Path::new(crate::REGQ);
        let result = bare.run(regq, &["digest", &name], "");
        self.report.check("unknown CA: exit 6", result.and_then(|result| result.exits(6)));
        let authority = self.stage.certificates.authority().display().to_string();
        let result = bare.run(regq, &["digest", "--ca-file", &authority, &name], "");
        let digest = &self.stage.images.single.top.digest;
        let outcome = same(result.and_then(RunResult::text), digest, []);
        self.report.check("CA of --ca-file", outcome);
    }

    /// `digest` sends three requests: HEAD, token, HEAD with the token.
    fn requests(&mut self) {
        let outcome = self.count_requests();
        self.report.check("digest sends three requests", outcome);
    }

    fn count_requests(&self) -> Outcome<()> {
        let name = self.open.name("public/index:1");
        self.wait_for_log(&name)?;
        let before = self.open.registry.requests_of("regq/", 0)?.len();
        let before_tokens = self.open.tokens.requests().len();
        self.digest(&[&name])?;
        let tokens = self.open.tokens.requests().len() - before_tokens;
        self.wait_for_log(&name)?;
        let lines = self.open.registry.requests_of("regq/", before + 2)?.split_off(before);
        let request = "\"HEAD /v2/public/index/manifests/1 ";
        if tokens == 1 && lines.len() == 2 && lines.iter().all(|line| line.contains(request)) {
            Ok(())
        } else {
            Err(format!("{tokens} token requests and\n{}", lines.join("\n")))
        }
    }

    /// Waits until the access log contains all earlier requests, by sending one more.
    fn wait_for_log(&self, name: &str) -> Outcome<()> {
        let before = self.open.registry.requests_of("skopeo/", 0)?.len();
        self.stage.skopeo(&["--raw"], name)?.bytes()?;
        self.open.registry.requests_of("skopeo/", before + 1).map(drop)
    }

    fn digest(&self, arguments: &[&str]) -> Outcome<String> {
        self.stage.regq(&[&["digest"], arguments].concat())?.text()
    }

    /// Checks the exit code, that stdout is empty, and that stderr has an error.
    fn exits(&mut self, what: &str, code: i32, arguments: &[&str], input: &str) {
        let outcome = self.stage.regq_with_input(arguments, input).and_then(|result| {
            result.exits(code)?;
            let is_error = result.stdout.is_empty() && result.stderr.starts_with("regq: ");
            if is_error {
                Ok(())
            } else {
                Err(format!("not an error message: {}", result.describe()))
            }
        });
        self.report.check(&format!("{what}: exit {code}"), outcome);
    }
}

/// Checks that `regq digest` and the other clients print the same digest for a name.
pub(crate) fn digest_agrees(stage: &Stage, name: &str, known: Option<&str>) -> Outcome<()> {
    let ours = stage.regq(&["digest", name]).and_then(RunResult::text);
    let skopeo = stage.skopeo(&["--format", "{{.Digest}}"], name).and_then(RunResult::text)?;
    let others = [
        output_of("crane", stage.crane(&["digest", name])),
        output_of("regctl", stage.regctl(&["image", "digest", name])),
    ];
    if let Some(known) = known.filter(|known| *known != skopeo) {
        return Err(format!("{known} was pushed, but skopeo prints {skopeo}"));
    }
    same(ours, &skopeo, others)
}

/// Checks that `regq manifest` prints the same bytes as `skopeo inspect --raw`.
pub(crate) fn manifest_agrees(stage: &Stage, name: &str) -> Outcome<()> {
    let ours = stage.regq(&["manifest", name])?.bytes()?;
    let raw = stage.skopeo(&["--raw"], name)?.bytes()?;
    same_bytes(&ours, &raw, "`skopeo inspect --raw`")
}

/// The name of another client and its output, if it is installed.
type OtherOutput = Option<(&'static str, Outcome<String>)>;

fn output_of(client: &'static str, result: Option<Outcome<RunResult>>) -> OtherOutput {
    result.map(|result| (client, result.and_then(RunResult::text)))
}

/// Checks that regq and the other clients printed the expected text.
fn same(
    ours: Outcome<String>,
    expected: &str,
    others: impl IntoIterator<Item = OtherOutput>,
) -> Outcome<()> {
    let all = std::iter::once(("regq", ours)).chain(others.into_iter().flatten());
    let wrong: Vec<_> = all
        .filter(|(_, result)| result.as_deref() != Ok(expected))
        .map(|(client, result)| format!("{client}: {}", result.unwrap_or_else(|why| why)))
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("expected: {expected}\n{}", wrong.join("\n")))
    }
}

fn same_bytes(ours: &[u8], expected: &[u8], source: &str) -> Outcome<()> {
    if ours == expected {
        return Ok(());
    }
    let [ours, expected] = [ours, expected].map(String::from_utf8_lossy);
    Err(format!("not the bytes of {source}:\n{ours}\nexpected:\n{expected}"))
}

fn child<'a>(children: &'a [Document], platform: &str) -> Outcome<&'a Document> {
    let mut found = children.iter().filter(|child| child.platform == platform);
    found.next().ok_or_else(|| format!("the index lacks {platform}"))
}
