//! The command line and the environment of a service, into its configuration.

use serde::de::DeserializeOwned;

use crate::overlay::Overlay;

/// The section that is the runtime's own.
const SERVER: &str = "server";

/// What the process was started for.
pub(crate) enum Asked<A, B> {
    /// To serve, with the runtime's configuration, the service's own, and the place that says where to listen.
    Run(A, B, String),
    /// To print this.
    Print(String),
}

/// `built_in` is the service's `config.toml`. The errors are lines for the user.
pub(crate) fn read<A: DeserializeOwned, B: DeserializeOwned>(
    name: &str,
    built_in: &str,
    mut arguments: impl Iterator<Item = String>,
    variables: &[(String, String)],
) -> Result<Asked<A, B>, Vec<String>> {
    let line = |line| vec![line];
    let mut overlay = Overlay::new(built_in).map_err(line)?;
    let mut only_check = false;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--config" => {
                let file = arguments.next().ok_or_else(|| vec!["--config needs a file".to_owned()])?;
                let text = std::fs::read_to_string(&file).map_err(|error| vec![format!("{file}: {error}")])?;
                overlay.text(&file, &text).map_err(line)?;
            }
            "--check-config" => only_check = true,
            "--help" => return Ok(Asked::Print(help(name, built_in))),
            other => return Err(vec![format!("unknown argument {other:?}: see {name} --help")]),
        }
    }
    environment(name, &mut overlay, variables).map_err(line)?;
    let (server, own) = overlay.read(SERVER)?;
    if only_check {
        return Ok(Asked::Print(format!("{name}: the configuration is right")));
    }
    Ok(Asked::Run(server, own, overlay.source("server.listen").to_owned()))
}

fn help(name: &str, built_in: &str) -> String {
    let variable = name.to_uppercase().replace('-', "_");
    format!(
        "Usage: {name} [--config FILE] [--check-config]

  --config FILE    goes over the configuration that is built in
  --check-config   says whether the configuration can be used, and ends
  --help           shows this

Environment variables go over both: {variable}__SECTION__KEY for any key, {variable}__KEY for one of [server];
<NAME>_URL for the url of a link, DATABASE_URL for that of the store, BROKER_URL for that of the broker.

The configuration that is built in:

{built_in}"
    )
}

/// The variables that mean the same for every service, then its own.
fn environment(name: &str, overlay: &mut Overlay, variables: &[(String, String)]) -> Result<(), String> {
    for (variable, text) in variables {
        let Some(target) = variable.strip_suffix("_URL").map(str::to_lowercase) else { continue };
        let path = match target.as_str() {
            "database" => vec!["store", "url"],
            "broker" => vec!["broker", "url"],
            link => vec!["links", link, "url"],
        };
        if overlay.has(&path[..path.len() - 1]) {
            overlay.variable(variable, &path, text)?;
        }
    }
    let prefix = format!("{}__", name.to_uppercase().replace('-', "_"));
    for (variable, text) in variables {
        let Some(path) = variable.strip_prefix(&prefix) else { continue };
        let path = path.to_lowercase();
        let mut path: Vec<&str> = path.split("__").collect();
        if path.len() == 1 {
            path.insert(0, SERVER);
        }
        overlay.variable(variable, &path, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LinkConfig, ServerConfig, StoreConfig};
    use kit::Span;
    use serde::Deserialize;
    use std::time::Duration;

    #[derive(Debug, Deserialize)]
    struct Own {
        links: Links,
        store: StoreConfig,
    }

    #[derive(Debug, Deserialize)]
    struct Links {
        bank: LinkConfig,
    }

    const BUILT_IN: &str = r#"
[server]
listen = "127.0.0.1:7001"

[store]
url = "sqlite:a.db"

[links.bank]
url = "http://127.0.0.1:7002"
attempts = 3

[links.bank.breaker]
failure_rate = 0.5
window = 20
open_for = "10s"
"#;

    fn read(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Asked<ServerConfig, Own>, Vec<String>> {
        let variables: Vec<_> = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        super::read("shop", BUILT_IN, arguments.iter().map(|text| (*text).to_owned()), &variables)
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let variables = [
            ("HOME", "/root"),
            ("SHOP__LISTEN", "0.0.0.0:80"),
            ("SHOP__SERVER__DRAIN", "1m"),
            ("SHOP_URL", "http://not.ours"),
            ("OTHER__LISTEN", "nonsense"),
            ("BANK_URL", "http://bank"),
            ("BROKER_URL", "there is no broker here"),
            ("DATABASE_URL", "sqlite:7"),
            ("SHOP__LINKS__BANK__ATTEMPTS", "5"),
            ("SHOP__LINKS__BANK__BACKOFF", "[\"1s\", \"2s\"]"),
            ("SHOP__LINKS__BANK__BULKHEAD", "7"),
            ("SHOP__LINKS__BANK__BREAKER__OPEN_FOR", "3s"),
            ("SHOP__PROXIES", "[\"10.0.0.1\", \"10.1.0.0/16\"]"),
        ];
        let Ok(Asked::Run(server, own, source)) = read(&[], &variables) else { panic!() };
        assert_eq!((server.listen.to_string(), server.drain), ("0.0.0.0:80".into(), Span(Duration::from_secs(60))));
        assert_eq!((own.store.url.as_str(), own.links.bank.url.as_str()), ("sqlite:7", "http://bank"));
        let policy = own.links.bank.policy();
        assert_eq!((policy.retry.attempts, policy.retry.backoff.most), (5, Duration::from_secs(2)));
        assert_eq!((policy.bulkhead, policy.streams), (7, 70));
        assert_eq!(policy.breaker.map(|breaker| breaker.open_for), Some(Duration::from_secs(3)));
        assert_eq!((source.as_str(), server.proxies.len()), ("SHOP__LISTEN", 2));
        let streams = [("SHOP__LINKS__BANK__STREAMS", "9")];
        let Ok(Asked::Run(_, own, _)) = read(&[], &streams) else { panic!() };
        assert_eq!((own.links.bank.policy().bulkhead, own.links.bank.policy().streams), (64, 9));
        let special = [("BANK_URL", "http://general"), ("SHOP__LINKS__BANK__URL", "http://special")];
        let Ok(Asked::Run(_, own, _)) = read(&[], &special) else { panic!() };
        assert_eq!(own.links.bank.url, "http://special");
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_source() {
        for (variable, text, line) in [
            ("SHOP__LISTEN", "here", "SHOP__LISTEN: `server.listen`: invalid socket address syntax"),
            ("SHOP__LISTN", "1", "SHOP__LISTN: `server.listn`: is not known here"),
            (
                "SHOP__SERVER__TIMEOUT",
                "5",
                "SHOP__SERVER__TIMEOUT: `server.timeout`: invalid type: integer `5`, expected a string",
            ),
            (
                "SHOP__SERVER__TIMEOUT",
                "soon",
                "SHOP__SERVER__TIMEOUT: `server.timeout`: \"soon\" is not a span of time as \"300ms\" or \"5s\"",
            ),
            ("SHOP__HEARTBEAT", "0s", "SHOP__HEARTBEAT: `server.heartbeat`: 0ms is not from \"1s\" to \"1h\""),
            ("SHOP__HEARTBEAT", "2h", "SHOP__HEARTBEAT: `server.heartbeat`: 7200000ms is not from \"1s\" to \"1h\""),
            (
                "SHOP__PROXIES",
                "[\"10.0.0.1/8\"]",
                "SHOP__PROXIES: `server.proxies[0]`: \"10.0.0.1/8\" is an address within a network: \"10.0.0.1\" or \"10.0.0.0/8\"",
            ),
            ("SHOP__STREAM_BUFFER", "0", "SHOP__STREAM_BUFFER: `server.stream_buffer`: 0 is not from 1 to 10000"),
            (
                "SHOP__STREAM_BUFFER",
                "10001",
                "SHOP__STREAM_BUFFER: `server.stream_buffer`: 10001 is not from 1 to 10000",
            ),
            (
                "SHOP__LINKS__BANK__ATTEMPTS",
                "many",
                "SHOP__LINKS__BANK__ATTEMPTS: `links.bank.attempts`: invalid type: string \"many\", expected u32",
            ),
            ("SHOP__LINKS__BNK__ATTEMPTS", "3", "SHOP__LINKS__BNK__ATTEMPTS: `links.bnk`: is not known here"),
            ("SHOP__STORE__URL__X", "3", "SHOP__STORE__URL__X: `url` is no section"),
        ] {
            assert_eq!(read(&[], &[(variable, text)]).err(), Some(vec![line.to_owned()]));
        }
    }

    #[test]
    fn arguments() {
        assert!(
            matches!(read(&["--check-config"], &[]), Ok(Asked::Print(text)) if text == "shop: the configuration is right")
        );
        assert!(read(&["--check-config"], &[("SHOP__LISTEN", "x")]).is_err());
        assert!(
            matches!(read(&["--help"], &[]), Ok(Asked::Print(text)) if text.contains("SHOP__SECTION__KEY") && text.ends_with(BUILT_IN))
        );
        for bad in [&["--port"][..], &["--config"], &["--config", "/no/such/file"]] {
            assert_eq!(read(bad, &[]).err().map(|lines| lines.len()), Some(1), "{bad:?}");
        }
    }
}
