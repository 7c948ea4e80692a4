// Yours: written once by Linkwright, never overwritten.
//! Version 1 of `shelf`: what becomes of it on the way to the present one, and back.

use kit::Failure;
use shelf_v1_contract::LendRequest;

/// What the design does not say of version 1. What it says may be written here too, and then counts.
pub struct V1;

impl shelf_v1_contract::adapter::Mapping for V1 {
    fn lend_up(&self, old: LendRequest) -> Result<shelf_contract::LendRequest, Failure> {
        // Yours: the value of `days`. This is an example.
        Ok(shelf_contract::LendRequest { days: 1, to: old.to })
    }
}
