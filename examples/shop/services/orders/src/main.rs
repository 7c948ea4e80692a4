// Yours: written once by Linkwright, never overwritten.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    kit_service::run("orders", include_str!("../config.toml"), orders::app::start).await
}
