//! Decides which token servers may receive a registry's credentials.
//!
//! A registry names its own token server, so a hostile or broken one can name any host. Credentials are sent to a realm
//! on the registry's own host name, on its parent domain, or on a name below that. Any other host must be trusted by the
//! user. Pure: names in, a decision out.

use crate::url::literal_address;

/// Returns true if credentials for `registry` may be sent to `realm`. Both are hosts without ports.
pub(crate) fn realm_is_trusted(registry: &str, realm: &str) -> bool {
    let (registry, realm) = (registry.to_ascii_lowercase(), realm.to_ascii_lowercase());
    if registry == realm {
        return true;
    }
    let Some(parent) = parent(&registry) else { return false };
    realm == parent || realm.strip_suffix(parent).is_some_and(|name| name.ends_with('.'))
}

/// The domain above a host name, if both have the same owner.
fn parent(host: &str) -> Option<&str> {
    if literal_address(host).is_some() || host.starts_with('[') {
        return None;
    }
    let (_, parent) = host.split_once('.')?;
    let labels: Vec<_> = parent.split('.').collect();
    let owned = match labels.as_slice() {
        [] | [_] => false,
        [second, top] => !is_second_level(second, top),
        _ => true,
    };
    let shared = SHARED_SUFFIXES.iter().any(|suffix| {
        parent == *suffix || parent.strip_suffix(suffix).is_some_and(|name| name.ends_with('.'))
    });
    (owned && !shared).then_some(parent)
}

/// A country's second level such as `co.uk` or `com.au`, under which anyone can register names.
fn is_second_level(second: &str, top: &str) -> bool {
    top.len() == 2 && second.len() <= 3
}

/// Domains that give names to different owners, so that a common parent proves nothing.
const SHARED_SUFFIXES: [&str; 46] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "appspot.com",
    "azurecontainer.io",
    "azurecontainerapps.io",
    "azurecr.cn",
    "azurecr.io",
    "azurecr.us",
    "azurewebsites.net",
    "cloudapp.azure.com",
    "cloudfront.net",
    "cloudsmith.io",
    "codeberg.page",
    "ddns.net",
    "digitaloceanspaces.com",
    "duckdns.org",
    "dyndns.org",
    "firebaseapp.com",
    "fly.dev",
    "gitbook.io",
    "github.dev",
    "github.io",
    "githubpreview.dev",
    "gitlab.io",
    "herokuapp.com",
    "hopto.org",
    "jfrog.io",
    "netlify.app",
    "ngrok-free.app",
    "ngrok.app",
    "ngrok.dev",
    "ngrok.io",
    "nip.io",
    "no-ip.org",
    "ondigitalocean.app",
    "onrender.com",
    "pages.dev",
    "pkg.dev",
    "railway.app",
    "run.app",
    "scw.cloud",
    "sslip.io",
    "trycloudflare.com",
    "vercel.app",
    "web.app",
    "workers.dev",
];

#[cfg(test)]
mod tests {
    use super::realm_is_trusted;

    #[test]
    fn realms_are_trusted_by_name() {
        for (registry, realm, expected) in [
            // The same name.
            ("registry.example.com", "registry.example.com", true),
            ("Registry.example.com", "registry.EXAMPLE.com", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("localhost", "localhost", true),
            ("[::1]", "[::1]", true),
            // The parent domain, or a name under it.
            ("registry-1.docker.io", "auth.docker.io", true),
            ("registry-1.docker.io", "docker.io", true),
            ("registry-1.docker.io", "a.b.docker.io", true),
            ("registry.gitlab.com", "gitlab.com", true),
            ("registry.digitalocean.com", "api.digitalocean.com", true),
            ("registry.example.co.uk", "auth.example.co.uk", true),
            // Real registries, and the realms they name.
            ("ghcr.io", "ghcr.io", true),
            ("lscr.io", "ghcr.io", false),
            ("quay.io", "quay.io", true),
            ("public.ecr.aws", "public.ecr.aws", true),
            ("gcr.io", "gcr.io", true),
            ("us-docker.pkg.dev", "us-docker.pkg.dev", true),
            ("registry.k8s.io", "us-west2-docker.pkg.dev", false),
            ("contoso.azurecr.io", "contoso.azurecr.io", true),
            ("gitlab.example.com", "gitlab.example.com", true),
            ("registry.gitlab.example.com", "gitlab.example.com", true),
            ("harbor.example.com", "harbor.example.com", true),
            ("docker.artifactory.example.com", "artifactory.example.com", true),
            ("nexus.example.com", "nexus.example.com", true),
            ("registry.redhat.io", "registry.redhat.io", true),
            ("registry.access.redhat.com", "registry.access.redhat.com", true),
            ("git.example.com", "git.example.com", true),
            ("registry.myreg.io", "auth.myreg.io", true),
            ("myreg.io", "auth.myreg.io", false),
            ("registry.cloudflare.com", "registry.cloudflare.com", true),
            ("registry.example.com", "172.30.0.1", false),
            // Other names.
            ("registry-1.docker.io", "auth.docker.io.evil.example", false),
            ("registry-1.docker.io", "evildocker.io", false),
            ("registry-1.docker.io", "docker.com", false),
            ("ghcr.io", "github.com", false),
            ("example.com", "auth.example.com", false),
            ("example.com", "com", false),
            ("quay.io", "io", false),
            // A country's second level, and shared suffixes.
            ("example.co.uk", "evil.co.uk", false),
            ("example.com.au", "evil.com.au", false),
            ("us.gcr.io", "gcr.io", false),
            ("mine.azurecr.io", "yours.azurecr.io", false),
            ("mine.azurecr.io", "mine.azurecr.io", true),
            ("me.jfrog.io", "you.jfrog.io", false),
            ("us-docker.pkg.dev", "evil.pkg.dev", false),
            ("1.dkr.ecr.us-east-1.amazonaws.com", "2.dkr.ecr.us-east-1.amazonaws.com", false),
            ("1.dkr.ecr.us-east-1.amazonaws.com", "s3.amazonaws.com", false),
            ("a-uc.a.run.app", "b-uc.a.run.app", false),
            ("me.github.io", "you.github.io", false),
            ("me.duckdns.org", "you.duckdns.org", false),
            // Addresses and single labels have no parent.
            ("10.0.0.1", "0.0.1", false),
            ("10.1.2.3", "9.1.2.3", false),
            ("[fd00::1]", "[fd00::2]", false),
            ("localhost", "auth.localhost", false),
            ("registry", "auth", false),
            ("a.localhost", "localhost", false),
        ] {
            assert_eq!(realm_is_trusted(registry, realm), expected, "{registry} -> {realm}");
        }
    }
}
