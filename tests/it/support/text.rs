//! Checks on the text output of `explain`.

/// Whether a line fits into 80 columns or cannot be broken, as commands, URLs and quoted values.
pub(crate) fn is_wrapped(line: &str) -> bool {
    let text =
        if line.starts_with(' ') { line } else { line.get(15..).unwrap_or(line) }.trim_start();
    let text = text.strip_prefix("fix: ").unwrap_or(text);
    let is_command = text.starts_with("regq ") || text.starts_with("curl ");
    line.chars().count() <= 80 || is_command || !text.contains(' ')
}
