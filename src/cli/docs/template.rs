//! Fills templates. A placeholder is `%` and a letter; a template cannot contain `%` itself.
//!
//! Values are escaped for the program that reads the text, and are not searched for placeholders.

/// Special characters in values, and how they are written.
pub(crate) type Escapes = [(char, &'static str)];

/// Appends a template with its placeholders replaced by values. A letter without a value is removed.
pub(crate) fn fill(out: &mut String, escapes: &Escapes, template: &str, values: &[(char, &str)]) {
    let mut rest = template.chars();
    while let Some(letter) = rest.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let letter = rest.next();
        let value = values.iter().find(|(name, _)| letter == Some(*name));
        for letter in value.map_or("", |(_, value)| value).chars() {
            match escapes.iter().find(|(special, _)| *special == letter) {
                Some((_, escape)) => out.push_str(escape),
                None => out.push(letter),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn values_are_escaped_and_the_template_is_not() {
        let mut out = "> ".to_owned();
        fill(&mut out, &[('\'', "\\'")], "'%a' %b%c%a", &[('a', "it's"), ('b', "%a")]);
        assert_eq!(out, "> 'it\\'s' %ait\\'s");
    }
}
