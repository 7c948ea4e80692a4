//! Events: what one service reads of what another publishes.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::{
    common::{common, readable, rules, united},
    file::Pact,
};

/// Every message is JSON.
const JSON: &str = "application/json";

impl Pact {
    /// An event of the other service. `examples` are payloads of it, `read` is what each consumer of ours reads of one: no
    /// more is demanded. `event` is its name, `kind` the type by which it is subscribed to.
    ///
    /// # Errors
    /// A payload cannot be read, or not when it has nothing more than is demanded.
    pub fn hears(
        &self,
        event: &str,
        kind: &str,
        examples: [Value; 2],
        read: impl Fn(Value) -> Result<Vec<Value>>,
    ) -> Result<()> {
        let [one, other] = examples.map(|example| {
            let reads = read(example.clone()).with_context(|| format!("{event}: {example}"))?;
            let reads = reads.into_iter().fold(json!({}), united);
            // Of an example what is read of it, as it was written.
            common(&example, &reads).with_context(|| format!("{event} is read as something else: {reads}"))
        });
        let (one, other) = (one?, other?);
        let contents = common(&one, &other).with_context(|| format!("{event} has no common form"))?;
        let whole = readable(&one, &other).with_context(|| format!("{event} has no common form"))?;
        read(whole.clone()).with_context(|| format!("{event} with nothing but {whole}"))?;
        ensure!(contents.is_object(), "{event} is no object: {contents}");
        self.add(json!({
            "type": "Asynchronous/Messages",
            "description": event,
            "pending": false,
            "contents": { "content": contents, "contentType": JSON, "encoded": false },
            "metadata": { "contentType": JSON, "type": kind },
            "matchingRules": { "body": rules(&contents, JSON) },
        }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_demanded_than_is_read() {
        let pact = Pact::between("/nowhere", "shipping", "billing");
        let of_id = |data: Value| data["id"].as_str().map(|id| vec![json!({ "id": id })]).context("no id");
        let examples = || [json!({ "id": "1", "amount": 2 }), json!({ "id": "2", "amount": 3 })];
        pact.hears("CardCharged", "shop.CardCharged.v1", examples(), of_id).unwrap();
        let both = |data: Value| {
            ensure!(data["note"].is_string() || data["id"] == "1", "no note");
            of_id(data)
        };
        let error = pact.hears("Noted", "n", [json!({ "id": "1" }), json!({ "id": "2" })], both).unwrap_err();
        assert!(format!("{error:#}").contains("no note"));
        let interactions = format!("{pact:?}");
        assert!(interactions.contains("CardCharged") && !interactions.contains("amount"), "{interactions}");
    }
}
