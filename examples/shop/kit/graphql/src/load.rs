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

/// Calls at a time of [`each`].
const AT_ONCE: usize = 16;

/// What came of each key; of what is gone nothing.
type Loaded<K, V> = HashMap<K, std::result::Result<V, Arc<Failure>>>;
type Load<K, V> = dyn Fn(Context, Vec<K>) -> BoxFuture<'static, Loaded<K, V>> + Send + Sync;

/// Loads the resources that ids refer to: each once for all fields of a request that ask for it at the same time.
struct ById<K, V> {
    cx: Context,
    load: Arc<Load<K, V>>,
}

impl<K, V> Loader<K> for ById<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    type Value = std::result::Result<V, Arc<Failure>>;
    type Error = std::convert::Infallible;

    async fn load(&self, keys: &[K]) -> std::result::Result<Loaded<K, V>, Self::Error> {
        Ok((self.load)(self.cx.clone(), keys.to_vec()).await)
    }
}

/// Makes what loads one kind of resource for one request.
pub type Batches = Box<dyn Fn(&Context, &mut Data) + Send + Sync>;

/// The resources of one kind, got several by one call: `get` answers in any order and leaves out what is gone, `key` is
/// the id of an answer. For [`schema`](crate::schema).
pub fn batches<K, V, F>(get: impl Fn(Context, Vec<K>) -> F + Send + Sync + 'static, key: fn(&V) -> K) -> Batches
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    F: Future<Output = std::result::Result<Vec<V>, Failure>> + Send + 'static,
{
    loader(move |cx, keys: Vec<K>| {
        let cx = cx.call().or_within(TIMEOUT);
        let work = get(cx.clone(), keys.clone());
        Box::pin(async move {
            match cx.limit(work).await {
                Ok(found) => found.into_iter().map(|one| (key(&one), Ok(one))).collect(),
                Err(failure) => {
                    let failure = Arc::new(failure);
                    keys.into_iter().map(|key| (key, Err(failure.clone()))).collect()
                }
            }
        })
    })
}

/// The resources of one kind, each got by a call of its own, side by side: where nothing gets several.
pub fn each<K, V, E, F>(get: impl Fn(Context, K) -> F + Send + Sync + 'static) -> Batches
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    E: OperationError,
    F: Future<Output = std::result::Result<V, E>> + Send + 'static,
{
    loader(move |cx, keys: Vec<K>| {
        // The trouble with one is not the trouble of the others.
        let one = |key: K| {
            let cx = cx.call().or_within(TIMEOUT);
            let work = get(cx.clone(), key.clone());
            let work = async move { work.await.map_err(|failed| Failure::from_wire(failed.to_wire())) };
            async move {
                let found = kit::if_there(cx.limit(work).await).transpose()?;
                Some((key, found.map_err(Arc::new)))
            }
        };
        let calls: Vec<_> = keys.into_iter().map(one).collect();
        Box::pin(stream::iter(calls).buffer_unordered(AT_ONCE).filter_map(future::ready).collect())
    })
}

fn loader<K, V>(load: impl Fn(Context, Vec<K>) -> BoxFuture<'static, Loaded<K, V>> + Send + Sync + 'static) -> Batches
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    let load: Arc<Load<K, V>> = Arc::new(load);
    Box::new(move |cx, data| {
        // What one answer needs together counts once.
        let loader = ById { cx: cx.part(), load: load.clone() };
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
