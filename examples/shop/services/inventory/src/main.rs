// Yours: written once by Linkwright, never overwritten.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    kit_service::run("inventory", include_str!("../config.toml"), inventory::app::start).await
}
