//! The other side of `cargo xtask bench`: what is measured beside the emitted service, and what puts load on both.
//!
//! Each command is a process of its own and prints one line of JSON.

mod bare;
mod client;
mod load;
mod open;
mod queue;

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let measured = match *arguments {
        ["bare", http, grpc, database] => return bare::serve(http, grpc, database).await,
        ["load", transport, operation, address, connections, milliseconds] => {
            let span = Duration::from_millis(milliseconds.parse()?);
            load::run(transport, operation, address, connections.parse()?, span).await?
        }
        ["upload", address, rows] => load::upload(address, rows.parse()?).await?,
        ["open", transport, operation, address, count] => {
            return open::run(transport, operation, address, count.parse()?).await;
        }
        ["publish", file, publishers, count] => queue::publish(file, publishers.parse()?, count.parse()?).await?,
        ["insert", file, batch, count] => queue::insert(file, batch.parse()?, count.parse()?).await?,
        ["send", file, count, pause] => queue::send(file, count.parse()?, pause.parse()?).await?,
        ["consume", file, count] => queue::consume(file, count.parse()?).await?,
        _ => bail!(
            "bare HTTP GRPC DB | load TRANSPORT OPERATION ADDRESS CONNECTIONS MS | upload ADDRESS ROWS | open TRANSPORT OPERATION ADDRESS COUNT | publish FILE PUBLISHERS COUNT | insert FILE BATCH COUNT | send FILE COUNT PAUSE | consume FILE COUNT"
        ),
    };
    print(&measured);
    Ok(())
}

fn print(line: &Value) {
    println!("{line}");
}

/// The value below which this share of the sorted ones is.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}
