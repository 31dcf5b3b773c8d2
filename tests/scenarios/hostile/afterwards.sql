-- What only a superuser can set up, after the schema: a table whose owner the master role is no member of, in a schema
-- that it may not even look into.
-- psql variables: stranger.

CREATE SCHEMA foreign_land AUTHORIZATION :stranger;
SET ROLE :stranger;
CREATE TABLE foreign_land.strange (id int PRIMARY KEY, who text, owner_only text, egg_id int REFERENCES public.egg);
INSERT INTO foreign_land.strange
SELECT i, 'canaryq7x9k2m4pz-strange-' || i, 'canaryq7x9k2m4pz-only-' || i, 1 + i % 500 FROM generate_series(1, 1000) i;
RESET ROLE;
CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert');
ANALYZE;
