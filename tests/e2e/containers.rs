//! Builds and runs a `FROM scratch` Dockerfile without a container engine: the image is a plain root folder, programs run
//! in it with chroot. `/etc/hosts` and `/etc/resolv.conf`, which an engine adds, are copied.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::peers::{RunResult, Surroundings};
use crate::{Outcome, peers};

/// A parsed `FROM scratch` Dockerfile.
#[derive(Debug, Default)]
pub(crate) struct Dockerfile {
    /// Files in the build folder and their paths in the image.
    copies: Vec<(String, String)>,
    environment: Vec<String>,
    user: Option<String>,
    entrypoint: Vec<String>,
    command: Vec<String>,
}

/// A built image.
#[derive(Debug)]
pub(crate) struct Root<'a> {
    folder: PathBuf,
    dockerfile: &'a Dockerfile,
}

impl Dockerfile {
    /// Parses the instructions that an image with a single program needs. Others are errors.
    pub(crate) fn read(text: &str) -> Outcome<Self> {
        let mut dockerfile = Self::default();
        let mut lines = text.lines();
        if lines.next() != Some("FROM scratch") {
            return Err("expected FROM scratch".to_owned());
        }
        for line in lines {
            let (instruction, rest) = line.split_once(' ').unwrap_or((line, ""));
            match (instruction, rest.split_whitespace().collect::<Vec<_>>().as_slice()) {
                ("COPY", [from, to]) if !from.contains('/') && to.starts_with('/') => {
                    dockerfile.copies.push(((*from).to_owned(), (*to).to_owned()));
                }
                ("ENV", [variable]) if variable.contains('=') => {
                    dockerfile.environment.push((*variable).to_owned());
                }
                ("USER", [user]) => dockerfile.user = Some((*user).to_owned()),
                ("ENTRYPOINT", _) => dockerfile.entrypoint = strings(rest)?,
                ("CMD", _) => dockerfile.command = strings(rest)?,
                _ => return Err(format!("unsupported instruction `{line}`")),
            }
        }
        if dockerfile.entrypoint.is_empty() {
            Err("ENTRYPOINT is missing".to_owned())
        } else {
            Ok(dockerfile)
        }
    }

    /// Builds the image from one folder into another.
    pub(crate) fn build(&self, from: &Path, folder: &Path) -> Outcome<Root<'_>> {
        let copy = |from: &Path, to: &str| {
            let to = folder.join(to.trim_start_matches('/'));
            fs::create_dir_all(to.parent().unwrap_or(folder))
                .and_then(|()| fs::copy(from, &to))
                .map(drop)
                .map_err(|error| format!("{}: {error}", from.display()))
        };
        for (name, to) in &self.copies {
            copy(&from.join(name), to)?;
        }
        for name in ["/etc/hosts", "/etc/resolv.conf"] {
            if Path::new(name).exists() {
                copy(Path::new(name), name)?;
            }
        }
        Ok(Root { folder: folder.to_owned(), dockerfile: self })
    }
}

/// Parses a JSON array of strings.
fn strings(text: &str) -> Outcome<Vec<String>> {
    let values: Vec<Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
    texts.collect::<Option<_>>().ok_or_else(|| format!("not an array of strings: {text}"))
}

impl Root<'_> {
    /// Runs the image with these arguments, or with those of CMD.
    pub(crate) fn run(&self, around: &Surroundings, words: &[&str]) -> Outcome<RunResult> {
        let Dockerfile { environment, user, entrypoint, command, .. } = self.dockerfile;
        let chroot = peers::find("chroot").ok_or("the chroot command is needed")?;
        let mut line = vec!["-i".to_owned()];
        line.extend(environment.iter().cloned());
        line.push(chroot.display().to_string());
        // A user namespace with root only has no other user to switch to.
        if let Some(user) = user.as_ref().filter(|_| has_several_users()) {
            let (user, group) = user.split_once(':').unwrap_or((user, user));
            line.push(format!("--userspec=+{user}:+{group}"));
        }
        line.push(self.folder.display().to_string());
        line.extend(entrypoint.iter().cloned());
        if words.is_empty() {
            line.extend(command.iter().cloned());
        } else {
            line.extend(words.iter().map(|word| (*word).to_owned()));
        }
        let program = peers::find("env").ok_or("the env command is needed")?;
        around.run(&program, &line, "")
    }
}

/// Whether this user namespace has several users.
fn has_several_users() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().nth(2).is_some_and(|count| count != "1")
}

/// Copies the static program for this machine, which must already be built.
pub(crate) fn copy_static_program(to: &Path) -> Outcome<()> {
    let target = format!("{}-unknown-linux-musl", env::consts::ARCH);
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(&target);
    let file = env::var_os("REGQ_STATIC").map_or(built.join("release/regq"), PathBuf::from);
    fs::copy(&file, to).map(drop).map_err(|error| {
        format!(
            "{}: {error}; build it with `make static TARGET={target}`, or name one in REGQ_STATIC",
            file.display()
        )
    })
}
