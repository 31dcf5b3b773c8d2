-- A small server of one database, and the role that applications log in as: readers of books.
CREATE TABLE readers (id int PRIMARY KEY, name text NOT NULL, email text NOT NULL, phone text NOT NULL, loans int NOT NULL);
INSERT INTO readers
SELECT n, 'Reader' || n || ' Ofbooks', 'reader' || n || '.ofbooks@mail' || n % 5 || '.net', '+49 30 ' || 1000000 + n * 7919, n
FROM generate_series(1, 60) n;
CREATE ROLE books_app LOGIN PASSWORD 'known in production';
GRANT SELECT ON readers TO books_app;
