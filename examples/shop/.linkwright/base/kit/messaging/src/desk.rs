//! The command line over a broker: what is on its way, and what to do with dead letters.

use std::{env, fmt::Write as _, process::ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::{Broker, Which};

/// Dead letters shown at most.
const MOST: usize = 1000;

const HELP: &str = "\
Usage: cargo xtask messages COMMAND

  list [SUBSCRIPTION]                 every subscription with its numbers, and the dead letters
  show ID                             a dead letter, whole
  replay SUBSCRIPTION ID... | --all   deliver dead letters again
  drop SUBSCRIPTION ID... | --all     delete dead letters
  forget SUBSCRIPTION                 end one that no service has any more, and what is on its way to it";

/// The `main` of the workspace's `messages`: runs the command of the arguments on the broker of `BROKER_URL`. Exits
/// with 2 if it is none.
///
/// # Errors
/// The broker cannot be opened or does not do what is asked.
pub async fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if !is_command(&words) {
        eprintln!("{HELP}");
        return Ok(ExitCode::from(2));
    }
    let url = env::var("BROKER_URL").context("BROKER_URL is not set: run `cargo xtask messages`, which sets it")?;
    let broker = crate::connect(&url).await?;
    print!("{}", run(&*broker, &words).await?);
    Ok(ExitCode::SUCCESS)
}

fn is_command(words: &[&str]) -> bool {
    matches!(words, ["list"] | ["list" | "show" | "forget", _] | ["replay" | "drop", _, _, ..])
}

async fn run(broker: &dyn Broker, words: &[&str]) -> Result<String> {
    match *words {
        ["list"] => list(broker, None).await,
        ["list", subscription] => list(broker, Some(subscription)).await,
        ["show", id] => show(broker, id).await,
        ["replay", subscription, ref ids @ ..] => {
            let ids = owned(ids);
            Ok(format!("{} delivered again\n", broker.replay(subscription, which(&ids)).await?))
        }
        ["drop", subscription, ref ids @ ..] => {
            let ids = owned(ids);
            Ok(format!("{} deleted\n", broker.drop_dead(subscription, which(&ids)).await?))
        }
        ["forget", subscription] => Ok(format!("{} deleted\n", broker.forget(subscription).await?)),
        _ => bail!("no such command"),
    }
}

fn owned(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn which(ids: &[String]) -> Which<'_> {
    if ids == ["--all"] { Which::All } else { Which::Ids(ids) }
}

async fn list(broker: &dyn Broker, subscription: Option<&str>) -> Result<String> {
    let mut stats = broker.stats().await?;
    stats.retain(|stats| subscription.is_none_or(|name| name == stats.subscription));
    let wide = stats.iter().map(|stats| stats.subscription.len()).max().unwrap_or_default().max("subscription".len());
    let mut text = format!("{:wide$}  pending  in flight  acknowledged  dead\n", "subscription");
    for stats in stats {
        let (name, acked, dead) = (stats.subscription, stats.acked, stats.dead);
        writeln!(text, "{name:wide$}  {:7}  {:9}  {acked:12}  {dead:4}", stats.pending, stats.in_flight)?;
    }
    let letters = broker.dead_letters(subscription, MOST).await?;
    if letters.is_empty() {
        text.push_str("\nno dead letters\n");
    } else {
        text.push_str("\ndead letters, oldest first:\n");
    }
    for letter in letters {
        let (message, reason) = (letter.message, letter.reason);
        writeln!(text, "{}  {}  {}  {reason}", message.id, letter.subscription, message.kind)?;
    }
    Ok(text)
}

async fn show(broker: &dyn Broker, id: &str) -> Result<String> {
    let mut letters = broker.dead_letters(None, MOST).await?;
    letters.retain(|letter| letter.message.id == id);
    if letters.is_empty() {
        bail!("no dead letter has the id {id}");
    }
    let texts: Result<Vec<String>, _> = letters.iter().map(serde_json::to_string_pretty).collect();
    Ok(texts?.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kit::Context;

    use super::*;
    use crate::{MemoryBroker, Message, Subscription, Verdict};

    #[tokio::test]
    async fn lists_shows_replays_and_drops() -> Result<()> {
        let broker = MemoryBroker::default();
        broker.declare(&Subscription::new("billing.bill", ["t"])).await?;
        let message = Message::new(&Context::default(), "t", "/orders", &7)?;
        broker.publish(std::slice::from_ref(&message)).await?;
        let die = async || -> Result<()> {
            let got = broker.receive("billing.bill", 1, Duration::from_secs(9)).await?;
            broker.settle(&got[0].receipt, Verdict::DeadLetter { reason: "no such card".into() }).await?;
            Ok(())
        };
        die().await?;
        let listed = run(&broker, &["list", "billing.bill"]).await?;
        assert!(listed.contains(&format!("{}  billing.bill  t  no such card", message.id)), "{listed}");
        assert!(!run(&broker, &["list", "other"]).await?.contains("billing.bill"));
        assert!(run(&broker, &["show", &message.id]).await?.contains("\"data\": 7"));
        assert!(run(&broker, &["show", "nothing"]).await.is_err());
        assert_eq!(run(&broker, &["replay", "billing.bill", &message.id]).await?, "1 delivered again\n");
        die().await?;
        assert_eq!(run(&broker, &["drop", "billing.bill", "nothing"]).await?, "0 deleted\n");
        assert_eq!(run(&broker, &["drop", "billing.bill", "--all"]).await?, "1 deleted\n");
        assert!(run(&broker, &["list"]).await?.contains("no dead letters"));
        broker.publish(&[Message::new(&Context::default(), "t", "/orders", &8)?]).await?;
        assert_eq!(run(&broker, &["forget", "billing.bill"]).await?, "1 deleted\n");
        assert!(run(&broker, &["forget", "billing.bill"]).await.is_err());
        for words in [&[][..], &["list", "a", "b"], &["replay", "a"], &["show"]] {
            assert!(!is_command(words), "{words:?}");
        }
        Ok(())
    }
}
