create table "charges" (
    "revision" integer not null,
    "order_id" text not null primary key,
    "amount_amount" integer not null,
    "amount_currency" text not null,
    "charged_at" text not null,
    "refunded" integer not null
);
