//! Takes its time, or longer: laid over what the workspace begins with, as a user might.

use std::time::Duration;

use async_trait::async_trait;
use desk_contract::{PonderRequest, PonderResponse, TakeResponse, Tick, WorkRequest};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kit::{Context, Failure, Stream};
use tokio::time::sleep;

/// From tick to tick.
const PAUSE: Duration = Duration::from_millis(50);

/// The business code of `desk`.
pub struct Desk;

/// Takes time, and where it is much says that something is under way from now on.
async fn take_time(text: &str, milliseconds: u32) {
    if milliseconds > 1000 {
        eprintln!("begins: {text}");
    }
    sleep(Duration::from_millis(milliseconds.into())).await;
}

#[async_trait]
impl desk_contract::Desk for Desk {
    async fn ponder(&self, _cx: &Context, input: PonderRequest) -> Result<PonderResponse, Failure> {
        take_time(&input.text, input.milliseconds).await;
        Ok(PonderResponse { text: input.text })
    }

    async fn watch(&self, _cx: &Context) -> Result<Stream<Tick, Failure>, Failure> {
        let ticks = stream::iter(1..).then(|number| async move {
            sleep(PAUSE).await;
            Ok(Tick { number })
        });
        Ok(Box::pin(ticks))
    }

    async fn talk(&self, _cx: &Context, input: Stream<Tick, Failure>) -> Result<Stream<Tick, Failure>, Failure> {
        Ok(input)
    }

    async fn take(&self, _cx: &Context, input: Stream<Tick, Failure>) -> Result<TakeResponse, Failure> {
        eprintln!("begins: an input");
        let ticks = input.try_fold(0, async |count, _| Ok(count + 1)).await?;
        Ok(TakeResponse { ticks })
    }

    async fn work(&self, _cx: &Context, input: WorkRequest) -> Result<(), Failure> {
        take_time(&input.text, input.milliseconds).await;
        Ok(())
    }
}
