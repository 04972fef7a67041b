//! What goes along with a row, in which order, and who says so.
#![cfg(test)]

mod common;

use common::dump::{dump, number, rows};
use common::hidp;
use common::host::{Failure, Host, changed, removed, sum, would_change, would_remove};
use common::people::{counts, people_and, plan, removal, remove};
use common::request::request;
use idp_janitor::cascade::{Action, Cascade, Source};
use idp_janitor::plan::{Dependant, Plan};
use idp_janitor::rule::{all, is_null, unreferenced};
use idp_janitor::schema::{Declared, ForeignKey, Schema, Table};
use serde_json::json;

/// The statements of a plan's only sweep, as `purpose table`.
fn order(plan: &Plan) -> Vec<String> {
    let [sweep] = plan.sweeps.as_slice() else { panic!("several sweeps") };
    sweep.statements.iter().map(|statement| format!("{} {}", statement.purpose, statement.table)).collect()
}

#[test]
fn children_go_before_their_parents_and_let_go_before_that() {
    let conn = people_and(
        "CREATE TABLE device (id integer PRIMARY KEY, owner REFERENCES people ON DELETE CASCADE,
             main REFERENCES code ON DELETE SET NULL);
         CREATE TABLE code (id integer PRIMARY KEY, device REFERENCES device ON DELETE CASCADE);
         CREATE TABLE note (id integer PRIMARY KEY, about REFERENCES people ON DELETE SET NULL,
             code REFERENCES code ON DELETE SET DEFAULT);",
    );
    assert_eq!(
        order(&plan(&conn, json!({}))),
        [
            "find people",
            "set null device",
            "set default note",
            "delete code",
            "delete device",
            "set null note",
            "delete people"
        ]
    );
}

/// What stays and lets go is counted by the dry run and by the real one, in slices of any size; what goes with the slice is not.
#[test]
fn rows_that_let_go_are_counted() {
    for max_rows in [1, 2] {
        let conn = people_and(
            "CREATE TABLE note (id integer PRIMARY KEY, author REFERENCES people, editor REFERENCES people);
             CREATE TABLE seat (id integer PRIMARY KEY, holder REFERENCES people DEFAULT 3);
             CREATE TABLE shop (id integer PRIMARY KEY, owner REFERENCES people, heir REFERENCES people);
             CREATE TABLE bill (id integer PRIMARY KEY, shop REFERENCES shop);
             INSERT INTO note VALUES (1, 1, NULL), (2, 1, 2), (3, 3, 2), (4, 3, 3);
             INSERT INTO seat VALUES (1, 1), (2, 3);
             INSERT INTO shop VALUES (1, 1, 2), (2, 3, 1), (3, 2, 2);
             INSERT INTO bill VALUES (1, 1), (2, 2), (3, 3);",
        );
        let on_delete = json!({
            "note.author": "set-null", "note.editor": "set-null", "seat.holder": "set-default", "shop.owner": "cascade",
            "shop.heir": "set-null", "bill.shop": "set-null",
        });
        let told = |dry_run| removal(on_delete.clone(), json!({ "maxRows": max_rows, "dryRun": dry_run }));
        let dry = Host::new(&conn).run_to_completion(&told(true));
        let real = Host::new(&conn).run_to_completion(&told(false));
        let expected = counts([("bill", 2), ("note", 4), ("seat", 1), ("shop", 1)]);
        assert_eq!(sum(&real, changed), expected, "{max_rows}");
        assert_eq!(sum(&dry, would_change), expected, "{max_rows}");
        assert_eq!(sum(&real, removed), counts([("people", 2), ("shop", 2)]));
        assert!(
            dry.iter().all(|report| changed(report).is_empty())
                && real.iter().all(|report| report.would_change.is_none())
        );
        assert_eq!(number(&conn, "SELECT count(*) FROM note WHERE author IS NULL OR editor IS NULL"), 3);
    }
}

/// What went with an earlier sweep lets go of nothing in a later one, nor does anything let go of it again.
#[test]
fn rows_that_let_go_are_counted_in_one_sweep_alone() {
    let conn = hidp::database();
    conn.execute_batch(
        "CREATE TABLE audit (id integer PRIMARY KEY, refresh REFERENCES oauth2_provider_refreshtoken ON DELETE CASCADE,
             access REFERENCES oauth2_provider_accesstoken ON DELETE SET NULL,
             id_token REFERENCES oauth2_provider_idtoken ON DELETE CASCADE);
         CREATE TABLE note (id integer PRIMARY KEY, audit REFERENCES audit ON DELETE SET NULL);
         INSERT INTO oauth2_provider_idtoken (id, expires) VALUES (1, '2020-01-01 00:00:00');
         INSERT INTO oauth2_provider_accesstoken (id, expires) VALUES (1, '2020-01-01 00:00:00');
         INSERT INTO oauth2_provider_refreshtoken (id, revoked) VALUES (1, '2020-01-01 00:00:00');
         INSERT INTO audit VALUES (1, 1, 1, 1), (2, NULL, 1, 1), (3, NULL, 1, NULL);
         INSERT INTO note VALUES (1, 1), (2, 2), (3, 3);",
    )
    .unwrap();
    let dry = Host::new(&conn).run(&request("cleartokens", json!({ "dryRun": true })));
    let real = Host::new(&conn).run(&request("cleartokens", json!({})));
    // The second entry of the audit lets go, and then goes.
    assert_eq!(changed(&real), counts([("audit", 2), ("note", 2)]));
    assert_eq!(would_change(&dry), changed(&real));
    assert_eq!(would_remove(&dry), removed(&real));
}

/// Of two tables that point at each other, the one that is let go of less often goes first.
#[test]
fn the_order_lets_go_as_little_as_it_can() {
    let conn = people_and(
        "CREATE TABLE access (id integer PRIMARY KEY, owner REFERENCES people ON DELETE CASCADE,
             source REFERENCES refresh ON DELETE SET NULL, second REFERENCES refresh ON DELETE SET NULL);
         CREATE TABLE refresh (id integer PRIMARY KEY, owner REFERENCES people ON DELETE CASCADE,
             access REFERENCES access ON DELETE SET NULL);",
    );
    // What is left of `access` lets go twice, once a column.
    assert_eq!(
        order(&plan(&conn, json!({}))),
        [
            "find people",
            "set null refresh",
            "delete access",
            "set null access",
            "set null access",
            "delete refresh",
            "delete people"
        ]
    );
}

#[test]
fn settings_go_before_the_database_and_the_database_before_the_preset() {
    let conn = hidp::with_schema(
        "CREATE TABLE people (id char(32) PRIMARY KEY, email_verified datetime, date_joined datetime);
         CREATE TABLE hidp_accounts_emailchangerequest (id integer PRIMARY KEY, user_id REFERENCES people);
         CREATE TABLE otp_totp_totpdevice (id integer PRIMARY KEY, user_id REFERENCES people ON DELETE SET NULL);
         CREATE TABLE django_admin_log (id integer PRIMARY KEY, user_id REFERENCES people ON DELETE RESTRICT);
         CREATE TABLE people_groups (id integer PRIMARY KEY, customuser_id REFERENCES people);",
    );
    let plan = plan(&conn, json!({ "django_admin_log.user_id": "set-default" }));
    let said = |dependant: &Dependant| (dependant.table.clone(), dependant.on_delete, dependant.source);
    let mut dependants: Vec<_> = plan.sweeps[0].dependants.iter().map(said).collect();
    dependants.sort_by(|left, right| left.0.cmp(&right.0));
    assert_eq!(
        dependants,
        [
            ("django_admin_log".into(), Action::SetDefault, Source::Settings),
            ("hidp_accounts_emailchangerequest".into(), Action::Cascade, Source::Preset),
            ("otp_totp_totpdevice".into(), Action::SetNull, Source::Database),
            ("people_groups".into(), Action::Cascade, Source::Preset),
        ]
    );
}

#[test]
fn every_unknown_reference_is_named_before_anything_is_touched() {
    let conn = people_and(
        "CREATE TABLE authtoken_token (id integer PRIMARY KEY, user_id REFERENCES people);
         CREATE TABLE shop (id integer PRIMARY KEY, owner REFERENCES people ON DELETE CASCADE);
         CREATE TABLE sale (id integer PRIMARY KEY, a, b, seller REFERENCES people ON DELETE NO ACTION,
             FOREIGN KEY (a, b) REFERENCES pair (a, b));
         CREATE TABLE pair (a, b, shop REFERENCES shop ON DELETE CASCADE, PRIMARY KEY (a, b));
         CREATE TABLE elsewhere (id integer PRIMARY KEY, sale REFERENCES sale);
         INSERT INTO authtoken_token VALUES (1, 1);",
    );
    let before = dump(&conn);
    let error = Host::new(&conn).refusal(&removal(json!({}), json!({})));
    assert_eq!(
        error.to_string(),
        "`authtoken_token.user_id`, `sale.seller`, `sale.a,b` reference rows that this job removes, and neither the \
         database, the preset nor the settings say what to do with them; nothing was changed; add \
         --on-delete authtoken_token.user_id=cascade --on-delete sale.seller=cascade --on-delete sale.a,b=cascade, or to \
         the configuration onDelete: { \"authtoken_token.user_id\": \"cascade\", \"sale.seller\": \"cascade\", \
         \"sale.a,b\": \"cascade\" } (or set-null, or set-default; or restrict, which keeps the rows that are referenced)"
    );
    assert_eq!(error.code(), "unknown_reference");
    assert_eq!(dump(&conn), before);

    // What the message says to add is taken; it reaches another table then, and that has a key of its own.
    let said = json!({ "authtoken_token.user_id": "cascade", "sale.seller": "cascade", "sale.a,b": "cascade" });
    let error = Host::new(&conn).refusal(&removal(said.clone(), json!({})));
    assert!(error.to_string().starts_with("`elsewhere.sale` references rows that this job removes"), "{error}");
    assert!(
        error
            .to_string()
            .contains("what to do with it; nothing was changed; add --on-delete elsewhere.sale=cascade, or"),
        "{error}"
    );
    let mut said = said;
    said["elsewhere.sale"] = json!("restrict");
    assert_eq!(remove(&conn, said), counts([("authtoken_token", 1), ("people", 2)]));
}

#[test]
fn settings_for_what_is_not_there_are_refused() {
    let conn = people_and("CREATE TABLE shop (id integer PRIMARY KEY, owner REFERENCES people, name);");
    for column in ["shop.name", "shop.Owner", "shops.owner", "shop.owner,name"] {
        let error = Host::new(&conn).refusal(&removal(json!({ column: "cascade" }), json!({})));
        let setting = format!("onDelete.{column}");
        let expected = format!("`{setting}` must be about a foreign key of this database, as `table.column`");
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert_eq!(error.setting(), Some(setting.as_str()));
        assert_eq!(error.code(), "invalid_setting");
    }
}

#[test]
fn a_cycle_of_cascades_is_refused_and_named() {
    let conn = people_and(
        "CREATE TABLE hanger (id integer PRIMARY KEY, owner REFERENCES people ON DELETE CASCADE,
             hook REFERENCES hook ON DELETE CASCADE);
         CREATE TABLE hook (id integer PRIMARY KEY, rail REFERENCES rail ON DELETE CASCADE);
         CREATE TABLE rail (id integer PRIMARY KEY, hanger REFERENCES hanger ON DELETE CASCADE);",
    );
    let error = Host::new(&conn).refusal(&removal(json!({}), json!({})));
    assert_eq!(
        error.to_string(),
        "the cascading foreign keys `rail.hanger`, `hook.rail`, `hanger.hook` form a cycle, which cannot be removed in an \
         order; nothing was changed; set one of them to \"set-null\" or \"restrict\" in onDelete"
    );
    assert_eq!(error.code(), "cascade_cycle");
    for key in ["rail.hanger", "hook.rail", "hanger.hook"] {
        assert_eq!(remove(&conn, json!({ key: "set-null" })).get("people"), counts([("people", 2)]).get("people"));
        conn.execute_batch(
            "INSERT INTO people VALUES (1, NULL, '2020-01-01 00:00:00'), (2, NULL, '2020-01-01 00:00:00')",
        )
        .unwrap();
    }
}

#[test]
fn a_table_that_cascades_to_itself_is_refused_and_named() {
    for (sql, key) in [
        ("ALTER TABLE people ADD COLUMN boss REFERENCES people ON DELETE CASCADE", "people.boss"),
        (
            "CREATE TABLE folder (id integer PRIMARY KEY, owner REFERENCES people ON DELETE CASCADE,
                 inside REFERENCES folder ON DELETE CASCADE)",
            "folder.inside",
        ),
    ] {
        let error = Host::new(&people_and(sql)).refusal(&removal(json!({}), json!({})));
        assert!(error.to_string().starts_with(&format!("the cascading foreign keys `{key}` form a cycle")), "{error}");
    }
}

#[test]
fn names_are_compared_as_sqlite_does_and_targets_may_be_left_out() {
    let conn = people_and(
        "CREATE TABLE shop (id integer PRIMARY KEY, Owner REFERENCES PEOPLE ON DELETE CASCADE);
         CREATE TABLE parcel (id integer PRIMARY KEY, shop, FOREIGN KEY (SHOP) REFERENCES Shop (ID) ON DELETE CASCADE);
         INSERT INTO shop VALUES (1, 1), (2, 3);
         INSERT INTO parcel VALUES (1, 1), (2, 1), (3, 2);",
    );
    // In the order of their changes.
    let plan = plan(&conn, json!({}));
    let columns: Vec<_> = plan.sweeps[0].dependants.iter().map(|dependant| dependant.columns.join(",")).collect();
    assert_eq!(columns, ["shop", "Owner"]);
    assert_eq!(remove(&conn, json!({})), counts([("parcel", 2), ("people", 2), ("shop", 1)]));
}

/// Django's inheritance of models: the key is a reference, too.
#[test]
fn a_primary_key_may_be_a_reference() {
    let conn = people_and(
        "CREATE TABLE employee (people_ptr_id integer PRIMARY KEY REFERENCES people ON DELETE CASCADE);
         CREATE TABLE manager (employee_ptr_id integer PRIMARY KEY REFERENCES employee ON DELETE CASCADE);
         CREATE TABLE team (id integer PRIMARY KEY, lead REFERENCES manager ON DELETE SET NULL);
         INSERT INTO employee VALUES (1), (3);
         INSERT INTO manager VALUES (1), (3);
         INSERT INTO team VALUES (7, 1), (8, 3);",
    );
    assert_eq!(remove(&conn, json!({})), counts([("employee", 1), ("manager", 1), ("people", 2)]));
    assert_eq!(number(&conn, "SELECT count(*) FROM team WHERE lead IS NULL"), 1);
}

#[test]
fn a_default_is_taken_as_the_database_has_it() {
    let conn = people_and(
        "CREATE TABLE note (id integer PRIMARY KEY, by integer DEFAULT (1 + 2) REFERENCES people ON DELETE SET DEFAULT,
             about integer REFERENCES people ON DELETE SET DEFAULT);
         INSERT INTO note VALUES (1, 1, 2);",
    );
    assert_eq!(remove(&conn, json!({})), counts([("people", 2)]));
    assert_eq!(rows(&conn, "note"), [["Integer(1)", "Integer(3)", "Null"]]);
}

#[test]
fn a_reference_that_the_rule_excludes_is_no_dependant() {
    let conn = hidp::database();
    let plan = Host::new(&conn).plan(&request("cleartokens", json!({ "planOnly": true })));
    let keys = |table: &str| -> Vec<String> {
        let sweeps = plan.sweeps.iter().filter(|sweep| sweep.table == table);
        let keys = sweeps.flat_map(|sweep| &sweep.dependants);
        keys.map(|key| format!("{}.{} {}", key.table, key.columns.join(","), key.on_delete)).collect()
    };
    // Access tokens go when no refresh token points at them, ID tokens when no access token does.
    assert_eq!(keys("oauth2_provider_accesstoken"), Vec::<String>::new());
    assert_eq!(keys("oauth2_provider_idtoken"), Vec::<String>::new());
    assert_eq!(keys("oauth2_provider_refreshtoken"), ["oauth2_provider_accesstoken.source_refresh_token_id set-null"]);
}

/// A key that points at another column than the one by which the rule says that nothing points is no vacuous one.
#[test]
fn a_reference_to_another_column_than_the_rule_excludes_stays_a_dependant() {
    let key = |target: &str| ForeignKey {
        columns: vec!["owner".into()],
        references: "people".into(),
        target: vec![target.into()],
        declared: Declared::Cascade,
        of_part: false,
        unchecked: false,
    };
    let mut schema = Schema::default();
    schema.tables.insert("people", Table::default());
    schema.tables.insert("shop", Table { foreign_keys: vec![key("id"), key("code")], ..Table::default() });
    let rule = all([is_null("email_verified"), unreferenced("shop", "owner", "id")]);
    let cascade = Cascade::plan(&schema, "people", &rule, |_, _| Some((Action::Cascade, Source::Database))).unwrap();
    let targets: Vec<_> = cascade.edges.iter().map(|edge| edge.key.target.join(",")).collect();
    assert_eq!(targets, ["code"]);
}

#[test]
fn a_dry_run_counts_once_what_hangs_on_rows_of_two_sweeps() {
    let conn = hidp::database();
    conn.execute_batch(
        "CREATE TABLE audit (id integer PRIMARY KEY,
             refresh REFERENCES oauth2_provider_refreshtoken ON DELETE CASCADE,
             access REFERENCES oauth2_provider_accesstoken ON DELETE CASCADE);
         INSERT INTO oauth2_provider_accesstoken (id, expires) VALUES (1, '2020-01-01 00:00:00');
         INSERT INTO oauth2_provider_refreshtoken (id, revoked) VALUES (1, '2020-01-01 00:00:00');
         INSERT INTO audit VALUES (1, 1, 1), (2, 1, NULL), (3, NULL, 1), (4, NULL, NULL);",
    )
    .unwrap();
    let dry = Host::new(&conn).run(&request("cleartokens", json!({ "dryRun": true })));
    let real = Host::new(&conn).run(&request("cleartokens", json!({})));
    assert_eq!(real.removed.get("audit"), Some(&3));
    assert_eq!(would_remove(&dry), removed(&real));
}

/// A ring of a person and their shop, in which the shop goes first: whatever the database itself does when it goes, it
/// must not do it to the person.
#[test]
fn settings_spare_rows_that_go_themselves_what_the_database_declares() {
    for declared in ["NO ACTION", "SET NULL", "CASCADE", "RESTRICT"] {
        let conn = people_and(&format!(
            "CREATE TABLE shop (id integer PRIMARY KEY, owner REFERENCES people ON DELETE CASCADE);
             ALTER TABLE people ADD COLUMN favourite REFERENCES shop ON DELETE {declared};
             INSERT INTO shop VALUES (1, 1);
             UPDATE people SET favourite = 1;"
        ));
        let request = removal(json!({ "people.favourite": "set-null" }), json!({}));
        match Host::new(&conn).run_from(&request, None) {
            Ok(report) => assert_eq!(removed(&report), counts([("people", 2), ("shop", 1)]), "{declared}"),
            Err(Failure::Store(error, _)) => panic!("declared {declared}: {error}"),
            Err(Failure::Core(error)) => panic!("declared {declared}: {error}"),
        }
        assert_eq!(rows(&conn, "people").len(), 1);
    }
}

/// Statements have names of their own, for the rows that go and for those that were walked.
#[test]
fn tables_may_be_called_what_statements_call_their_parts() {
    for name in ["w", "W", "t", "r1", "doomed_people", "doomed_shop", "position"] {
        let conn = people_and(&format!(
            "CREATE TABLE \"{name}\" (id integer PRIMARY KEY, owner REFERENCES people ON DELETE CASCADE);
             CREATE TABLE shop (id integer PRIMARY KEY, owner REFERENCES people ON DELETE CASCADE,
                 inside REFERENCES \"{name}\" ON DELETE SET NULL);
             INSERT INTO \"{name}\" VALUES (1, 1), (2, 3);
             INSERT INTO shop VALUES (1, 2, 1), (2, 3, 1), (3, 3, 2);",
        ));
        for other in ["cascade", "restrict"] {
            let request = removal(json!({ format!("{name}.owner"): other }), json!({ "dryRun": true }));
            let report = Host::new(&conn).run_from(&request, None).unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert_eq!(report.restricted, u64::from(other == "restrict"), "{name}");
        }
        assert_eq!(remove(&conn, json!({})), counts([(name, 1), ("people", 2), ("shop", 1)]), "{name}");
    }
}

/// Regression: a condition compares by the collation of the column that points, the database's own check by that of the
/// column that is pointed at.
#[test]
fn what_points_at_another_row_by_its_own_collation_stays() {
    let conn = people_and(
        "CREATE TABLE club (name text PRIMARY KEY, owner integer REFERENCES people);
         CREATE TABLE member (id integer PRIMARY KEY, club text COLLATE NOCASE REFERENCES club);
         INSERT INTO club VALUES ('abc', 1), ('ABC', 3);
         INSERT INTO member VALUES (1, 'abc'), (2, 'ABC');",
    );
    let on_delete = json!({ "club.owner": "cascade", "member.club": "cascade" });
    assert_eq!(remove(&conn, on_delete), counts([("club", 1), ("member", 1), ("people", 2)]));
    assert_eq!(number(&conn, "SELECT id FROM member"), 2);
}
