// Yours: written once by Linkwright, never overwritten.
//! Says what the weather will be.

use async_trait::async_trait;
use forecast_contract::{TomorrowError, TomorrowRequest, TomorrowResponse};
use kit::Context;

/// The business code of `forecast`.
pub struct Forecast;

#[async_trait]
impl forecast_contract::Forecast for Forecast {
    async fn tomorrow(&self, _cx: &Context, _input: TomorrowRequest) -> Result<TomorrowResponse, TomorrowError> {
        Ok(TomorrowResponse { degrees: 1, rain: None })
    }
}
