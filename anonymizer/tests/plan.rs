//! The plan, from rules text and a catalog to what would be done or every finding.

mod schema;

use anonymizer::mask::Cell;
use anonymizer::mask::key::Keyring;
use anonymizer::plan::{Plan, plan};
use anonymizer::rules;
use anonymizer::value::Value;

/// The plan table by table, or the findings as a user reads them.
fn check(schema: &str, tables: &str) -> String {
    let text = format!("version: 1\ntables:\n{tables}");
    let keyring = Keyring::from_hex(&"7".repeat(64)).expect("a key");
    let rules = match rules::parse("x.yaml", text.as_bytes()) {
        Ok(rules) => rules,
        Err(findings) => return findings.to_string(),
    };
    match plan(&rules, &schema::catalog(schema), &keyring) {
        Ok(plan) => outline(&plan),
        Err(findings) => findings.to_string(),
    }
}

/// `public.users Rewrite: id=keep email=email` and what else there is to say.
fn outline(plan: &Plan) -> String {
    let mut lines = Vec::new();
    for table in &plan.tables {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| {
                let seed = column.seed.map(|seed| format!("({})", table.columns[seed].name));
                let sequence = if column.advance_sequence { "+sequence" } else { "" };
                let seed = seed.unwrap_or_default();
                format!("{}={}{seed}{sequence}", column.name, column.function)
            })
            .collect();
        let mut line = format!("{} {:?}: {}", table.name, table.action, columns.join(" "));
        for (what, predicate) in [("skip", &table.skip_rows), ("delete", &table.delete_rows)] {
            if let Some(predicate) = predicate {
                line.push_str(&format!(", {what} {predicate}"));
            }
        }
        for key in &table.delete_orphans_of {
            line.push_str(&format!(", orphans of {}", key.name));
        }
        lines.push(line);
    }
    lines.join("\n")
}

const SHOP: &str = "
table public.customers
  id int pk identity
  email varchar(60) unique
  name text null
  born date null
table public.orders
  id bigint pk
  customer_id int -> public.customers.id
  note text null
  total numeric
table public.lines
  order_id bigint -> public.orders.id
  article int
";

#[test]
fn rules_join_tables() {
    let rules = "
  customers:
    skip_rows: email LIKE '%@shop.example'
    columns: { email: email, name: { function: full_name, seed: id }, '*': keep }
  public.orders: { columns: { note: redact, '*': keep } }
  'line*': keep
";
    insta::assert_snapshot!(check(SHOP, rules), @r"
    public.customers Rewrite: id=keep email=email name=full_name(id) born=keep, skip email LIKE '%@shop.example'
    public.lines Keep: order_id=keep article=keep
    public.orders Rewrite: id=keep customer_id=keep note=redact total=keep
    ");
}

#[test]
fn what_is_not_decided_refuses_by_name() {
    let rules = "
  customers: keep
  orders: { columns: { '*': keep } }
";
    insta::assert_snapshot!(check(SHOP, rules), @r"
    failed to plan x.yaml: 4 findings
      x.yaml: public.lines: undecided table
        (hint: add `public.lines:` with `keep`, `truncate` or a mapping with `columns`)
      x.yaml:4:3: public.customers.email (varchar(60)): undecided column: `keep` for a whole table does not decide its type
        (hint: give it a function or `keep`; `anonymizer functions` lists what fits a column)
      x.yaml:4:3: public.customers.name (text): undecided column: `keep` for a whole table does not decide its type
        (hint: give it a function or `keep`; `anonymizer functions` lists what fits a column)
      x.yaml:5:3: public.orders.note (text): undecided column: the wildcard `*` at 5:24 does not decide its type
        (hint: give it a function or `keep`; `anonymizer functions` lists what fits a column)
    ");
}

#[test]
fn two_wildcards_and_idle_wildcards() {
    let rules = "
  'ord*': keep
  '*ers': { columns: { 'n*': redact, 'no*': redact, 'c*': keep, '*_id': keep, 'zz*': keep } }
  'lines': keep
  'other.*': keep
";
    insta::assert_snapshot!(check(SHOP, rules), @r"
    failed to plan x.yaml: 11 findings
      x.yaml:4:3: public.orders.note (text): undecided column: `keep` for a whole table does not decide its type
        (hint: give it a function or `keep`; `anonymizer functions` lists what fits a column)
      x.yaml:5:3: public.customers.born (date): undecided column
        (hint: give it a function or `keep`; `anonymizer functions` lists what fits a column)
      x.yaml:5:3: public.customers.email (varchar(60)): undecided column
        (hint: give it a function or `keep`; `anonymizer functions` lists what fits a column)
      x.yaml:5:3: public.customers.id (int): undecided column
        (hint: give it a function or `keep`; `anonymizer functions` lists what fits a column)
      x.yaml:5:3: public.customers.name (text): undecided column: the wildcard `n*` at 5:24 does not decide its type
        (hint: give it a function or `keep`; `anonymizer functions` lists what fits a column)
      x.yaml:5:3: public.orders: two wildcards match it, at 4:3 and here
        (hint: give the table a rule of its own, or narrow one of the two)
      x.yaml:5:38: public.customers.no*: wildcard that matches no column
        (hint: correct the name, or remove the line)
      x.yaml:5:53: public.customers.c*: wildcard that matches no column
        (hint: correct the name, or remove the line)
      x.yaml:5:65: public.customers.*_id: wildcard that matches no column
        (hint: correct the name, or remove the line)
      x.yaml:5:79: public.customers.zz*: wildcard that matches no column
        (hint: correct the name, or remove the line)
      x.yaml:7:3: other.*: wildcard that matches no table
        (hint: correct the name, or remove the rule)
    ");
}

#[test]
fn removed_rows_take_others_along_only_where_the_rule_cascades() {
    let rules = |cascade: &str| {
        format!(
            "
  customers: {{ delete_rows: 'born IS NULL', {cascade} columns: {{ email: email, name: redact, '*': keep }} }}
  orders: {{ columns: {{ note: redact, '*': keep }} }}
  lines: keep
"
        )
    };
    insta::assert_snapshot!(check(SHOP, &rules("")), @r"
    failed to plan x.yaml: 1 finding
      x.yaml:4:29: public.customers: `delete_rows` orphans rows of public.orders (foreign key `orders_customer_id_fkey`)
        (hint: add `cascade: true` to remove them as well)
    ");
    insta::assert_snapshot!(check(SHOP, &rules("cascade: true,")), @r"
    public.customers Rewrite: id=keep email=email name=redact born=keep, delete born IS NULL
    public.lines Rewrite: order_id=keep article=keep, orphans of lines_order_id_fkey
    public.orders Rewrite: id=keep customer_id=keep note=redact total=keep, orphans of orders_customer_id_fkey
    ");
}

#[test]
fn truncate_cascades_to_what_no_exact_rule_decides() {
    insta::assert_snapshot!(check(SHOP, "
  customers: truncate
  orders: { columns: { note: redact, '*': keep } }
  lines: keep
"), @r"
    failed to plan x.yaml: 1 finding
      x.yaml:4:3: public.customers: `truncate` orphans the rows of public.orders (foreign key `orders_customer_id_fkey`)
        (hint: write `truncate` for public.orders too, or `{ truncate: true, cascade: true }` here)
    ");
    insta::assert_snapshot!(check(SHOP, "
  customers: { truncate: true, cascade: true }
  'line*': keep
"), @r"
    public.customers Truncate: id=truncate email=truncate name=truncate born=truncate
    public.lines Truncate: order_id=truncate article=truncate
    public.orders Truncate: id=truncate customer_id=truncate note=truncate total=truncate
    ");
    insta::assert_snapshot!(check(SHOP, "
  customers: { truncate: true, cascade: true }
  lines: keep
"), @r"
    failed to plan x.yaml: 1 finding
      x.yaml:4:3: public.orders: `truncate` orphans the rows of public.lines (foreign key `lines_order_id_fkey`)
        (hint: write `truncate` for public.lines too, or remove its rule and let it be emptied)
    ");
}

const KEYS: &str = "
table public.a
  id int pk identity
  code text unique
  tenant int
  kind text
  unique a_tenant_kind (tenant,kind)
  unique a_id_kind (id,kind)
";

#[test]
fn a_unique_key_holds_when_every_masked_column_of_it_is_injective() {
    insta::assert_snapshot!(check(KEYS, "
  a: { columns: { id: keep, code: username, tenant: keep, kind: username } }
"), @"public.a Rewrite: id=keep code=username tenant=keep kind=username");
    insta::assert_snapshot!(check(KEYS, "
  a: { columns: { id: keep, code: first_name, tenant: keep, kind: { function: constant, value: x } } }
"), @r"
    failed to plan x.yaml: 2 findings
      x.yaml:4:35: public.a.code (text): `first_name` may give different values the same fake, in the unique key `a_code_key`
        (hint: choose a function that is unique; `anonymizer functions` says which are)
      x.yaml:4:79: public.a.kind (text): `constant` may give different values the same fake, in the unique key `a_tenant_kind`
        (hint: choose a function that is unique; `anonymizer functions` says which are)
    ");
}

#[test]
fn nulls_collide_in_a_key_that_says_so() {
    let rules = "
  c: { columns: { id: keep, badge: nullify } }
";
    let keys = "
table public.c
  id int pk
  badge text null
  unique c_badge (badge)
";
    insta::assert_snapshot!(check(keys, rules), @"public.c Rewrite: id=keep badge=nullify");
    insta::assert_snapshot!(check(&keys.replace("(badge)", "(badge) nulls_collide"), rules), @r"
    failed to plan x.yaml: 1 finding
      x.yaml:4:36: public.c.badge (text): `nullify` may give different values the same fake, in the unique key `c_badge`
        (hint: choose a function that is unique; `anonymizer functions` says which are)
    ");
}

#[test]
fn nulls_of_a_smaller_key_or_a_seeded_column_collide_in_a_key_that_says_so() {
    let keys = "
table public.c
  id int pk
  badge text null
  kind text null
  unique c_badge (badge)
  unique c_both (badge,kind)
";
    let strict = keys.replace("kind)", "kind) nulls_collide");
    let by_badge = "
  c: { columns: { id: keep, badge: keep, kind: first_name } }
";
    insta::assert_snapshot!(check(keys, by_badge), @"public.c Rewrite: id=keep badge=keep kind=first_name");
    insta::assert_snapshot!(check(&strict, by_badge), @r"
    failed to plan x.yaml: 1 finding
      x.yaml:4:48: public.c.kind (text): `first_name` may give different values the same fake, in the unique key `c_both`
        (hint: choose a function that is unique; `anonymizer functions` says which are)
    ");
    for holds in ["badge text", "(badge) nulls_collide"] {
        let keys = match holds {
            "badge text" => strict.replace("badge text null", holds),
            _ => strict.replace("(badge)", holds),
        };
        assert!(check(&keys, by_badge).starts_with("public.c Rewrite"), "{holds}");
    }
    let by_row = "
  c: { columns: { id: keep, badge: { function: username, seed: id }, kind: first_name } }
";
    insta::assert_snapshot!(check(keys, by_row), @"public.c Rewrite: id=keep badge=username(id) kind=first_name");
    insta::assert_snapshot!(check(&strict, by_row), @r"
    failed to plan x.yaml: 1 finding
      x.yaml:4:76: public.c.kind (text): `first_name` may give different values the same fake, in the unique key `c_both`
        (hint: choose a function that is unique; `anonymizer functions` says which are)
    ");
    let kept = by_row.replace("first_name", "keep");
    assert!(check(&strict, &kept).starts_with("public.c Rewrite"), "NULLs stay apart as they were");
    let not_null = strict.replace("badge text null", "badge text");
    assert!(check(&not_null, by_row).starts_with("public.c Rewrite"), "every row has a fake");
}

#[test]
fn a_seed_that_identifies_the_row_makes_a_key_hold() {
    insta::assert_snapshot!(check(KEYS, "
  a: { columns: { id: keep, code: { function: username, seed: id }, tenant: keep, kind: { function: username, seed: id } } }
"), @"public.a Rewrite: id=keep code=username(id) tenant=keep kind=username(id)");
    insta::assert_snapshot!(check(KEYS, "
  a: { columns: { id: keep, code: { function: username, seed: tenant }, tenant: keep, kind: { function: username, seed: id } } }
"), @r"
    failed to plan x.yaml: 1 finding
      x.yaml:4:47: public.a.code (text): fakes seeded by `tenant`, which is not unique, in the unique key `a_code_key`
        (hint: remove the seed, or seed by a NOT NULL column that is unique by itself)
    ");
}

const NATURAL: &str = "
table public.people
  login text pk
  boss text null -> public.people.login
table public.posts
  author text -> public.people.login
  title text
";

#[test]
fn both_sides_of_a_reference_are_masked_by_one_rule() {
    insta::assert_snapshot!(check(NATURAL, "
  people: { columns: { login: username, boss: username } }
  posts: { columns: { author: username, title: redact } }
"), @r"
    public.people Rewrite: login=username boss=username
    public.posts Rewrite: author=username title=redact
    ");
    insta::assert_snapshot!(check(NATURAL, "
  people: { columns: { login: username, boss: keep } }
  posts: { columns: { author: { function: username, domain: posts }, title: redact } }
"), @r"
    failed to plan x.yaml: 2 findings
      x.yaml:4:47: public.people.boss (text): kept, but references public.people.login (text), which is masked (foreign key `people_boss_fkey`)
        (hint: mask both with the same `username`, or keep both)
      x.yaml:5:43: public.posts.author (text): references public.people.login (text), which is masked by another rule (foreign key `posts_author_fkey`)
        (hint: give both the same function, parameters, domain and locale)
    ");
    insta::assert_snapshot!(check(NATURAL, "
  people: { columns: { login: keep, boss: nullify } }
  posts: { columns: { author: username, title: redact } }
"), @r"
    failed to plan x.yaml: 1 finding
      x.yaml:5:31: public.posts.author (text): masked, but references public.people.login (text), which is kept (foreign key `posts_author_fkey`)
        (hint: mask both with the same rule, keep both, or `nullify` this one)
    ");
    insta::assert_snapshot!(check(NATURAL, "
  people: { skip_rows: \"login = 'root'\", columns: { login: username, boss: username } }
  posts: { columns: { author: username, title: redact } }
"), @r"
    failed to plan x.yaml: 2 findings
      x.yaml:4:76: public.people.boss (text): references public.people.login (text), and `skip_rows` would leave one side as it is (foreign key `people_boss_fkey`)
        (hint: remove `skip_rows` from both tables, or keep the key's columns)
      x.yaml:5:31: public.posts.author (text): references public.people.login (text), and `skip_rows` would leave one side as it is (foreign key `posts_author_fkey`)
        (hint: remove `skip_rows` from both tables, or keep the key's columns)
    ");
}

const TREE: &str = "
table public.events partitioned at
  at date
  id bigint
  who text
  tag text
  unique events_pkey (at,id) pk
table public.events_1 of public.events
  id bigint
  at date
  tag text
  who text
  unique events_1_tag (tag)
table public.events_2 partitioned id of public.events
  at date
  id bigint
  who text
  tag text
table public.events_2a of public.events_2
  at date
  id bigint
  who text
  tag text
";

#[test]
fn a_partition_tree_is_decided_at_its_root() {
    insta::assert_snapshot!(check(TREE, "
  events: { columns: { at: keep, id: keep, who: { function: full_name, seed: id }, tag: username } }
"), @r"
    public.events_1 Rewrite: id=keep at=keep tag=username who=full_name(id)
    public.events_2a Rewrite: at=keep id=keep who=full_name(id) tag=username
    ");
    insta::assert_snapshot!(check(TREE, "
  events: { columns: { at: { function: date_shift, max_days: 3 }, id: keep, who: redact, tag: redact } }
  events_2a: keep
  'events_2*': truncate
"), @r"
    failed to plan x.yaml: 5 findings
      x.yaml:4:40: public.events.at (date): `date_shift` may give different values the same fake, in the primary key `events_pkey`
        (hint: choose a function that is unique; `anonymizer functions` says which are)
      x.yaml:4:40: public.events.at (date): partition key cannot be masked
        (hint: write `keep`: a masked row would belong into another partition)
      x.yaml:4:95: public.events.tag (text): `redact` may give different values the same fake, in the unique key `events_1_tag`
        (hint: choose a function that is unique; `anonymizer functions` says which are)
      x.yaml:5:3: public.events_2a: partition of public.events with a rule of its own
        (hint: remove it: the rule for `public.events` decides it)
      x.yaml:6:3: events_2*: wildcard that matches partitions only
        (hint: write the rule for their root)
    ");
}

const FAMILY: &str = "
table public.persons
  id int pk
  name text
  ssn int
table public.staff inherits public.persons
  id int
  name text
  ssn int
  desk text
";

#[test]
fn an_inherited_column_follows_its_parent_and_no_wildcard_undoes_that() {
    insta::assert_snapshot!(check(FAMILY, "
  persons: { columns: { id: keep, name: redact, ssn: { function: constant, value: '1' } } }
  'st*': { columns: { desk: redact, '*': keep } }
"), @r"
    public.persons Rewrite: id=keep name=redact ssn=constant
    public.staff Rewrite: id=keep name=redact ssn=constant desk=redact
    ");
    insta::assert_snapshot!(check(FAMILY, "
  persons: { columns: { id: keep, name: redact, ssn: keep } }
"), @r"
    failed to plan x.yaml: 1 finding
      x.yaml:4:3: public.staff.desk (text): undecided column
        (hint: give it a function or `keep`; `anonymizer functions` lists what fits a column)
    ");
    insta::assert_snapshot!(check(FAMILY, "
  persons: { columns: { id: keep, name: redact, ssn: keep } }
  staff: { columns: { desk: redact, name: keep } }
"), @r"
    public.persons Rewrite: id=keep name=redact ssn=keep
    public.staff Rewrite: id=keep name=keep ssn=keep desk=redact
    ");
}

#[test]
fn what_is_never_written_needs_no_rule() {
    let schema = "
table public.remote foreign
  name text
table public.spatial extension postgis
  srtext text
table public.own
  id int
view public.everyone
";
    insta::assert_snapshot!(check(schema, "  '*': keep\n"), @r"
    public.own Keep: id=keep
    public.remote Keep: name=keep
    public.spatial Keep: srtext=keep
    ");
    insta::assert_snapshot!(check(schema, "
  '*': keep
  remote: truncate
  spatial: { columns: { srtext: redact } }
  everyone: keep
"), @r"
    failed to plan x.yaml: 3 findings
      x.yaml:5:3: public.remote: foreign table, never written
        (hint: write `keep`, or remove the rule)
      x.yaml:6:3: public.spatial: table of extension `postgis`, never written
        (hint: write `keep`, or remove the rule)
      x.yaml:7:3: everyone: rule for a view
        (hint: remove it: a view shows the masked rows of its tables by itself)
    ");
}

#[test]
fn equality_without_case_reaches_the_other_side_of_a_key() {
    let schema = "
table public.users
  email citext unique
  alias text
  unique users_alias (alias) nocase
table public.mails
  email text -> public.users.email
";
    let rules = "version: 1
tables:
  users: { columns: { email: email, alias: username } }
  mails: { columns: { email: email } }
";
    let rules = rules::parse("x.yaml", rules.as_bytes()).unwrap();
    let keyring = Keyring::from_hex(&"7".repeat(64)).unwrap();
    let plan = plan(&rules, &schema::catalog(schema), &keyring).unwrap();
    let fake = |table: &str, column: usize, value: &str| {
        let table = plan.tables.iter().find(|known| known.name.name == table).unwrap();
        let value = Value::Text(value.into());
        let cell = Cell { value: &value, seed: None, draw: None };
        let mask = table.columns[column].mask.as_ref().unwrap();
        mask.apply(&cell, &mut String::new()).expect("a fake").into_owned()
    };
    assert_eq!(fake("users", 0, "Ann@shop.example"), fake("mails", 0, "ann@SHOP.example"));
    assert_ne!(fake("users", 0, "Ann@shop.example"), fake("mails", 0, "bob@shop.example"));
    assert_eq!(fake("users", 1, "Ann"), fake("users", 1, "aNN"));
}

#[test]
fn a_sequence_moves_past_permuted_keys() {
    let schema = "
table public.t
  id int pk identity
  v int
";
    insta::assert_snapshot!(check(schema, "  t: { columns: { id: hash, v: keep } }\n"), @"public.t Rewrite: id=hash+sequence v=keep");
}

proptest::proptest! {
    /// Whatever the rules say about whatever there is: a plan or findings, and in a plan every column of every table.
    #[test]
    fn a_plan_decides_everything(lines in proptest::collection::vec(line(), 0..12)) {
        let catalog = schema::catalog(&[SHOP, NATURAL, TREE, FAMILY].concat());
        let text = format!("version: 1\ntables:\n{}", lines.concat());
        let keyring = Keyring::from_hex(&"7".repeat(64)).unwrap();
        if let Ok(rules) = rules::parse("x.yaml", text.as_bytes())
            && let Ok(plan) = plan(&rules, &catalog, &keyring)
        {
            let rows = |table: &&anonymizer::catalog::Table| {
                table.kind != anonymizer::catalog::TableKind::Partitioned
            };
            assert_eq!(plan.tables.len(), catalog.tables.iter().filter(rows).count());
            for table in &plan.tables {
                let stored = catalog.table(&table.name).unwrap();
                assert_eq!(table.columns.len(), stored.columns.len());
            }
        }
    }
}

fn line() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::strategy::Strategy as _;
    const NAMES: &[&str] = &[
        "customers",
        "orders",
        "lines",
        "people",
        "posts",
        "events",
        "events_1",
        "persons",
        "staff",
        "'*'",
        "'*.*'",
        "'p*'",
    ];
    const BODIES: &[&str] = &[
        "keep",
        "truncate",
        "{ truncate: true, cascade: true }",
        "{ columns: { '*': keep } }",
        "{ delete_rows: 'id = 1', cascade: true, columns: { '*': keep, name: redact, note: redact } }",
        "{ columns: { email: email, name: redact, note: redact, '*': keep } }",
        "{ columns: { login: username, boss: username, author: username, title: redact } }",
        "{ columns: { who: full_name, tag: username, '*': keep } }",
        "{ columns: { name: redact, desk: redact, '*': keep } }",
    ];
    (proptest::sample::select(NAMES), proptest::sample::select(BODIES))
        .prop_map(|(name, body)| format!("  {name}: {body}\n"))
}
