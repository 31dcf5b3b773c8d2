-- A schema with everything that a rewrite of its tables could lose, and the data in it. Run by the master role.
-- psql variables: master, owner, stranger, reader; `rows` in the main tables.
--
-- Each masked text value holds the word that the tests search for afterwards; each masked uuid starts with the same bytes.
-- The functions that make them do not hold the word itself: they stay in the catalog's files after they are dropped.

SELECT current_setting('server_version_num')::int >= 140000 AS v14,
       current_setting('server_version_num')::int >= 150000 AS v15,
       current_setting('server_version_num')::int >= 180000 AS v18 \gset

CREATE FUNCTION canary(text, bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT 'canaryq7x9' || 'k2m4pz-' || $1 || '-' || $2 $$;
CREATE FUNCTION canary_uuid(bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT ('c0ffee11-c0de-4bad-8bee-' || lpad(to_hex($1), 12, '0'))::uuid $$;

CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy');
CREATE TYPE address AS (street text, town text);
CREATE DOMAIN email_address AS citext NOT NULL CHECK (VALUE ~ '@');
CREATE DOMAIN short_name AS varchar(80) CHECK (VALUE <> '');
CREATE DOMAIN shorter_name AS short_name CHECK (char_length(VALUE) < 80);

-- ---------------------------------------------------------------- people: every type, every index, every state

CREATE TABLE person (
  gone_first   int,
  id           int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code         int NOT NULL,
  email        email_address,
  nickname     citext NOT NULL CONSTRAINT person_nickname_key UNIQUE,
  first_name   varchar(60) NOT NULL,
  last_name    shorter_name NOT NULL,
  full_name    text GENERATED ALWAYS AS (first_name || ' ' || last_name::text) STORED,
  gone_middle  text,
  phone        text CHECK (phone <> ''),
  street       text,
  born         date,
  feeling      mood NOT NULL DEFAULT 'so so',
  seen_from    inet,
  device       macaddr,
  token        uuid NOT NULL,
  badge        text CONSTRAINT person_badge_key UNIQUE DEFERRABLE INITIALLY DEFERRED,
  notes        text,
  profile      jsonb,
  raw          json,
  tags         text[],
  matrix       text[],
  home         address,
  attributes   hstore,
  document     xml,
  span         int4range,
  search       tsvector,
  photo        bytea,
  salary       numeric(10,2),
  score        double precision,
  active       boolean NOT NULL DEFAULT true,
  aliases      shorter_name[],
  manager      int CONSTRAINT person_manager_fkey REFERENCES person ON DELETE SET NULL,
  created      timestamptz NOT NULL,
  CONSTRAINT person_code_positive CHECK (code > 0) NOT VALID
) WITH (fillfactor = 90, autovacuum_enabled = off);
ALTER TABLE person ALTER notes SET STORAGE EXTERNAL;
ALTER TABLE person ALTER last_name SET STATISTICS 200;
ALTER TABLE person ALTER street SET (n_distinct = -0.5);
\if :v14
ALTER TABLE person ALTER profile SET COMPRESSION pglz;
\endif

INSERT INTO person (code, email, nickname, first_name, last_name, phone, street, born, feeling, seen_from, device, token,
                    badge, notes, profile, raw, tags, matrix, home, attributes, document, span, search, photo, salary,
                    score, active, aliases, created)
SELECT i, canary('email', i) || '@real.example', canary('Nick', i), canary('first', sign(i % 4)::int * (i % 30)), canary('last', sign(i % 4)::int * (i % 70)),
       CASE WHEN i % 5 > 0 THEN canary('phone', i) END, canary('street', i % 2000), date '1950-01-01' + i % 20000,
       (ARRAY['sad', 'so so', 'happy'])[1 + i % 3]::mood, ('10.1.' || i % 250 || '.' || i % 199)::inet,
       ('08:00:2b:' || to_char(i % 100, 'FM00') || ':02:03')::macaddr, canary_uuid(i),
       CASE WHEN i % 7 > 0 THEN canary('badge', i) END,
       CASE WHEN i % 100 = 0 THEN repeat(canary('notes', i) || ' ', 200) WHEN i % 3 = 0 THEN canary('notes', i) END,
       jsonb_build_object('contact', jsonb_build_object('email', canary('json', i) || '@real.example'), 'visits', i,
                          'homes', jsonb_build_array(jsonb_build_object('street', canary('home', i)), '{}'::jsonb)),
       json_build_object('raw', canary('raw', i)), ARRAY[canary('tag', i), NULL, canary('tag', i + 1)],
       ARRAY[[canary('m', i), canary('n', i)], [canary('o', i), NULL]], ROW(canary('s', i), canary('t', i))::address,
       hstore('key', canary('hstore', i)), xmlparse(CONTENT '<a>' || canary('xml', i) || '</a>'), int4range(i, i + 10),
       to_tsvector('simple', canary('search', i)), convert_to(canary('photo', i), 'UTF8'), 1000 + i % 5000 + 0.25,
       i / 7.0, i % 11 > 0, ARRAY['a', 'b']::shorter_name[], timestamptz '2020-01-01 00:00+00' + i * interval '1 minute'
  FROM generate_series(1, :rows) i;
UPDATE person SET manager = code / 10 + 1 WHERE code % 4 = 0;
ALTER TABLE person DROP gone_first, DROP gone_middle;

CREATE UNIQUE INDEX person_email_key ON person (email) WITH (fillfactor = 70);
CREATE UNIQUE INDEX person_token_key ON person (token);
CREATE INDEX person_last_name_idx ON person (last_name DESC NULLS LAST, first_name) INCLUDE (phone) TABLESPACE hostile_space;
CREATE INDEX person_lower_idx ON person (lower(street), (first_name || last_name::text));
ALTER INDEX person_lower_idx ALTER COLUMN 2 SET STATISTICS 321;
CREATE INDEX person_active_idx ON person (nickname) WHERE active AND phone IS NOT NULL;
CREATE INDEX person_created_idx ON person USING brin (created) WITH (pages_per_range = 32);
CREATE INDEX person_search_idx ON person USING gin (search) WITH (fastupdate = off);
CREATE INDEX person_street_idx ON person USING gin (street gin_trgm_ops);
CREATE INDEX person_span_idx ON person USING gist (span);
CREATE INDEX person_phone_idx ON person USING hash (phone);
CREATE INDEX person_notes_idx ON person USING spgist (first_name) WHERE length(first_name) < 40;
COMMENT ON INDEX person_email_key IS 'one person, one address: don''t touch';
COMMENT ON CONSTRAINT person_pkey ON person IS 'numbered';
COMMENT ON CONSTRAINT person_badge_key ON person IS 'badges change hands';
COMMENT ON CONSTRAINT person_manager_fkey ON person IS 'reports to';
COMMENT ON COLUMN person.email IS 'where to write to';
COMMENT ON TABLE person IS 'people';
\if :v15
CREATE UNIQUE INDEX person_code_key ON person (code, feeling) NULLS NOT DISTINCT;
\endif
-- An index that a failed build has left behind, invalid.
\set ON_ERROR_STOP off
CREATE UNIQUE INDEX CONCURRENTLY person_left_behind ON person (last_name);
\set ON_ERROR_STOP on
CREATE STATISTICS person_names (ndistinct, dependencies, mcv) ON first_name, last_name FROM person;
COMMENT ON STATISTICS person_names IS 'names go together';
-- So few that they are stored as they are, not compressed.
ALTER STATISTICS person_names SET STATISTICS 5;
\if :v14
CREATE STATISTICS person_folded ON lower(last_name::text), feeling FROM person;
\endif
ALTER TABLE person REPLICA IDENTITY USING INDEX person_token_key;
ALTER TABLE person CLUSTER ON person_last_name_idx;

-- Whatever fires leaves a row here.
CREATE TABLE fired (what text, at timestamptz DEFAULT now());
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO public.fired (what) VALUES (tg_table_name || ' ' || tg_name);
  RETURN NEW;
END $$;
CREATE TRIGGER fire_origin BEFORE INSERT OR UPDATE OR DELETE ON person FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER fire_never BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER fire_replica BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER fire_always BEFORE INSERT ON person FOR EACH ROW WHEN (NEW.code > 0) EXECUTE FUNCTION fire();
CREATE TRIGGER fire_truncate BEFORE TRUNCATE ON person FOR EACH STATEMENT EXECUTE FUNCTION fire();
CREATE CONSTRAINT TRIGGER fire_late AFTER INSERT ON person DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fire();
ALTER TABLE person DISABLE TRIGGER fire_never;
ALTER TABLE person ENABLE REPLICA TRIGGER fire_replica;
ALTER TABLE person ENABLE ALWAYS TRIGGER fire_always;
CREATE RULE person_stays AS ON DELETE TO person WHERE old.code = 1 DO INSTEAD NOTHING;

GRANT SELECT, INSERT ON person TO :reader WITH GRANT OPTION;
GRANT UPDATE (email, phone), REFERENCES (id) ON person TO :reader;
GRANT USAGE ON SEQUENCE person_id_seq TO :reader;

-- ---------------------------------------------------------------- natural keys, masked integer keys, chains of keys

CREATE TABLE post (
  id        bigserial PRIMARY KEY,
  author    citext NOT NULL CONSTRAINT post_author_fkey REFERENCES person (nickname) ON UPDATE CASCADE,
  person_id int NOT NULL,
  body      text,
  CONSTRAINT post_person_fkey FOREIGN KEY (person_id) REFERENCES person (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO post (author, person_id, body)
SELECT upper(nickname::text), id, canary('body', id) FROM person WHERE code % 2 = 0;
CREATE INDEX post_author_idx ON post (author);
COMMENT ON CONSTRAINT post_author_fkey ON post IS 'who wrote it';
ALTER TABLE post REPLICA IDENTITY FULL;

CREATE TABLE ticket (id serial PRIMARY KEY, title text NOT NULL);
CREATE TABLE ticket_note (
  id        int GENERATED BY DEFAULT AS IDENTITY (INCREMENT BY 5) PRIMARY KEY,
  ticket_id int NOT NULL REFERENCES ticket MATCH FULL ON DELETE RESTRICT,
  note      varchar(200)
);
INSERT INTO ticket (title) SELECT canary('ticket', i) FROM generate_series(1, 3000) i;
INSERT INTO ticket_note (ticket_id, note) SELECT id, canary('note', id) FROM ticket;
ALTER TABLE ticket_note REPLICA IDENTITY NOTHING;
-- A key that nobody has validated stays so.
ALTER TABLE ticket_note ADD COLUMN other_ticket int;
ALTER TABLE ticket_note ADD CONSTRAINT ticket_note_other_fkey FOREIGN KEY (other_ticket) REFERENCES ticket NOT VALID;

-- A ring.
CREATE TABLE chicken (id int PRIMARY KEY, egg_id int, name text);
CREATE TABLE egg (id int PRIMARY KEY, chicken_id int REFERENCES chicken, name text);
INSERT INTO chicken SELECT i, i, canary('chicken', i) FROM generate_series(1, 500) i;
INSERT INTO egg SELECT i, i, canary('egg', i) FROM generate_series(1, 500) i;
ALTER TABLE chicken ADD CONSTRAINT chicken_egg_fkey FOREIGN KEY (egg_id) REFERENCES egg;

-- ---------------------------------------------------------------- partition trees

CREATE TABLE event (
  id        bigint NOT NULL,
  happened  date NOT NULL,
  person_id int REFERENCES person,
  payload   text,
  size      int GENERATED ALWAYS AS (length(payload)) STORED,
  PRIMARY KEY (id, happened)
) PARTITION BY RANGE (happened);
CREATE TABLE event_2020 PARTITION OF event FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') PARTITION BY HASH (id);
CREATE TABLE event_2020_a PARTITION OF event_2020 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE event_2020_b PARTITION OF event_2020 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
-- Attached later, with its columns in another order and one dropped.
CREATE TABLE event_2021 (
  gone int, payload text, happened date NOT NULL, id bigint NOT NULL, person_id int,
  size int GENERATED ALWAYS AS (length(payload)) STORED
);
ALTER TABLE event_2021 DROP gone;
ALTER TABLE event ATTACH PARTITION event_2021 FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE event_rest PARTITION OF event DEFAULT;
CREATE INDEX event_payload_idx ON event (payload);
CREATE INDEX event_2021_own_idx ON event_2021 (upper(payload)) WITH (fillfactor = 60);
COMMENT ON INDEX event_2020_a_payload_idx IS 'half of a year';
CREATE TRIGGER fire_event AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION fire();
ALTER TABLE event DISABLE TRIGGER fire_event;
INSERT INTO event SELECT i, date '2020-01-01' + i % 1000, 1 + i % :rows, canary('payload', i)
  FROM generate_series(1, :rows) i;
ALTER TABLE event ENABLE TRIGGER fire_event;
ALTER TABLE event_2021 ENABLE ALWAYS TRIGGER fire_event;

CREATE TABLE event_note (event_id bigint, happened date, note text,
  CONSTRAINT event_note_event_fkey FOREIGN KEY (event_id, happened) REFERENCES event ON DELETE CASCADE);
INSERT INTO event_note SELECT id, happened, canary('event-note', id) FROM event WHERE id % 10 = 0;

CREATE TABLE visit (id int, who text NOT NULL, hits int DEFAULT 1, UNIQUE (id)) PARTITION BY HASH (id);
CREATE TABLE visit_0 PARTITION OF visit FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE visit_1 PARTITION OF visit FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE visit_2 PARTITION OF visit FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO visit SELECT i, canary('visitor', i % 900) FROM generate_series(1, :rows) i;
ALTER TABLE visit_1 CLUSTER ON visit_1_id_key;
ALTER TABLE visit_2 ALTER id SET NOT NULL;
ALTER TABLE visit_2 REPLICA IDENTITY USING INDEX visit_2_id_key;

-- ---------------------------------------------------------------- inheritance

CREATE TABLE document (id serial PRIMARY KEY, title text, CONSTRAINT titled CHECK (title <> ''));
CREATE TABLE stamped (stamped_by text, stamped_at timestamptz DEFAULT now());
CREATE TABLE letter (receiver text, PRIMARY KEY (id)) INHERITS (document);
CREATE TABLE sealed_letter (seal text) INHERITS (letter, stamped);
INSERT INTO document (title) SELECT canary('document', i) FROM generate_series(1, 2000) i;
INSERT INTO stamped (stamped_by) SELECT canary('stamped', i) FROM generate_series(1, 100) i;
INSERT INTO letter (title, receiver) SELECT canary('letter', i), canary('receiver', i) FROM generate_series(1, 2000) i;
INSERT INTO sealed_letter (title, receiver, seal, stamped_by)
SELECT canary('sealed', i), canary('receiver', i), canary('seal', i), canary('by', i) FROM generate_series(1, 1000) i;

-- ---------------------------------------------------------------- row security, other owners, exclusion

CREATE TABLE account (
  id      int PRIMARY KEY,
  holder  text NOT NULL,
  iban    varchar(34) CONSTRAINT account_iban_key UNIQUE,
  balance numeric(12,2) NOT NULL,
  egg_id  int REFERENCES egg
);
INSERT INTO account SELECT i, canary('holder', i), 'canaryq7x9k2m4pz' || i, i * 3.5, 1 + i % 500 FROM generate_series(1, 5000) i;
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
ALTER TABLE account FORCE ROW LEVEL SECURITY;
CREATE POLICY nobody ON account USING (false) WITH CHECK (false);
CREATE POLICY reader ON account AS RESTRICTIVE FOR SELECT TO :reader USING (balance < 100);

CREATE TABLE booking (
  room   int,
  during tstzrange,
  guest  text,
  CONSTRAINT booking_no_overlap EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (room > 0)
    DEFERRABLE INITIALLY IMMEDIATE
);
COMMENT ON CONSTRAINT booking_no_overlap ON booking IS 'one at a time';
INSERT INTO booking SELECT i % 50, tstzrange(timestamptz '2020-01-01' + i * interval '1 day',
       timestamptz '2020-01-01' + i * interval '1 day' + interval '3 hours'), canary('guest', i) FROM generate_series(1, 2000) i;

CREATE TABLE owned_by_group (id int PRIMARY KEY, secret text);
INSERT INTO owned_by_group SELECT i, canary('secret', i) FROM generate_series(1, 1000) i;
GRANT CREATE ON SCHEMA public TO :owner;
ALTER TABLE owned_by_group OWNER TO :owner;

GRANT REFERENCES (id) ON egg TO :stranger;

-- ---------------------------------------------------------------- odd shapes

CREATE SCHEMA "Sch.ema";
CREATE TABLE "Sch.ema"."Order.Details" ("Id" serial PRIMARY KEY, "na""me" text NOT NULL, "таблица" varchar(100), "*" int);
INSERT INTO "Sch.ema"."Order.Details" ("na""me", "таблица", "*")
SELECT canary('quoted', i), canary('имя', i), i FROM generate_series(1, 1000) i;
CREATE UNIQUE INDEX "odd ""index"".name" ON "Sch.ema"."Order.Details" ("таблица" text_pattern_ops) INCLUDE ("na""me");
CREATE INDEX "collated" ON "Sch.ema"."Order.Details" ("na""me" COLLATE "C" DESC, "*");

CREATE TABLE log_line (at timestamptz, who text, line text);
INSERT INTO log_line SELECT now(), canary('who', i % 20), canary('line', i) FROM generate_series(1, :rows) i;
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE only_dropped (a int, b text);
INSERT INTO only_dropped VALUES (1, 'x');
ALTER TABLE only_dropped DROP a, DROP b;
-- A type that has no binary form.
CREATE TABLE access_list (id int PRIMARY KEY, acl aclitem, who text, tab text);
INSERT INTO access_list
SELECT i, ('=r/' || current_user)::aclitem, canary('acl', i), CASE i % 4 WHEN 0 THEN E'a\tb\\n\n' WHEN 1 THEN '\N' WHEN 2 THEN '' END
  FROM generate_series(1, 500) i;
CREATE UNLOGGED TABLE scratch (id int PRIMARY KEY, who text);
INSERT INTO scratch SELECT i, canary('scratch', i) FROM generate_series(1, 500) i;
CREATE TABLE typed OF address (PRIMARY KEY (street));
INSERT INTO typed SELECT canary('typed', i), canary('town', i) FROM generate_series(1, 500) i;
CREATE TABLE nothing_in_it (id int PRIMARY KEY, who text);
CREATE TABLE to_empty (id serial PRIMARY KEY, session text);
INSERT INTO to_empty (session) SELECT canary('session', i) FROM generate_series(1, 500) i;
CREATE TABLE untouched (id int PRIMARY KEY, word text, egg_id int REFERENCES egg);
INSERT INTO untouched SELECT i, 'word ' || i, i FROM generate_series(1, 500) i;
CREATE TABLE member (id int PRIMARY KEY, email varchar(120) NOT NULL, age int, invited_by int REFERENCES member);
CREATE UNIQUE INDEX member_email_key ON member (lower(email));
INSERT INTO member
SELECT i, CASE WHEN i % 10 = 0 THEN 'colleague' || i || '@ours.example' ELSE canary('member', i) || '@real.example' END, i % 100,
       CASE WHEN i % 100 IN (0, 50) THEN i - 1 END
  FROM generate_series(1, 2000) i;
CREATE TABLE constants (id int PRIMARY KEY, who text NOT NULL, fax text);
INSERT INTO constants SELECT i, canary('constant', i), canary('fax', i) FROM generate_series(1, 2000) i;
CREATE VIEW constant_names AS SELECT who FROM constants;
\if :v18
CREATE TABLE computed (id int PRIMARY KEY, word text, twice text GENERATED ALWAYS AS (word || word) VIRTUAL);
\else
CREATE TABLE computed (id int PRIMARY KEY, word text, twice text GENERATED ALWAYS AS (word || word) STORED);
\endif
INSERT INTO computed SELECT i, canary('computed', i) FROM generate_series(1, 500) i;
CREATE FOREIGN TABLE far_away (id int, who text) SERVER elsewhere;

-- ---------------------------------------------------------------- views and what depends on a primary key

CREATE VIEW posts_of AS
SELECT p.id, p.email, p.nickname, count(o.id) AS posts FROM person p LEFT JOIN post o ON o.person_id = p.id GROUP BY p.id;
CREATE VIEW busy WITH (security_barrier) AS SELECT * FROM posts_of WHERE posts > 0;
CREATE MATERIALIZED VIEW phone_book AS SELECT nickname, phone FROM person WHERE phone IS NOT NULL;
CREATE UNIQUE INDEX phone_book_key ON phone_book (nickname);
CREATE MATERIALIZED VIEW a_first_letter AS SELECT left(nickname::text, 1) AS letter, count(*), max(phone) FROM phone_book GROUP BY 1;
CREATE MATERIALIZED VIEW not_yet AS SELECT * FROM phone_book WITH NO DATA;
CREATE VIEW letters AS SELECT l.*, n.nickname FROM a_first_letter l LEFT JOIN phone_book n ON left(n.nickname::text, 1) = l.letter;
CREATE INDEX a_first_letter_idx ON a_first_letter (letter);
COMMENT ON MATERIALIZED VIEW phone_book IS 'everybody';
GRANT SELECT ON posts_of, phone_book TO :reader;
ALTER MATERIALIZED VIEW phone_book OWNER TO :owner;
ALTER VIEW busy OWNER TO :owner;
GRANT SELECT ON person, posts_of TO :owner;
CREATE VIEW writable AS SELECT id, who FROM scratch;
CREATE RULE write_through AS ON INSERT TO writable DO INSTEAD INSERT INTO scratch VALUES (new.id, new.who);

CREATE PUBLICATION some_tables FOR TABLE person, post, ticket WITH (publish = 'insert, update');
\if :v15
CREATE PUBLICATION few_columns FOR TABLE account (id, balance) WHERE (id > 10);
\endif

ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO :reader;
ALTER TABLE ticket ALTER title SET DEFAULT 'untitled';
ALTER SEQUENCE ticket_id_seq CACHE 10;
DROP FUNCTION canary, canary_uuid;
