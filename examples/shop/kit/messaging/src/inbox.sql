create table "kit_inbox" (
    "subscription" text not null,
    "key" text not null,
    "seen_at" text not null,
    primary key ("subscription", "key")
) without rowid;

create index "kit_inbox_seen_at" on "kit_inbox" ("seen_at");
