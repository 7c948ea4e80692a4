/// A type of the schema is called exactly as it is here.
#[doc(hidden)]
#[macro_export]
macro_rules! named {
    ($name:ident) => {
        impl ::async_graphql::TypeName for $name {
            fn type_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

/// The view of a record or resource: its fields with their GraphQL types, in the order of the schema. The documentation
/// becomes descriptions, attributes go to [`SimpleObject`](async_graphql::SimpleObject).
///
/// ```
/// # #[derive(Clone)] pub struct Line { sku: String, quantity: u32 }
/// kit_graphql::object! {
///     /// What is ordered.
///     pub LineView for Line {
///         sku: String,
///         /// How many of it.
///         quantity: kit_graphql::UInt32,
///     }
/// }
/// ```
#[macro_export]
macro_rules! object {
    ($(#[$meta:meta])* pub $name:ident for $value:path { $($(#[$field_meta:meta])* $field:ident: $ty:ty),+ $(,)? }) => {
        #[derive(::async_graphql::SimpleObject)]
        #[graphql(name_type)]
        $(#[$meta])*
        pub struct $name {
            $($(#[$field_meta])* $field: $ty,)+
        }
        $crate::named!($name);

        impl $crate::Output<$value> for $name {
            fn of(value: $value) -> Self {
                Self { $($field: $crate::Output::of(value.$field),)+ }
            }
        }
    };
}

/// Input that makes a record or a patch: its fields with their GraphQL types. Attributes go to
/// [`InputObject`](async_graphql::InputObject): `#[graphql(default_with = "Scalar(1)")]`.
///
/// GraphQL has no empty types: input without fields has `_empty`, which means nothing.
///
/// The fields of a patch are [`Change`](crate::Change)s, or [`MaybeUndefined`](async_graphql::MaybeUndefined) where
/// null clears.
///
/// ```
/// # use kit_graphql::{Change, Scalar, UInt32};
/// # use async_graphql::MaybeUndefined;
/// # pub struct Line { sku: String, quantity: u32 }
/// # pub struct LinePatch { quantity: Option<u32>, note: Option<Option<String>> }
/// kit_graphql::input! {
///     pub LineInput for Line {
///         sku: String,
///         #[graphql(default_with = "Scalar(1)")]
///         quantity: UInt32,
///     }
/// }
/// kit_graphql::input!(pub LinePatchInput for LinePatch { quantity: Change<UInt32>, note: MaybeUndefined<String> });
/// ```
#[macro_export]
macro_rules! input {
    ($(#[$meta:meta])* pub $name:ident for $value:path {}) => {
        #[derive(::async_graphql::InputObject)]
        #[graphql(name_type)]
        $(#[$meta])*
        pub struct $name {
            #[graphql(name = "_empty")]
            empty: Option<bool>,
        }
        $crate::named!($name);

        impl $crate::Input<$value> for $name {
            fn read(self) -> ::std::result::Result<$value, $crate::Failure> {
                type Value = $value;
                Ok(Value {})
            }
        }
    };
    ($(#[$meta:meta])* pub $name:ident for $value:path { $($(#[$field_meta:meta])* $field:ident: $ty:ty),+ $(,)? }) => {
        #[derive(::async_graphql::InputObject)]
        #[graphql(name_type)]
        $(#[$meta])*
        pub struct $name {
            $($(#[$field_meta])* $field: $ty,)+
        }
        $crate::named!($name);

        impl $crate::Input<$value> for $name {
            fn read(self) -> ::std::result::Result<$value, $crate::Failure> {
                type Value = $value;
                Ok(Value { $($field: $crate::field(stringify!($field), self.$field)?,)+ })
            }
        }
    };
}

/// Another value that an [`input!`] makes, of the same fields: contracts that change the same record have a patch each.
///
/// ```
/// # use kit_graphql::{Change, UInt32};
/// # pub mod ours { pub struct LinePatch { pub quantity: Option<u32> } }
/// # pub mod theirs { pub struct LinePatch { pub quantity: Option<u32> } }
/// kit_graphql::input!(pub LinePatchInput for ours::LinePatch { quantity: Change<UInt32> });
/// kit_graphql::given!(LinePatchInput for theirs::LinePatch { quantity });
/// ```
#[macro_export]
macro_rules! given {
    ($name:ident for $value:path { $($field:ident),+ $(,)? }) => {
        impl $crate::Input<$value> for $name {
            fn read(self) -> ::std::result::Result<$value, $crate::Failure> {
                type Value = $value;
                Ok(Value { $($field: $crate::field(stringify!($field), self.$field)?,)+ })
            }
        }
    };
}

/// Arguments that make a record together, as those of a list: called as the fields of the record.
///
/// ```
/// # pub struct ListLines { limit: Option<u32>, cursor: Option<kit::Cursor> }
/// kit_graphql::arguments!(LinesArguments for ListLines { limit: Option<i32>, cursor: Option<String> });
/// ```
#[macro_export]
macro_rules! arguments {
    ($name:ident for $value:path { $($field:ident: $ty:ty),* $(,)? }) => {
        struct $name {
            $($field: $ty,)*
        }

        impl $crate::Input<$value> for $name {
            fn read(self) -> ::std::result::Result<$value, $crate::Failure> {
                type Value = $value;
                Ok(Value { $($field: $crate::field(stringify!($field), self.$field)?,)* })
            }
        }
    };
}

/// The view of a union, each variant around the view of its record.
///
/// ```
/// # pub struct Card { number: String }
/// # kit_graphql::object!(pub CardView for Card { number: String });
/// pub enum Payment { Card(Card) }
/// kit_graphql::union!(pub PaymentView for Payment { Card(CardView) });
/// ```
#[macro_export]
macro_rules! union {
    ($(#[$meta:meta])* pub $name:ident for $value:path { $($variant:ident($ty:ty)),+ $(,)? }) => {
        #[derive(::async_graphql::Union)]
        #[graphql(name_type)]
        $(#[$meta])*
        pub enum $name {
            $($variant($ty),)+
        }
        $crate::named!($name);

        impl $crate::Output<$value> for $name {
            fn of(value: $value) -> Self {
                type Value = $value;
                match value {
                    $(Value::$variant(value) => Self::$variant($crate::Output::of(value)),)+
                }
            }
        }
    };
}

/// Input that makes a union: an object of which exactly one field is given, called as the variant.
///
/// ```
/// # pub struct Card { number: String }
/// # kit_graphql::input!(pub CardInput for Card { number: String });
/// pub enum Payment { Card(Card) }
/// kit_graphql::one_of!(pub PaymentInput for Payment { Card(CardInput) });
/// ```
#[macro_export]
macro_rules! one_of {
    ($(#[$meta:meta])* pub $name:ident for $value:path {
        $($(#[$variant_meta:meta])* $variant:ident($ty:ty)),+ $(,)?
    }) => {
        #[derive(::async_graphql::OneofObject)]
        #[graphql(name_type)]
        $(#[$meta])*
        pub enum $name {
            $($(#[$variant_meta])* $variant($ty),)+
        }
        $crate::named!($name);

        impl $crate::Input<$value> for $name {
            fn read(self) -> ::std::result::Result<$value, $crate::Failure> {
                type Value = $value;
                match self {
                    $(Self::$variant(value) => $crate::Input::read(value).map(Value::$variant),)+
                }
            }
        }
    };
}

/// An entry of a map, which is a list of them; `entry!(input …)` for maps in input.
///
/// ```
/// # use kit_graphql::UInt32;
/// kit_graphql::entry!(pub CountEntry { key: String, value: UInt32 });
/// kit_graphql::entry!(input pub CountEntryInput { key: String, value: UInt32 });
///
/// use kit_graphql::Input;
/// let counts = vec![CountEntryInput { key: "a".into(), value: kit_graphql::Scalar(1) }];
/// let counts: std::collections::BTreeMap<String, u32> = counts.read()?;
/// assert_eq!(counts["a"], 1);
/// # Ok::<(), kit::Failure>(())
/// ```
#[macro_export]
macro_rules! entry {
    ($(#[$meta:meta])* pub $name:ident { key: $key:ty, value: $value:ty $(,)? }) => {
        #[derive(::async_graphql::SimpleObject)]
        #[graphql(name_type)]
        $(#[$meta])*
        pub struct $name {
            key: $key,
            value: $value,
        }
        $crate::named!($name);

        impl<K, T> $crate::Output<(K, T)> for $name
        where
            $key: $crate::Output<K>,
            $value: $crate::Output<T>,
        {
            fn of((key, value): (K, T)) -> Self {
                Self { key: $crate::Output::of(key), value: $crate::Output::of(value) }
            }
        }
    };
    (input $(#[$meta:meta])* pub $name:ident { key: $key:ty, value: $value:ty $(,)? }) => {
        #[derive(::async_graphql::InputObject)]
        #[graphql(name_type)]
        $(#[$meta])*
        pub struct $name {
            key: $key,
            value: $value,
        }
        $crate::named!($name);

        impl<K, T> $crate::Input<(K, T)> for $name
        where
            $key: $crate::Input<K>,
            $value: $crate::Input<T>,
        {
            fn read(self) -> ::std::result::Result<(K, T), $crate::Failure> {
                Ok(($crate::field("key", self.key)?, $crate::field("value", self.value)?))
            }
        }
    };
}

/// The enum of a choice made by [`kit::choice!`], for input and output, with all the values it knows; its name where
/// that is not the view's.
///
/// ```
/// kit::choice! { pub Status { InTransit = "in_transit", Arrived = "arrived", } }
/// kit_graphql::choice! {
///     /// How far it is.
///     pub StatusView for Status = "Status"
/// }
/// ```
#[macro_export]
macro_rules! choice {
    (@name $name:ident $graphql:literal) => { $graphql };
    (@name $name:ident) => { stringify!($name) };
    ($(#[doc = $doc:literal])* pub $name:ident for $value:path $(= $graphql:literal)?) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name(pub $value);

        impl $name {
            fn meta() -> ::async_graphql::registry::MetaType {
                let description: &[&str] = &[$($doc.trim_ascii()),*];
                $crate::values::meta($crate::choice!(@name $name $($graphql)?), &description.join("\n"), <$value>::KNOWN.iter().map(<$value>::as_str))
            }
        }

        impl ::async_graphql::InputType for $name {
            type RawValueType = $value;

            fn type_name() -> ::std::borrow::Cow<'static, str> {
                $crate::choice!(@name $name $($graphql)?).into()
            }

            fn create_type_info(registry: &mut ::async_graphql::registry::Registry) -> String {
                use ::async_graphql::registry::MetaTypeId;
                registry.create_input_type::<Self, _>(MetaTypeId::Enum, |_| Self::meta())
            }

            fn parse(value: Option<::async_graphql::Value>) -> ::async_graphql::InputValueResult<Self> {
                let value = value.unwrap_or_default();
                let found = $crate::values::find(<$value>::KNOWN, <$value>::as_str, &value).cloned();
                found.map(Self).ok_or_else(|| ::async_graphql::InputValueError::expected_type(value))
            }

            fn to_value(&self) -> ::async_graphql::Value {
                $crate::values::write(self.0.as_str())
            }

            fn as_raw_value(&self) -> Option<&$value> {
                Some(&self.0)
            }
        }

        impl ::async_graphql::OutputType for $name {
            fn type_name() -> ::std::borrow::Cow<'static, str> {
                $crate::choice!(@name $name $($graphql)?).into()
            }

            fn create_type_info(registry: &mut ::async_graphql::registry::Registry) -> String {
                use ::async_graphql::registry::MetaTypeId;
                registry.create_output_type::<Self, _>(MetaTypeId::Enum, |_| Self::meta())
            }

            async fn resolve(
                &self,
                ctx: &::async_graphql::ContextSelectionSet<'_>,
                field: &::async_graphql::Positioned<::async_graphql::parser::types::Field>,
            ) -> ::async_graphql::ServerResult<::async_graphql::Value> {
                if self.0.is_known() {
                    Ok($crate::values::write(self.0.as_str()))
                } else {
                    Err(ctx.set_error_path($crate::values::unknown(self.0.as_str(), field.pos)))
                }
            }
        }

        impl $crate::Output<$value> for $name {
            fn of(value: $value) -> Self {
                Self(value)
            }
        }

        impl $crate::Input<$value> for $name {
            fn read(self) -> ::std::result::Result<$value, $crate::Failure> {
                Ok(self.0)
            }
        }
    };
}

/// A page of a list: a connection with its edges, of the view of the items.
///
/// ```
/// # #[derive(Clone)] pub struct Line { sku: String }
/// # kit_graphql::object!(pub LineView for Line { sku: String });
/// pub struct LinePage { items: Vec<Line>, next: Option<kit::Cursor> }
/// kit_graphql::connection!(pub LineConnection, pub LineEdge for LinePage { LineView });
/// ```
#[macro_export]
macro_rules! connection {
    (pub $name:ident, pub $edge:ident for $page:path { $node:ty }) => {
        pub struct $name {
            nodes: Vec<$node>,
            next: Option<$crate::Cursor>,
        }
        $crate::named!($name);

        /// An item of a list.
        #[derive(::async_graphql::SimpleObject)]
        #[graphql(name_type)]
        pub struct $edge<'a> {
            node: &'a $node,
            /// Where the next page begins, at the last item of a page.
            cursor: Option<&'a str>,
        }

        impl ::async_graphql::TypeName for $edge<'_> {
            fn type_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($edge).into()
            }
        }

        /// A page of a list.
        #[::async_graphql::Object(name_type)]
        impl $name {
            async fn nodes(&self) -> &[$node] {
                &self.nodes
            }

            async fn edges(&self) -> Vec<$edge<'_>> {
                let last = self.nodes.len().saturating_sub(1);
                let cursor = |index| self.next.as_ref().filter(|_| index == last).map(|next| next.0.as_str());
                self.nodes.iter().enumerate().map(|(index, node)| $edge { node, cursor: cursor(index) }).collect()
            }

            async fn page_info(&self) -> $crate::PageInfo {
                $crate::PageInfo::of(self.next.as_ref())
            }
        }

        impl $crate::Output<$page> for $name {
            fn of(page: $page) -> Self {
                Self { nodes: $crate::Output::of(page.items), next: page.next }
            }
        }
    };
}
