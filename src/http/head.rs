//! The head of an HTTP response: status and header fields (RFC 9110 sections 5 and 15).
//!
//! Values are bytes, since servers may send any. What a field means is parsed elsewhere.

use std::fmt;

/// Status and header fields of a response.
///
/// Header values may contain secrets, such as the signed URL of a redirect, so `Debug` shows only the status.
#[derive(Clone, PartialEq, Eq)]
pub struct Head {
    status: u16,
    fields: Vec<(String, Vec<u8>)>,
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Head({})", self.status)
    }
}

impl Head {
    /// Makes a head from a status and field lines, in the order in which they arrived.
    pub fn new(status: u16, fields: impl IntoIterator<Item = (String, Vec<u8>)>) -> Head {
        Head { status, fields: fields.into_iter().collect() }
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the values of all field lines with this name, in order. Case of the name does not matter.
    pub fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// Returns the value of the first field line with this name, without surrounding white space; `None` if it is
    /// missing or not UTF-8. Case of the name does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.lines(name).next()?;
        std::str::from_utf8(value).ok().map(str::trim)
    }

    /// Returns the names of the fields, each once, in the order in which they arrived.
    pub fn header_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::with_capacity(self.fields.len());
        for (name, _) in &self.fields {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name);
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::Head;

    fn head() -> Head {
        let fields: [(&str, &[u8]); 4] = [
            ("content-type", b" text/plain "),
            ("Warning", b"299 - \"a\""),
            ("x-bytes", b"\xff"),
            ("warning", b"299 - \"b\""),
        ];
        Head::new(200, fields.map(|(name, value)| (name.to_owned(), value.to_vec())))
    }

    #[test]
    fn field_names_are_case_insensitive() {
        let head = head();
        for name in ["content-type", "Content-Type", "CONTENT-TYPE"] {
            assert_eq!(head.header(name), Some("text/plain"), "{name}");
        }
        assert_eq!(head.lines("WARNING").count(), 2);
    }

    #[test]
    fn header_is_none_if_missing_or_not_utf8() {
        assert_eq!(head().header("x-bytes"), None);
        assert_eq!(head().header("location"), None);
        assert_eq!(head().lines("x-bytes").next(), Some(b"\xff".as_slice()));
    }

    #[test]
    fn header_names_are_listed_once() {
        assert_eq!(head().header_names(), ["content-type", "Warning", "x-bytes"]);
    }

    #[test]
    fn debug_hides_values() {
        assert_eq!(format!("{:?}", head()), "Head(200)");
    }
}
