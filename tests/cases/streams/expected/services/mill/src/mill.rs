// Yours: written once by Linkwright, never overwritten.

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _};
use kit::{Context, Failure, Stream};
use mill_contract::{Grain, GrindError, GrindResponse, OpenResponse, Weight};

/// The business code of `mill`.
pub struct Mill;

#[async_trait]
impl mill_contract::Mill for Mill {
    async fn weigh(&self, _cx: &Context, input: Stream<Grain, Failure>) -> Result<Stream<Weight, Failure>, Failure> {
        Ok(Box::pin(input.map(|item| {
            let item = item?;
            Ok(Weight { kind: item.kind, pence: 1 })
        })))
    }

    async fn open(&self, _cx: &Context) -> Result<OpenResponse, Failure> {
        Ok(OpenResponse { since: "example".into() })
    }

    async fn grind(&self, _cx: &Context, input: Stream<Grain, Failure>) -> Result<GrindResponse, GrindError> {
        // Yours: what becomes of each item.
        let grains = input.try_fold(0, async |count, _| Ok(count + 1)).await?;
        Ok(GrindResponse { grains, note: "example".into() })
    }
}
