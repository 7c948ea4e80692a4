//! The regular English plural of a resource's name.

/// Words whose plural is the word itself, or that have none: the design has to say what a list of them is called.
const UNCHANGED: &[&str] = &[
    "aircraft",
    "data",
    "deer",
    "equipment",
    "fish",
    "hardware",
    "information",
    "luggage",
    "means",
    "metadata",
    "news",
    "series",
    "sheep",
    "software",
    "spacecraft",
    "species",
];

/// `Order` to `Orders`, `Category` to `Categories`, `Box` to `Boxes`, `Day` to `Days`. Irregular words become regular
/// (`Person` to `Persons`); those without a plural come back as they are.
pub fn plural(name: &str) -> String {
    let snake = super::snake(name);
    let last = snake.rsplit('_').next().unwrap_or_default();
    if UNCHANGED.contains(&last) {
        return name.to_owned();
    }
    let vowel = |c: char| matches!(c.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u');
    let mut end = name.chars().rev();
    match (end.next().map(|c| c.to_ascii_lowercase()), end.next().map(|c| c.to_ascii_lowercase())) {
        (Some('y'), Some(before)) if before.is_ascii_alphabetic() && !vowel(before) => {
            format!("{}ies", &name[..name.len() - 1])
        }
        (Some('s' | 'x' | 'z'), _) | (Some('h'), Some('c' | 's')) => format!("{name}es"),
        _ => format!("{name}s"),
    }
}
