//! Classifies addresses by how private they are: who can reach them.
//!
//! A registry may lead regq to a token server or a storage host elsewhere, but not to addresses more private than its
//! own. Otherwise a registry on the internet could use regq to reach services that only regq's user can reach
//! (server-side request forgery, as in CVE-2026-48978). This file only classifies addresses; `send.rs` compares them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who can reach an address, in order of growing privacy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AddressScope {
    /// Everyone.
    Public,
    /// An organization: RFC 1918, unique local, and shared address space (RFC 6598).
    Private,
    /// Hosts on the same link.
    LinkLocal,
    /// This machine: loopback addresses, and the unspecified address, which connects to this machine too.
    Loopback,
}

impl AddressScope {
    /// Returns the scope of an address. An IPv6 address that embeds an IPv4 address has the scope of that one.
    pub(crate) fn of(address: IpAddr) -> AddressScope {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }
}

fn of_v4(address: Ipv4Addr) -> AddressScope {
    let [a, b, ..] = address.octets();
    if a == 127 || a == 0 {
        AddressScope::Loopback
    } else if address.is_link_local() {
        AddressScope::LinkLocal
    } else if address.is_private() || (a == 100 && (64..128).contains(&b)) {
        AddressScope::Private
    } else {
        AddressScope::Public
    }
}

fn of_v6(address: Ipv6Addr) -> AddressScope {
    if address.is_loopback() || address.is_unspecified() {
        return AddressScope::Loopback;
    }
    match address.segments() {
        // IPv4-compatible, IPv4-mapped and IPv4-translated addresses, and NAT64's well-known prefix (RFC 6052).
        [0, 0, 0, 0, 0, 0 | 0xffff, hi, lo]
        | [0, 0, 0, 0, 0xffff, 0, hi, lo]
        | [0x64, 0xff9b, 0, 0, 0, 0, hi, lo] => of_v4(embedded(hi, lo)),
        // 6to4 (RFC 3056): the IPv4 address follows the prefix.
        [0x2002, hi, lo, ..] => of_v4(embedded(hi, lo)),
        // NAT64's prefix for local use (RFC 8215).
        [0x64, 0xff9b, 1, ..] => AddressScope::Private,
        [first, ..] if first & 0xffc0 == 0xfe80 => AddressScope::LinkLocal,
        // Unique local addresses, and the site-local ones that they replaced.
        [first, ..] if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 => {
            AddressScope::Private
        }
        _ => AddressScope::Public,
    }
}

/// Returns the IPv4 address that is embedded in two segments.
fn embedded(hi: u16, lo: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (hi.to_be_bytes(), lo.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::AddressScope;

    #[test]
    fn addresses_have_their_scopes() {
        let rows = [
            (
                AddressScope::Public,
                "8.8.8.8 192.0.2.1 198.51.100.1 172.32.0.1 100.128.0.1 100.63.0.1 11.0.0.1",
            ),
            (
                AddressScope::Public,
                "2001:db8::1 2606:4700::1 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1",
            ),
            (
                AddressScope::Private,
                "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.255",
            ),
            (
                AddressScope::Private,
                "fd00::1 fc00::1 fec0::1 ::ffff:10.0.0.1 64:ff9b::a00:1 64:ff9b:1::1",
            ),
            (AddressScope::Private, "2002:a00:1::1 ::ffff:0:10.0.0.1 ::10.0.0.1"),
            (
                AddressScope::LinkLocal,
                "169.254.169.254 fe80::1 febf::1 ::ffff:169.254.1.1 64:ff9b::a9fe:a9fe",
            ),
            (
                AddressScope::Loopback,
                "127.0.0.1 127.255.255.255 0.0.0.0 0.1.2.3 ::1 :: ::ffff:127.0.0.1",
            ),
            (AddressScope::Loopback, "::127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::1 ::ffff:0.0.0.0"),
        ];
        for (scope, addresses) in rows {
            for text in addresses.split(' ') {
                assert_eq!(text.parse().map(AddressScope::of), Ok(scope), "{text}");
            }
        }
    }

    #[test]
    fn scopes_are_ordered_by_privacy() {
        assert!(AddressScope::Public < AddressScope::Private);
        assert!(AddressScope::Private < AddressScope::LinkLocal);
        assert!(AddressScope::LinkLocal < AddressScope::Loopback);
    }
}
