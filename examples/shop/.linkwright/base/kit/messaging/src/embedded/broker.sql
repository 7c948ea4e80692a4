-- Times are milliseconds since 1970.

create table "subscriptions" (
    "id" integer primary key,
    "name" text not null unique,
    "delivered" integer not null default 0,
    "acked" integer not null default 0
);

create table "subscription_types" (
    "type" text not null,
    "subscription" integer not null references "subscriptions" ("id"),
    primary key ("type", "subscription")
) without rowid;

create table "messages" (
    "seq" integer primary key,  -- never given twice: the last message is not removed
    "id" text not null,
    "source" text not null,
    "type" text not null,
    "claimed" integer not null, -- some subscription got it
    "published_at" integer not null,
    "event" text not null,      -- CloudEvents 1.0, JSON; last, for it may be big
    unique ("source", "id")
);

-- One copy of a message for one subscription; gone when it is acknowledged.
create table "deliveries" (
    "subscription" integer not null references "subscriptions" ("id"),
    "message" integer not null references "messages" ("seq"),
    "state" integer not null default 0, -- 0 waiting, 1 leased, 2 dead
    "due_at" integer not null,          -- waiting: not before; leased: the end of the lease; dead: since
    "attempts" integer not null default 0,
    "lease" integer not null default 0, -- grows with each lease: who holds an older one settles nothing
    "history" text not null default '[]', -- attempts that failed, JSON
    primary key ("message", "subscription") -- in this order new ones come last
) without rowid;

create index "deliveries_due" on "deliveries" ("subscription", "due_at") where "state" < 2;
create index "deliveries_dead" on "deliveries" ("due_at") where "state" = 2;

-- Messages that all their subscriptions have done with. Kept apart, for a change of a message would write all of it anew.
create table "finished" (
    "message" integer primary key references "messages" ("seq") on delete cascade,
    "at" integer not null
);

create index "finished_at" on "finished" ("at");
create index "messages_unclaimed" on "messages" ("published_at") where "claimed" = 0;

create trigger "finish" after delete on "deliveries"
when not exists (select 1 from "deliveries" where "message" = old."message") begin
    insert into "finished" ("message", "at") values (old."message", cast(unixepoch('subsec') * 1000 as integer))
    on conflict do update set "at" = excluded."at";
end;

-- The last message of each type that was removed: who has not come as far has missed it.
create table "swept" (
    "type" text primary key,
    "message" integer not null
) without rowid;

create trigger "sweep" after delete on "messages" begin
    insert into "swept" ("type", "message") values (old."type", old."seq")
    on conflict do update set "message" = max("message", excluded."message");
end;
