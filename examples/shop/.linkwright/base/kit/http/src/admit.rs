//! Routes that not everybody may ask at any time.

use axum::{
    Extension, Router,
    extract::Request,
    middleware::{self, Next},
    response::IntoResponse,
};
use kit::{Context, Failure};

use crate::Problem;

/// Asks before each request to one of these routes whether it may go on, with the context that the edge has made of it.
/// One that may not is answered with the failure. Paths that are not there are nobody's to ask for.
pub fn admitting<F>(routes: Router, may: impl Fn(Context) -> F + Clone + Send + Sync + 'static) -> Router
where
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    routes.route_layer(middleware::from_fn(move |Extension(cx): Extension<Context>, request: Request, next: Next| {
        let may = may(cx);
        async move {
            match may.await {
                Ok(()) => next.run(request).await,
                Err(failure) => Problem::from(failure).into_response(),
            }
        }
    }))
}
