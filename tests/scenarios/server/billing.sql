-- The smaller one: what is owed, by people that the shop knows too.
CREATE TABLE invoices (
    id int PRIMARY KEY, payer text NOT NULL, email text NOT NULL, iban text NOT NULL, cents int NOT NULL);
INSERT INTO invoices
SELECT n, 'Payer' || n || ' Ofbefore', 'payer' || n || '@books.net',
       'DE' || 10 + n || lpad((7919 * n)::text, 18, '5'), n * 100
FROM generate_series(1, 40) n;
