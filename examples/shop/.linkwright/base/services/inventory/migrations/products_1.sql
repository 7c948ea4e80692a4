create table "products" (
    "revision" integer not null,
    "sku" text not null primary key,
    "name" text not null,
    "price_amount" integer not null,
    "price_currency" text not null,
    "on_hand" integer not null,
    "reserved" integer not null
);
create index "products.name" on "products" ("name", "sku");
