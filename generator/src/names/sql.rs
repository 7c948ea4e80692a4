//! Names in SQL. They are always quoted, so no word is reserved.

/// `order` to `"order"`.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The table of a resource, unquoted: `StockLevels` to `stock_levels`.
pub fn table(plural: &str) -> String {
    super::snake(plural)
}

/// The column of a path through required records, unquoted: `price.amount` to `price_amount`.
pub fn column<S: AsRef<str>>(path: &[S]) -> String {
    path.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("_")
}
