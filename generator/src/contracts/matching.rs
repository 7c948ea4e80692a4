//! A pattern of a design to strings that match it.

use std::rc::Rc;

use regex_syntax::hir::{Class, Hir, HirKind};

/// Longer strings are not looked for where a pattern has to be matched.
const LONGEST: usize = 512;
/// How much longer than the shortest allowed a string may become.
const ROOM: usize = 64;

/// A string that the pattern takes as a whole, at least `min` and at most `max` code points long: always the same, and
/// for another `nth` another one as far as the pattern has room for it. `None` if there is none or it would be very long.
pub fn matching(pattern: &str, min: u32, max: Option<u32>, nth: u32) -> Option<String> {
    const NICE: usize = 4;
    let min = usize::try_from(min).ok().filter(|min| *min <= LONGEST)?;
    let max = max.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX).min(min + ROOM);
    let node = Node::of(&regex_syntax::parse(pattern).ok()?, max)?;
    let regex = regex::Regex::new(&format!("^(?:{pattern})$")).ok()?;

    let fits = |length: &usize| node.lengths.get(*length).copied().unwrap_or(false);
    let nice = NICE.clamp(min, max.max(min));
    // Word boundaries and the like are not looked at while building, so the first try may not match.
    (nice..=max).chain((min..nice).rev()).filter(fits).find_map(|length| {
        let mut text = Text { chars: Vec::with_capacity(length), nth: nth as usize };
        text.add(&node, length);
        let text = String::from_iter(text.chars);
        regex.is_match(&text).then_some(text)
    })
}

/// A part of a pattern, and for each number of code points whether it takes a string of that length.
struct Node {
    kind: Kind,
    lengths: Vec<bool>,
}

enum Kind {
    Text(Vec<char>),
    One(Vec<char>),
    /// The parts, and the lengths of what follows from each of them on.
    Sequence(Vec<(Rc<Node>, Vec<bool>)>),
    Either(Vec<Rc<Node>>),
}

impl Node {
    fn of(hir: &Hir, max: usize) -> Option<Rc<Self>> {
        Some(match hir.kind() {
            // Look-arounds take nothing.
            HirKind::Empty | HirKind::Look(_) => Self::text(Vec::new(), max),
            HirKind::Literal(literal) => Self::text(std::str::from_utf8(&literal.0).ok()?.chars().collect(), max),
            HirKind::Class(class) => {
                let chars = candidates(class);
                if chars.is_empty() {
                    return None;
                }
                Rc::new(Self { kind: Kind::One(chars), lengths: (0..=max).map(|length| length == 1).collect() })
            }
            HirKind::Capture(capture) => Self::of(&capture.sub, max)?,
            HirKind::Concat(subs) => {
                Self::sequence(subs.iter().map(|sub| Self::of(sub, max)).collect::<Option<_>>()?, max)
            }
            HirKind::Alternation(subs) => {
                // One that takes nothing at all must not spoil the others.
                Self::either(subs.iter().filter_map(|sub| Self::of(sub, max)).collect(), max)
            }
            HirKind::Repetition(repetition) => {
                let least = usize::try_from(repetition.min).ok()?;
                let most = repetition.max.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
                // More than `max` copies are of use only if they are empty.
                let Some(copy) = Self::of(&repetition.sub, max) else {
                    return (least == 0).then(|| Self::text(Vec::new(), max));
                };
                let copies = least.min(max + 1);
                let maybe = Self::either(vec![copy.clone(), Self::text(Vec::new(), max)], max);
                let more = most.min(max).saturating_sub(copies);
                let mut parts = vec![copy; copies];
                parts.extend(std::iter::repeat_n(maybe, more));
                Self::sequence(parts, max)
            }
        })
    }

    fn text(text: Vec<char>, max: usize) -> Rc<Self> {
        let lengths = (0..=max).map(|length| length == text.len()).collect();
        Rc::new(Self { kind: Kind::Text(text), lengths })
    }

    fn either(nodes: Vec<Rc<Self>>, max: usize) -> Rc<Self> {
        let lengths = (0..=max).map(|length| nodes.iter().any(|node| node.lengths[length])).collect();
        Rc::new(Self { kind: Kind::Either(nodes), lengths })
    }

    fn sequence(nodes: Vec<Rc<Self>>, max: usize) -> Rc<Self> {
        let mut lengths: Vec<bool> = (0..=max).map(|length| length == 0).collect();
        let mut parts = Vec::with_capacity(nodes.len());
        for node in nodes.into_iter().rev() {
            let mut longer = vec![false; max + 1];
            for (first, _) in node.lengths.iter().enumerate().filter(|(_, taken)| **taken) {
                for (rest, _) in lengths.iter().enumerate().take(max + 1 - first).filter(|(_, taken)| **taken) {
                    longer[first + rest] = true;
                }
            }
            parts.push((node, std::mem::replace(&mut lengths, longer)));
        }
        parts.reverse();
        Rc::new(Self { kind: Kind::Sequence(parts), lengths })
    }
}

struct Text {
    chars: Vec<char>,
    /// What is left of it decides the choices to come.
    nth: usize,
}

impl Text {
    /// Adds a text of that length, which the node takes.
    fn add(&mut self, node: &Node, length: usize) {
        match &node.kind {
            Kind::Text(text) => self.chars.extend(text),
            Kind::One(chars) => {
                let char = chars[(self.chars.len() + self.nth) % chars.len()];
                self.nth /= chars.len();
                self.chars.push(char);
            }
            Kind::Either(nodes) => {
                let fit: Vec<_> = nodes.iter().filter(|node| node.lengths[length]).collect();
                if let Some(node) = fit.get(self.nth % fit.len().max(1)) {
                    self.nth /= fit.len();
                    self.add(node, length);
                }
            }
            Kind::Sequence(parts) => {
                let mut left = length;
                for (node, rest) in parts {
                    if let Some(first) = (0..=left).find(|first| node.lengths[*first] && rest[left - first]) {
                        self.add(node, first);
                        left -= first;
                    }
                }
            }
        }
    }
}

/// Some of the characters of a class, those first that read well.
fn candidates(class: &Class) -> Vec<char> {
    const MOST: usize = 64;
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => class.iter().map(|range| (range.start().into(), range.end().into())).collect(),
    };
    let holds = |c: &char| ranges.iter().any(|(from, to)| (from..=to).contains(&c));
    let words: Vec<_> = ('a'..='z').chain('A'..='Z').chain('0'..='9').filter(holds).collect();
    if !words.is_empty() {
        return words;
    }
    let printable: Vec<_> = (' '..='~').filter(holds).collect();
    if !printable.is_empty() {
        return printable;
    }
    ranges.iter().flat_map(|(from, to)| *from..=*to).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_what_fits_pattern_and_length() {
        for (pattern, min, max) in [
            ("[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", 15, Some(34)),
            (r"\d{5}", 0, None),
            ("[a-z]+-[a-z]+", 8, Some(8)),
            ("(foo|barbaz)?x*", 7, Some(7)),
            ("", 0, Some(0)),
            ("a*", 0, Some(0)),
            (r"^\bword\b$", 0, None),
            (r"\p{Greek}{3}", 3, Some(3)),
            ("(?:ab){3,}", 9, None),
            ("[^@\\s]+@[^@\\s]+\\.[a-z]{2,}", 1, Some(64)),
            (".{200}", 200, Some(200)),
            ("(a|[^\\s\\S])b", 0, None),
            ("([^\\s\\S])*b", 0, None),
            ("(a*)*", 3, Some(3)),
            ("(?i)straße", 0, None),
        ] {
            let text = matching(pattern, min, max, 0).unwrap_or_else(|| panic!("{pattern}"));
            let length = u32::try_from(text.chars().count()).unwrap();
            assert!((min..=max.unwrap_or(u32::MAX)).contains(&length), "{pattern}: {text}");
            assert!(regex::Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(&text), "{pattern}: {text}");
        }
    }

    #[test]
    fn says_when_there_is_none() {
        for (pattern, min, max) in
            [("a{3}", 4, None), ("a{3}", 0, Some(2)), ("[^\\s\\S]", 0, None), ("a*", 100_000, None), ("(", 0, None)]
        {
            assert_eq!(matching(pattern, min, max, 0), None, "{pattern}");
        }
    }

    #[test]
    fn another_number_gives_another_text() {
        for pattern in [r"[A-Z]{3}-\d{3}", "[a-z]+", "(red|green|blue)[0-9]{2}"] {
            let texts: BTreeSet<_> = (0..100).map(|nth| matching(pattern, 0, None, nth)).collect();
            assert_eq!(texts.len(), 100, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn any_pattern_gives_a_text_that_matches_or_none(pattern in ".{0,12}", min in 0u32..20, room in 0u32..20, nth: u32) {
            if let Some(text) = matching(&pattern, min, Some(min + room), nth) {
                let length = u32::try_from(text.chars().count()).unwrap();
                prop_assert!((min..=min + room).contains(&length));
            }
        }
    }
}
