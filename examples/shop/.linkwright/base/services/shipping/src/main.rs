// Yours: written once by Linkwright, never overwritten.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    kit_service::run("shipping", include_str!("../config.toml"), shipping::app::start).await
}
