//! Templates to text. A template is named by its path below `blueprints/`, without `.hbs`.
//!
//! Templates decide nothing and name nothing: they know `each`, `if` and partials, every name in a view is final, and a
//! field that a view does not have is an error, in `if` too.

use handlebars::{
    Context, Handlebars, Helper, HelperResult, JsonTruthy, Output, RenderContext, RenderError, RenderErrorReason,
    Renderable, no_escape,
};
use serde::Serialize;

use crate::blueprints;

/// The templates, ready to render.
#[derive(Debug)]
pub struct Templates(Handlebars<'static>);

/// A template or view is wrong: a mistake of Linkwright, never of the design.
#[derive(Debug, thiserror::Error)]
#[error("template {template}: {source}")]
pub struct TemplateError {
    pub template: String,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl Templates {
    /// Reads the embedded templates.
    pub fn new() -> Result<Self, TemplateError> {
        let mut engine = Handlebars::new();
        engine.set_strict_mode(true);
        engine.register_escape_fn(no_escape);
        engine.register_helper("if", Box::new(strict_if));
        for (path, text) in blueprints::below("blueprints") {
            if let Some(name) = path.strip_suffix(".hbs") {
                engine.register_template_string(name, text).map_err(|source| error(name, source))?;
            }
        }
        Ok(Self(engine))
    }

    pub fn render(&self, template: &str, view: &impl Serialize) -> Result<String, TemplateError> {
        self.0.render(template, view).map_err(|source| error(template, source))
    }
}

fn error(template: &str, source: impl std::error::Error + Send + Sync + 'static) -> TemplateError {
    TemplateError { template: template.into(), source: Box::new(source) }
}

/// handlebars' own `if` takes a missing field for false, even in strict mode.
fn strict_if<'reg, 'rc>(
    helper: &Helper<'rc>,
    engine: &'reg Handlebars<'reg>,
    context: &'rc Context,
    render: &mut RenderContext<'reg, 'rc>,
    out: &mut dyn Output,
) -> HelperResult {
    let refuse = |what: &str| RenderError::from(RenderErrorReason::Other(what.into()));
    let param = helper.param(0).ok_or_else(|| refuse("`if` needs a field"))?;
    if param.is_value_missing()
        || !(param.value().is_boolean() || param.value().is_array() || param.value().is_string())
    {
        let name = param.relative_path().map_or("?", String::as_str);
        return Err(refuse(&format!("`if {name}`: the view has no such flag, list or text")));
    }
    let branch = if param.value().is_truthy(false) { helper.template() } else { helper.inverse() };
    branch.map_or(Ok(()), |branch| branch.render(engine, context, render, out))
}
