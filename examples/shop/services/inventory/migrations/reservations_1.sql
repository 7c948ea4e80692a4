create table "reservations" (
    "revision" integer not null,
    "order_id" text not null primary key,
    "lines" text not null,
    "total_amount" integer not null,
    "total_currency" text not null
);
