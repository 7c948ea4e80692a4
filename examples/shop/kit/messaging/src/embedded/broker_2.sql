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

insert into "finished" ("message", "at")
select "seq", "published_at" from "messages" m
where "claimed" and not exists (select 1 from "deliveries" where "message" = m."seq");

-- The last message of each type that was removed: who has not come as far has missed it.
create table "swept" (
    "type" text primary key,
    "message" integer not null
) without rowid;

create trigger "sweep" after delete on "messages" begin
    insert into "swept" ("type", "message") values (old."type", old."seq")
    on conflict do update set "message" = max("message", excluded."message");
end;
