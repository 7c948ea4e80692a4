//! The user's own cases: files of `tests/cases`, each a row of calls and what is expected of their answers.
//!
//! ```toml
//! [examples]                              # what the suite gives where its own example is refused
//! create_order = { customer = "Ada" }     # what is not named here stays as it is
//!
//! [[steps]]
//! call = "create_order"
//! input = { customer = "Ada", amount = "12.50" }
//! expect = { customer = "Ada", paid = false }     # more may be in the answer
//! save = { order = "id" }                 # `{order}` in later steps
//!
//! [[steps]]
//! call = "cancel"
//! id = "{order}"
//! input = { reason = "too late" }
//! error = "AlreadySent"                   # or a kind: `not_found`
//! ```
//!
//! With `state = "the order is sent"` at its head the file is no case but the way into that state, for those who expect
//! it; what it saves is told to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use kit::Kind;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use toml::Spanned;

use super::{
    compare::{at, text},
    description::Description,
    face::{Call, Face},
    session::{Session, short},
};

/// All that the user says to the suite of one service.
#[derive(Debug, Default)]
pub(crate) struct Cases {
    pub examples: BTreeMap<String, Map<String, Value>>,
    /// Operations that may do their work without publishing anything, or keep events from their streams.
    pub quiet: BTreeSet<String>,
    pub files: Vec<Case>,
    /// How the service comes into a state, by the state's name.
    pub states: BTreeMap<String, Case>,
}

#[derive(Debug)]
pub(crate) struct Case {
    /// `tests/cases/refund.toml`
    pub name: String,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    /// The line of its `call`.
    line: usize,
    call: String,
    id: Value,
    etag: Value,
    input: Value,
    expect: Option<Value>,
    error: Option<String>,
    save: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    state: Option<Spanned<String>>,
    #[serde(default)]
    examples: BTreeMap<Spanned<String>, toml::Table>,
    #[serde(default)]
    quiet: Vec<Spanned<String>>,
    #[serde(default)]
    steps: Vec<RawStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    call: Spanned<String>,
    id: Option<toml::Value>,
    etag: Option<toml::Value>,
    input: Option<toml::Table>,
    expect: Option<toml::Value>,
    error: Option<Spanned<String>>,
    #[serde(default)]
    save: BTreeMap<String, String>,
}

impl Cases {
    /// Reads all `.toml` files of the folder, which need not be there.
    pub(crate) fn read(folder: &Path, description: &Description) -> Result<Self> {
        let mut cases = Self::default();
        let Ok(entries) = fs::read_dir(folder) else { return Ok(cases) };
        let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        for path in paths {
            let shown = shown(&path);
            let source = fs::read_to_string(&path).with_context(|| shown.clone())?;
            cases.add(&shown, &source, description)?;
        }
        Ok(cases)
    }

    fn add(&mut self, path: &str, source: &str, description: &Description) -> Result<()> {
        let at = |start: usize| format!("{path}:{}", line(source, start));
        let file: File = toml::from_str(source).map_err(|error| {
            let place = error.span().map_or(path.to_owned(), |span| at(span.start));
            anyhow::anyhow!("{place}: {}", error.message())
        })?;
        let known = |name: &Spanned<String>| match description.operation(name.get_ref()) {
            Some(operation) => Ok(operation),
            None => bail!("{}: {} has no operation `{}`", at(name.span().start), description.service, name.get_ref()),
        };
        for (name, input) in file.examples {
            known(&name)?;
            self.examples.entry(name.into_inner()).or_default().extend(members(input));
        }
        for name in file.quiet {
            known(&name)?;
            self.quiet.insert(name.into_inner());
        }
        let mut steps = Vec::new();
        for step in file.steps {
            let operation = known(&step.call)?;
            let place = at(step.call.span().start);
            if operation.takes_id && step.id.is_none() {
                bail!("{place}: `{}` is on an item: give its `id`", operation.name);
            }
            if let Some(error) = &step.error
                && !operation.errors.contains_key(error.get_ref())
                && !Kind::ALL.iter().any(|kind| kind.as_str() == error.get_ref())
            {
                let (place, error) = (at(error.span().start), error.get_ref());
                bail!("{place}: `{}` declares no error `{error}`, and no kind of error is called so", operation.name);
            }
            if step.error.is_some() && step.expect.is_some() {
                bail!("{place}: a step has either `expect` or `error`");
            }
            let value = |value: Option<toml::Value>| value.map(json).unwrap_or_default();
            steps.push(Step {
                line: line(source, step.call.span().start),
                call: step.call.into_inner(),
                id: value(step.id),
                etag: value(step.etag),
                input: step.input.map(|input| members(input).into()).unwrap_or_default(),
                expect: step.expect.map(json),
                error: step.error.map(Spanned::into_inner),
                save: step.save,
            });
        }
        let case = Case { name: path.to_owned(), steps };
        match file.state {
            Some(state) => {
                let place = at(state.span().start);
                if let Some(other) = self.states.insert(state.get_ref().clone(), case) {
                    bail!("{place}: {} says it of `{}` too", other.name, state.get_ref());
                }
            }
            None if case.steps.is_empty() => {}
            None => self.files.push(case),
        }
        Ok(())
    }
}

impl Case {
    /// An operation of the case that is not served there.
    pub(crate) fn absent<'c>(&'c self, description: &Description, face: &Face) -> Option<&'c str> {
        let served = |name: &str| description.operation(name).is_some_and(|operation| face.serves(operation));
        self.steps.iter().map(|step| step.call.as_str()).find(|call| !served(call))
    }

    /// Goes through the steps; the first that fails is the last.
    pub(crate) async fn run(&self, session: &Session<'_>) {
        if let Err((step, why)) = self.go(session, &mut BTreeMap::new()).await {
            session.report.fail(&step.call, &format!("{}:{}", self.name, step.line), why);
        }
    }

    /// The same, with what is known before; what the steps save is added to it.
    pub(crate) async fn bring(&self, session: &Session<'_>, known: &mut BTreeMap<String, Value>) -> Result<(), String> {
        self.go(session, known).await.map_err(|(step, why)| format!("{}:{}: {why}", self.name, step.line))
    }

    async fn go(&self, session: &Session<'_>, saved: &mut BTreeMap<String, Value>) -> Result<(), (&Step, String)> {
        for step in &self.steps {
            step.run(session, saved).await.map_err(|why| (step, why))?;
        }
        Ok(())
    }
}

impl Step {
    async fn run(&self, session: &Session<'_>, saved: &mut BTreeMap<String, Value>) -> Result<(), String> {
        let Some(operation) = session.description().operation(&self.call) else { return Ok(()) };
        let etag = filled(&self.etag, saved)?;
        let call = Call {
            operation: self.call.clone(),
            id: filled(&self.id, saved)?,
            etag: (!etag.is_null()).then(|| text(&etag)),
            input: filled(&self.input, saved)?,
            ..Call::default()
        };
        let outcome = session.ask(operation, call).await;
        let answer = match (&self.error, outcome) {
            (None, Ok(answer)) => answer,
            (None, Err(error)) => {
                let name = error.code.unwrap_or_else(|| error.kind.to_string());
                return Err(format!("an answer was expected, it failed with {name}: {}", error.detail));
            }
            (Some(expected), Ok(answer)) => {
                return Err(format!("{expected} was expected, it answered {}", short(&answer)));
            }
            (Some(expected), Err(error)) => {
                let is_it = error.code.as_deref() == Some(expected) || error.kind.as_str() == expected;
                let name = error.code.unwrap_or_else(|| error.kind.to_string());
                return if is_it {
                    Ok(())
                } else {
                    Err(format!("{expected} was expected, it failed with {name}: {}", error.detail))
                };
            }
        };
        if let Some(expected) = &self.expect {
            fits(&filled(expected, saved)?, &answer, "")?;
        }
        for (name, path) in &self.save {
            let value = at(&answer, path);
            if value.is_null() {
                return Err(format!("there is no `{path}` to save in {}", short(&answer)));
            }
            saved.insert(name.clone(), value.clone());
        }
        Ok(())
    }
}

/// Whether all that is expected is in the answer.
fn fits(expected: &Value, got: &Value, place: &str) -> Result<(), String> {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => expected.iter().try_for_each(|(name, value)| {
            let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
            fits(value, got.get(name).unwrap_or(&Value::Null), &place)
        }),
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
            let mut pairs = expected.iter().zip(got).enumerate();
            pairs.try_for_each(|(index, (expected, got))| fits(expected, got, &format!("{place}[{index}]")))
        }
        _ if expected == got => Ok(()),
        _ => Err(format!("`{place}`: {} was expected, it is {}", short(expected), short(got))),
    }
}

/// The value with `{name}` replaced by what was saved, and `{{` by a brace. A text that is nothing but a name in braces
/// keeps the value's type.
fn filled(value: &Value, saved: &BTreeMap<String, Value>) -> Result<Value, String> {
    Ok(match value {
        Value::Array(items) => Value::Array(items.iter().map(|item| filled(item, saved)).collect::<Result<_, _>>()?),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| Ok((name.clone(), filled(value, saved)?));
            Value::Object(members.iter().map(member).collect::<Result<_, String>>()?)
        }
        Value::String(whole) => {
            let find = |name: &str| saved.get(name).ok_or_else(|| format!("nothing was saved as `{name}`"));
            if let Some(name) = whole.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
                && is_name(name)
            {
                return find(name).cloned();
            }
            let mut filled = String::new();
            let mut rest = whole.as_str();
            while let Some((before, after)) = rest.split_once('{') {
                filled += before;
                if let Some(after) = after.strip_prefix('{') {
                    filled.push('{');
                    rest = after;
                    continue;
                }
                match after.split_once('}') {
                    Some((name, after)) if is_name(name) => {
                        filled += &text(find(name)?);
                        rest = after;
                    }
                    _ => {
                        filled.push('{');
                        rest = after;
                    }
                }
            }
            json!(filled + rest)
        }
        other => other.clone(),
    })
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn line(source: &str, start: usize) -> usize {
    source.get(..start).unwrap_or(source).matches('\n').count() + 1
}

/// From the services' folder on.
fn shown(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    let from = parts.iter().rposition(|part| part == "services").unwrap_or(parts.len().saturating_sub(1));
    parts[from..].join("/")
}

fn members(table: toml::Table) -> Map<String, Value> {
    table.into_iter().map(|(name, value)| (name, json(value))).collect()
}

/// Moments and days are texts in JSON.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(yes) => json!(yes),
        toml::Value::Datetime(at) => json!(at.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        toml::Value::Table(table) => members(table).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description() -> Description {
        let operation = |name: &str, takes_id: bool, errors: Value| {
            json!({
                "name": name, "verb": null, "resource": null, "takes_id": takes_id, "rest": true, "grpc": false,
                "graphql": null, "input": null, "answer": null, "stream": false, "query": false, "safe": false,
                "errors": errors, "failures": ["invalid"], "examples": [], "emits": [],
            })
        };
        let errors = json!({ "AlreadySent": { "kind": "conflict", "data": null } });
        let operations = [operation("create_order", false, json!({})), operation("cancel", true, errors)];
        let all = json!({
            "service": "orders", "operations": operations, "resources": [], "events": {}, "consumers": [], "components": {},
        });
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn a_mistake_is_named_with_file_and_line() {
        for (source, message) in [
            ("[[steps]]\ncall = \"creat\"", "x.toml:2: orders has no operation `creat`"),
            ("\n[examples]\nnope = {}", "x.toml:3: orders has no operation `nope`"),
            ("[[steps]]\n\ncall = \"cancel\"", "x.toml:3: `cancel` is on an item: give its `id`"),
            (
                "[[steps]]\ncall = \"cancel\"\nid = 1\nerror = \"Late\"",
                "x.toml:4: `cancel` declares no error `Late`, and no kind of error is called so",
            ),
            ("[[steps]]\ncall = \"create_order\"\nexpekt = 1", "x.toml:3: unknown field `expekt`"),
            ("[[steps]]\ncall = \"create_order\"\nexpect = {}\nerror = \"invalid\"", "x.toml:2: a step has either"),
            ("state = \"a\"\n[[steps]]", "x.toml:2: missing field `call`"),
            ("a = ", "x.toml:1: "),
        ] {
            let error = Cases::default().add("x.toml", source, &description()).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn reads_a_case() {
        let source =
            "quiet = [\"cancel\"]\n[examples]\ncreate_order = { at = 2026-01-31 }\n[[steps]]\ncall = \"create_order\"";
        let mut cases = Cases::default();
        cases.add("x.toml", source, &description()).unwrap();
        assert_eq!(cases.examples["create_order"]["at"], json!("2026-01-31"));
        assert_eq!((cases.files[0].steps[0].line, cases.quiet.len()), (5, 1));
    }

    #[test]
    fn a_state_is_no_case_and_is_told_once() {
        let source = "state = \"an order is there\"\n[[steps]]\ncall = \"create_order\"";
        let mut cases = Cases::default();
        cases.add("x.toml", source, &description()).unwrap();
        assert_eq!((cases.files.len(), cases.states.contains_key("an order is there")), (0, true));
        let error = cases.add("y.toml", source, &description()).unwrap_err().to_string();
        assert_eq!(error, "y.toml:1: x.toml says it of `an order is there` too");
    }

    #[test]
    fn what_was_saved_is_filled_in() {
        let saved = BTreeMap::from([("id".to_owned(), json!(7)), ("name".to_owned(), json!("Ada"))]);
        let fill = |value| filled(&value, &saved);
        assert_eq!(
            fill(json!({ "a": ["{id}", "x{id}/{name}", "{", "{}", "{{nope}", "{{{{x}}"] })),
            Ok(json!({ "a": [7, "x7/Ada", "{", "{}", "{nope}", "{{x}}"] }))
        );
        assert_eq!(fill(json!("{nope}")), Err("nothing was saved as `nope`".into()));
    }

    #[test]
    fn an_answer_may_have_more_than_is_expected() {
        let got = json!({ "a": { "b": 1, "c": 2 }, "d": [{ "e": 1, "f": 2 }] });
        for (expected, wrong) in [
            (json!({}), None),
            (json!({ "a": { "b": 1 }, "d": [{ "e": 1 }] }), None),
            (json!({ "a": { "b": 2 } }), Some("`a.b`: 2 was expected, it is 1")),
            (json!({ "d": [{ "e": 2 }] }), Some("`d[0].e`: 2 was expected, it is 1")),
            (json!({ "d": [] }), Some("`d`: [] was expected, it is [{\"e\":1,\"f\":2}]")),
            (json!({ "g": 1 }), Some("`g`: 1 was expected, it is null")),
        ] {
            assert_eq!(fits(&expected, &got, "").err().as_deref(), wrong);
        }
    }
}
