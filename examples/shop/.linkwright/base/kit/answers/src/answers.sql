create table "kit_answers" (
    "operation" text not null,
    "caller" text not null,
    "key" text not null,
    "fingerprint" text not null,
    "answer" text not null,
    "until" text not null,
    primary key ("operation", "caller", "key")
);

create index "kit_answers_until" on "kit_answers" ("until");
