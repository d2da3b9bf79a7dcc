//! URLs: origins, and what messages and logs show.

use regq::url::{Origin, Scheme, Url, UrlError};

#[test]
fn redacted_urls_show_only_values_of_the_protocol() {
    for (query, redacted) in [
        (
            "service=registry&scope=repository:a/b:pull",
            "service=registry&scope=repository:a/b:pull",
        ),
        ("n=100&last=b&ns=docker.io", "n=100&last=b&ns=docker.io"),
        (
            "X-Amz-Signature=SECRET&X-Amz-Credential=SECRET",
            "X-Amz-Signature=...&X-Amz-Credential=...",
        ),
        ("sig=SECRET&se=2026&n=1", "sig=...&se=...&n=1"),
        ("token=SECRET", "token=..."),
        ("account=ada&client_id=SECRET", "account=...&client_id=..."),
        ("SECRET", "..."),
        ("&=SECRET&&n", "...&=...&...&..."),
        // Names are compared literally, without decoding.
        ("Service=SECRET&xn=SECRET&nn=SECRET&%6e=SECRET", "Service=...&xn=...&nn=...&%6e=..."),
        ("n=1&n=2=SECRET2", "n=1&n=2=SECRET2"),
    ] {
        let text = format!("https://registry.example:5000/v2/?{query}");
        let url = Url::parse(&text).unwrap();
        assert_eq!(
            url.redacted(),
            format!("https://registry.example:5000/v2/?{redacted}"),
            "{query}"
        );
        assert_eq!(url.to_string(), text);
    }
    let url = Url::parse("https://registry.example/v2/").unwrap();
    assert_eq!(url.redacted(), "https://registry.example/v2/");
}

#[test]
fn an_origin_only_has_a_valid_host_and_port() {
    for (host, port, authority) in [
        ("Registry.Example", None, "registry.example"),
        ("localhost", Some(443), "localhost"),
        ("localhost", Some(80), "localhost:80"),
        ("192.0.2.1", Some(5000), "192.0.2.1:5000"),
        ("[2001:DB8::1]", None, "[2001:db8::1]"),
    ] {
        let origin = Origin::new(Scheme::Https, host, port).unwrap();
        assert_eq!(origin.authority(), authority);
        assert_eq!(Url::parse(&origin.to_string()).unwrap().origin(), &origin);
    }
    let long = "a".repeat(254);
    for host in [
        "",
        "h\r\nX-Evil: 1",
        "a b",
        "a/b",
        "a?b",
        "a#b",
        "user@host",
        "host:443",
        "a..b",
        "\u{fc}.example",
        "2001:db8::1",
        "[2001:db8::1",
        "[::1]x",
        &long,
    ] {
        assert_eq!(Origin::new(Scheme::Https, host, None), Err(UrlError::Host), "{host:?}");
    }
    let zero = Origin::new(Scheme::Http, "localhost", Some(0));
    assert_eq!(zero, Err(UrlError::Port("0".to_owned())));
}
