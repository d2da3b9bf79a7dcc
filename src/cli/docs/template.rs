//! Texts with places in them. A place is `%` and a letter; there is no way to write `%` itself.
//!
//! What help is made of needs none of this. It serves the texts for other programs, each with its own escapes.

/// Characters that a value may hold and the text around it does not bear, and how they are written there.
pub(crate) type Escapes = [(char, &'static str)];

/// Adds the template, each place in it filled with its value. A letter without a value stands for nothing.
pub(crate) fn fill(out: &mut String, escapes: &Escapes, template: &str, values: &[(char, &str)]) {
    let mut rest = template.chars();
    while let Some(letter) = rest.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let place = rest.next();
        let value = values.iter().find(|(name, _)| place == Some(*name));
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
    fn values_are_escaped_and_the_text_is_not() {
        let mut out = "> ".to_owned();
        fill(&mut out, &[('\'', "\\'")], "'%a' %b%c%a", &[('a', "it's"), ('b', "%a")]);
        assert_eq!(out, "> 'it\\'s' %ait\\'s");
    }
}
