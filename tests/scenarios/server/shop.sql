-- The larger database of the server: a shop, and the role that applications log in as.
\set customers 300
\set orders 600
\ir ../bench/shop.sql
CREATE ROLE shop_app LOGIN PASSWORD 'known in production';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO shop_app;
