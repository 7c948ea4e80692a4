//! Free text of a design (summaries, descriptions, defaults) to source text, by one function a target.
//!
//! Literals (`rust_str`, `rust_raw_str`, `toml_str`, `proto_str`, `graphql_str`, `yaml`, `shell`) give exactly the text back to
//! whoever parses them. Comments and prose cannot hold every character, so what they cannot is shown first: see
//! [`visible`]. No text of a design is markup anywhere.

use std::fmt::Write as _;

/// The text as comments and prose can hold it: lines end in `\n`, tabs are spaces, nothing blank at the end of a line,
/// before the first line or after the last; control characters and those that change the direction of writing are
/// spelled out (`\u{202e}`).
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\n' | '\r' => shown.push('\n'),
            '\t' => shown.push(' '),
            c if is_hidden(c) => _ = write!(shown, "\\u{{{:x}}}", c as u32),
            c => shown.push(c),
        }
    }
    let lines: Vec<_> = shown.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// Control characters, line separators, marks of direction and what has no width.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// A string literal of Rust, with its quotes.
pub fn rust_str(text: &str) -> String {
    format!("{text:?}")
}

/// A raw string literal of Rust, for texts with many quotes. Lines end in `\n`. One with characters that cannot be
/// seen is written as [`rust_str`] does.
pub fn rust_raw_str(text: &str) -> String {
    if text.chars().any(|c| c != '\n' && is_hidden(c)) {
        return rust_str(text);
    }
    let mut hashes = String::new();
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    format!("r{hashes}\"{text}\"{hashes}")
}

/// A string literal of Rust whose text stands in a format string (`format!`, `#[error(…)]`): braces are doubled.
pub fn rust_format_str(text: &str) -> String {
    rust_str(&text.replace('{', "{{").replace('}', "}}"))
}

/// `///` lines without a line end after the last; nothing for an empty text. Rustdoc shows the text and finds no code,
/// link or HTML in it.
pub fn rust_doc(text: &str) -> String {
    comment("///", &markdown(text))
}

/// `//!` lines, else as [`rust_doc`].
pub fn rust_module_doc(text: &str) -> String {
    comment("//!", &markdown(text))
}

/// A string of TOML, with its quotes.
pub fn toml_str(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// `//` lines of a `.proto` file, without a line end after the last; nothing for an empty text.
pub fn proto_comment(text: &str) -> String {
    comment("//", &visible(text))
}

/// A string literal of a `.proto` file, with its quotes.
pub fn proto_str(text: &str) -> String {
    quoted(text, |out, c| _ = write!(out, "\\{:03o}", c as u32), |c| c.is_ascii_control())
}

/// `--` lines of SQL, without a line end after the last; nothing for an empty text.
pub fn sql_comment(text: &str) -> String {
    comment("--", &visible(text))
}

/// A string of GraphQL in one line, with its quotes.
pub fn graphql_str(text: &str) -> String {
    quoted(text, |out, c| _ = write!(out, "\\u{:04X}", c as u32), is_hidden)
}

/// A description of GraphQL: a block string if the text has several lines and every reader takes the block for exactly
/// that text, else as [`graphql_str`]. The lines of a block start at the margin; indenting them all alike changes nothing.
pub fn graphql_description(text: &str) -> String {
    let blank = |line: Option<&str>| line.is_none_or(|line| line.trim().is_empty());
    let fits = text.contains('\n')
        && !text.contains("\"\"\"")
        && !text.chars().any(|c| c != '\n' && is_hidden(c))
        && !blank(text.split('\n').next())
        && !blank(text.split('\n').next_back())
        // A block loses the indentation that all its lines share, and some parsers what stands at the end of a line.
        && text.split('\n').all(|line| !line.starts_with(' ') && line.trim_end() == line);
    match fits {
        true => format!("\"\"\"\n{text}\n\"\"\""),
        false => graphql_str(text),
    }
}

/// A double-quoted scalar of YAML.
pub fn yaml(text: &str) -> String {
    let escape = |out: &mut String, c: char| match c as u32 {
        code @ ..=0xff => _ = write!(out, "\\x{code:02X}"),
        code => _ = write!(out, "\\u{code:04X}"),
    };
    quoted(text, escape, is_hidden)
}

/// One word of a POSIX shell. No word can hold the character NUL: it is left out.
pub fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', r"'\''"))
}

/// Text of an HTML element or of a quoted attribute.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Text of a Handlebars template, which renders to the text. Values that a template inserts need none of this.
pub fn handlebars(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let run = |c| rest.bytes().take_while(|b| *b == c).count();
        let (backslashes, braces) = (run(b'\\'), run(b'{'));
        let taken = if backslashes > 0 {
            out.push_str(&rest[..backslashes]);
            // Backslashes before braces would escape them, so a comment goes between, itself after an escaped backslash.
            if rest[backslashes..].starts_with("{{") || rest.len() == backslashes {
                out.push_str("\\{{!}}");
            }
            backslashes
        } else if braces > 1 {
            let taken = braces.min(3);
            out.push('\\');
            out.push_str(&rest[..taken]);
            taken
        } else {
            let taken = rest.chars().next().map_or(1, char::len_utf8);
            out.push_str(&rest[..taken]);
            taken
        };
        rest = &rest[taken..];
    }
    out
}

/// Prose in Markdown: [`visible`], with a backslash before everything that CommonMark, its tables, footnotes and
/// strikethrough would read as more than text. Leading spaces are dropped, for they could make a block of code.
pub fn markdown(text: &str) -> String {
    let lines: Vec<_> = visible(text).lines().map(|line| markdown_line(line.trim_start())).collect();
    lines.join("\n")
}

fn markdown_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        let after = line[at + c.len_utf8()..].chars().next().unwrap_or(' ');
        let special = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$' => true,
            '_' => !(before.is_alphanumeric() && after.is_alphanumeric()),
            '#' | '+' | '-' | '=' | ':' => at == 0,
            '.' | ')' => digits > 0 && at == digits,
            // `http://…`, which rustdoc would rather see as a link.
            '/' => before == ':' && after == '/',
            // `"""` ends a description of GraphQL, and async-graphql does not look whether there is one in it.
            '"' => before == '"',
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

fn comment(marker: &str, text: &str) -> String {
    let line = |line: &str| if line.is_empty() { marker.to_owned() } else { format!("{marker} {line}") };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The text in double quotes; quotes, backslashes and line ends are escaped as in C, what `must` tells by `escape`.
fn quoted(text: &str, escape: impl Fn(&mut String, char), must: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if must(c) => escape(&mut out, c),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
