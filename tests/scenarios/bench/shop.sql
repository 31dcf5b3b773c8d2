-- A shop: :customers customers with nine columns of personal data and :orders orders with three. Deterministic.
\set ON_ERROR_STOP 1
CREATE TABLE customers (
    id bigint NOT NULL, email text NOT NULL, first_name text NOT NULL, last_name text NOT NULL, phone text, street text,
    city text, zip text, country char(2), birth_date date, iban text, ip inet, notes text, created_at timestamptz NOT NULL,
    is_active boolean NOT NULL DEFAULT true, loyalty_points int NOT NULL DEFAULT 0);
CREATE TABLE orders (
    id bigint NOT NULL, customer_id bigint NOT NULL, ship_name text NOT NULL, ship_address text NOT NULL,
    total numeric(10,2) NOT NULL, created_at timestamptz NOT NULL, status text NOT NULL, contact_email text NOT NULL);

-- A number below :m that looks random and depends on a name and a seed only.
CREATE FUNCTION pick(name text, seed bigint, m int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT ((hashtextextended(name, seed) & 9223372036854775807) % m)::int $$;

INSERT INTO customers
SELECT i,
       substr(md5('f' || pick('first', i, 500)), 1, 6) || '.' || substr(md5('l' || pick('last', i, 2000)), 1, 8) || i || '@mail' || i % 5 || '.net',
       initcap(substr(md5('f' || pick('first', i, 500)), 1, 6)),
       initcap(substr(md5('l' || pick('last', i, 2000)), 1, 8)),
       '+' || 30 + pick('prefix', i, 60) || ' ' || 1000000 + pick('number', i, 8999999),
       initcap(substr(md5('s' || pick('street', i, 3000)), 1, 10)) || ' Road ' || 1 + pick('house', i, 240),
       initcap(substr(md5('c' || pick('city', i, 800)), 1, 9)),
       lpad(pick('zip', i, 99999)::text, 5, '0'),
       (ARRAY['DE','FR','GB','US','IT','ES','NL','PL','SE','AT'])[1 + pick('country', i, 10)],
       date '1940-01-01' + pick('birth', i, 24000),
       'FR' || lpad(pick('check', i, 99)::text, 2, '0') || lpad(pick('bank', i, 999999999)::text, 12, '0') || lpad(i::text, 11, '0'),
       ('10.' || pick('a', i, 255) || '.' || pick('b', i, 255) || '.' || pick('c', i, 255))::inet,
       CASE WHEN pick('notes', i, 10) < 4 THEN 'Called about order ' || pick('order', i, 3000000) || ', to be called back at +' || 1000000 + pick('number', i, 8999999) END,
       timestamptz '2018-01-01 00:00+00' + pick('created', i, 200000000) * interval '1 second',
       pick('active', i, 10) > 0,
       pick('points', i, 5000)
FROM generate_series(1, :customers::bigint) i;

INSERT INTO orders
SELECT i, c,
       initcap(substr(md5('f' || pick('first', c, 500)), 1, 6)) || ' ' || initcap(substr(md5('l' || pick('last', c, 2000)), 1, 8)),
       initcap(substr(md5('s' || pick('street', c, 3000)), 1, 10)) || ' Road ' || 1 + pick('house', c, 240) || ', ' || lpad(pick('zip', c, 99999)::text, 5, '0'),
       (100 + pick('total', i, 90000)) / 100.0,
       timestamptz '2019-01-01 00:00+00' + i * interval '60 second',
       (ARRAY['new','paid','shipped','done','returned'])[1 + pick('status', i, 5)],
       substr(md5('f' || pick('first', c, 500)), 1, 6) || '.' || substr(md5('l' || pick('last', c, 2000)), 1, 8) || c || '@mail' || c % 5 || '.net'
FROM (SELECT i, 1 + pick('customer', i, :customers::int) AS c FROM generate_series(1, :orders::bigint) i) x;

DROP FUNCTION pick;
\ir indexes.sql
VACUUM (ANALYZE, FREEZE) customers, orders;
