//! `contracts/wire.lock`: which number each proto field and enum value has on the wire, given once and for all.
//!
//! A line a number, sorted: the message or enum in full, the number, the name, and for a field its proto type. An enum
//! has the same numbers in every package that uses it, so it stands here without one.
//!
//! ```text
//! shop.orders.v1.Order 2 customer string
//! shop.orders.v1.Order 3 lines repeated Line
//! shop.orders.OrderStatus 1 ORDER_STATUS_PLACED
//! ```
//!
//! Nothing is ever taken out: a name that is gone keeps its number, and gets it back should it return. A field whose
//! type changes gets a new one, since whoever has the old contract could not read the new type.

use std::{collections::BTreeMap, fmt};

/// The numbers of a whole system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireLock {
    /// By message or enum, then by number.
    numbers: BTreeMap<String, BTreeMap<u32, Member>>,
}

/// What has a number: a field, or a value of an enum, which has no type.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    name: String,
    ty: String,
}

/// A line of the lock that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct WireLockError {
    /// From 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

/// Numbers and names that must not be used again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reserved {
    /// In order.
    pub numbers: Vec<u32>,
    /// In order of their numbers; without those that something else has now.
    pub names: Vec<String>,
}

const HEAD: &str = "\
# The numbers of fields and enum values in the .proto files of this workspace, given once and never again.
# Written by Linkwright. Keep it in version control; where a merge gave one number twice, keep both lines
# and give the newer one the next free number.
";

/// Field numbers end here; enum values could go on, but nobody has so many.
const LAST: u32 = (1 << 29) - 1;
/// What proto keeps for itself.
const PROTO: std::ops::RangeInclusive<u32> = 19_000..=19_999;

impl WireLock {
    /// Reads what `to_string` wrote.
    ///
    /// # Errors
    /// All lines that are not of the form, or give a number or name twice.
    pub fn parse(text: &str) -> Result<Self, Vec<WireLockError>> {
        let mut lock = Self::default();
        let mut errors = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Err(message) = lock.read(line) {
                errors.push(WireLockError { line: index + 1, message });
            }
        }
        if errors.is_empty() { Ok(lock) } else { Err(errors) }
    }

    fn read(&mut self, line: &str) -> Result<(), String> {
        if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark)) {
            return Err("a merge stopped here: keep the lines of both sides and take the marks away".to_owned());
        }
        let form = || "expected `message number name type`, as in `shop.orders.v1.Order 2 customer string`".to_owned();
        let mut words = line.splitn(4, ' ');
        let (Some(scope), Some(number), Some(name)) = (words.next(), words.next(), words.next()) else {
            return Err(form());
        };
        let ty = words.next().unwrap_or_default();
        let plain =
            |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.".contains(&b));
        if !plain(scope) || !plain(name) || ty.starts_with(' ') {
            return Err(form());
        }
        let number = number
            .parse()
            .ok()
            .filter(|number| (1..=LAST).contains(number) && !PROTO.contains(number))
            .ok_or_else(|| format!("`{number}` is no number from 1 to {LAST} outside 19000 to 19999"))?;
        let members = self.numbers.entry(scope.to_owned()).or_default();
        if let Some(other) = members.get(&number) {
            return Err(format!("{number} is the number of `{}` in `{scope}`: take the next free one", other.name));
        }
        if let Some((other, _)) = members.iter().find(|(_, member)| member.name == name && member.ty == ty) {
            return Err(format!("`{name}` has the number {other} in `{scope}`: keep one of the two lines"));
        }
        members.insert(number, Member { name: name.to_owned(), ty: ty.to_owned() });
        Ok(())
    }

    /// The number of a field, or with an empty `ty` of an enum's value: as it was, else the next one.
    pub fn number(&mut self, scope: &str, name: &str, ty: &str) -> u32 {
        let members = self.numbers.entry(scope.to_owned()).or_default();
        if let Some((number, _)) = members.iter().find(|(_, member)| member.name == name && member.ty == ty) {
            return *number;
        }
        let next = members.last_key_value().map_or(1, |(last, _)| last + 1);
        // Where someone wrote the last number of all into the lock, there are free ones below it.
        let free = |number: &u32| !PROTO.contains(number) && !members.contains_key(number);
        let number = (next..=LAST).chain(1..LAST).find(free).unwrap_or(LAST);
        members.insert(number, Member { name: name.to_owned(), ty: ty.to_owned() });
        number
    }

    /// Numbers that are not in a later lock as they are here: message or enum, name, and the number there, if any. A later
    /// lock that has nothing yet will get them from this one.
    pub fn moved<'l>(&'l self, later: &'l Self) -> impl Iterator<Item = (&'l str, &'l str, u32, Option<u32>)> {
        let all = self.numbers.iter().filter(|_| !later.numbers.is_empty());
        let members =
            all.flat_map(|(scope, members)| members.iter().map(move |(number, member)| (scope, *number, member)));
        members.filter_map(|(scope, number, member)| {
            let there = later.numbers.get(scope).into_iter().flatten().find(|(_, other)| *other == member);
            let there = there.map(|(number, _)| *number);
            (there != Some(number)).then_some((scope.as_str(), member.name.as_str(), number, there))
        })
    }

    /// What of a message or enum has a number and is not in use; `in_use` are names with their types.
    pub fn reserved(&self, scope: &str, in_use: &[(&str, &str)]) -> Reserved {
        let mut reserved = Reserved::default();
        for (number, member) in self.numbers.get(scope).into_iter().flatten() {
            if in_use.iter().any(|(name, ty)| member.name == *name && member.ty == *ty) {
                continue;
            }
            reserved.numbers.push(*number);
            if !in_use.iter().any(|(name, _)| member.name == *name) && !reserved.names.contains(&member.name) {
                reserved.names.push(member.name.clone());
            }
        }
        reserved
    }
}

/// The text of the file.
impl fmt::Display for WireLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        for (scope, members) in &self.numbers {
            for (number, Member { name, ty }) in members {
                let space = if ty.is_empty() { "" } else { " " };
                writeln!(f, "{scope} {number} {name}{space}{ty}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_broken_lock_says_where_and_what() {
        let text = "# head\n\na.B 1 x string\na.B 1 y string\na.B two z string\na.B 2 x string\n<<<<<<< ours\na.B 19500 q string\na.B\n";
        let errors = WireLock::parse(text).unwrap_err();
        let shown: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "line 4: 1 is the number of `x` in `a.B`: take the next free one",
                "line 5: `two` is no number from 1 to 536870911 outside 19000 to 19999",
                "line 6: `x` has the number 1 in `a.B`: keep one of the two lines",
                "line 7: a merge stopped here: keep the lines of both sides and take the marks away",
                "line 8: `19500` is no number from 1 to 536870911 outside 19000 to 19999",
                "line 9: expected `message number name type`, as in `shop.orders.v1.Order 2 customer string`",
            ]
        );
    }

    #[test]
    fn the_next_number_leaves_out_what_proto_keeps() {
        let mut lock = WireLock::parse("a.B 18999 x string\na.C 536870911 x string\n").unwrap();
        assert_eq!(lock.number("a.B", "y", "string"), 20_000);
        assert_eq!(lock.number("a.C", "y", "string"), 1);
        assert_eq!(lock.number("a.C", "z", "string"), 2);
    }

    #[test]
    fn a_new_type_is_a_new_number_and_the_old_one_stays_reserved() {
        let mut lock = WireLock::default();
        assert_eq!(lock.number("a.B", "size", "string"), 1);
        assert_eq!(lock.number("a.B", "phone", "string"), 2);
        assert_eq!(lock.number("a.B", "size", "uint32"), 3);
        let reserved = lock.reserved("a.B", &[("size", "uint32")]);
        assert_eq!(reserved, Reserved { numbers: vec![1, 2], names: vec!["phone".into()] });
    }

    proptest! {
        /// Whatever comes, goes and returns in whatever order: a name and type has one number, no number has two, and
        /// writing and reading the lock in between changes nothing.
        #[test]
        fn numbers_stay(designs in proptest::collection::vec(proptest::collection::vec(("[a-e]", "[st]"), 0..6), 1..8)) {
            let mut lock = WireLock::default();
            let mut known = BTreeMap::new();
            for design in designs {
                for (name, ty) in design {
                    let number = lock.number("a.v1.B", &name, &ty);
                    prop_assert_eq!(*known.entry((name, ty)).or_insert(number), number);
                }
                lock = WireLock::parse(&lock.to_string()).unwrap();
            }
            let mut numbers: Vec<_> = known.values().collect();
            numbers.sort();
            numbers.dedup();
            prop_assert_eq!(numbers.len(), known.len());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "([a-z.]{1,3}[ \n]|[0-9]{1,3}[ \n]|\\PC){0,40}") {
            if let Ok(lock) = WireLock::parse(&text) {
                prop_assert_eq!(WireLock::parse(&lock.to_string()).unwrap(), lock);
            }
        }
    }
}
