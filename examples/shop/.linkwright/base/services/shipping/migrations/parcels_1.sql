create table "parcels" (
    "revision" integer not null,
    "order_id" text not null primary key,
    "lines" text not null,
    "status" text not null
);
create index "parcels.status" on "parcels" ("status", "order_id");
