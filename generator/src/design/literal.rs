//! Values that a design writes as text: how they look is in [`crate::parse`].

use std::time::Duration;

use super::Method;
use crate::model::Segment;
use crate::source::Spanned;

/// `50ms..1s`, both ends included; `min` ≤ `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationRange {
    pub min: Duration,
    pub max: Duration,
}

/// `60/1m`: so many in that time, both above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub per: Duration,
}

/// When work runs by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// `every 5m`
    Every(Duration),
    /// Five cron fields in UTC, single spaces between them, each checked.
    Cron(String),
}

/// A day of the Gregorian calendar that exists. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

/// `POST /bookings/{id}/confirm`
#[derive(Clone, Debug)]
pub struct Route {
    pub method: Spanned<Method>,
    /// Without the leading `/`; empty for the root. Fields are without their braces, no field twice.
    pub path: Vec<Spanned<Segment>>,
}
