// Yours: written once by Linkwright, never overwritten.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    kit_service::run("front", include_str!("../config.toml"), front::app::start).await
}
