//! Runs each recipe of `docs/recipes.md` from its text, against real registries that play those it names: the Dockerfile
//! as a plain root folder with chroot, the init script with BusyBox's `sh`, the CI jobs with `sh -e`, as CI systems do.
//!
//! Everything else that a recipe needs is prepared here: credentials, the authority's certificate, a `podman` that prints its
//! arguments. A recipe that is not known here fails. `make test` compiles the Rust program with the other examples.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::containers::Dockerfile;
use crate::examples::{LOGIN_WORKED, World};
use crate::peers::{RUNTIME, RunResult, Surroundings};
use crate::report::Report;
use crate::servers::Program;
use crate::stage::Stage;
use crate::support::documents::{self, Block, RECIPES};
use crate::token_server::MEMBER;
use crate::{Outcome, REGQ, peers};

/// The registry of the recipes, its image, and the file with its authority's certificate.
const REGISTRY: &str = "registry.example.com";
const IMAGE: &str = "registry.example.com/team/app";
const AUTHORITY: &str = "company-ca.pem";

/// Runs the blocks of a recipe.
type Check = fn(&Bench<'_>, &[Block], &mut Report) -> Outcome<()>;
/// The recipes by their headings.
const CHECKS: [(&str, Check); 6] = [
    ("An image with nothing else in it", container),
    ("An init script that pins an image", init_script),
    ("A jump host with a private CA", jump_host),
    ("GitHub Actions", github),
    ("GitLab CI", gitlab),
    ("Use from a Rust program", rust),
];

/// What all recipes run with.
struct Bench<'a> {
    stage: &'a Stage,
    program: &'a Program,
    /// Parent of the folders of the recipes.
    folder: PathBuf,
}

/// Runs all recipes.
pub(crate) fn check(stage: &Stage, program: &Program, report: &mut Report) -> Outcome<()> {
    let folder = program.folder(&stage.folder).join("recipes");
    let bench = Bench { stage, program, folder };
    let blocks = documents::blocks()?;
    let recipes: Vec<_> = blocks.into_iter().filter(|block| block.page == RECIPES).collect();
    let unknown =
        recipes.iter().find(|block| !CHECKS.iter().any(|(name, _)| *name == block.heading));
    if let Some(block) = unknown {
        report.check(&block.heading, Err("this recipe is not checked here".to_owned()));
    }
    for (name, check) in CHECKS {
        let blocks: Vec<_> =
            recipes.iter().filter(|block| block.heading == name).cloned().collect();
        if let Err(why) = check(&bench, &blocks, report) {
            report.check(name, Err(why));
        }
    }
    Ok(())
}

/// Returns the texts of a recipe's blocks, which must be in these languages.
fn texts<const N: usize>(blocks: &[Block], languages: [&str; N]) -> Outcome<[String; N]> {
    let found: Vec<_> = blocks.iter().map(|block| block.language.as_str()).collect();
    if found != languages {
        return Err(format!("expected blocks in {languages:?}, found {found:?}"));
    }
    let texts: Vec<_> = blocks.iter().map(|block| block.text.clone()).collect();
    texts.try_into().map_err(|_| "one block per language".to_owned())
}

impl Bench<'_> {
    /// Creates a folder with the authority's certificate and the password file.
    fn folder(&self, name: &str) -> Outcome<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        fs::copy(self.stage.certificates.authority(), folder.join(AUTHORITY))
            .map_err(|error| error.to_string())?;
        write(&folder.join("password.txt"), &format!("{}\n", MEMBER.1))?;
        Ok(folder)
    }

    /// Returns surroundings with a new home in a folder, which is also the working folder. `bin` in it comes first on PATH
    /// and contains regq. Only the built-in authorities are trusted.
    fn bare(&self, folder: &Path) -> Outcome<Surroundings> {
        let (home, bin) = (folder.join("home"), folder.join("bin"));
        for folder in [&home.join(RUNTIME), &bin] {
            fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        symlink(REGQ, bin.join("regq")).map_err(|error| error.to_string())?;
        Ok(Surroundings::new(&home).with_program(&bin.join("regq")).within(folder))
    }

    /// Returns the same surroundings with the tests' authority trusted, as if it were a public one.
    fn trusting(&self, folder: &Path) -> Outcome<Surroundings> {
        Ok(self.bare(folder)?.trusting(&self.stage.certificates.authority()))
    }

    /// The recipes' image, pinned.
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

/// Returns a credential file with this password.
fn credentials(password: &str) -> String {
    let auth = STANDARD.encode(format!("{}:{password}", MEMBER.0));
    json!({"auths": {REGISTRY: {"auth": auth}}}).to_string()
}

/// Runs a script with `sh -e`, as CI systems do.
fn shell(around: &Surroundings, script: &str) -> Outcome<RunResult> {
    around.run(Path::new("/bin/sh"), &["-e", "-c", script], "")
}

/// Checks the exit code and the exact stdout of a run.
fn check_result(result: &RunResult, code: i32, stdout: &str) -> Outcome<()> {
    result.exits(code)?;
    if result.stdout == stdout.as_bytes() {
        Ok(())
    } else {
        Err(format!("expected: {stdout}{}", result.describe()))
    }
}

/// Checks that stderr contains a text.
fn check_stderr(result: &RunResult, part: &str) -> Outcome<()> {
    if result.stderr.contains(part) { Ok(()) } else { Err(result.describe()) }
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
                let expected = match words {
                    ["digest", "alpine"] => format!("{}\n", bench.stage.images.index.top.digest),
                    other => return Err(format!("{other:?} is not checked here")),
                };
                let result = root.run(&around, words)?;
                report.check(line, check_result(&result, 0, &expected));
            }
            _ => return Err(format!("`{line}` is not checked here")),
        }
    }
    let (_, root) = image.ok_or("no image was built")?;
    let result = root.run(&around, &[])?;
    let outcome = result.exits(0).and_then(|()| {
        let help = String::from_utf8_lossy(&result.stdout).starts_with("Usage: regq ");
        if help { Ok(()) } else { Err(result.describe()) }
    });
    report.check("the image prints help without arguments", outcome);
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
    let busybox = peers::find("busybox").ok_or("the init script needs busybox")?;
    let state = folder.join("state");
    fs::create_dir_all(&state).map_err(|error| error.to_string())?;
    let (auth, pinned) = (state.join("auth.json"), state.join("pinned"));
    let words = [file.display().to_string(), state.display().to_string()];
    let words: Vec<_> = ["sh".to_owned()].into_iter().chain(words).collect();
    let start = || around.run(&busybox, &words, "");
    let starts = format!("podman run --rm {}\n", bench.pinned());

    write(&auth, &credentials(MEMBER.1))?;
    let world = bench.world()?;
    report.check("init script: starts the current image", check_result(&start()?, 0, &starts));
    let kept = fs::read_to_string(&pinned).map_err(|error| error.to_string())?;
    let outcome =
        if kept == format!("{}\n", bench.pinned()) { Ok(()) } else { Err(format!("kept: {kept}")) };
    report.check("init script: pins it", outcome);
    write(&auth, &credentials("wrong"))?;
    report.check("init script: exit 4 if refused", check_result(&start()?, 4, ""));
    drop(world);
    let result = start()?;
    let outcome = check_result(&result, 0, &starts)
        .and_then(|()| check_stderr(&result, "using the pinned image"));
    report.check("init script: starts the pinned image without a registry", outcome);
    fs::remove_file(&pinned).map_err(|error| error.to_string())?;
    report.check(
        "init script: exit 6 without a registry and a pinned image",
        check_result(&start()?, 6, ""),
    );
    Ok(())
}

fn jump_host(bench: &Bench<'_>, blocks: &[Block], report: &mut Report) -> Outcome<()> {
    let [all, one] = texts(blocks, ["sh", "sh"])?;
    let _world = bench.world()?;
    let folder = bench.folder("jump-host")?;
    let around = bench.bare(&folder)?;
    // Without the lines of the recipe that name the authority, the registry is not trusted.
    let without: String = all
        .lines()
        .filter(|line| !line.contains(AUTHORITY))
        .map(|line| line.to_owned() + "\n")
        .collect();
    let result = shell(&around, &without)?;
    let outcome = check_result(&result, 6, "").and_then(|()| check_stderr(&result, "certificate"));
    report.check("jump host: exit 6 without the authority", outcome);
    let expected = format!("{}\n", bench.pinned());
    report.check("jump host: SSL_CERT_FILE", check_result(&shell(&around, &all)?, 0, &expected));
    let result = shell(&around, &one)?;
    let outcome = result.exits(0).and_then(|()| {
        let worked = String::from_utf8_lossy(&result.stdout).contains(LOGIN_WORKED);
        if worked { Ok(()) } else { Err(result.describe()) }
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
        return Err(format!("unknown variables: {:?}", job.environment));
    }
    let around = bare.with("DOCKER_AUTH_CONFIG", credentials(MEMBER.1));
    let dockerfile = |image: &str| {
        let text = format!("FROM {image}\nRUN something\n");
        write(&folder.join("Dockerfile"), &text)
    };
    dockerfile(&bench.pinned())?;
    report.check(
        "GitHub: passes if the image is the same",
        check_result(&shell(&around, &job.script)?, 0, ""),
    );
    report.check(
        "GitHub: exit 4 without the secret",
        check_result(&shell(&bare, &job.script)?, 4, ""),
    );
    dockerfile(&format!("{IMAGE}@{}", bench.stage.images.single.top.digest))?;
    let expected = format!("::error file=Dockerfile::the tag now refers to {}\n", bench.pinned());
    report.check(
        "GitHub: fails if the image changed",
        check_result(&shell(&around, &job.script)?, 1, &expected),
    );
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
    let outcome = check_result(&shell(&wrong, &job.script)?, 4, "").and_then(|()| {
        let written = folder.join("pin.env").exists();
        if written { Err("pin.env was written".to_owned()) } else { Ok(()) }
    });
    report.check("GitLab: exit 4 with a wrong password", outcome);
    let right = around.with("CI_REGISTRY_PASSWORD", MEMBER.1);
    let outcome = check_result(&shell(&right, &job.script)?, 0, "").and_then(|()| {
        let text = fs::read_to_string(folder.join("pin.env")).map_err(|error| error.to_string())?;
        if text == format!("IMAGE={}\n", bench.pinned()) { Ok(()) } else { Err(text) }
    });
    report.check("GitLab: passes the digest on", outcome);
    let kept = fs::read_to_string(folder.join("home/.docker/config.json")).unwrap_or_default();
    let outcome = if kept.contains(REGISTRY) { Err(kept) } else { Ok(()) };
    report.check("GitLab: removes the password", outcome);
    Ok(())
}

fn rust(_: &Bench<'_>, blocks: &[Block], report: &mut Report) -> Outcome<()> {
    let [program] = texts(blocks, ["rust,no_run"])?;
    let library = include_str!("../../src/lib.rs");
    let compiled = library.contains("#[doc = include_str!(\"../docs/recipes.md\")]");
    let outcome = if compiled && program.contains("fn main()") {
        Ok(())
    } else {
        Err("src/lib.rs does not include it".to_owned())
    };
    report.check("Rust: make test compiles the program", outcome);
    Ok(())
}

/// The shell script of a CI configuration.
#[derive(Debug)]
struct Job {
    script: String,
    environment: Vec<(String, String)>,
}

impl Job {
    /// Reads the lines of `run: |`, the items of `script:`, and the variables of `env:`. A line with regq anywhere else is
    /// an error.
    fn read(text: &str) -> Outcome<Self> {
        let mut job = Self { script: String::new(), environment: Vec::new() };
        // The open key and its indentation.
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
                    let item = item.ok_or_else(|| format!("not a plain item: {line}"))?;
                    job.script.push_str(&format!("{item}\n"));
                }
                Some(("env:", _)) => {
                    let (name, value) =
                        inside.split_once(": ").ok_or_else(|| format!("not a variable: {line}"))?;
                    job.environment.push((name.to_owned(), value.to_owned()));
                }
                Some((other, _)) => return Err(format!("{other:?} is not checked here")),
                None if ["run: |", "script:", "env:"].contains(&inside) => {
                    open = Some((inside, indent));
                }
                None if line.contains("regq") || line.contains('\t') => {
                    return Err(format!("not run by a shell: {line}"));
                }
                None => {}
            }
        }
        if job.script.contains("regq ") {
            Ok(job)
        } else {
            Err("the script does not run regq".to_owned())
        }
    }
}
