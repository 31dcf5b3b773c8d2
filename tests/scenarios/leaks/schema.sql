-- A shop in which what customers are called stands in more places than the columns that say so.
CREATE TABLE customers (
    id int PRIMARY KEY, email text UNIQUE, phone text, full_name text, iban text, login text, street text, first_name text,
    token text, code text, birth_date date, city text, plan text);
INSERT INTO customers SELECT i, 'Ada.Canary' || i || '@mail' || i % 7 || '.fr', '+336' || 10000000 + i * 7919,
    'Ada' || chr(97 + i % 26) || 'line Canary' || chr(97 + i / 26), 'n/a', 'canary_' || i * 37, i || ' rue du Canari',
    'Ada', md5('canary' || i), format('{"badge": "B-%s"}', 70000 + i), date '1980-01-01' + i, 'Paris', CASE i % 2 WHEN 0 THEN 'free' ELSE 'paid' END
    FROM generate_series(1, 400) i;
UPDATE customers SET iban = 'DE89370400440532013000' WHERE id = 1;
INSERT INTO customers VALUES (9001, 'staff.canary@shop.fr', '+33655500011', 'Eve Canarystaff', NULL, 'staff_canary1', '1 rue du Shop');

-- Nothing to find: words that are somebody's login, numbers, hashes, dates as text, our own addresses.
CREATE TABLE products (id int PRIMARY KEY, name text, colour text, sku text, made text, digest text, support_email text);
INSERT INTO products SELECT i, 'Adaline Garden ' || i, (ARRAY['orange', 'violet', 'amber'])[1 + i % 3], 'SKU-' || 1000000000 + i,
    '2024-01-' || 10 + i % 18 || ' 10:11:12', md5('product' || i), 'help' || i % 3 || '@shop.fr' FROM generate_series(1, 300) i;
UPDATE customers SET login = (ARRAY['orange', 'violet', 'amber'])[id] WHERE id <= 3;

CREATE TABLE tickets (id int, body text, reply text);
INSERT INTO tickets SELECT i, 'The parcel is late, please look into it. ' || i, 'Done.' FROM generate_series(1, 200) i;
UPDATE tickets SET body = 'Hello, I wrote to you as ADA.CANARY17@MAIL3.FR last week.' WHERE id = 50;
UPDATE tickets SET reply = 'Called her back on 06 10 13 46 23, no answer.' WHERE id = 51;
UPDATE tickets SET reply = 'Transferred from de89 3704 0044 0532 0130 00.' WHERE id = 52;
UPDATE tickets SET reply = 'Canarya, Adaeline would like a refund.' WHERE id = 53;

CREATE TABLE audit (id int, old_row jsonb);
INSERT INTO audit SELECT id, to_jsonb(c) - 'full_name' - 'first_name' FROM customers c WHERE id BETWEEN 10 AND 19;

CREATE TABLE log_line (id int, request text, payload text, raw bytea);
INSERT INTO log_line VALUES
    (1, 'GET /reset?to=ada.canary20%40mail6.fr HTTP/1.1', 'nothing', NULL),
    (2, 'GET /', encode('{"to":"ada.canary21@mail0.fr"}', 'base64'), NULL),
    (3, 'GET /', 'eyJ0byI6IngifQ', convert_to('From: ada.canary22@mail1.fr', 'UTF8')),
    (4, 'GET /', 'x', decode(replace('61 64 61 2e 63 61 6e 61 72 79 32 33 40 6d 61 69 6c 32 2e 66 72', ' ', '00') || '00', 'hex'));

CREATE TABLE mailing (id int, recipients text[]);
INSERT INTO mailing VALUES (1, ARRAY['nobody at all', 'ada.canary24@mail3.fr']);

-- Nobody thought of this one; none of it is a customer's.
CREATE TABLE supplier (id int, hotline text);
INSERT INTO supplier SELECT i, '+49 30 2312' || 4000 + i * 13 FROM generate_series(1, 40) i;

CREATE TABLE settings (id int, value text DEFAULT 'ada.canary25@mail4.fr', CHECK (value <> 'ada.canary26@mail5.fr'));
COMMENT ON TABLE settings IS 'Ask ada.canary27@mail6.fr about these.';
CREATE MATERIALIZED VIEW names AS SELECT id, full_name, email FROM customers;
CREATE INDEX only_bird ON customers (id) WHERE plan <> 'Ada.Canary28@mail0.fr';
