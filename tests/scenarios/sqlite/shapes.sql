-- Every shape a SQLite schema can have that makes a table hard to fill again.
PRAGMA page_size = 8192;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA encoding = 'UTF-16le';
PRAGMA user_version = 42;
PRAGMA application_id = 77;

-- No INTEGER PRIMARY KEY, holes in the rowids, and a column that takes the first name of the rowid.
CREATE TABLE loose(rowid TEXT, secret TEXT);
INSERT INTO loose(_rowid_, rowid, secret) VALUES (5, 'a', 'Wilhelmina'), (900, 'b', 'Wilhelmina'), (9000000000, 'c', NULL);

CREATE TABLE people(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  email TEXT COLLATE NOCASE UNIQUE ON CONFLICT REPLACE,
  name TEXT NOT NULL ON CONFLICT REPLACE DEFAULT 'nobody',
  loud TEXT GENERATED ALWAYS AS (upper(name)) STORED,
  "full ""text""" TEXT AS (name || ' <' || email || '>') VIRTUAL,
  age INTEGER CHECK (age > 0),
  boss INTEGER REFERENCES people(id)
);
CREATE UNIQUE INDEX people_by_name ON people(lower(name), id DESC) WHERE name <> 'x';
CREATE INDEX people_by_loud ON people(loud COLLATE RTRIM);
CREATE TABLE log(message TEXT);
CREATE TRIGGER people_are_logged AFTER INSERT ON people BEGIN
  INSERT INTO log VALUES ('inserted ' || new.name);
END;
CREATE TRIGGER people_are_mourned AFTER DELETE ON people BEGIN
  INSERT INTO log VALUES ('deleted ' || old.name);
END;
INSERT INTO people(id, email, name, age, boss) VALUES
  (1, 'Wilhelmina@x.test', 'Wilhelmina', 31, NULL), (7, 'Bartholomew@x.test', 'Bartholomew', 42, 1),
  (8, NULL, 'Esmeralda', NULL, 7), (9, 'Ferdinand@x.test', 'Ferdinand', 9, 7);
DELETE FROM people WHERE id = 9;
DELETE FROM log;

CREATE TABLE places(
  country TEXT, code TEXT, name TEXT, PRIMARY KEY (country, code DESC)
) WITHOUT ROWID;
INSERT INTO places VALUES ('FR', '75', 'Wilhelmina'), ('FR', '13', 'Bartholomew'), ('DE', '10', NULL);

CREATE TABLE precise(id INT PRIMARY KEY, name TEXT, amount REAL, raw BLOB, any ANY) STRICT;
INSERT INTO precise VALUES (1, 'Wilhelmina', 1.5, x'00ff', 'text'), (2, NULL, 2, NULL, 7);

CREATE TABLE backwards(id INTEGER PRIMARY KEY DESC, name TEXT);
INSERT INTO backwards VALUES (3, 'Wilhelmina'), (1, 'Bartholomew');

CREATE TABLE "naïve ""table"", 日本"("sélect" TEXT, [from] TEXT, `a``b` TEXT);
INSERT INTO "naïve ""table"", 日本" VALUES ('Wilhelmina', 'keep', 'Bartholomew');

CREATE TABLE untouched(id INTEGER PRIMARY KEY, stamp REAL);
INSERT INTO untouched VALUES (1, 2.5), (10, NULL);
CREATE TABLE empty(name TEXT);

CREATE VIEW elders AS SELECT name, loud FROM people WHERE age > 30;

CREATE VIRTUAL TABLE area USING rtree(id, x0, x1, +label);
INSERT INTO area VALUES (1, 0.0, 1.0, 'Wilhelmina'), (2, 2.0, 3.0, 'Bartholomew');

ANALYZE;
