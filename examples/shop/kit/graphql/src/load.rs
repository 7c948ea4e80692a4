use std::{collections::HashMap, hash::Hash, sync::Arc};

use async_graphql::{
    Data, Result,
    dataloader::{DataLoader, Loader},
};
use futures_util::{
    StreamExt,
    future::{self, BoxFuture},
    stream,
};
use kit::{Context, Failure, Kind, OperationError};

use crate::{Key, Output, alone, call::TIMEOUT, error};

/// Calls at a time for one batch.
const AT_ONCE: usize = 16;

type Get<K, V> = dyn Fn(Context, K) -> BoxFuture<'static, std::result::Result<V, Failure>> + Send + Sync;

/// Loads the resources that ids refer to: each once for all fields of a request that ask for it at the same time.
struct ById<K, V> {
    cx: Context,
    get: Arc<Get<K, V>>,
}

impl<K, V> Loader<K> for ById<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    type Value = std::result::Result<V, Arc<Failure>>;
    type Error = std::convert::Infallible;

    /// One that does not exist is left out; the trouble with one is not the trouble of the others.
    async fn load(&self, keys: &[K]) -> std::result::Result<HashMap<K, Self::Value>, Self::Error> {
        let one = |key: &K| {
            let (cx, key) = (self.cx.call().or_within(TIMEOUT), key.clone());
            let work = (self.get)(cx.clone(), key.clone());
            async move {
                match cx.limit(work).await {
                    Err(failure) if failure.kind == Kind::NotFound => None,
                    other => Some((key, other.map_err(Arc::new))),
                }
            }
        };
        // Collected first: a lazy iterator over borrowed keys would make the future borrow for any lifetime.
        let calls: Vec<_> = keys.iter().map(one).collect();
        Ok(stream::iter(calls).buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await)
    }
}

/// Makes what loads one kind of resource for one request.
pub type Batches = Box<dyn Fn(&Context, &mut Data) + Send + Sync>;

/// How the resources of one kind are got, for [`schema`](crate::schema).
pub fn batches<K, V, E, F>(get: impl Fn(Context, K) -> F + Clone + Send + Sync + 'static) -> Batches
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    E: OperationError,
    F: Future<Output = std::result::Result<V, E>> + Send + 'static,
{
    let get: Arc<Get<K, V>> = Arc::new(move |cx, key| {
        let work = get(cx, key);
        Box::pin(async move { work.await.map_err(|failed| Failure::from_wire(failed.to_wire())) })
    });
    Box::new(move |cx, data| {
        // What one answer needs together counts once.
        let loader = ById { cx: cx.part(), get: get.clone() };
        data.insert(DataLoader::new(loader, tokio::spawn));
    })
}

/// The view of the resource that an id refers to: null if it is gone, and null with an error if it cannot be had.
pub async fn reference<G, K, V>(field: &async_graphql::Context<'_>, key: &K) -> Result<Option<G>>
where
    G: Output<V>,
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    let cx = crate::context(field);
    let Some(loader) = field.data_opt::<DataLoader<ById<K, V>>>() else {
        return Err(error(&cx, &Failure::new(Kind::Internal, "the schema has nothing that loads this reference")));
    };
    let Ok(loaded) = loader.load_one(key.clone()).await;
    let Some(loaded) = loaded else { return Ok(None) };
    Ok(alone(field, loaded.map(G::of).map_err(|failure| error(&cx, &*failure))))
}

/// The views of the resources that several ids refer to, in their order: null for each that is gone.
pub async fn references<G, K, V>(field: &async_graphql::Context<'_>, keys: &[Key<K>]) -> Result<Vec<Option<G>>>
where
    G: Output<V>,
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    future::try_join_all(keys.iter().map(|Key(key)| reference(field, key))).await
}
