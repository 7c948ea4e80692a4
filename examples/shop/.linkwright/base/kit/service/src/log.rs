//! What a service says: to a person at a terminal as text, to a collector as JSON. Always on standard error.

mod members;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use self::members::Members;
use crate::{LogFormat, ServerConfig};

/// How a service tells about its own start and end.
#[derive(Clone, Copy)]
pub(crate) struct Voice {
    json: bool,
}

impl Voice {
    /// Sets up the log. `RUST_LOG` replaces what is configured, if it can be read.
    pub(crate) fn set_up(config: &ServerConfig) -> Self {
        let variable = std::env::var(EnvFilter::DEFAULT_ENV).ok();
        let filter = variable.as_ref().and_then(|text| EnvFilter::try_new(text).ok());
        let ignored = variable.filter(|_| filter.is_none());
        let filter = filter.unwrap_or_else(|| EnvFilter::new(&config.log));
        let terminal = std::io::stderr().is_terminal();
        let json = config.log_format == LogFormat::Json || (config.log_format == LogFormat::Auto && !terminal);
        let builder =
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(terminal);
        // A subscriber that is set already is a test's.
        let _ = if json {
            // The list of spans has the innermost too.
            builder.json().flatten_event(true).with_current_span(false).fmt_fields(Members).try_init()
        } else {
            builder.compact().try_init()
        };
        if let Some(text) = ignored {
            tracing::warn!("RUST_LOG={text:?} cannot be read; the configured {:?} counts", config.log);
        }
        Self { json }
    }

    /// Where everything is.
    pub(crate) fn started(self, name: &str, address: &str, lines: &[(String, String)]) {
        if self.json {
            tracing::info!(service = name, address, "listening");
            lines.iter().for_each(|(what, place)| tracing::info!(what, place, "using"));
            return;
        }
        let width = lines.iter().map(|(what, _)| what.chars().count()).max().unwrap_or_default();
        let table: String = lines.iter().map(|(what, place)| format!("\n  {what:width$}  {place}")).collect();
        eprintln!("{name} listens at {address}{table}");
    }

    /// Why there is no service.
    pub(crate) fn failed(self, name: &str, error: &anyhow::Error) {
        if self.json {
            tracing::error!(service = name, error = format!("{error:#}"), "cannot run");
        } else {
            eprintln!("{name}: {error:#}");
        }
    }
}
