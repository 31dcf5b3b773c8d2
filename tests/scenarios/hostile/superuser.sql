-- What only a superuser can set up, before the schema: extensions, roles' memberships, a table space.
-- psql variables: master, owner, stranger, reader.

CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION btree_gist;
CREATE EXTENSION pg_trgm;

-- A foreign table that nothing can read: touching it fails.
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere;
GRANT USAGE ON FOREIGN SERVER elsewhere TO :master;

-- A table that belongs to an extension.
CREATE TABLE extension_settings (name text PRIMARY KEY, value text);
INSERT INTO extension_settings VALUES ('mode', 'fast');
ALTER EXTENSION pg_trgm ADD TABLE extension_settings;
GRANT SELECT ON extension_settings TO :master;

-- Event triggers, which the master role can neither disable nor own.
CREATE SCHEMA guard;
CREATE FUNCTION guard.notice_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE DEBUG 'ddl: %', tg_tag;
END $$;
CREATE FUNCTION guard.refuse_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'this trigger is disabled and must stay so';
END $$;
CREATE EVENT TRIGGER notice_end ON ddl_command_end EXECUTE FUNCTION guard.notice_ddl();
CREATE EVENT TRIGGER notice_drop ON sql_drop EXECUTE FUNCTION guard.notice_ddl();
CREATE EVENT TRIGGER notice_rewrite ON table_rewrite EXECUTE FUNCTION guard.notice_ddl();
CREATE EVENT TRIGGER refuse_start ON ddl_command_start EXECUTE FUNCTION guard.refuse_ddl();
ALTER EVENT TRIGGER refuse_start DISABLE;
