-- Every state and mark that a dump of the schema does not show, or shows in passing; by name, in any order.

\echo triggers
SELECT tgrelid::regclass, tgname, tgenabled, tgisinternal, pg_get_triggerdef(oid)
  FROM pg_trigger WHERE NOT tgisinternal OR tgparentid <> 0 AND tgconstraint = 0;
SELECT evtname, evtevent, evtenabled, evtowner::regrole, evtfoid::regproc FROM pg_event_trigger;

\echo relations
SELECT n.nspname, c.relname, c.relkind, c.relowner::regrole, c.relacl, c.relreplident, c.relrowsecurity, c.relforcerowsecurity,
       c.relpersistence, c.relispopulated, c.relispartition, c.reloptions, t.spcname, c.relhassubclass,
       obj_description(c.oid, 'pg_class')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
 WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'anonymizer');

\echo columns
SELECT a.attrelid::regclass, a.attnum, a.attname, a.attisdropped, a.attstattarget, a.attoptions, a.attstorage, a.attacl,
       a.attnotnull, a.attidentity, a.attgenerated, a.atthasdef, to_jsonb(a) ->> 'attcompression', a.attinhcount, a.attislocal,
       col_description(a.attrelid, a.attnum)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'anonymizer') AND a.attnum > 0;

\echo indexes
SELECT i.indrelid::regclass, i.indexrelid::regclass, i.indisvalid, i.indisready, i.indislive, i.indisclustered, i.indisreplident,
       i.indimmediate, i.indisprimary, i.indisexclusion, h.inhparent::regclass, pg_get_indexdef(i.indexrelid)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid
 WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'anonymizer');

\echo constraints
SELECT c.conrelid::regclass, c.conname, c.contype, c.convalidated, c.condeferrable, c.condeferred, c.conislocal, c.coninhcount,
       c.connoinherit, p.conname, c.conindid::regclass, pg_get_constraintdef(c.oid), obj_description(c.oid, 'pg_constraint')
  FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace LEFT JOIN pg_constraint p ON p.oid = c.conparentid
 WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'anonymizer')
   -- Copies for the partitions of a referenced table get a number in their name.
   AND NOT (c.contype = 'f' AND c.conparentid <> 0 AND c.conrelid = p.conrelid);

\echo what depends on constraints
SELECT r.ev_class::regclass, k.conrelid::regclass, k.conname
  FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_constraint k ON k.oid = d.refobjid
 WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_constraint'::regclass;

\echo extended statistics
SELECT s.stxrelid::regclass, s.stxname, s.stxstattarget, s.stxowner::regrole, pg_get_statisticsobjdef(s.oid),
       obj_description(s.oid, 'pg_statistic_ext')
  FROM pg_statistic_ext s;

\echo sequences
SELECT s.seqrelid::regclass, s.seqincrement, s.seqcache, s.seqmax, s.seqcycle, d.deptype, d.refobjid::regclass, d.refobjsubid
  FROM pg_sequence s LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype IN ('a', 'i')
 WHERE s.seqrelid::regclass::text NOT LIKE 'anonymizer.%';

\echo publications, policies, rules, inheritance, memberships
SELECT p.pubname, t.schemaname, t.tablename, p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate
  FROM pg_publication p LEFT JOIN pg_publication_tables t USING (pubname)
 WHERE t.schemaname <> 'anonymizer';
SELECT * FROM pg_policies;
SELECT r.ev_class::regclass, r.rulename, r.ev_enabled, pg_get_ruledef(r.oid) FROM pg_rewrite r
  JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'anonymizer');
SELECT inhrelid::regclass, inhparent::regclass, inhseqno FROM pg_inherits;
SELECT roleid::regrole, member::regrole, admin_option FROM pg_auth_members
 WHERE member::regrole::text LIKE 'anonymizer%';
SELECT defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype, defaclacl FROM pg_default_acl;
