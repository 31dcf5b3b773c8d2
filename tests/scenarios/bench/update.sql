-- What the rules do, as plain SQL: one UPDATE per table with expressions that cost what keyed fakes cost in SQL.
\set ON_ERROR_STOP 1
UPDATE customers SET
    email = 'u' || md5('k' || email) || '@example.com',
    first_name = initcap(substr(md5('f' || id), 1, 6)),
    last_name = initcap(substr(md5('l' || id), 1, 8)),
    phone = '+1555' || translate(substr(md5('p' || phone), 1, 7), 'abcdef', '012345'),
    street = initcap(substr(md5('s' || street), 1, 10)) || ' Road',
    birth_date = birth_date + (('x' || substr(md5('b' || birth_date), 1, 4))::bit(16)::int % 45) + 1,
    iban = 'FR' || translate(substr(md5('i' || iban), 1, 25), 'abcdef', '012345'),
    ip = ('198.18.' || ('x' || substr(md5('a' || ip), 1, 2))::bit(8)::int || '.' || ('x' || substr(md5('a' || ip), 3, 2))::bit(8)::int)::inet,
    notes = CASE WHEN notes IS NOT NULL THEN '[redacted]' END;
UPDATE orders SET
    ship_name = initcap(substr(md5('f' || customer_id), 1, 6)) || ' ' || initcap(substr(md5('l' || customer_id), 1, 8)),
    ship_address = initcap(substr(md5('s' || ship_address), 1, 10)) || ' Road',
    contact_email = 'u' || md5('k' || contact_email) || '@example.com';
VACUUM FULL customers;
VACUUM FULL orders;
