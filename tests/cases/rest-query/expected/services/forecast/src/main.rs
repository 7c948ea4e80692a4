// Yours: written once by Linkwright, never overwritten.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    kit_service::run("forecast", include_str!("../config.toml"), forecast::app::start).await
}
