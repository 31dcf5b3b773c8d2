//! Roles and databases that a hosting provider keeps for itself: they are no tenant's, and no tenant may touch them.
//!
//! A name alone proves nothing: it counts on a server on which the provider's own role is. Anybody can name a role `rds_report`,
//! so that of Amazon's the whole names count.

/// An SQL condition on a row `r` of `pg_roles`.
pub const ROLE: &str = "(r.rolname ~ '^pg_' OR EXISTS (
    SELECT FROM (VALUES ('rdsadmin', '^(rdsadmin|rdsrepladmin|rdstopmgr|rdsproxyadmin|rdswriteforwarduser|rds_(superuser|replication|password|iam|ad|extension|reserved))$'), ('cloudsqladmin', '^cloudsql'), ('alloydbadmin', '^alloydb'), ('azuresu', '^azure'))
           AS provider(mark, pattern)
    JOIN pg_catalog.pg_roles mark ON mark.rolname = provider.mark AND mark.rolsuper
    WHERE r.rolname ~ provider.pattern))";

/// An SQL condition on a row `d` of `pg_database`.
pub const DATABASE: &str = "EXISTS (
    SELECT FROM (VALUES ('rdsadmin', 'rdsadmin'), ('cloudsqladmin', 'cloudsqladmin'), ('alloydbadmin', 'alloydbadmin'),
                        ('azuresu', 'azure_maintenance'), ('azuresu', 'azure_sys')) AS provider(mark, name)
    JOIN pg_catalog.pg_roles mark ON mark.rolname = provider.mark AND mark.rolsuper WHERE d.datname = provider.name)";
