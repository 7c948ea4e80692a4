//! What each change is to each kind of contract: one table, all of it data.
//!
//! Callers of a service write what it takes and read what it gives. So what is taken may become more, what is given
//! less, never the other way round; names stay, for somebody has written them down.

use std::cmp::Ordering;

use serde::Serialize;

use super::Kind;

/// How much a change is to those who keep to the old contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// They fail.
    Breaking,
    /// They go on, but may be surprised.
    Notable,
    /// They see nothing of it.
    Compatible,
}

/// A kind of change.
#[derive(Debug)]
pub struct Rule {
    /// As it is known: never renamed.
    pub id: &'static str,
    /// What has happened to what has changed: "is gone".
    pub says: &'static str,
    /// What it is to each kind of contract, in the order of [`Kind::ALL`]. Nothing: the kind does not know of it.
    severities: [Option<Severity>; Kind::ALL.len()],
    /// Why that is so.
    pub why: &'static str,
}

impl Rule {
    /// What a change of this kind is to a contract of that kind.
    ///
    /// Within a system what calls is deployed with what is called, so that something is gone is a matter of order there:
    /// who no longer calls it goes first. No order helps where both sides speak differently.
    pub fn severity(&self, kind: Kind, internal: bool) -> Option<Severity> {
        let severity = *self.severities.get(kind as usize)?;
        let gone = [&SERVICE_REMOVED, &RESOURCE_REMOVED, &OPERATION_REMOVED, &TRANSPORT_REMOVED].contains(&self);
        if internal && gone { severity.map(|severity| severity.max(Severity::Notable)) } else { severity }
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

impl PartialOrd for Rule {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rule {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id.cmp(other.id)
    }
}

const B: Option<Severity> = Some(Severity::Breaking);
const N: Option<Severity> = Some(Severity::Notable);
const C: Option<Severity> = Some(Severity::Compatible);
const X: Option<Severity> = None;

macro_rules! rules {
    ($($name:ident $id:literal $says:literal [$($severity:ident)+] $why:literal;)+) => {
        $(pub(super) static $name: Rule =
            Rule { id: $id, says: $says, severities: [$($severity),+], why: $why };)+

        /// All rules.
        pub static RULES: &[&Rule] = &[$(&$name),+];
    };
}

rules! {
    //                                                                REST gRPC GraphQL JSON-RPC messages
    SYSTEM_RENAMED "system-renamed" "has another name" [X B X X B]
        "Packages of gRPC and types of messages begin with the system's name.";
    SERVICE_REMOVED "service-removed" "is gone" [B B B B B] "Whatever it served is called in vain.";
    SERVICE_ADDED "service-added" "is new" [C C C C C] "Nobody calls it yet.";
    VERSION_REMOVED "version-removed" "serves a version no longer" [B B X B X] "Whoever keeps to it calls in vain.";
    VERSION_ENDED "version-ended" "serves a version no longer, as it was announced" [N N X N X]
        "Its day is in the old design (`sunset`), and in every answer since.";
    VERSION_ADDED "version-added" "serves a version more" [C C X C X] "Nobody speaks it yet.";
    RESOURCE_REMOVED "resource-removed" "is gone" [B B B B B] "All its methods are called in vain.";
    OPERATION_REMOVED "operation-removed" "is gone" [B B B B B] "It is called in vain.";
    OPERATION_ADDED "operation-added" "is new" [C C C C C] "Nobody calls it yet.";
    TRANSPORT_REMOVED "transport-removed" "is no longer served here" [B B B B B] "It is called in vain.";
    TRANSPORT_ADDED "transport-added" "is served here now" [C C C C C] "Nobody calls it here yet.";

    REST_PATH_CHANGED "rest-path-changed" "has another path" [B X X X X] "The old path is not found.";
    REST_METHOD_CHANGED "rest-method-changed" "has another method" [B X X X X] "The old method is not allowed.";
    FRONT_REMOVED "front-removed" "no longer passes on to a service" [B X B X X]
        "Its paths, and the fields of its schema, are not found here.";
    FRONT_ADDED "front-added" "passes on to a service more" [C X C X X] "Nobody calls it here yet.";
    ORIGIN_REMOVED "origin-removed" "is closed to pages of an origin" [B X B B X] "Browsers keep answers from them (Fetch, CORS).";
    GRAPHQL_LIMIT_LOWERED "graphql-limit-lowered" "lets documents ask for less" [X X B X X]
        "A document that was good asks for too much.";
    LIMIT_LOWERED "limit-lowered" "lets a caller call less often" [N N N N X]
        "Who calls as often as they might is refused at times, and told when to come again.";
    LIMIT_RAISED "limit-raised" "lets a caller call more often" [C C C C X] "Who calls as before is let in.";
    GRAPHQL_FIELD_MOVED "graphql-field-moved" "is another field of the schema" [X X B X X]
        "Documents that ask for the old field are not valid.";
    JSONRPC_METHOD_CHANGED "jsonrpc-method-changed" "is another method" [X X X B X] "The old method is not found.";
    STREAM_CHANGED "stream-changed" "is a stream where it was one value, or the other way round" [B B B B B]
        "One value and a stream of them are written and read in different ways.";
    ANSWER_CHANGED "answer-changed" "answers with something where it said only that it is done, or the other way round"
        [B B B B B] "The status of REST, the message of gRPC and the type of GraphQL are others.";
    IDEMPOTENCY_WEAKENED "idempotency-weakened" "may no longer be repeated as it was" [B B B B B]
        "Callers repeat what they were told is safe to repeat.";
    IDEMPOTENCY_STRENGTHENED "idempotency-strengthened" "may be repeated more freely" [C C C C C]
        "Who does not repeat it loses nothing.";

    ERROR_REMOVED "error-removed" "is gone" [B B B B B] "Who handles it by name waits for it in vain; a new name is such a case.";
    ERROR_ADDED "error-added" "is new" [N N N N N] "An error that is not known is taken for its kind.";
    ERROR_KIND_CHANGED "error-kind-changed" "is of another kind" [B B B B B]
        "Status, and whether a repeat makes sense, are others.";
    ERROR_DATA_REMOVED "error-data-removed" "no longer carries a record" [B B B B B] "Who reads the record finds nothing.";
    ERROR_DATA_ADDED "error-data-added" "carries a record now" [C C C C C] "Readers pass over what they do not know.";

    INPUT_FIELD_REMOVED "input-field-removed" "is no longer taken" [B B B B B]
        "Requests refuse what they do not know; code that sets the field does not compile.";
    INPUT_REQUIRED_ADDED "input-required-added" "is new and has to be given" [B B B B B]
        "Who does not know of it does not give it: invalid on every transport, in proto too, where the service checks it.";
    INPUT_OPTIONAL_ADDED "input-optional-added" "is new and may be given" [C C C C C] "It may be left out.";
    INPUT_MADE_REQUIRED "input-made-required" "has to be given now" [B B B B B] "Who left it out is refused.";
    INPUT_MADE_OPTIONAL "input-made-optional" "may be left out now" [C C C C C] "Who gives it is understood as before.";
    INPUT_NARROWED "input-narrowed" "takes less than it did" [B B B B B]
        "A value that was good is invalid, on every transport.";
    INPUT_WIDENED "input-widened" "takes more than it did" [C C C C C] "All that was good still is.";
    DEFAULT_CHANGED "default-changed" "has another default" [N N N N N]
        "Who leaves it out asks for something else than before.";

    OUTPUT_FIELD_REMOVED "output-field-removed" "is no longer given" [B B B B B] "Who reads it finds nothing.";
    OUTPUT_FIELD_ADDED "output-field-added" "is new in answers" [C C C C C] "Readers pass over what they do not know.";
    OUTPUT_MADE_OPTIONAL "output-made-optional" "may be missing now" [B B B B B]
        "Who relies on it fails; proto has no word for it, the clients of a contract have.";
    OUTPUT_MADE_REQUIRED "output-made-required" "is always given now" [C C C C C] "Who can do without it can do with it.";
    OUTPUT_NARROWED "output-narrowed" "gives less than it did" [C C C C C] "All that comes could have come before.";
    OUTPUT_WIDENED "output-widened" "gives more than it did" [B N N B B]
        "JSON Schema promises bounds, and readers check them; proto and GraphQL promise none.";
    GRAPHQL_OBJECT_REMOVED "graphql-object-removed" "no longer leads to the object that it refers to" [X X B X X]
        "Documents that ask for the object are not valid.";

    TYPE_CHANGED "type-changed" "is of another type" [B B B B B] "It is written and read in another way.";
    VALUE_REMOVED "value-removed" "is no value any more" [B B B B B]
        "Who sends it is refused. Where it only comes, code that names it does not compile, and documents are not valid.";
    VALUE_REMOVED_IN_ANSWERS "value-removed-in-answers" "does not come any more" [N B B N N]
        "Readers of JSON wait for it in vain and read everything else; proto and GraphQL have it by name.";
    VALUE_ADDED "value-added" "is a new value" [C C C C C] "Nobody sends it yet.";
    VALUE_ADDED_IN_ANSWERS "value-added-in-answers" "may come too" [N N N N N]
        "Readers are tolerant: a value that they do not know is kept as unrecognised.";
    VARIANT_REMOVED "variant-removed" "is no variant any more" [B B B B B] "As with values.";
    VARIANT_REMOVED_IN_ANSWERS "variant-removed-in-answers" "does not come any more" [N B B N N] "As with values.";
    VARIANT_ADDED "variant-added" "is a new variant" [C C C C C] "Nobody sends it yet.";
    VARIANT_ADDED_IN_ANSWERS "variant-added-in-answers" "may come too" [N N N N N] "As with values.";

    FILTER_REMOVED "filter-removed" "is no longer a filter" [B B B B B] "A filter that is not known is invalid.";
    FILTER_ADDED "filter-added" "is a filter now" [C C C C C] "Nobody filters by it yet.";
    SORT_REMOVED "sort-removed" "is no longer sorted by" [B B B B B] "An order that is not known is invalid.";
    SORT_ADDED "sort-added" "can be sorted by" [C C C C C] "Nobody sorts by it yet.";
    UNIQUE_ADDED "unique-added" "is unique now" [N N N N N] "What could be made twice exists after the first time.";

    EVENT_REMOVED "event-removed" "is gone" [X X X X B] "Who subscribes to it hears nothing.";
    EVENT_ADDED "event-added" "is new" [X X X X C] "Nobody hears it yet.";
    EVENT_KEY_CHANGED "event-key-changed" "has another key" [X X X X B]
        "Events of one key come in order: what was in order no longer is.";
    PAYLOAD_REQUIRED_ADDED "payload-required-added" "is new in the payload and always there" [X X X X N]
        "Messages that wait since before have nothing there for who expects it.";

    WIRE_NUMBER_CHANGED "wire-number-changed" "has another number on the wire" [X B X X X]
        "The numbers are the contract: what is written with one is not read with another.";
}

/// What the same change is to what is taken, and to what is given.
pub(super) static TWINS: &[(&Rule, &Rule)] = &[
    (&VALUE_REMOVED, &VALUE_REMOVED_IN_ANSWERS),
    (&VALUE_ADDED, &VALUE_ADDED_IN_ANSWERS),
    (&VARIANT_REMOVED, &VARIANT_REMOVED_IN_ANSWERS),
    (&VARIANT_ADDED, &VARIANT_ADDED_IN_ANSWERS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_names_of_their_own_and_say_why() {
        for (at, rule) in RULES.iter().enumerate() {
            assert!(rule.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", rule.id);
            assert!(RULES[..at].iter().all(|other| other.id != rule.id), "{} is there twice", rule.id);
            assert!(rule.why.ends_with('.') && !rule.says.ends_with('.'), "{}", rule.id);
            assert!(rule.severities.iter().any(Option::is_some), "{} is about nothing", rule.id);
        }
    }

    #[test]
    fn what_is_gone_within_a_system_is_a_matter_of_order() {
        assert_eq!(OPERATION_REMOVED.severity(Kind::Grpc, false), B);
        assert_eq!(OPERATION_REMOVED.severity(Kind::Grpc, true), N);
        assert_eq!(TYPE_CHANGED.severity(Kind::Grpc, true), B);
    }
}
