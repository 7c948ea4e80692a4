use serde::Deserialize;

use crate::{Documents, Limits};

/// How a schema is served.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub limits: Limits,
    /// What callers have left here to be asked for by its hash.
    pub documents: Documents,
}

impl From<Limits> for Settings {
    fn from(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }
}

/// `[graphql]` of a service's configuration. What is not said is as [`Limits`] has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Fields within fields.
    pub depth: usize,
    /// Fields in all.
    pub complexity: usize,
    /// Fields under another name.
    pub aliases: usize,
    /// Directives in all.
    pub directives: usize,
    /// Requests sent as one.
    pub batch: usize,
    /// Documents kept for callers that send their hashes.
    pub documents: usize,
    /// Who may ask for the schema.
    pub introspection: Introspection,
}

/// When a schema may be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Introspection {
    Always,
    /// Where `[server] development` says so.
    #[default]
    Development,
    Never,
}

impl Default for Config {
    fn default() -> Self {
        let Limits { depth, complexity, aliases, directives, batch, introspection: _ } = Limits::default();
        Self { depth, complexity, aliases, directives, batch, documents: 1000, introspection: Introspection::default() }
    }
}

impl Config {
    /// `development`: whether the service runs on the machine of those who write it.
    pub fn settings(&self, development: bool) -> Settings {
        let Self { depth, complexity, aliases, directives, batch, documents, introspection } = *self;
        let introspection = match introspection {
            Introspection::Always => true,
            Introspection::Development => development,
            Introspection::Never => false,
        };
        let limits = Limits { depth, complexity, aliases, directives, batch, introspection };
        Settings { limits, documents: Documents::new(documents) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_may_be_asked_for_where_the_configuration_says_so() {
        for (introspection, at_home, elsewhere) in [
            (r#"{ "introspection": "always" }"#, true, true),
            (r#"{ "introspection": "never" }"#, false, false),
            (r#"{ "introspection": "development" }"#, true, false),
            ("{}", true, false),
        ] {
            let config: Config = serde_json::from_str(introspection).unwrap();
            assert_eq!(
                (config.settings(true).limits.introspection, config.settings(false).limits.introspection),
                (at_home, elsewhere),
                "{introspection}"
            );
        }
        let config: Config = serde_json::from_str(r#"{ "depth": 3 }"#).unwrap();
        let limits = config.settings(false).limits;
        assert_eq!((limits.depth, limits.aliases), (3, 30));
    }
}
