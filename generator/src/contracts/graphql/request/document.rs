//! A text in one line, or in several where one would be too long.

/// The widest a line should be, for what stands before it.
const WIDTH: usize = 92;

/// A text whose groups can be spread over several lines.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    Text(String),
    /// One after another.
    Row(Vec<Document>),
    Group {
        open: &'static str,
        items: Vec<Document>,
        /// Between items in one line.
        between: &'static str,
        close: &'static str,
    },
}

impl Document {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// `name: value`
    pub fn member(name: &str, value: Self) -> Self {
        Self::Row(vec![Self::text(format!("{name}: ")), value])
    }

    /// `(a, b)`, or nothing.
    pub fn arguments(items: Vec<Self>) -> Self {
        if items.is_empty() { Self::text("") } else { Self::Group { open: "(", items, between: ", ", close: ")" } }
    }

    /// `[a, b]`
    pub fn list(items: Vec<Self>) -> Self {
        Self::Group { open: "[", items, between: ", ", close: "]" }
    }

    /// `{ a: 1, b: 2 }`
    pub fn object(items: Vec<Self>) -> Self {
        if items.is_empty() {
            return Self::text("{}");
        }
        Self::Group { open: "{ ", items, between: ", ", close: " }" }
    }

    /// `{ a b }`
    pub fn braces(items: Vec<Self>) -> Self {
        Self::Group { open: "{ ", items, between: " ", close: " }" }
    }

    /// In one line.
    pub fn flat(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Row(parts) => parts.iter().map(Self::flat).collect(),
            Self::Group { open, items, between, close } => {
                let items: Vec<String> = items.iter().map(Self::flat).collect();
                format!("{open}{}{close}", items.join(between))
            }
        }
    }

    /// In several lines if one would be too long. All but the first begin with `indent` spaces.
    pub fn lines(&self, indent: usize) -> String {
        let flat = self.flat();
        if indent + flat.len() <= WIDTH {
            return flat;
        }
        match self {
            Self::Text(_) => flat,
            Self::Row(parts) => parts.iter().map(|part| part.lines(indent)).collect(),
            Self::Group { open, items, close, .. } => {
                let (margin, end) = (" ".repeat(indent + 2), " ".repeat(indent));
                let items: String = items.iter().map(|item| format!("{margin}{}\n", item.lines(indent + 2))).collect();
                format!("{}\n{items}{end}{}", open.trim_end(), close.trim_start())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_groups_are_spread() {
        let word = |letter: &str| Document::text(letter.repeat(60));
        let inner =
            Document::Row(vec![Document::text("c "), Document::braces(vec![Document::text("d"), Document::text("e")])]);
        let document = Document::Row(vec![
            Document::text("query "),
            Document::braces(vec![Document::arguments(vec![word("a"), word("b")]), inner]),
        ]);
        assert_eq!(document.flat(), format!("query {{ ({}, {}) c {{ d e }} }}", "a".repeat(60), "b".repeat(60)));
        let expected = format!(
            "query {{\n     (\n       {}\n       {}\n     )\n     c {{ d e }}\n   }}",
            "a".repeat(60),
            "b".repeat(60)
        );
        assert_eq!(document.lines(3), expected);
    }
}
