//! Determines where docker and podman store credentials. Computes paths only; no file is opened.

use std::path::PathBuf;

use crate::cli::args::flags::Options;
use crate::cli::session::environment::Environment;

/// Returns the credential file that the user named: by a flag, otherwise by a variable.
pub(crate) fn named(options: &Options, environment: &Environment) -> Option<PathBuf> {
    options.credentials.authfile.clone().or_else(|| environment.registry_auth_file.clone())
}

/// Returns docker's file; `None` if the environment names no directory.
pub(crate) fn docker(environment: &Environment) -> Option<PathBuf> {
    let home = environment.home.as_ref().map(|home| home.join(".docker"));
    environment.docker_config.clone().or(home).map(|folder| folder.join("config.json"))
}

/// Returns podman's files, that of this session first (containers-auth.json(5)).
pub(crate) fn podman(environment: &Environment) -> Vec<PathBuf> {
    let run = || environment.uid.map(|uid| PathBuf::from(format!("/run/containers/{uid}")));
    let session = match &environment.xdg_runtime_dir {
        Some(folder) => Some(folder.join("containers")),
        None => run(),
    };
    let home = || environment.home.as_ref().map(|home| home.join(".config"));
    let config = environment.xdg_config_home.clone().or_else(home);
    let permanent = config.map(|folder| folder.join("containers"));
    [session, permanent].into_iter().flatten().map(|folder| folder.join("auth.json")).collect()
}

#[cfg(test)]
mod tests {
    use super::{docker, podman};
    use crate::cli::Environment;
    use std::path::PathBuf;

    fn paths(paths: &[&str]) -> Vec<PathBuf> {
        paths.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn paths_are_below_home() {
        let home = Environment { home: Some("/h".into()), uid: Some(7), ..Environment::default() };
        assert_eq!(docker(&home), Some("/h/.docker/config.json".into()));
        let both = ["/run/containers/7/auth.json", "/h/.config/containers/auth.json"];
        assert_eq!(podman(&home), paths(&both));
    }

    #[test]
    fn variables_take_precedence_over_home() {
        let environment = Environment {
            home: Some("/h".into()),
            docker_config: Some("/d".into()),
            xdg_runtime_dir: Some("/x".into()),
            xdg_config_home: Some("/c".into()),
            uid: Some(7),
            ..Environment::default()
        };
        assert_eq!(docker(&environment), Some("/d/config.json".into()));
        let both = ["/x/containers/auth.json", "/c/containers/auth.json"];
        assert_eq!(podman(&environment), paths(&both));
    }

    #[test]
    fn empty_environment_has_no_paths() {
        let nothing = Environment::default();
        assert_eq!(docker(&nothing), None);
        assert_eq!(podman(&nothing), paths(&[]));
    }
}
