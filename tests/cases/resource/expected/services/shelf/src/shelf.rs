// Yours: written once by Linkwright, never overwritten.

use async_trait::async_trait;
use kit::{Context, Etag, Failure};
use kit_store::Store;
use shelf_contract::{Book, BookDraft, BookId, BookPage, BookPatch, ListBooks, NewBook};
use uuid::Uuid;

use crate::store;

/// The business code of `shelf`.
pub struct Shelf {
    store: Store,
}

impl Shelf {
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl shelf_contract::Shelf for Shelf {
    async fn list_books(&self, _cx: &Context, query: ListBooks) -> Result<BookPage, Failure> {
        Ok(store::book::list(self.store.read(), &query).await?)
    }

    async fn get_book(&self, _cx: &Context, id: BookId) -> Result<Book, Failure> {
        Ok(store::book::get(self.store.read(), &id).await?)
    }

    async fn create_book(&self, cx: &Context, new: NewBook) -> Result<Book, Failure> {
        let book = Book {
            id: BookId(Uuid::now_v7()),
            title: new.title,
            author: new.author,
            price: new.price,
            isbn: new.isbn,
            added_at: kit::json::now(),
            etag: Etag(1),
        };
        let mut tx = self.store.begin().await?;
        store::book::insert(&mut tx, &book).await?;
        kit_answers::keep(&mut tx, cx, &book).await?;
        tx.commit().await?;
        Ok(book)
    }

    async fn replace_book(
        &self,
        _cx: &Context,
        id: BookId,
        draft: BookDraft,
        etag: Option<Etag>,
    ) -> Result<Book, Failure> {
        let mut tx = self.store.begin().await?;
        let mut book = store::book::get(&mut *tx, &id).await?;
        book.etag.check(etag)?;
        book.replace(draft);
        store::book::update(&mut tx, &mut book).await?;
        tx.commit().await?;
        Ok(book)
    }

    async fn patch_book(
        &self,
        cx: &Context,
        id: BookId,
        patch: BookPatch,
        etag: Option<Etag>,
    ) -> Result<Book, Failure> {
        let mut tx = self.store.begin().await?;
        let mut book = store::book::get(&mut *tx, &id).await?;
        book.etag.check(etag)?;
        book.patch(&patch)?;
        store::book::update(&mut tx, &mut book).await?;
        kit_answers::keep(&mut tx, cx, &book).await?;
        tx.commit().await?;
        Ok(book)
    }

    async fn delete_book(&self, _cx: &Context, id: BookId, etag: Option<Etag>) -> Result<(), Failure> {
        let mut tx = self.store.begin().await?;
        let book = store::book::get(&mut *tx, &id).await?;
        book.etag.check(etag)?;
        store::book::delete(&mut tx, &id).await?;
        tx.commit().await?;
        Ok(())
    }
}
