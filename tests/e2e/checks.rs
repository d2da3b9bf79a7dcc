//! What is asked of each registry on loopback, and what has to come back.

use crate::Outcome;
use crate::explanations;
use crate::images::Document;
use crate::logins;
use crate::peers::{Answer, Surroundings};
use crate::report::Report;
use crate::servers::Program;
use crate::stage::{Open, Stage};
use crate::token_server::{OWNER, STRANGER};

/// A platform as it may be asked for, and the platform of the index that it means.
const PLATFORMS: [(&str, &str); 5] = [
    ("linux/amd64", "linux/amd64"),
    ("linux/arm64", "linux/arm64/v8"),
    ("linux/arm64/v8", "linux/arm64/v8"),
    ("linux/arm", "linux/arm/v7"),
    ("linux/arm/v7", "linux/arm/v7"),
];

/// One registry under question.
struct Checks<'a> {
    stage: &'a Stage,
    open: &'a Open,
    report: &'a mut Report,
}

/// Starts a registry, asks it everything, and ends it.
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
    /// `regq digest` says what the others say.
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
            let others = [said("crane", self.stage.crane(&["digest", &name]))];
            let outcome = same(self.digest(&[&name]), digest, others);
            self.report.check(&format!("digest of {image} by tag and digest"), outcome);
            let name = self.open.name(&format!("{image}:1"));
            let outcome = same(self.digest(&["--verify", &name]), digest, []);
            self.report.check(&format!("digest --verify of {image}"), outcome);
            let full = self.open.name(&format!("{image}@{digest}"));
            let others = [said("crane", self.stage.crane(&["digest", "--full-ref", &name]))];
            let outcome = same(self.digest(&["--full-ref", &name]), &full, others);
            self.report.check(&format!("digest --full-ref of {image}"), outcome);
        }
        let first = self.open.name("public/single:1");
        let second = self.open.name("public/index:1");
        let lines = format!("{single}  {first}\n{index}  {second}");
        let outcome = same(self.digest(&[&first, &second]), &lines, []);
        self.report.check("digest of two references", outcome);
    }

    /// `regq manifest` gives the bytes that were pushed.
    fn manifests(&mut self) {
        for image in ["public/single:1", "public/index:1", "public/docker:1"] {
            let name = self.open.name(image);
            let outcome = manifest_agrees(self.stage, &name);
            self.report.check(&format!("manifest of {image}"), outcome);
        }
    }

    /// `--platform` chooses what crane chooses, for `digest` and for `manifest`.
    fn platforms(&mut self) {
        let name = self.open.name("public/index:1");
        for (asked, meant) in PLATFORMS {
            let crane = ["digest", "--platform", asked, &name];
            let others = [said("crane", self.stage.crane(&crane))];
            let child = child(&self.stage.images.index.children, meant);
            let outcome = child.and_then(|child| {
                same(self.digest(&["--platform", asked, &name]), &child.digest, others)?;
                let words = ["manifest", "--platform", asked, &name];
                let bytes = self.stage.regq(&words)?.bytes()?;
                same_bytes(&bytes, &child.bytes, "what was pushed")
            });
            self.report.check(&format!("--platform {asked}"), outcome);
        }
        let single = self.open.name("public/single:1");
        let digest = &self.stage.images.single.top.digest;
        let outcome = same(self.digest(&["--platform", "linux/amd64", &single]), digest, []);
        self.report.check("--platform of a single image that is for it", outcome);
        for (what, name) in [("an index", &name), ("a single image", &single)] {
            let words = ["digest", "--platform", "linux/s390x", name];
            self.exits(&format!("--platform that {what} has not"), 3, &words, "");
        }
    }

    /// What is not there is not found, or refused where the token server does not say.
    fn missing(&mut self) {
        let nothing = format!("sha256:{}", "0".repeat(64));
        let by_digest = format!("public/single@{nothing}");
        let cases = [
            ("an unknown tag", 3, "public/single:absent"),
            ("an unknown digest", 3, by_digest.as_str()),
            ("an unknown repository that anybody may pull", 3, "public/absent:1"),
            ("an unknown repository that the token server grants nobody", 4, "absent/absent:1"),
        ];
        for (what, code, name) in cases {
            let name = self.open.name(name);
            self.exits(&format!("digest of {what}"), code, &["digest", &name], "");
            self.exits(&format!("manifest of {what}"), code, &["manifest", &name], "");
        }
    }

    /// A private repository opens to its owner alone.
    fn credentials(&mut self) {
        let name = self.open.name("private/single:1");
        let image = self.stage.images.private.top.clone();
        self.exits("private repository without credentials", 4, &["digest", &name], "");
        let owner = ["digest", "--user", OWNER.0, "--password-stdin", &name];
        let outcome = self.owners_digest(&owner, &name, &image);
        self.report.check("private repository with credentials", outcome);
        let words = ["manifest", "--user", OWNER.0, "--password-stdin", &name];
        let answer = self.stage.regq_with_input(&words, &format!("{}\n", OWNER.1));
        let outcome = answer
            .and_then(Answer::bytes)
            .and_then(|bytes| same_bytes(&bytes, &image.bytes, "what was pushed"));
        self.report.check("manifest of a private repository with credentials", outcome);
        let asks = self.open.tokens.requests().len();
        self.exits("private repository with a wrong password", 4, &owner, "wrong\n");
        let asks = self.open.tokens.requests().len() - asks;
        let outcome = if asks == 1 { Ok(()) } else { Err(format!("{asks} times")) };
        self.report.check("a wrong password is sent once", outcome);
        let stranger = ["digest", "--user", STRANGER.0, "--password-stdin", &name];
        self.exits("private repository of another user", 4, &stranger, STRANGER.1);
        let public = self.open.name("public/single:1");
        let words = ["digest", "--user", OWNER.0, "--password-stdin", &public];
        self.exits("public repository with a wrong password", 4, &words, "wrong\n");
    }

    fn owners_digest(&self, words: &[&str], name: &str, image: &Document) -> Outcome<()> {
        let answer = self.stage.regq_with_input(words, &format!("{}\n", OWNER.1));
        let credentials = format!("{}:{}", OWNER.0, OWNER.1);
        let options = ["--creds", &credentials, "--format", "{{.Digest}}"];
        let crane = self.stage.crane_as_owner(&self.open.host, &["digest", name])?;
        let others =
            [said("skopeo", Some(self.stage.skopeo(&options, name))), said("crane", crane)];
        same(answer.and_then(Answer::text), &image.digest, others)
    }

    /// The CA counts because it was named, by variable or flag, and not otherwise.
    fn trust(&mut self) {
        let name = self.open.name("public/single:1");
        let bare = Surroundings::new(&self.stage.folder.join("home"));
        let regq = std::path::Path::new(crate::REGQ);
        let answer = bare.run(regq, &["digest", &name], "");
        self.report.check("a CA that nobody named", answer.and_then(|answer| answer.exits(6)));
        let authority = self.stage.certificates.authority().display().to_string();
        let answer = bare.run(regq, &["digest", "--ca-file", &authority, &name], "");
        let digest = &self.stage.images.single.top.digest;
        let outcome = same(answer.and_then(Answer::text), digest, []);
        self.report.check("a CA that --ca-file names", outcome);
    }

    /// A digest costs three requests: the question, the token, the question with the token.
    fn requests(&mut self) {
        let outcome = self.count_requests();
        self.report.check("a digest is three requests", outcome);
    }

    fn count_requests(&self) -> Outcome<()> {
        let name = self.open.name("public/index:1");
        self.fence(&name)?;
        let before = self.open.registry.requests_of("regq/", 0)?.len();
        let asked = self.open.tokens.requests().len();
        self.digest(&[&name])?;
        let asked = self.open.tokens.requests().len() - asked;
        self.fence(&name)?;
        let lines = self.open.registry.requests_of("regq/", before + 2)?.split_off(before);
        let question = "\"HEAD /v2/public/index/manifests/1 ";
        if asked == 1 && lines.len() == 2 && lines.iter().all(|line| line.contains(question)) {
            Ok(())
        } else {
            Err(format!("{asked} token requests and\n{}", lines.join("\n")))
        }
    }

    /// What was asked before is in the access log once a request made now is.
    fn fence(&self, name: &str) -> Outcome<()> {
        let seen = self.open.registry.requests_of("skopeo/", 0)?.len();
        self.stage.skopeo(&["--raw"], name)?.bytes()?;
        self.open.registry.requests_of("skopeo/", seen + 1).map(drop)
    }

    fn digest(&self, arguments: &[&str]) -> Outcome<String> {
        self.stage.regq(&[&["digest"], arguments].concat())?.text()
    }

    /// Checks the exit code, and that nothing but an answer stands on stdout.
    fn exits(&mut self, what: &str, code: i32, arguments: &[&str], input: &str) {
        let outcome = self.stage.regq_with_input(arguments, input).and_then(|answer| {
            answer.exits(code)?;
            let silent = answer.stdout.is_empty() && answer.stderr.starts_with("regq: ");
            if silent { Ok(()) } else { Err(format!("not as errors are: {}", answer.describe())) }
        });
        self.report.check(&format!("{what}: exit {code}"), outcome);
    }
}

/// `regq digest` against everybody who can be asked for the same name.
pub(crate) fn digest_agrees(stage: &Stage, name: &str, known: Option<&str>) -> Outcome<()> {
    let ours = stage.regq(&["digest", name]).and_then(Answer::text);
    let skopeo = stage.skopeo(&["--format", "{{.Digest}}"], name).and_then(Answer::text)?;
    let others = [
        said("crane", stage.crane(&["digest", name])),
        said("regctl", stage.regctl(&["image", "digest", name])),
    ];
    if let Some(known) = known.filter(|known| *known != skopeo) {
        return Err(format!("{known} was pushed, and skopeo says {skopeo}"));
    }
    same(ours, &skopeo, others)
}

/// `regq manifest` against `skopeo inspect --raw`.
pub(crate) fn manifest_agrees(stage: &Stage, name: &str) -> Outcome<()> {
    let ours = stage.regq(&["manifest", name])?.bytes()?;
    let raw = stage.skopeo(&["--raw"], name)?.bytes()?;
    same_bytes(&ours, &raw, "`skopeo inspect --raw`")
}

type Saying = Option<(&'static str, Outcome<String>)>;

/// What somebody else said, when there is somebody.
fn said(who: &'static str, answer: Option<Outcome<Answer>>) -> Saying {
    answer.map(|answer| (who, answer.and_then(Answer::text)))
}

/// Holds regq's answer and everybody else's against the one that is due.
fn same(ours: Outcome<String>, due: &str, others: impl IntoIterator<Item = Saying>) -> Outcome<()> {
    let all = std::iter::once(("regq", ours)).chain(others.into_iter().flatten());
    let wrong: Vec<_> = all
        .filter(|(_, answer)| answer.as_deref() != Ok(due))
        .map(|(who, answer)| format!("{who}: {}", answer.unwrap_or_else(|why| why)))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(format!("due: {due}\n{}", wrong.join("\n"))) }
}

fn same_bytes(ours: &[u8], due: &[u8], whose: &str) -> Outcome<()> {
    if ours == due {
        return Ok(());
    }
    let [ours, due] = [ours, due].map(String::from_utf8_lossy);
    Err(format!("not the bytes of {whose}:\n{ours}\nbut\n{due}"))
}

fn child<'a>(children: &'a [Document], platform: &str) -> Outcome<&'a Document> {
    let mut found = children.iter().filter(|child| child.platform == platform);
    found.next().ok_or_else(|| format!("no {platform} in the index"))
}
