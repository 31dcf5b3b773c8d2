-- The shop's tables in PostgreSQL, with what SQLite does not have in place of what it has. Rows come in the middle.
CREATE TABLE products(
  id int PRIMARY KEY,
  name text NOT NULL,
  price numeric(10, 2) NOT NULL CHECK (price > 0)
);
CREATE TABLE customers(
  id int PRIMARY KEY,
  email varchar(120) NOT NULL,
  first_name varchar(60) NOT NULL,
  last_name varchar(60) NOT NULL,
  phone varchar(30),
  birth_date date,
  fax varchar(30),
  newsletter boolean NOT NULL DEFAULT false,
  profile jsonb,
  notes text,
  created_at timestamp NOT NULL
);
CREATE TABLE addresses(
  id int PRIMARY KEY,
  customer_id int NOT NULL,
  street varchar(80) NOT NULL,
  postal_code varchar(12) NOT NULL,
  city varchar(60) NOT NULL,
  country char(2) NOT NULL
);
CREATE TABLE orders(
  id int PRIMARY KEY,
  customer_id int NOT NULL,
  ordered_at timestamp NOT NULL,
  status text NOT NULL,
  total numeric(10, 2) NOT NULL,
  ship_name varchar(120) NOT NULL,
  ip varchar(45),
  note text
);
CREATE TABLE reviews(
  id int PRIMARY KEY,
  customer_id int NOT NULL,
  product_id int NOT NULL,
  stars int NOT NULL CHECK (stars BETWEEN 1 AND 5),
  author varchar(120) NOT NULL,
  body text NOT NULL
);
CREATE TABLE payment_tokens(
  customer_id int PRIMARY KEY,
  iban varchar(34) NOT NULL UNIQUE,
  token text NOT NULL,
  card_last4 char(4) NOT NULL,
  expires date NOT NULL
);
CREATE TABLE sessions(
  token text PRIMARY KEY,
  customer_id int NOT NULL,
  seen_at timestamp NOT NULL
);
-- rows
CREATE UNIQUE INDEX customers_by_email ON customers(lower(email));
CREATE INDEX customers_by_name ON customers(last_name, first_name);
CREATE INDEX addresses_by_customer ON addresses(customer_id);
CREATE INDEX orders_by_customer ON orders(customer_id, ordered_at);
ALTER TABLE addresses ADD FOREIGN KEY (customer_id) REFERENCES customers(id);
ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers(id);
ALTER TABLE reviews ADD FOREIGN KEY (customer_id) REFERENCES customers(id);
ALTER TABLE reviews ADD FOREIGN KEY (product_id) REFERENCES products(id);
ALTER TABLE payment_tokens ADD FOREIGN KEY (customer_id) REFERENCES customers(id);
ALTER TABLE sessions ADD FOREIGN KEY (customer_id) REFERENCES customers(id);

-- Remembers every word of every review, and so is computed anew from the masked ones.
ALTER TABLE reviews ADD words tsvector GENERATED ALWAYS AS (to_tsvector('simple', author || ' ' || body)) STORED;
CREATE INDEX reviews_by_word ON reviews USING gin (words);
CREATE MATERIALIZED VIEW customer_totals AS
  SELECT c.id, c.email, count(o.id) AS orders, coalesce(sum(o.total), 0) AS total
  FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id;
ANALYZE;
