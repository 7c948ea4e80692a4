//! The order of a list: `order_by` of AIP-132 (`placed_at desc, total.amount`) and the texts of a sort choice
//! (`-placed_at`, `total.amount`).

use std::fmt::Display;

/// A sort as `order_by`; `None` where nothing is said.
pub fn order_by<T: Display>(sort: &[T]) -> Option<String> {
    let one = |sort: &T| {
        let text = sort.to_string();
        text.strip_prefix('-').map_or_else(|| text.clone(), |path| format!("{path} desc"))
    };
    (!sort.is_empty()).then(|| sort.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// `order_by` as a sort. What is no path of the list becomes a choice that is not known, which is not valid.
pub fn sort<T: for<'a> From<&'a str>>(order_by: Option<&str>) -> Vec<T> {
    let one = |text: &str| match text.trim().rsplit_once(char::is_whitespace) {
        Some((path, "desc")) => T::from(&format!("-{}", path.trim_end())),
        Some((path, "asc")) => T::from(path.trim_end()),
        _ => T::from(text.trim()),
    };
    order_by
        .filter(|text| !text.trim().is_empty())
        .into_iter()
        .flat_map(|text| text.split(',').map(one).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    kit::choice! {
        pub Sort {
            Name = "name",
            NameDescending = "-name",
            Total = "total.amount",
        }
    }

    #[test]
    fn both_ways() {
        let by = [Sort::NameDescending, Sort::Total];
        assert_eq!(order_by(&by).as_deref(), Some("name desc, total.amount"));
        assert_eq!(sort::<Sort>(Some("name desc, total.amount asc")), by);
        assert_eq!(sort::<Sort>(Some(" ")), []);
        assert_eq!(order_by::<Sort>(&[]), None);
        assert!(sort::<Sort>(Some("name, drop table")).iter().any(|sort| !sort.is_known()));
    }
}
