//! The README's recipes, each run from its text where the registries that it names are played by
//! real ones: the Dockerfile as a plain root folder and by chroot, the init script by BusyBox's
//! `sh`, the command lines of the CI jobs by `sh -e`, which is how both run them.
//!
//! Whatever else a recipe needs is put around it here: credentials, the authority's certificate, a
//! `podman` that prints how it was called. A recipe that nobody here knows fails. The Rust program
//! is compiled by `make test`, with the examples of the documentation.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::blocks::{self, Block, RECIPES};
use crate::containers::Dockerfile;
use crate::peers::{Answer, RUNTIME, Surroundings};
use crate::readme::World;
use crate::report::Report;
use crate::servers::Program;
use crate::stage::Stage;
use crate::token_server::MEMBER;
use crate::{Outcome, REGQ, peers};

/// The registry of the recipes, its image, and the authority's certificate there.
const REGISTRY: &str = "registry.example.com";
const IMAGE: &str = "registry.example.com/team/app";
const AUTHORITY: &str = "company-ca.pem";

/// The recipes, by their headings.
type Judge = fn(&Bench<'_>, &[Block], &mut Report) -> Outcome<()>;
const JUDGES: [(&str, Judge); 6] = [
    ("An image with nothing else in it", container),
    ("An init script that pins an image", init_script),
    ("A jump host with a private authority", jump_host),
    ("GitHub Actions", github),
    ("GitLab CI", gitlab),
    ("A Rust program", rust),
];

/// What every recipe is tried with.
struct Bench<'a> {
    stage: &'a Stage,
    program: &'a Program,
    /// Everything that is written is written below it.
    folder: PathBuf,
}

/// Runs them all.
pub(crate) fn check(stage: &Stage, program: &Program, report: &mut Report) -> Outcome<()> {
    let folder = program.folder(&stage.folder).join("recipes");
    let bench = Bench { stage, program, folder };
    let blocks = blocks::read()?;
    let recipes: Vec<_> = blocks.into_iter().filter(|block| block.section == RECIPES).collect();
    let unknown =
        recipes.iter().find(|block| !JUDGES.iter().any(|(name, _)| *name == block.heading));
    if let Some(block) = unknown {
        report.check(&block.heading, Err("nobody here can judge this recipe".to_owned()));
    }
    for (name, judge) in JUDGES {
        let blocks: Vec<_> =
            recipes.iter().filter(|block| block.heading == name).cloned().collect();
        if let Err(why) = judge(&bench, &blocks, report) {
            report.check(name, Err(why));
        }
    }
    Ok(())
}

/// The texts of a recipe's blocks, which have to be in these languages.
fn texts<const N: usize>(blocks: &[Block], languages: [&str; N]) -> Outcome<[String; N]> {
    let found: Vec<_> = blocks.iter().map(|block| block.language.as_str()).collect();
    if found != languages {
        return Err(format!("blocks of {languages:?} are due, not of {found:?}"));
    }
    let texts: Vec<_> = blocks.iter().map(|block| block.text.clone()).collect();
    texts.try_into().map_err(|_| "as many as there are languages".to_owned())
}

impl Bench<'_> {
    /// A folder of this name with the authority's certificate and the password in it.
    fn folder(&self, name: &str) -> Outcome<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        fs::copy(self.stage.certificates.authority(), folder.join(AUTHORITY))
            .map_err(|error| error.to_string())?;
        write(&folder.join("password.txt"), &format!("{}\n", MEMBER.1))?;
        Ok(folder)
    }

    /// A home of its own in a folder, which is the working folder too; `bin` in it comes first on PATH
    /// and has regq. Nobody's authority is trusted but the built-in ones.
    fn bare(&self, folder: &Path) -> Outcome<Surroundings> {
        let (home, bin) = (folder.join("home"), folder.join("bin"));
        for folder in [&home.join(RUNTIME), &bin] {
            fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        symlink(REGQ, bin.join("regq")).map_err(|error| error.to_string())?;
        Ok(Surroundings::new(&home).with_program(&bin.join("regq")).within(folder))
    }

    /// The same, where the authority of the tests stands for a public one.
    fn trusting(&self, folder: &Path) -> Outcome<Surroundings> {
        Ok(self.bare(folder)?.trusting(&self.stage.certificates.authority()))
    }

    /// The image of the recipes, pinned.
    fn pinned(&self) -> String {
        format!("{IMAGE}@{}", self.stage.images.private.top.digest)
    }

    fn world(&self) -> Outcome<World> {
        World::open(self.stage, self.program)
    }
}

fn write(path: &Path, text: &str) -> Outcome<()> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// The text of a credential file with this password.
fn credentials(password: &str) -> String {
    let auth = STANDARD.encode(format!("{}:{password}", MEMBER.0));
    json!({"auths": {REGISTRY: {"auth": auth}}}).to_string()
}

/// Has `sh -e` run a script, as a CI system does.
fn shell(around: &Surroundings, script: &str) -> Outcome<Answer> {
    around.run(Path::new("/bin/sh"), &["-e", "-c", script], "")
}

/// Whether a run ended with this code and printed this, and nothing else on stdout.
fn ended(answer: &Answer, code: i32, due: &str) -> Outcome<()> {
    answer.exits(code)?;
    if answer.stdout == due.as_bytes() {
        Ok(())
    } else {
        Err(format!("due: {due}{}", answer.describe()))
    }
}

/// Whether a run said something on stderr.
fn said(answer: &Answer, part: &str) -> Outcome<()> {
    if answer.stderr.contains(part) { Ok(()) } else { Err(answer.describe()) }
}

fn container(bench: &Bench<'_>, blocks: &[Block], report: &mut Report) -> Outcome<()> {
    let [dockerfile, commands] = texts(blocks, ["dockerfile", "sh"])?;
    let _world = bench.world()?;
    let folder = bench.folder("container")?;
    let around = bench.bare(&folder)?;
    crate::containers::copy_static_program(&folder.join("regq"))?;
    let dockerfile = Dockerfile::read(&dockerfile)?;
    let mut image = None;
    for line in commands.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        match (words.as_slice(), &image) {
            (["docker", "build", "-t", name, "."], None) => {
                let root = dockerfile.build(&folder, &folder.join("root"))?;
                report.check(line, Ok(()));
                image = Some(((*name).to_owned(), root));
            }
            (["docker", "run", "--rm", name, words @ ..], Some((built, root))) if name == built => {
                let due = match words {
                    ["digest", "alpine"] => format!("{}\n", bench.stage.images.index.top.digest),
                    other => return Err(format!("nobody here can judge {other:?}")),
                };
                let answer = root.run(&around, words)?;
                report.check(line, ended(&answer, 0, &due));
            }
            _ => return Err(format!("nobody here can judge `{line}`")),
        }
    }
    let (_, root) = image.ok_or("no image was built")?;
    let answer = root.run(&around, &[])?;
    let outcome = answer.exits(0).and_then(|()| {
        let help = String::from_utf8_lossy(&answer.stdout).starts_with("Usage: regq ");
        if help { Ok(()) } else { Err(answer.describe()) }
    });
    report.check("what the image does without arguments", outcome);
    Ok(())
}

fn init_script(bench: &Bench<'_>, blocks: &[Block], report: &mut Report) -> Outcome<()> {
    let [script] = texts(blocks, ["sh"])?;
    let folder = bench.folder("init")?;
    let around = bench.trusting(&folder)?;
    let (podman, file) = (folder.join("bin/podman"), folder.join("init.sh"));
    write(&podman, "#!/bin/sh\necho \"podman $*\"\n")?;
    fs::set_permissions(&podman, fs::Permissions::from_mode(0o755))
        .map_err(|error| error.to_string())?;
    write(&file, &script)?;
    let busybox = peers::find("busybox").ok_or("the recipe for BusyBox needs busybox")?;
    let state = folder.join("state");
    fs::create_dir_all(&state).map_err(|error| error.to_string())?;
    let (auth, pinned) = (state.join("auth.json"), state.join("pinned"));
    let words = [file.display().to_string(), state.display().to_string()];
    let words: Vec<_> = ["sh".to_owned()].into_iter().chain(words).collect();
    let start = || around.run(&busybox, &words, "");
    let starts = format!("podman run --rm {}\n", bench.pinned());

    write(&auth, &credentials(MEMBER.1))?;
    let world = bench.world()?;
    report.check("init script: the image of today", ended(&start()?, 0, &starts));
    let kept = fs::read_to_string(&pinned).map_err(|error| error.to_string())?;
    let outcome =
        if kept == format!("{}\n", bench.pinned()) { Ok(()) } else { Err(format!("kept: {kept}")) };
    report.check("init script: it is kept", outcome);
    write(&auth, &credentials("wrong"))?;
    report.check("init script: refused, exit 4", ended(&start()?, 4, ""));
    drop(world);
    let answer = start()?;
    let outcome = ended(&answer, 0, &starts).and_then(|()| said(&answer, "the pinned one will do"));
    report.check("init script: no registry, the image of the last time", outcome);
    fs::remove_file(&pinned).map_err(|error| error.to_string())?;
    report.check("init script: no registry, nothing kept: exit 6", ended(&start()?, 6, ""));
    Ok(())
}

fn jump_host(bench: &Bench<'_>, blocks: &[Block], report: &mut Report) -> Outcome<()> {
    let [all, one] = texts(blocks, ["sh", "sh"])?;
    let _world = bench.world()?;
    let folder = bench.folder("jump-host")?;
    let around = bench.bare(&folder)?;
    // Without what the recipe says there is nothing to be had.
    let without: String = all
        .lines()
        .filter(|line| !line.contains(AUTHORITY))
        .map(|line| line.to_owned() + "\n")
        .collect();
    let answer = shell(&around, &without)?;
    let outcome = ended(&answer, 6, "").and_then(|()| said(&answer, "certificate"));
    report.check("jump host: without the authority, exit 6", outcome);
    let due = format!("{}\n", bench.pinned());
    report.check("jump host: SSL_CERT_FILE", ended(&shell(&around, &all)?, 0, &due));
    let answer = shell(&around, &one)?;
    let outcome = answer.exits(0).and_then(|()| {
        let worked = String::from_utf8_lossy(&answer.stdout).contains("\nThe login worked: ");
        if worked { Ok(()) } else { Err(answer.describe()) }
    });
    report.check("jump host: --ca-file", outcome);
    Ok(())
}

fn github(bench: &Bench<'_>, blocks: &[Block], report: &mut Report) -> Outcome<()> {
    let [workflow] = texts(blocks, ["yaml"])?;
    let job = Job::read(&workflow)?;
    let _world = bench.world()?;
    let folder = bench.folder("github")?;
    let bare = bench.trusting(&folder)?;
    let secret = ("DOCKER_AUTH_CONFIG", "${{ secrets.DOCKER_AUTH_CONFIG }}");
    if job.environment != [(secret.0.to_owned(), secret.1.to_owned())] {
        return Err(format!("nobody here knows these variables: {:?}", job.environment));
    }
    let around = bare.with("DOCKER_AUTH_CONFIG", credentials(MEMBER.1));
    let dockerfile = |image: &str| {
        let text = format!("FROM {image}\nRUN something\n");
        write(&folder.join("Dockerfile"), &text)
    };
    dockerfile(&bench.pinned())?;
    report.check("GitHub: it is the same", ended(&shell(&around, &job.script)?, 0, ""));
    report.check("GitHub: without the secret, exit 4", ended(&shell(&bare, &job.script)?, 4, ""));
    dockerfile(&format!("{IMAGE}@{}", bench.stage.images.single.top.digest))?;
    let due = format!("::error file=Dockerfile::the tag now stands for {}\n", bench.pinned());
    report.check("GitHub: it is another", ended(&shell(&around, &job.script)?, 1, &due));
    Ok(())
}

fn gitlab(bench: &Bench<'_>, blocks: &[Block], report: &mut Report) -> Outcome<()> {
    let [pipeline] = texts(blocks, ["yaml"])?;
    let job = Job::read(&pipeline)?;
    let _world = bench.world()?;
    let folder = bench.folder("gitlab")?;
    let around = bench.trusting(&folder)?;
    let around = around.with("CI_REGISTRY", REGISTRY).with("CI_REGISTRY_IMAGE", IMAGE);
    let around = around.with("CI_REGISTRY_USER", MEMBER.0).with("CI_COMMIT_REF_SLUG", "latest");
    let wrong = around.with("CI_REGISTRY_PASSWORD", "wrong");
    let outcome = ended(&shell(&wrong, &job.script)?, 4, "").and_then(|()| {
        let written = folder.join("pin.env").exists();
        if written { Err("it hands on what it has not got".to_owned()) } else { Ok(()) }
    });
    report.check("GitLab: a wrong password, exit 4", outcome);
    let right = around.with("CI_REGISTRY_PASSWORD", MEMBER.1);
    let outcome = ended(&shell(&right, &job.script)?, 0, "").and_then(|()| {
        let text = fs::read_to_string(folder.join("pin.env")).map_err(|error| error.to_string())?;
        if text == format!("IMAGE={}\n", bench.pinned()) { Ok(()) } else { Err(text) }
    });
    report.check("GitLab: the digest is handed on", outcome);
    let kept = fs::read_to_string(folder.join("home/.docker/config.json")).unwrap_or_default();
    let outcome = if kept.contains(REGISTRY) { Err(kept) } else { Ok(()) };
    report.check("GitLab: no password stays behind", outcome);
    Ok(())
}

fn rust(_: &Bench<'_>, blocks: &[Block], report: &mut Report) -> Outcome<()> {
    let [program] = texts(blocks, ["rust,no_run"])?;
    let library = include_str!("../../src/lib.rs");
    let compiled = library.contains("#[doc = include_str!(\"../README.md\")]");
    let outcome = if compiled && program.contains("fn main()") {
        Ok(())
    } else {
        Err("it is not among the examples that `make test` compiles".to_owned())
    };
    report.check("the Rust program is compiled by make test", outcome);
    Ok(())
}

/// What a CI system's file has for a shell.
#[derive(Debug)]
struct Job {
    script: String,
    environment: Vec<(String, String)>,
}

impl Job {
    /// Reads the lines of `run: |`, the items of `script:`, and the variables of `env:`. All that regq
    /// does has to be among them.
    fn read(text: &str) -> Outcome<Self> {
        let mut job = Self { script: String::new(), environment: Vec::new() };
        // The key whose block is open, and how far in it stands.
        let mut open: Option<(&str, usize)> = None;
        for line in text.lines() {
            let inside = line.trim_start_matches([' ', '-']);
            let indent = line.len() - line.trim_start().len();
            if open.is_some_and(|(_, outer)| indent <= outer) {
                open = None;
            }
            match open {
                Some(("run: |", _)) => job.script.push_str(&format!("{}\n", line.trim_start())),
                Some(("script:", _)) => {
                    let item = line.trim_start().strip_prefix("- ");
                    let item = item.filter(|item| !item.contains(": ") && !item.contains(" #"));
                    let item = item.ok_or_else(|| format!("no plain item: {line}"))?;
                    job.script.push_str(&format!("{item}\n"));
                }
                Some(("env:", _)) => {
                    let (name, value) =
                        inside.split_once(": ").ok_or_else(|| format!("no variable: {line}"))?;
                    job.environment.push((name.to_owned(), value.to_owned()));
                }
                Some((other, _)) => return Err(format!("nobody here can judge {other:?}")),
                None if ["run: |", "script:", "env:"].contains(&inside) => {
                    open = Some((inside, indent));
                }
                None if line.contains("regq") || line.contains('\t') => {
                    return Err(format!("nobody runs this: {line}"));
                }
                None => {}
            }
        }
        if job.script.contains("regq ") { Ok(job) } else { Err("it runs no regq".to_owned()) }
    }
}
