//! Views of `store.rs`: how each resource is kept in SQLite. The emitted SQL is the user's, plain and in sight.

use serde::Serialize;

use crate::{
    contracts::shape,
    escape,
    model::{Field, FieldPath, Model, Resource, Scalar, Service, Type, TypeDef, Verb},
    names,
};

use super::{
    batch_get, resources,
    rust::{self, id_name, user},
};

/// What `store/<resource>.rs` sees.
#[derive(Debug, Serialize)]
pub struct StoreView {
    /// The resource's Rust type.
    pub name: String,
    pub id_type: String,
    /// As in prose: `order`.
    pub noun: String,
    pub module: String,
    /// The variable that holds an item.
    pub item: String,
    /// `migrations/orders_1.sql`
    pub migration: String,
    /// Rust string literals.
    pub select: String,
    pub select_one: String,
    pub insert: String,
    pub update: String,
    pub delete: String,
    /// The column of the id, a Rust string literal.
    pub key: String,
    /// How the id is bound, of a variable `id`.
    pub id_bind: String,
    /// What binds each of several ids: `Text`, `|id| id.0`
    pub ids_bind: String,
    /// Several are read at once.
    pub has_batch: bool,
    pub has_list: bool,
    pub list_type: String,
    pub page_type: String,
    /// `.any_of("status", query.status.iter().map(Text))`
    pub filters: Vec<String>,
    pub sorts: Vec<SortView>,
    pub sort_type: String,
    pub natural: bool,
    /// What SQLite calls the order of insertion, a Rust string literal.
    pub rowid: String,
    /// `.bind(Text(&order.status))`, the id last.
    pub binds: Vec<String>,
    /// `status: row.read::<Text<_>>("status")?`
    pub reads: Vec<String>,
    pub unique: Vec<Unique>,
    /// The fields that are foreign keys, Rust string literals.
    pub references: Vec<String>,
    /// Others have foreign keys to this table.
    pub is_referred: bool,
    /// Lines of the table in SQL.
    pub table: String,
    pub columns: Vec<String>,
    pub indexes: Vec<String>,
    pub has_change: bool,
    pub has_delete: bool,
    /// Where the last revision of a key is kept, if it may come again; else none.
    pub deleted: Vec<Deleted>,
}

/// A table beside that of the items, in SQL but for the last.
#[derive(Debug, Serialize)]
pub struct Deleted {
    pub table: String,
    pub trigger: String,
    pub key: String,
    /// Of the key.
    pub sql: &'static str,
    pub revision: String,
    /// Of the items' revision, a Rust string literal.
    pub column: String,
}

/// A column whose values are unique and its field, Rust string literals.
#[derive(Debug, Serialize)]
pub struct Unique {
    pub column: String,
    pub field: String,
}

#[derive(Debug, Serialize)]
pub struct SortView {
    pub variant: String,
    pub column: String,
    pub descending: bool,
    pub nullable: bool,
}

/// A value in a column.
struct Column {
    name: String,
    sql: &'static str,
    nullable: bool,
    bind: String,
}

pub fn view(model: &Model, service: &Service, resource: &Resource) -> StoreView {
    let name = &resource.name;
    let of = &shape::of_service(service, name);
    let item = names::rust::variable(name);
    let table = names::sql::quoted(&names::sql::table(&resource.plural));
    let mut columns = Vec::new();
    let mut reads = Vec::new();
    for field in &resources::typed(resource, of) {
        let ident = names::rust::ident(&field.name);
        let path = vec![field.name.clone()];
        let read = column(model, &field.ty, &path, &format!("{item}.{ident}"), &mut columns);
        reads.push(format!("{ident}: {read}"));
    }
    let key = names::sql::column(&[resource.id.as_str()]);
    let (of_id, others): (Vec<&Column>, Vec<&Column>) = columns.iter().partition(|c| c.name == key);
    let quoted = |name: &str| names::sql::quoted(name);
    // No name of a design begins with `_`.
    let free = |name: &str| if columns.iter().any(|c| c.name == name) { format!("_{name}_") } else { name.to_owned() };
    let (revision, rowid) = (free("revision"), free("rowid"));
    reads.push(format!("etag: row.read::<Revision>({})?", escape::rust_str(&revision)));
    let insert_columns: Vec<String> = others.iter().chain(&of_id).map(|c| quoted(&c.name)).collect();
    let deleted = of_id.first().filter(|_| resources::comes_again(resource)).map(|column| {
        // No name of a design begins with `_`.
        let name = format!("_deleted_{}", names::sql::table(&resource.plural));
        Deleted {
            table: quoted(&name),
            trigger: quoted(&format!("{name}_revision")),
            key: quoted(&key),
            sql: column.sql,
            revision: quoted(&revision),
            column: escape::rust_str(&revision),
        }
    });
    let into = format!("insert into {table} ({}, {})", insert_columns.join(", "), quoted(&revision));
    let insert = match &deleted {
        None => vec![into, format!("values ({}, 1)", vec!["?"; insert_columns.len()].join(", "))],
        Some(Deleted { table, key, revision, .. }) => {
            // The key is bound last.
            let last = format!("?{}", insert_columns.len());
            let before = format!("select {revision} from {table} where {key} = {last}");
            let mut values = vec!["?"; insert_columns.len() - 1];
            values.push(&last);
            vec![
                into,
                format!("values ({}, 1 + coalesce(({before}), 0))", values.join(", ")),
                format!("returning {revision}"),
            ]
        }
    };
    let rev = quoted(&revision);
    let next = format!("{rev} = {rev} + 1");
    let sets: Vec<String> = others.iter().map(|c| format!("{} = ?", quoted(&c.name))).chain([next]).collect();
    let update =
        [format!("update {table} set {}", sets.join(", ")), format!("where {} = ? and {rev} = ?", quoted(&key))];
    let unique = resource.fields.iter().filter(|f| f.unique || f.name == resource.id).map(|f| {
        let column = names::sql::column(&[f.name.as_str()]);
        let bare = table.trim_matches('"');
        Unique { column: escape::rust_str(&format!("{bare}.{column}")), field: escape::rust_str(&f.name) }
    });
    let natural = shape::is_natural(resource);
    let select = match (natural, rowid.as_str()) {
        (true, "rowid") => format!("select rowid, * from {table}"),
        (true, other) => format!("select {other} as {other}, * from {table}"),
        (false, _) => format!("select * from {table}"),
    };
    let has = |verb| resource.verbs.contains(&verb);
    let of_item = format!("{item}.{}", names::rust::ident(&resource.id));
    let id_bind = of_id.first().map_or_else(String::new, |c| c.bind.replace(&of_item, "id"));
    let foreign = foreign_keys(service, resource);
    StoreView {
        name: user(name),
        id_type: user(&id_name(name)),
        noun: names::snake(name).replace('_', " "),
        module: names::rust::module(name),
        // The first of the table, whatever other tables there are.
        migration: format!("migrations/{}_1.sql", names::snake(&resource.plural)),
        select: escape::rust_str(&select),
        select_one: raw(&[format!("select * from {table} where {} = ?", quoted(&key))]),
        insert: raw(&insert),
        update: raw(&update),
        delete: raw(&[format!("delete from {table} where {} = ?", quoted(&key))]),
        ids_bind: if id_bind == "Text(&id)" { "Text".into() } else { format!("|id| {id_bind}") },
        id_bind,
        key: escape::rust_str(&key),
        has_batch: service
            .operations
            .values()
            .any(|operation| batch_get::of(model, service, operation).is_some_and(|batch| batch.item == user(name))),
        has_list: has(Verb::List),
        list_type: user(&format!("List{}", resource.plural)),
        page_type: user(&format!("{name}Page")),
        sort_type: user(&format!("{name}Sort")),
        filters: filters(model, resource),
        sorts: sorts(resource),
        natural,
        rowid: escape::rust_str(&rowid),
        binds: others.iter().chain(&of_id).map(|c| format!(".bind({})", c.bind)).collect(),
        reads,
        unique: unique.collect(),
        references: foreign.iter().map(|foreign| escape::rust_str(&foreign.field)).collect(),
        is_referred: shape::is_referred(service, resource),
        columns: std::iter::once(format!("{} integer not null", quoted(&revision)))
            .chain(columns.iter().map(|c| {
                let primary = if c.name == key { " primary key" } else { "" };
                let unique = resource.fields.iter().any(|f| f.unique && f.name != resource.id && f.name == c.name);
                let null = if c.nullable { "" } else { " not null" };
                // An `integer` that is the key would be SQLite's own row number, and not tell which row is newest.
                let sql = if c.name == key && c.sql == "integer" { "int" } else { c.sql };
                let references = foreign.iter().find(|foreign| foreign.column == c.name);
                let references = references.map_or("", |foreign| &foreign.sql);
                format!("{} {sql}{null}{primary}{}{references}", quoted(&c.name), if unique { " unique" } else { "" })
            }))
            .collect(),
        indexes: resource
            .sort
            .iter()
            .chain(&resource.filter)
            .map(|path| names::sql::column(&path.segments))
            .filter(|column| *column != key)
            // Whoever deletes what is referred to looks for those that do.
            .chain(
                foreign
                    .iter()
                    .filter(|foreign| foreign.is_deleted && !foreign.is_unique)
                    .map(|foreign| foreign.column.clone()),
            )
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .map(|c| {
                format!(
                    "create index {} on {table} ({}, {});",
                    // Unlike the names of columns, those of indexes are one space; a dot is in none.
                    quoted(&format!("{}.{c}", table.trim_matches('"'))),
                    quoted(&c),
                    quoted(&key)
                )
            })
            .collect(),
        table,
        has_change: !resource.verbs.is_empty(),
        has_delete: has(Verb::Delete),
        deleted: deleted.into_iter().collect(),
        item,
    }
}

/// A column whose values are the keys of another table.
struct ForeignKey {
    field: String,
    column: String,
    /// ` references shelves (code)`
    sql: String,
    /// Callers may delete what it refers to.
    is_deleted: bool,
    is_unique: bool,
}

fn foreign_keys(service: &Service, resource: &Resource) -> Vec<ForeignKey> {
    let foreign = |(field, to): (&Field, &str)| {
        let to = service.resources.get(to)?;
        let table = names::sql::quoted(&names::sql::table(&to.plural));
        let key = names::sql::quoted(&names::sql::column(&[to.id.as_str()]));
        Some(ForeignKey {
            field: field.name.clone(),
            column: names::sql::column(&[field.name.as_str()]),
            sql: format!(" references {table} ({key})"),
            is_deleted: to.verbs.contains(&Verb::Delete),
            is_unique: field.unique,
        })
    };
    shape::foreign_keys(service, resource).into_iter().filter_map(foreign).collect()
}

/// Characters of SQL in a line of its own at most.
const WIDTH: usize = 106;

/// SQL with its quotes readable: in one line if it fits, else each clause in lines of its own, broken after commas.
fn raw(clauses: &[String]) -> String {
    let line = clauses.join(" ");
    if line.len() <= WIDTH {
        return format!("r#\"{line}\"#");
    }
    // Under each other where the literal stands.
    let lines: Vec<String> = clauses.iter().map(|clause| wrapped(clause, "\n             ")).collect();
    format!("r#\"{}\"#", lines.join("\n           "))
}

fn wrapped(clause: &str, newline: &str) -> String {
    let (mut text, mut width) = (String::new(), 0);
    for part in clause.split_inclusive(", ") {
        if width > 0 && width + part.trim_end().len() > WIDTH {
            text.truncate(text.trim_end().len());
            text.push_str(newline);
            width = newline.len();
        }
        text.push_str(part);
        width += part.len();
    }
    text
}

/// Adds the column of a value, or the columns of a record's fields, and gives the expression that reads it back.
fn column(model: &Model, ty: &Type, path: &[String], place: &str, columns: &mut Vec<Column>) -> String {
    if let Type::Named(of) = ty
        && of.service.is_none()
        && let Some(TypeDef::Record(record)) = model.types.get(&of.name)
        && !is_recursive(model, &of.name)
    {
        let fields: Vec<String> = record
            .fields
            .iter()
            .map(|field| {
                let ident = names::rust::ident(&field.name);
                let path: Vec<String> = path.iter().cloned().chain([field.name.clone()]).collect();
                format!("{ident}: {}", column(model, &field.ty, &path, &format!("{place}.{ident}"), columns))
            })
            .collect();
        return format!("{} {{ {} }}", user(&of.name), fields.join(", "));
    }
    let name = names::sql::column(path);
    let (nullable, inner) = match ty {
        Type::Optional(inner) => (true, inner.as_ref()),
        ty => (false, ty),
    };
    let Kept { sql, wrap, read, copy } = kept(model, inner);
    let ids = ids(model, inner);
    let deep = ".0".repeat(ids.len());
    let bind = match (nullable, wrap) {
        (false, None) if !ids.is_empty() => format!("{place}{deep}"),
        (false, Some(wrap)) if !ids.is_empty() => format!("{wrap}({place}{deep})"),
        (true, None) if !ids.is_empty() => format!("{place}.as_ref().map(|id| id{deep})"),
        (true, Some(wrap)) if !ids.is_empty() => format!("{place}.as_ref().map(|id| {wrap}(id{deep}))"),
        (false, None) if copy => place.to_owned(),
        (_, None) if nullable && copy => place.to_owned(),
        (_, None) => format!("&{place}"),
        (false, Some(wrap)) if copy => format!("{wrap}({place})"),
        (false, Some(wrap)) => format!("{wrap}(&{place})"),
        (true, Some(wrap)) if copy => format!("{place}.map({wrap})"),
        (true, Some(wrap)) => format!("{place}.as_ref().map({wrap})"),
    };
    let literal = escape::rust_str(&name);
    let read = match nullable {
        true => format!("row.read::<Option<{read}>>({literal})?"),
        false => format!("row.read::<{read}>({literal})?"),
    };
    columns.push(Column { name, sql, nullable, bind });
    match (nullable, ids.as_slice()) {
        (_, []) => read,
        (true, [id]) => format!("{read}.map({id})"),
        (true, ids) => format!("{read}.map(|id| {})", around(ids, "id")),
        (false, ids) => around(ids, &read),
    }
}

/// The ids around a number, outermost first, if the type is a reference to what is stored as one.
fn ids(model: &Model, ty: &Type) -> Vec<String> {
    let mut ids = Vec::new();
    let mut ty = ty.clone();
    while let Type::Ref(of) = &ty {
        ids.push(user(&id_name(&of.resource)));
        let id = shape::resource(model, of).and_then(|found| found.fields.iter().find(|field| field.name == found.id));
        ty = id.map_or(Type::Scalar(Scalar::Uuid), |field| field.ty.clone());
    }
    if number(&ty) { ids } else { Vec::new() }
}

fn around(ids: &[String], value: &str) -> String {
    ids.iter().rev().fold(value.to_owned(), |value, id| format!("{id}({value})"))
}

/// How a value of a type is kept.
struct Kept {
    sql: &'static str,
    /// The column type around it, if it is not bound as it is.
    wrap: Option<String>,
    /// What is read.
    read: String,
    copy: bool,
}

fn kept(model: &Model, ty: &Type) -> Kept {
    let plain = |sql, read: &str, copy| Kept { sql, wrap: None, read: read.into(), copy };
    let wrapped = |sql, wrap: &str, read: &str, copy| Kept { sql, wrap: Some(wrap.into()), read: read.into(), copy };
    match ty {
        Type::Scalar(scalar) => match scalar {
            Scalar::String { .. } => plain("text", "String", false),
            Scalar::Bool => plain("integer", "bool", true),
            Scalar::I32 { .. } => plain("integer", "i32", true),
            Scalar::I64 { .. } => plain("integer", "i64", true),
            Scalar::U32 { .. } => plain("integer", "u32", true),
            Scalar::U64 { .. } => wrapped("text", "Digits", "Digits", true),
            Scalar::F64 { .. } => plain("real", "f64", true),
            Scalar::Decimal { scale, .. } => {
                let column = format!("Scaled::<{scale}>");
                wrapped("integer", &column, &format!("Scaled<{scale}>"), true)
            }
            Scalar::Uuid | Scalar::Date => wrapped("text", "Text", "Text<_>", true),
            Scalar::Timestamp => wrapped("text", "Micros", "Micros", true),
            Scalar::Duration => wrapped("integer", "Span", "Span", true),
            Scalar::Bytes => plain("blob", "Vec<u8>", false),
            Scalar::Json => wrapped("text", "Json", "Json<_>", false),
        },
        Type::Named(of) if rust::is_enum(model, of) => wrapped("text", "Text", "Text<_>", false),
        Type::Ref(of) => wrapped("text", "Text", "Text<_>", false).number(model, &shape::id_type(model, of)),
        _ => wrapped("text", "Json", "Json<_>", false),
    }
}

impl Kept {
    /// An id around a number is bound as the number.
    fn number(self, model: &Model, id: &Type) -> Self {
        if number(id) { kept(model, id) } else { self }
    }
}

fn number(ty: &Type) -> bool {
    matches!(ty, Type::Scalar(Scalar::I32 { .. } | Scalar::I64 { .. } | Scalar::U32 { .. } | Scalar::U64 { .. }))
}

fn is_recursive(model: &Model, name: &str) -> bool {
    fn reaches(model: &Model, target: &str, ty: &Type, depth: usize) -> bool {
        match ty {
            Type::Optional(inner) => reaches(model, target, inner, depth),
            Type::List { item, .. } => reaches(model, target, item, depth),
            Type::Map { value, .. } => reaches(model, target, value, depth),
            Type::Named(of) if of.service.is_none() => {
                of.name == target
                    || depth > 0
                        && matches!(model.types.get(&of.name), Some(TypeDef::Record(r)) if r.fields.iter().any(|f| reaches(model, target, &f.ty, depth - 1)))
            }
            _ => false,
        }
    }
    match model.types.get(name) {
        Some(TypeDef::Record(record)) => record.fields.iter().any(|f| reaches(model, name, &f.ty, 32)),
        _ => false,
    }
}

fn filters(model: &Model, resource: &Resource) -> Vec<String> {
    let mut lines = Vec::new();
    for filter in shape::filters(resource) {
        let path: Vec<&str> = filter.path.split('.').collect();
        let column = escape::rust_str(&names::sql::column(&path));
        let ident = names::rust::ident(&filter.name);
        let Kept { wrap, copy, .. } = kept(model, &filter.ty);
        let deep = ".0".repeat(ids(model, &filter.ty).len());
        let iter = match (deep.as_str(), copy) {
            ("", true) => format!("query.{ident}.iter().copied()"),
            ("", false) => format!("query.{ident}.iter()"),
            _ => format!("query.{ident}.iter().map(|id| id{deep})"),
        };
        let each = wrap.as_ref().map_or_else(|| iter.clone(), |wrap| format!("{iter}.map({wrap})"));
        lines.push(format!(".any_of({column}, {each})"));
        if filter.ordered {
            for comparison in shape::COMPARISONS {
                let field = names::rust::ident(&format!("{}_{comparison}", filter.name));
                let value = match &wrap {
                    Some(wrap) => format!("query.{field}.map({wrap})"),
                    None => format!("query.{field}"),
                };
                lines.push(format!(".{comparison}({column}, {value})"));
            }
        }
    }
    lines
}

fn sorts(resource: &Resource) -> Vec<SortView> {
    let view = |path: &FieldPath| {
        let variant = names::upper_camel(&path.segments.join("_"));
        let column = escape::rust_str(&names::sql::column(&path.segments));
        let nullable = matches!(path.ty, Type::Optional(_));
        [false, true].map(|descending| SortView {
            variant: if descending { format!("{variant}Descending") } else { variant.clone() },
            column: column.clone(),
            descending,
            nullable,
        })
    };
    resource.sort.iter().flat_map(view).collect()
}
