//! Calls over one face, each judged: an answer by its schema, an error by what is declared.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use kit::{Kind, Wire};
use serde_json::{Map, Value};

use super::{
    Provider,
    description::{Description, Operation, Resource, Verb},
    face::{Call, Face, Outcome},
    judge::Judge,
    report::Report,
};

pub(crate) struct Session<'a> {
    pub provider: &'a Provider,
    pub face: &'a Face,
    pub report: &'a Report,
    /// The traces of the calls that have done their work, by operation.
    done: RefCell<BTreeMap<String, BTreeSet<String>>>,
    /// Ids of items that are there, by resource.
    there: RefCell<BTreeMap<String, Value>>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(provider: &'a Provider, face: &'a Face, report: &'a Report) -> Self {
        Self { provider, face, report, done: RefCell::default(), there: RefCell::default() }
    }

    pub(crate) fn description(&self) -> &'a Description {
        &self.provider.description
    }

    pub(crate) fn judge(&self) -> &'a Judge {
        &self.provider.judge
    }

    pub(crate) fn served(&self) -> impl Iterator<Item = &'a Operation> {
        let face = self.face;
        self.description().operations.iter().filter(move |operation| face.serves(operation))
    }

    /// The operation that is the verb of a resource, if it is served here.
    pub(crate) fn verb(&self, resource: &str, verb: Verb) -> Option<&'a Operation> {
        self.description().verb(resource, verb).filter(|operation| self.face.serves(operation))
    }

    /// The traces of the calls of an operation that have done their work.
    pub(crate) fn done(&self, operation: &str) -> BTreeSet<String> {
        self.done.borrow().get(operation).cloned().unwrap_or_default()
    }

    /// Items of this resource may be referred to by this id.
    pub(crate) fn is_there(&self, resource: &str, id: &Value) {
        self.there.borrow_mut().insert(resource.to_owned(), id.clone());
    }

    /// The id of an item of this resource that is there.
    pub(crate) fn there(&self, resource: &str) -> Option<Value> {
        self.there.borrow().get(resource).cloned()
    }

    /// An item that is there, of the resource that the operation is on.
    pub(crate) fn item_of(&self, operation: &Operation) -> Option<Value> {
        self.there(operation.resource.as_deref()?)
    }

    /// Calls, and judges what comes back.
    pub(crate) async fn ask(&self, operation: &Operation, call: Call) -> Outcome {
        let trace = call.trace.id();
        let outcome = self.face.call(self, operation, call).await;
        match &outcome {
            Ok(answer) => {
                self.done.borrow_mut().entry(operation.name.clone()).or_default().insert(trace);
                self.judge_answer(operation, answer);
            }
            Err(error) => self.judge_error(operation, error),
        }
        outcome
    }

    fn judge_answer(&self, operation: &Operation, answer: &Value) {
        // Over REST and JSON-RPC the committed document judges, over GraphQL the server itself: there an answer is cut at some depth.
        let (Some(schema), super::face::Way::Client(_)) = (&operation.answer, &self.face.way) else { return };
        let items = match (operation.stream, answer) {
            (true, Value::Array(items)) => items.as_slice(),
            _ => std::slice::from_ref(answer),
        };
        for wrong in items.iter().flat_map(|item| self.judge().wrong(schema, item)) {
            self.report.fail(&operation.name, "schema of the answer", wrong);
        }
    }

    fn judge_error(&self, operation: &Operation, error: &Wire) {
        let fail = |why: String| self.report.fail(&operation.name, "declared errors", why);
        let Wire { kind, code, detail, data, .. } = error;
        let Some(code) = code else {
            let is_gateways = *kind == Kind::Limited && self.provider.entry.as_ref().is_some_and(|entry| entry.counts);
            if !operation.failures.contains(kind) && !is_gateways {
                fail(format!("failed with `{kind}`, which it does not declare: {detail}"));
            }
            return;
        };
        match operation.errors.get(code) {
            None => fail(format!("failed with `{code}`, which it does not declare: {detail}")),
            Some(declared) if declared.kind != *kind => {
                fail(format!("`{code}` is of kind `{kind}`, declared is `{}`", declared.kind));
            }
            Some(declared) => {
                let wrong = declared.data.iter().flat_map(|schema| self.judge().wrong(schema, data));
                wrong.for_each(|wrong| fail(format!("the data of `{code}`: {wrong}")));
            }
        }
    }

    /// A failure of this kind is the only right answer. Whether it was.
    pub(crate) fn expect(&self, operation: &Operation, rule: &str, outcome: &Outcome, kind: Kind) -> bool {
        let got = match outcome {
            Err(error) if error.kind == kind => return true,
            Err(error) => format!("failed with `{}`: {}", error.kind, error.detail),
            Ok(answer) => format!("answered {}", short(answer)),
        };
        self.report.fail(&operation.name, rule, format!("`{kind}` was due, it {got}"));
        false
    }

    /// The answer; where an example was refused, as it may be, the rule is skipped.
    pub(crate) fn granted(&self, operation: &Operation, rule: &str, outcome: Outcome) -> Option<Value> {
        match outcome {
            Ok(answer) => Some(answer),
            Err(error) => {
                let name = error.code.unwrap_or_else(|| error.kind.to_string());
                let hint =
                    format!("[examples] {} = {{…}} in a file of tests/cases gives a better input", operation.name);
                self.report.skip(&operation.name, rule, format!("refused with {name}: {}; {hint}", error.detail));
                None
            }
        }
    }

    /// The `nth` example of the operation's input: what the user gave for it, ids of items that are there, and what must
    /// not be given twice by its number. What may refer to something refers to nothing where nothing is there.
    pub(crate) fn example(&self, operation: &Operation, nth: usize) -> Value {
        let examples = &operation.examples;
        let Some(example) = examples.get(nth % examples.len().max(1)) else { return Value::Null };
        let mut example = match example.clone() {
            Value::Object(example) => example,
            Value::Array(mut items) => {
                let given = self.provider.cases.examples.get(&operation.name);
                for item in items.iter_mut().filter_map(Value::as_object_mut) {
                    item.extend(given.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
                }
                return items.into();
            }
            other => return other,
        };
        let resource = operation.resource.as_ref().and_then(|name| self.description().resource(name));
        let is_own = |name: &String| {
            let own = |resource: &Resource| resource.unique.contains(name) || resource.natural && resource.id == *name;
            nth > 0 && resource.is_some_and(own)
        };
        let references = resource.iter().flat_map(|resource| &resource.references);
        for (name, to) in references.filter(|(name, _)| resource.is_none_or(|resource| resource.id != **name)) {
            match self.there(to) {
                Some(id) => refer(&mut example, name, &id),
                None if !self.requires(operation, name) => _ = example.remove(name),
                None => {}
            }
        }
        if let Some(given) = self.provider.cases.examples.get(&operation.name) {
            example.extend(given.iter().filter(|(name, _)| !is_own(name)).map(|(n, v)| (n.clone(), v.clone())));
        }
        example.into()
    }

    fn requires(&self, operation: &Operation, name: &str) -> bool {
        let Some(schema) = &operation.input else { return false };
        self.judge().resolved(schema)["required"].as_array().into_iter().flatten().any(|required| required == name)
    }

    /// Whether the input of an operation has such a member.
    pub(crate) fn takes(&self, operation: &Operation, name: &str) -> bool {
        operation.input.as_ref().is_some_and(|schema| !self.judge().resolved(schema)["properties"][name].is_null())
    }
}

fn refer(example: &mut Map<String, Value>, name: &str, id: &Value) {
    match example.get_mut(name) {
        Some(Value::Array(ids)) => ids.iter_mut().for_each(|place| *place = id.clone()),
        Some(place) => *place = id.clone(),
        None => {}
    }
}

/// At most a line of it.
pub(crate) fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}
