//! What a service was before: each old version that is still served is a service of its own, in a system of its own.

use indexmap::IndexMap;

use super::{Model, Service};

/// A version of a service that is served although there is a newer one.
#[derive(Clone, Debug, PartialEq)]
pub struct OldVersion {
    /// What it offered, as far as callers outside reached it over REST, gRPC or JSON-RPC.
    pub service: Service,
    /// By the name of a resource or operation: which field of today has its value from which path of then.
    pub maps: IndexMap<String, IndexMap<String, String>>,
}

/// A day of the Gregorian calendar that exists. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

impl Date {
    /// As a structured field (RFC 9651, section 3.3.7): `@1767225600`, the day's first second.
    pub fn structured(self) -> String {
        format!("@{}", self.days() * 86_400)
    }

    /// As an HTTP date (RFC 9110, section 5.6.7): `Thu, 01 Jan 2026 00:00:00 GMT`.
    pub fn http(self) -> String {
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let day = DAYS.get(self.days().rem_euclid(7) as usize).unwrap_or(&"");
        let month = MONTHS.get(usize::from(self.month).saturating_sub(1)).unwrap_or(&"");
        format!("{day}, {:02} {month} {:04} 00:00:00 GMT", self.day, self.year)
    }

    /// Days since 1970-01-01, by the arithmetic of the Gregorian calendar, whose years here begin in March.
    fn days(self) -> i64 {
        let (year, month) = (i64::from(self.year), i64::from(self.month));
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let leap = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        year * 365 + leap + (month * 153 + 2) / 5 + i64::from(self.day) - 1 - 719_468
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Service {
    /// Whether the system itself speaks a newer version.
    pub fn is_old(&self) -> bool {
        self.version < self.newest
    }
}

impl Model {
    /// The system in which a service is as it was: what refers to the service means what it was then. Inside the system
    /// everybody speaks the present version, so nobody has a link.
    pub fn at(&self, old: &OldVersion) -> Self {
        let mut model = Self { links: Vec::new(), ..self.clone() };
        model.services.insert(old.service.name.clone(), old.service.clone());
        model
    }
}
