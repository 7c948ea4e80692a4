//! What of a design has changed: how people call it, and where it stands.

use crate::{
    Understood,
    design::{self, Design, Field, FieldType, Fields, TypeDefKind, TypeExpr, TypeKind},
    fit,
    model::{EventRef, Model, OperationRef, ResourceRef, Shape, TypeRef, Verb},
    source::{Span, Spanned},
};

/// A part of a design.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    System,
    Service(String),
    Resource(ResourceRef),
    Operation(OperationRef),
    Input(OperationRef),
    Output(OperationRef),
    Event(EventRef),
    /// An entry of `[types]`.
    Type(String),
    Error(OperationRef, String),
    /// Of an input, output, resource, event or record.
    Field(Box<Place>, String),
    /// Of an enum: of one in `[types]`, or of one that is written in a field.
    Value(Box<Place>, String),
    Variant(String, String),
    Filter(ResourceRef, String),
    Sort(ResourceRef, String),
    /// A message or enum of proto, and one of its members, of a service if it is known.
    Wire(Option<String>, String),
}

impl Place {
    pub(super) fn field(self, name: &str) -> Self {
        Self::Field(Box::new(self), name.to_owned())
    }

    /// As people call it.
    pub(super) fn subject(&self, model: &Model) -> String {
        match self {
            Self::System => format!("the system `{}`", model.name),
            Self::Service(name) => format!("service `{name}`"),
            Self::Resource(of) => format!("resource `{}` of `{}`", of.resource, of.service),
            Self::Operation(of) => format!("{} of `{}`", title(model, of), of.service),
            Self::Input(of) => format!("the input of {}", title(model, of)),
            Self::Output(of) => format!("the output of {}", title(model, of)),
            Self::Event(of) => format!("event `{}` of `{}`", of.event, of.service),
            Self::Type(name) => format!("`{name}`"),
            Self::Error(of, name) => format!("error `{name}` of {}", title(model, of)),
            Self::Field(of, name) => match &**of {
                Self::Type(of) => format!("`{of}.{name}`"),
                Self::Resource(of) => format!("`{}.{name}`", of.resource),
                Self::Event(of) => format!("`{}.{name}`", of.event),
                of => format!("`{name}` in {}", of.subject(model)),
            },
            Self::Value(of, name) => format!("value `{name}` of {}", of.subject(model)),
            Self::Variant(of, name) => format!("variant `{name}` of `{of}`"),
            Self::Filter(of, path) => format!("`{path}` of `{}`", of.resource),
            Self::Sort(of, path) => format!("`{path}` of `{}`", of.resource),
            Self::Wire(_, name) => format!("`{name}` in contracts/wire.lock"),
        }
    }

    /// Where it stands, or what it stands in.
    pub(super) fn span(&self, of: &Understood) -> Span {
        self.exact(of).or_else(|| Some(self.outer()?.span(of))).unwrap_or_else(|| of.design.system.head.span())
    }

    fn outer(&self) -> Option<Self> {
        Some(match self {
            Self::System => return None,
            Self::Service(_) | Self::Type(_) | Self::Wire(None, _) => Self::System,
            Self::Resource(ResourceRef { service, .. }) | Self::Event(EventRef { service, .. }) => {
                Self::Service(service.clone())
            }
            Self::Operation(OperationRef { service, .. }) | Self::Wire(Some(service), _) => {
                Self::Service(service.clone())
            }
            Self::Input(of) | Self::Output(of) | Self::Error(of, _) => Self::Operation(of.clone()),
            Self::Field(of, _) | Self::Value(of, _) => of.as_ref().clone(),
            Self::Variant(of, _) => Self::Type(of.clone()),
            Self::Filter(of, _) | Self::Sort(of, _) => Self::Resource(of.clone()),
        })
    }

    fn exact(&self, understood: &Understood) -> Option<Span> {
        let design = &understood.design;
        Some(match self {
            Self::System => design.system.name.as_ref()?.span.clone(),
            Self::Service(name) => design.services.get(name)?.head.span(),
            Self::Resource(of) => resource(design, of)?.head.span(),
            Self::Operation(of) => operation(of, understood)?,
            Self::Input(of) => written(design, of)?.input.as_ref()?.span.clone(),
            Self::Output(of) => written(design, of)?.output.as_ref()?.span.clone(),
            Self::Event(of) => event(design, of)?.head.span(),
            Self::Type(name) => design.types.get(name)?.head.span(),
            Self::Error(of, name) => settings(of, understood)?.errors.get(name)?.name.span.clone(),
            Self::Field(of, name) => field(design, of, name)?.name.span.clone(),
            Self::Value(of, name) => value(design, of, name)?,
            Self::Variant(of, name) => match &design.types.get(of)?.kind {
                TypeDefKind::Union(variants) => variants.iter().find(|v| v.value.name == *name)?.span.clone(),
                _ => return None,
            },
            Self::Filter(of, path) => path_in(&resource(design, of)?.filter, path)?,
            Self::Sort(of, path) => path_in(&resource(design, of)?.sort, path)?,
            Self::Wire(..) => return None,
        })
    }
}

/// The place of an enum's values: its own if it has a name, else that of the field that it is written in.
pub(super) fn of_enum(design: &Design, of: &TypeRef, at: &Place) -> Place {
    let named = of.service.is_none() && design.types.contains_key(&of.name);
    if named { Place::Type(of.name.clone()) } else { at.clone() }
}

fn title(model: &Model, of: &OperationRef) -> String {
    fit::operation(model, of).map_or_else(|| format!("`{}`", of.operation), fit::title)
}

fn resource<'d>(design: &'d Design, of: &ResourceRef) -> Option<&'d design::Resource> {
    design.services.get(&of.service)?.resources.get(&of.resource)
}

fn event<'d>(design: &'d Design, of: &EventRef) -> Option<&'d design::Event> {
    design.services.get(&of.service)?.events.get(&of.event)
}

/// A command or query.
fn written<'d>(design: &'d Design, of: &OperationRef) -> Option<&'d design::Operation> {
    let service = design.services.get(&of.service)?;
    service.commands.get(&of.operation).or_else(|| service.queries.get(&of.operation))
}

/// The resource that an operation is a verb of, and where the verb stands.
fn verb<'u>(
    of: &OperationRef,
    Understood { design, model }: &'u Understood,
) -> Option<(&'u design::Resource, &'u Spanned<Verb>)> {
    let Shape::Verb { verb, resource } = &fit::operation(model, of)?.shape else { return None };
    let resource = design.services.get(&of.service)?.resources.get(resource)?;
    let verb = resource.verbs.as_ref()?.value.iter().find(|written| written.value == *verb)?;
    Some((resource, verb))
}

fn operation(of: &OperationRef, understood: &Understood) -> Option<Span> {
    let written = written(&understood.design, of).map(|operation| operation.head.span());
    written.or_else(|| Some(verb(of, understood)?.1.span.clone()))
}

fn settings<'u>(of: &OperationRef, understood: &'u Understood) -> Option<&'u design::OperationSettings> {
    if let Some(operation) = written(&understood.design, of) {
        return Some(&operation.common);
    }
    let (resource, verb) = verb(of, understood)?;
    Some(&resource.settings.get(&verb.value)?.common)
}

fn field<'d>(design: &'d Design, of: &Place, name: &str) -> Option<&'d Field> {
    fields(design, of)?.get(name)
}

fn fields<'d>(design: &'d Design, of: &Place) -> Option<&'d Fields> {
    let body = match of {
        Place::Resource(of) => return Some(&resource(design, of)?.fields),
        Place::Type(of) => match &design.types.get(of)?.kind {
            TypeDefKind::Record(fields) => return Some(fields),
            _ => return None,
        },
        Place::Input(of) => &written(design, of)?.input,
        Place::Output(of) => &written(design, of)?.output,
        Place::Event(of) => &event(design, of)?.payload,
        _ => return None,
    };
    match &body.as_ref()?.value {
        design::Body::Fields(fields) => Some(fields),
        design::Body::Named { .. } | design::Body::Broken => None,
    }
}

fn value(design: &Design, of: &Place, name: &str) -> Option<Span> {
    let values = match of {
        Place::Type(of) => match &design.types.get(of)?.kind {
            TypeDefKind::Enum(values) => values,
            _ => return None,
        },
        Place::Field(of, field) => {
            let FieldType { expr, .. } = &self::field(design, of, field)?.ty;
            enumeration(expr)?
        }
        _ => return None,
    };
    Some(values.iter().find(|value| value.value == name)?.span.clone())
}

/// The values of the enum that is written in a type.
fn enumeration(expr: &TypeExpr) -> Option<&[Spanned<String>]> {
    match &expr.kind {
        TypeKind::Enum(values) => Some(values),
        TypeKind::List { item, .. } | TypeKind::Optional(item) => enumeration(item),
        TypeKind::Map { key, value } => key.as_deref().and_then(enumeration).or_else(|| enumeration(value)),
        TypeKind::Scalar(_) | TypeKind::Name(_) | TypeKind::Ref(_) | TypeKind::Broken => None,
    }
}

fn path_in(paths: &[Spanned<design::FieldPath>], path: &str) -> Option<Span> {
    let written = |path: &design::FieldPath| path.0.iter().map(|s| s.value.as_str()).collect::<Vec<_>>().join(".");
    Some(paths.iter().find(|found| written(&found.value) == path)?.span.clone())
}
