/// The wire form of an id made by [`kit::id!`]. Where the id is declared, since only its crate may say this.
///
/// ```
/// kit::id! { pub AccountNo(u64) }
/// kit_grpc::id!(AccountNo: u64);
///
/// kit::id! { pub OrderId(uuid::Uuid) }
/// kit_grpc::id!(OrderId: String);
///
/// let id: Option<OrderId> = kit_grpc::field("id", Some("0190a5c8-3f5e-7d3a-9a42-0d2f3c1b5e77".to_owned()))?;
/// # assert!(id.is_some());
/// # Ok::<(), kit::Failure>(())
/// ```
#[macro_export]
macro_rules! id {
    ($name:ident: $message:ty) => {
        impl $crate::Proto<$message> for $name {
            fn encode(self) -> $message {
                $crate::Proto::encode(self.0)
            }

            fn decode(message: $message) -> ::std::result::Result<Self, $crate::Failure> {
                $crate::Proto::decode(message).map(Self)
            }
        }
    };
}

/// The numbers of a choice made by [`kit::choice!`], as every package has them; 0 is the `…_UNSPECIFIED` that no value
/// may be. A number that this version does not know is `Unrecognised` with its digits, and goes out as it came.
/// As the key of a map a choice is its text.
///
/// ```
/// kit::choice! { pub Currency { Eur = "eur", Usd = "usd", } }
/// kit_grpc::choice!(Currency { Eur = 1, Usd = 2 });
///
/// use kit_grpc::Proto;
/// let encoded: i32 = Currency::Usd.encode();
/// assert_eq!(encoded, 2);
/// assert_eq!(Currency::decode(7), Ok(Currency::Unrecognised("7".into())));
/// assert!(Currency::decode(0).is_err());
/// ```
#[macro_export]
macro_rules! choice {
    ($name:ident { $($value:ident = $number:literal),+ $(,)? }) => {
        impl $crate::Proto<i32> for $name {
            fn encode(self) -> i32 {
                match self {
                    $(Self::$value => $number,)+
                    Self::Unrecognised(digits) => digits.parse().unwrap_or_default(),
                }
            }

            fn decode(message: i32) -> ::std::result::Result<Self, $crate::Failure> {
                match message {
                    $($number => Ok(Self::$value),)+
                    0 => Err($crate::Failure::invalid("is not specified")),
                    other => Ok(Self::Unrecognised(other.to_string())),
                }
            }
        }

        impl $crate::Proto<String> for $name {
            fn encode(self) -> String {
                self.to_string()
            }

            fn decode(message: String) -> ::std::result::Result<Self, $crate::Failure> {
                Ok(message.as_str().into())
            }
        }
    };
}

/// How a record is carried by a message: each field with its kind, `required`, `optional`, `repeated` or `map`, and
/// its default where it has one. Fields are called as prost calls them.
///
/// Arguments that are no record of the contract are a tuple; so are the id and the input of an operation on one item,
/// whose fields share a message, and the arguments of a patch (see [`patch!`](crate::patch)).
///
/// ```
/// # #[derive(Default)] struct LineMessage { sku: Option<String>, quantity: Option<u32>, tags: Vec<String> }
/// # struct GetRequest { id: Option<String>, etag: Option<String> }
/// # struct CancelRequest { id: Option<String>, reason: Option<String> }
/// # struct PingResponse {}
/// # use uuid::Uuid;
/// struct Line { sku: String, quantity: u32, tags: Vec<String> }
/// kit_grpc::message!(Line = LineMessage { required sku, optional quantity = 1, repeated tags });
///
/// struct Cancel { reason: String }
/// kit_grpc::message!((Uuid, Cancel { required reason }) = CancelRequest { required id });
///
/// kit_grpc::message!((Uuid, Option<kit::Etag>) = GetRequest { required id, optional etag });
/// kit_grpc::message!(() = PingResponse {});
///
/// let line: Line = kit_grpc::required("line", Some(LineMessage { sku: Some("a".into()), ..LineMessage::default() }))?;
/// assert_eq!(line.quantity, 1);
/// let nothing: Result<Line, _> = kit_grpc::required("line", Some(LineMessage::default()));
/// assert_eq!(nothing.err().map(|e| e.detail), Some("line.sku: missing".into()));
/// # Ok::<(), kit::Failure>(())
/// ```
#[macro_export]
macro_rules! message {
    (() = $message:path {}) => {
        impl $crate::Proto<$message> for () {
            fn encode(self) -> $message {
                $message {}
            }

            fn decode(_: $message) -> ::std::result::Result<Self, $crate::Failure> {
                Ok(())
            }
        }
    };
    (($id:ty, $input:ident { $($kind:ident $field:ident $(= $default:expr)?),* $(,)? }) = $message:path { required $key:ident }) => {
        impl $crate::Proto<$message> for ($id, $input) {
            fn encode(self) -> $message {
                $message {
                    $key: Some($crate::Proto::encode(self.0)),
                    $($field: $crate::message!(@encode $kind self.1.$field $(, $default)?),)*
                }
            }

            fn decode(message: $message) -> ::std::result::Result<Self, $crate::Failure> {
                let id = $crate::required(stringify!($key), message.$key)?;
                Ok((id, $input { $($field: $crate::message!(@decode $kind $field message.$field $(, $default)?),)* }))
            }
        }
    };
    (($id:ty, $patch:ty, $etag:ty) = $message:path { required $key:ident, patch $item:ident, optional $revision:ident }) => {
        impl $crate::Proto<$message> for ($id, $patch, $etag) {
            fn encode(self) -> $message {
                let (item, mask): (_, $crate::Mask) = $crate::Proto::encode(self.1);
                $message {
                    $key: Some($crate::Proto::encode(self.0)),
                    $item: Some(item),
                    update_mask: mask.into(),
                    $revision: $crate::Proto::encode(self.2),
                }
            }

            fn decode(message: $message) -> ::std::result::Result<Self, $crate::Failure> {
                let change = (message.$item.unwrap_or_default(), $crate::Mask::from(message.update_mask));
                Ok((
                    $crate::required(stringify!($key), message.$key)?,
                    $crate::field(stringify!($item), change)?,
                    $crate::field(stringify!($revision), message.$revision)?,
                ))
            }
        }
    };
    (($($of:ty),+ $(,)?) = $message:path { $($kind:ident $field:ident $(= $default:expr)?),+ $(,)? }) => {
        impl $crate::Proto<$message> for ($($of,)+) {
            fn encode(self) -> $message {
                let ($($field,)+) = self;
                $message { $($field: $crate::message!(@encode $kind $field $(, $default)?),)+ }
            }

            fn decode(message: $message) -> ::std::result::Result<Self, $crate::Failure> {
                Ok(($($crate::message!(@decode $kind $field message.$field $(, $default)?),)+))
            }
        }
    };
    ($name:path = $message:path { $($kind:ident $field:ident $(= $default:expr)?),* $(,)? }) => {
        impl $crate::Proto<$message> for $name {
            fn encode(self) -> $message {
                $message { $($field: $crate::message!(@encode $kind self.$field $(, $default)?),)* }
            }

            fn decode(message: $message) -> ::std::result::Result<Self, $crate::Failure> {
                Ok(Self { $($field: $crate::message!(@decode $kind $field message.$field $(, $default)?),)* })
            }
        }
    };
    (@encode optional $value:expr) => { $crate::Proto::encode($value) };
    (@encode repeated $value:expr) => { $crate::Proto::encode($value) };
    (@encode map $value:expr) => { $crate::Proto::encode($value) };
    (@encode required $value:expr) => { Some($crate::Proto::encode($value)) };
    (@encode optional $value:expr, $default:expr) => { Some($crate::Proto::encode($value)) };
    (@decode optional $name:ident $value:expr) => { $crate::field(stringify!($name), $value)? };
    (@decode repeated $name:ident $value:expr) => { $crate::field(stringify!($name), $value)? };
    (@decode map $name:ident $value:expr) => { $crate::field(stringify!($name), $value)? };
    (@decode required $name:ident $value:expr) => { $crate::required(stringify!($name), $value)? };
    (@decode optional $name:ident $value:expr, $default:expr) => {
        $crate::defaulted(stringify!($name), $value, || $default)?
    };
}

/// A union: the variants of the `oneof kind` of its message, as prost calls them, each around the record of the same
/// name, `in Box` where prost has it so. A variant that this version does not know is refused: it cannot be told from none.
///
/// ```
/// # mod payment { pub enum Kind { Card(CardMessage) } pub struct CardMessage { pub number: Option<String> } }
/// # struct PaymentMessage { kind: Option<payment::Kind> }
/// # struct Card { number: String }
/// # kit_grpc::message!(Card = payment::CardMessage { required number });
/// enum Payment { Card(Card) }
/// kit_grpc::union!(Payment = PaymentMessage, payment::Kind { Card });
/// ```
#[macro_export]
macro_rules! union {
    (@encode $value:ident) => { $crate::Proto::encode($value) };
    (@encode $value:ident Box) => { ::std::boxed::Box::new($crate::Proto::encode($value)) };
    (@decode $value:ident) => { $crate::Proto::decode($value) };
    (@decode $value:ident Box) => { $crate::Proto::decode(*$value) };
    ($name:path = $message:path, $kind:path { $($variant:ident $(in $boxed:tt)?),+ $(,)? }) => {
        const _: () = {
            // No type of a design is called so.
            use $kind as kind;

            impl $crate::Proto<$message> for $name {
                fn encode(self) -> $message {
                    let wrapped = match self {
                        $(Self::$variant(value) => kind::$variant($crate::union!(@encode value $($boxed)?)),)+
                    };
                    $message { kind: Some(wrapped) }
                }

                fn decode(message: $message) -> ::std::result::Result<Self, $crate::Failure> {
                    match message.kind {
                        $(Some(kind::$variant(value)) => $crate::union!(@decode value $($boxed)?).map(Self::$variant),)+
                        None => Err($crate::missing("kind")),
                    }
                }
            }
        };
    };
}

/// The message that carries a list where protobuf has none: `T[]?`, `T[][]`, `map<T[]>`.
///
/// ```
/// # struct StringList { items: Vec<String> }
/// kit_grpc::list!(String = StringList);
///
/// let rows: Vec<Vec<String>> = kit_grpc::field("rows", vec![StringList { items: vec!["a".into()] }])?;
/// assert_eq!(rows, [["a"]]);
/// # Ok::<(), kit::Failure>(())
/// ```
#[macro_export]
macro_rules! list {
    ($item:ty = $message:path) => {
        impl $crate::Proto<$message> for Vec<$item> {
            fn encode(self) -> $message {
                $message { items: $crate::Proto::encode(self) }
            }

            fn decode(message: $message) -> ::std::result::Result<Self, $crate::Failure> {
                $crate::Proto::decode(message.items)
            }
        }
    };
}

/// The message that carries an item of a `T?[]`.
///
/// ```
/// # struct StringOption { value: Option<String> }
/// kit_grpc::option!(String = StringOption);
///
/// let notes: Vec<Option<String>> = kit_grpc::field("notes", vec![StringOption { value: None }])?;
/// assert_eq!(notes, [None]);
/// # Ok::<(), kit::Failure>(())
/// ```
#[macro_export]
macro_rules! option {
    ($item:ty = $message:path) => {
        impl $crate::Proto<$message> for Option<$item> {
            fn encode(self) -> $message {
                $message { value: $crate::Proto::encode(self) }
            }

            fn decode(message: $message) -> ::std::result::Result<Self, $crate::Failure> {
                $crate::Proto::decode(message.value)
            }
        }
    };
}

/// The message that carries a map where protobuf has none: `map<T>?`, `map<T>[]`, `map<map<T>>`.
///
/// ```
/// # use std::collections::BTreeMap;
/// # struct U32Map { items: BTreeMap<String, u32> }
/// kit_grpc::map!(String, u32 = U32Map);
///
/// let one = U32Map { items: [("a".to_owned(), 1)].into() };
/// let rows: Vec<BTreeMap<String, u32>> = kit_grpc::field("rows", vec![one])?;
/// assert_eq!(rows[0]["a"], 1);
/// # Ok::<(), kit::Failure>(())
/// ```
#[macro_export]
macro_rules! map {
    ($key:ty, $value:ty = $message:path) => {
        impl $crate::Proto<$message> for ::std::collections::BTreeMap<$key, $value> {
            fn encode(self) -> $message {
                $message { items: $crate::Proto::encode(self) }
            }

            fn decode(message: $message) -> ::std::result::Result<Self, $crate::Failure> {
                $crate::Proto::decode(message.items)
            }
        }
    };
}

/// How a merge patch is carried by the message of its resource and a field mask (AIP-134): each field with its kind.
///
/// | kind | in the patch | in the mask |
/// |---|---|---|
/// | `required` | `Option<T>` | `name` |
/// | `optional` | `Option<Option<T>>` | `name`; cleared if the message does not have it |
/// | `repeated` | `Option<Vec<T>>` | `name`: replaced |
/// | `map` | `Option<BTreeMap<K, Option<T>>>` | ``name.`key` ``: set, or removed if the message does not have it |
/// | `record` | `Option<TPatch>` | `name.field` |
/// | `nullable` | `Option<Option<TPatch>>` | `name.field`, or `name` to clear it |
///
/// ```
/// # #[derive(Default)] struct OrderMessage { id: Option<String>, note: Option<String>, tags: Vec<String> }
/// # struct UpdateRequest { id: Option<String>, order: Option<OrderMessage>, update_mask: Option<prost_types::FieldMask>, etag: Option<String> }
/// # use uuid::Uuid;
/// # use kit::Etag;
/// struct OrderPatch { note: Option<Option<String>>, tags: Option<Vec<String>> }
/// kit_grpc::patch!(OrderPatch = OrderMessage { optional note, repeated tags });
/// kit_grpc::message!((Uuid, OrderPatch, Option<Etag>) = UpdateRequest { required id, patch order, optional etag });
/// ```
#[macro_export]
macro_rules! patch {
    ($name:path = $message:path { $($kind:ident $field:ident),* $(,)? }) => {
        impl $crate::Proto<($message, $crate::Mask)> for $name {
            fn encode(self) -> ($message, $crate::Mask) {
                let mut mask = $crate::Mask::default();
                let mut message = <$message as Default>::default();
                $(message.$field = $crate::patch!(@encode $kind mask $field self.$field);)*
                (message, mask)
            }

            fn decode((message, mask): ($message, $crate::Mask)) -> ::std::result::Result<Self, $crate::Failure> {
                mask.check(&[$((stringify!($field), $crate::patch!(@deep $kind))),*])?;
                Ok(Self { $($field: $crate::patch!(@decode $kind mask $field message.$field),)* })
            }
        }
    };
    (@deep map) => { true };
    (@deep record) => { true };
    (@deep nullable) => { true };
    (@deep $kind:ident) => { false };
    (@encode required $mask:ident $name:ident $value:expr) => { $mask.put(stringify!($name), $value.map(Some)) };
    (@encode optional $mask:ident $name:ident $value:expr) => { $mask.put(stringify!($name), $value) };
    (@encode repeated $mask:ident $name:ident $value:expr) => { $mask.put(stringify!($name), $value) };
    (@encode map $mask:ident $name:ident $value:expr) => { $mask.put_entries(stringify!($name), $value) };
    (@encode record $mask:ident $name:ident $value:expr) => { $mask.put_record(stringify!($name), $value.map(Some)) };
    (@encode nullable $mask:ident $name:ident $value:expr) => { $mask.put_record(stringify!($name), $value) };
    (@decode required $mask:ident $name:ident $value:expr) => { $mask.required(stringify!($name), $value)? };
    (@decode optional $mask:ident $name:ident $value:expr) => { $mask.take(stringify!($name), $value)? };
    (@decode repeated $mask:ident $name:ident $value:expr) => { $mask.take(stringify!($name), $value)? };
    (@decode map $mask:ident $name:ident $value:expr) => { $mask.entries(stringify!($name), $value)? };
    (@decode record $mask:ident $name:ident $value:expr) => { $mask.record(stringify!($name), $value)? };
    (@decode nullable $mask:ident $name:ident $value:expr) => { $mask.nullable(stringify!($name), $value)? };
}
