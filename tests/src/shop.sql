PRAGMA page_size = 4096;

CREATE TABLE products(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  price DECIMAL(10, 2) NOT NULL CHECK (price > 0)
);

CREATE TABLE customers(
  id INTEGER PRIMARY KEY,
  email VARCHAR(120) NOT NULL UNIQUE COLLATE NOCASE,
  first_name VARCHAR(60) NOT NULL,
  last_name VARCHAR(60) NOT NULL,
  phone VARCHAR(30),
  birth_date DATE,
  fax VARCHAR(30),
  newsletter BOOLEAN NOT NULL DEFAULT 0,
  profile JSON CHECK (json_valid(profile)),
  notes TEXT,
  created_at DATETIME NOT NULL
);
CREATE INDEX customers_by_name ON customers(last_name, first_name);

CREATE TABLE addresses(
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers(id),
  street VARCHAR(80) NOT NULL,
  postal_code VARCHAR(12) NOT NULL,
  city VARCHAR(60) NOT NULL,
  country CHAR(2) NOT NULL
);
CREATE INDEX addresses_by_customer ON addresses(customer_id);

CREATE TABLE orders(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  customer_id INTEGER NOT NULL REFERENCES customers(id),
  ordered_at DATETIME NOT NULL,
  status TEXT NOT NULL,
  total DECIMAL(10, 2) NOT NULL,
  ship_name VARCHAR(120) NOT NULL,
  ip VARCHAR(45),
  note TEXT
);
CREATE INDEX orders_by_customer ON orders(customer_id, ordered_at);

CREATE TABLE reviews(
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers(id),
  product_id INTEGER NOT NULL REFERENCES products(id),
  stars INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5),
  author VARCHAR(120) NOT NULL,
  body TEXT NOT NULL
);

CREATE TABLE payment_tokens(
  customer_id INTEGER PRIMARY KEY REFERENCES customers(id),
  iban VARCHAR(34) NOT NULL UNIQUE,
  token TEXT NOT NULL,
  card_last4 CHAR(4) NOT NULL,
  expires DATE NOT NULL
);

CREATE TABLE sessions(
  token TEXT PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers(id),
  seen_at DATETIME NOT NULL
) WITHOUT ROWID;

-- Remembers every word of every review, and so must be made anew from the masked ones.
CREATE VIRTUAL TABLE review_search USING fts5(author, body, content='reviews', content_rowid='id');
CREATE TRIGGER reviews_are_searchable AFTER INSERT ON reviews BEGIN
  INSERT INTO review_search(rowid, author, body) VALUES (new.id, new.author, new.body);
END;

CREATE VIEW customer_totals AS
  SELECT c.id, c.email, count(o.id) AS orders, coalesce(sum(o.total), 0) AS total
  FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id;
