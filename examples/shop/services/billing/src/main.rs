// Yours: written once by Linkwright, never overwritten.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    kit_service::run("billing", include_str!("../config.toml"), billing::app::start).await
}
