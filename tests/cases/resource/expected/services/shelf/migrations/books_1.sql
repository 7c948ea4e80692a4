create table "books" (
    "revision" integer not null,
    "id" text not null primary key,
    "title" text not null,
    "author" text,
    "price_amount" integer not null,
    "price_currency" text not null,
    "isbn" text not null unique,
    "added_at" text not null
);
create index "books.added_at" on "books" ("added_at", "id");
create index "books.author" on "books" ("author", "id");
create index "books.price_amount" on "books" ("price_amount", "id");
