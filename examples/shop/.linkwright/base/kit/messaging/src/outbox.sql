create table "kit_outbox" (
    "seq" integer primary key autoincrement,
    "event" text not null, -- CloudEvents 1.0, JSON
    "refused" text         -- why the broker will never take it
);
