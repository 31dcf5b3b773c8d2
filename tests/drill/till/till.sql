-- A till on a cluster: receipts with those who paid, and the role that applications log in as.
CREATE TABLE receipts (
    id int PRIMARY KEY, payer text NOT NULL, email text NOT NULL, phone text NOT NULL, iban text NOT NULL, cents int NOT NULL);
INSERT INTO receipts
SELECT n, 'Buyer' || n || ' Atthetill', 'buyer' || n || '@tillpost.org', '+49 30 77' || lpad((4211 * n)::text, 7, '0'),
       'DE' || 10 + n % 80 || lpad((6131 * n)::text, 18, '7'), n * 10
FROM generate_series(1, 200) n;
CREATE ROLE till_app LOGIN PASSWORD 'known at the till';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO till_app;
