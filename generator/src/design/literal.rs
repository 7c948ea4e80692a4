//! Values that a design writes as text: how they look is in [`crate::parse`].

use std::time::Duration;

pub use crate::model::{Date, Rate};

use super::Method;
use crate::model::Segment;
use crate::source::Spanned;

/// `50ms..1s`, both ends included; `min` ≤ `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationRange {
    pub min: Duration,
    pub max: Duration,
}

/// When work runs by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// `every 5m`
    Every(Duration),
    /// Five cron fields in UTC, single spaces between them, each checked.
    Cron(String),
}

/// `POST /bookings/{id}/confirm`
#[derive(Clone, Debug)]
pub struct Route {
    pub method: Spanned<Method>,
    /// Without the leading `/`; empty for the root. Fields are without their braces, no field twice.
    pub path: Vec<Spanned<Segment>>,
}
