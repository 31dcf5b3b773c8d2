-- Tables to break a run on, 300,000 rows and more with `customers` = 60000. psql variable: customers.

CREATE TABLE customer (
  id    int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL UNIQUE,
  name  text NOT NULL
);
INSERT INTO customer (email, name) SELECT 'canary' || i || '@real.example', 'canary ' || i FROM generate_series(1, :customers) i;

CREATE TABLE purchase (
  id             int PRIMARY KEY,
  customer_id    int NOT NULL REFERENCES customer,
  customer_email text NOT NULL REFERENCES customer (email),
  note           text NOT NULL
);
INSERT INTO purchase SELECT i, 1 + i % :customers, 'canary' || 1 + i % :customers || '@real.example', 'canary note ' || i
  FROM generate_series(1, 2 * :customers) i;
CREATE INDEX purchase_email_idx ON purchase (customer_email);

CREATE TABLE visit (id int NOT NULL, customer_id int REFERENCES customer, seen_from text NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE visit_a PARTITION OF visit FOR VALUES FROM (MINVALUE) TO (:customers);
CREATE TABLE visit_b PARTITION OF visit FOR VALUES FROM (:customers) TO (MAXVALUE);
INSERT INTO visit SELECT i, 1 + i % :customers, 'canary ' || i FROM generate_series(1, 2 * :customers) i;
CREATE INDEX visit_customer_idx ON visit (customer_id);

CREATE MATERIALIZED VIEW directory AS SELECT email, name FROM customer;
CREATE UNIQUE INDEX directory_key ON directory (email);

-- A chain and a ring of keys, each table locked by its neighbours' keys.
CREATE TABLE link_1 (id int PRIMARY KEY, word text);
CREATE TABLE link_2 (id int PRIMARY KEY REFERENCES link_1, word text);
CREATE TABLE link_3 (id int PRIMARY KEY REFERENCES link_2, word text);
CREATE TABLE link_4 (id int PRIMARY KEY REFERENCES link_3, word text);
CREATE TABLE link_5 (id int PRIMARY KEY REFERENCES link_4, word text, first int REFERENCES link_1);
CREATE TABLE link_6 (id int PRIMARY KEY REFERENCES link_5, word text, own int REFERENCES link_6);
INSERT INTO link_1 SELECT i, 'canary ' || i FROM generate_series(1, 1000) i;
INSERT INTO link_2 SELECT * FROM link_1;
INSERT INTO link_3 SELECT * FROM link_1;
INSERT INTO link_4 SELECT * FROM link_1;
INSERT INTO link_5 SELECT *, id FROM link_1;
INSERT INTO link_6 SELECT *, id FROM link_1;
ALTER TABLE link_1 ADD COLUMN last int REFERENCES link_6;
UPDATE link_1 SET last = id;
