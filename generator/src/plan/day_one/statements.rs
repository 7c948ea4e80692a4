//! Statements as text: what they mention, and what becomes of variables that nobody uses again.

/// Drops the variable of an answer that nothing looks at.
pub(super) fn bound(lines: Vec<String>) -> Vec<String> {
    let looked_at = |at: usize, name: &str| {
        let others = lines.iter().enumerate().filter(|(other, _)| *other != at);
        others.into_iter().any(|(_, line)| mentions(line, name))
    };
    let kept = |(at, line): (usize, &String)| match line.strip_prefix("let ").and_then(|rest| rest.split_once(" = ")) {
        Some((name, value))
            if value.ends_with("?;") && !name.starts_with('_') && name != "mut tx" && !looked_at(at, name) =>
        {
            value.to_owned()
        }
        _ => line.clone(),
    };
    lines.iter().enumerate().map(kept).collect()
}

/// The text uses the variable: as a value, not as the name of a field that is given one, of a module or of a function.
pub fn mentions(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.into_iter().any(|line| {
        line.match_indices(name).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + name.len()..]);
            let in_text = before.replace("\\\"", "").matches('"').count() % 2 == 1;
            !in_text
                && !before.ends_with(|c: char| part(c) || c == '.')
                && !before.ends_with("::")
                && !after.starts_with(|c: char| part(c) || c == ':' || c == '(')
        })
    })
}

/// Drops the `.clone()` of what is used only once.
pub(super) fn moved(lines: Vec<String>) -> Vec<String> {
    let all = lines.join("\n");
    let once = |line: String| {
        let mut line = line;
        let mut from = 0;
        while let Some(at) = line[from..].find(".clone()").map(|at| at + from) {
            let start = line[..at]
                .rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.' || c == '#'))
                .map_or(0, |i| i + 1);
            let place = line[start..at].to_owned();
            from = at + 1;
            if all.matches(&format!("{place}.clone()")).count() == 1 && !used_after(&all, &place) {
                line.replace_range(at..at + ".clone()".len(), "");
                // A field that is called like the variable is written once.
                let field = line[..start].strip_suffix(": ").map_or("", |before| {
                    let begin = before.rfind([' ', '{', '(']).map_or(0, |i| i + 1);
                    &before[begin..]
                });
                if field == place {
                    line.replace_range(start - field.len() - ": ".len()..start, "");
                    from = start;
                }
            }
        }
        line
    };
    lines.into_iter().map(once).collect()
}

/// The place, what it is in, or what is in it is used after it was cloned, so that nothing can be moved out of it.
fn used_after(text: &str, place: &str) -> bool {
    let cloned = format!("{place}.clone()");
    let rest = text.split_once(&cloned).map_or("", |(_, rest)| rest);
    let root = place.split('.').next().unwrap_or(place);
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '#' || c == '.';
    rest.match_indices(root).any(|(at, _)| {
        let (before, after) = (&rest[..at], &rest[at..]);
        let end = after.find(|c| !part(c)).unwrap_or(after.len());
        let (other, next) = after.split_at(end);
        // The last name before a parenthesis is that of a method, and no part of the place.
        let other = if next.starts_with('(') { other.rsplit_once('.').map_or(other, |(of, _)| of) } else { other };
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        // The name of a field, or of a module, is no use of the variable.
        let is_name = next.starts_with(':');
        !before.ends_with(part) && !is_name && (within(other, place) || within(place, other))
    })
}

#[cfg(test)]
mod tests {
    use super::{mentions, moved};

    #[test]
    fn what_is_used_once_is_moved() {
        for (line, moves) in [
            ("Ok(Page { order: order.clone(), note: a.note.clone() })", "Ok(Page { order, note: a.note })"),
            ("Ok(Page { first: order.clone() })", "Ok(Page { first: order })"),
            ("f(order.clone(), order.clone())", "f(order.clone(), order.clone())"),
            ("f(order.id.clone(), &order)", "f(order.id.clone(), &order)"),
            ("f(order.payer.clone(), order.payer.id)", "f(order.payer.clone(), order.payer.id)"),
            ("f(order.payer.id.clone(), order.payer)", "f(order.payer.id.clone(), order.payer)"),
            ("f(order.payer.id.clone(), order.payer.clone())", "f(order.payer.id.clone(), order.payer)"),
            ("f(order.payer.clone(), order.payers)", "f(order.payer, order.payers)"),
        ] {
            assert_eq!(moved(vec![line.into()]), [moves]);
        }
    }

    #[test]
    fn only_values_are_mentioned() {
        for (text, uses) in [
            ("Ok(ways)", true),
            ("Some { ways, other }", true),
            ("f(&ways, ways.len())", true),
            ("Some { ways: input.ways }", false),
            ("ways::new(self.ways(x), module::ways)", false),
            ("// ways", false),
            ("f(\"bad ways\")", false),
            ("f(\"bad \\\"\", ways)", true),
            ("let always = \"ways\";", false),
        ] {
            assert_eq!(mentions(text, "ways"), uses, "{text}");
        }
    }
}
