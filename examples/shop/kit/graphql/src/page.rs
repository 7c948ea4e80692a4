use async_graphql::SimpleObject;
use kit::Cursor;

/// Where a page of a list ends.
#[derive(Clone, Debug, SimpleObject)]
pub struct PageInfo {
    /// There is a page after this one.
    pub has_next_page: bool,
    /// Lists are read forwards only.
    pub has_previous_page: bool,
    pub start_cursor: Option<String>,
    /// Give it as `after` to get the next page.
    pub end_cursor: Option<String>,
}

impl PageInfo {
    /// `next`: where the next page begins, if there is one.
    pub fn of(next: Option<&Cursor>) -> Self {
        let end_cursor = next.map(|cursor| cursor.0.clone());
        Self { has_next_page: next.is_some(), has_previous_page: false, start_cursor: None, end_cursor }
    }
}
