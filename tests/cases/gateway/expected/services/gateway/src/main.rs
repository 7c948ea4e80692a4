// Yours: written once by Linkwright, never overwritten.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    kit_service::run("gateway", include_str!("../config.toml"), gateway::app::start).await
}
