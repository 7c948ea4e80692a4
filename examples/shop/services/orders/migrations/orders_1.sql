create table "orders" (
    "revision" integer not null,
    "id" text not null primary key,
    "customer" text not null,
    "lines" text not null,
    "payment" text not null,
    "total_amount" integer not null,
    "total_currency" text not null,
    "status" text not null,
    "placed_at" text not null
);
create index "orders.customer" on "orders" ("customer", "id");
create index "orders.placed_at" on "orders" ("placed_at", "id");
create index "orders.status" on "orders" ("status", "id");
create index "orders.total_amount" on "orders" ("total_amount", "id");
