//! What a database must have for a job, and what of it is warned of.
#![cfg(test)]

mod common;

use common::dump::{dump, number};
use common::hidp::{LATER, LONG_AGO, sessions, with_schema};
use common::host::{Host, removed};
use common::people::{counts, people_and, plan, removal};
use common::request::request;
use idp_janitor::effect::Effect;
use serde_json::json;

#[test]
fn a_database_of_another_schema_is_refused() {
    let sessions = "CREATE TABLE hidp_accounts_emailchangerequest (id integer PRIMARY KEY, user_id REFERENCES people);
        CREATE TABLE people (id integer PRIMARY KEY);";
    let missing = ("not_this_schema", "the database does not have the schema of this job");
    let unsupported = ("unsupported_schema", "this job cannot work on what the database has");
    for (sql, more, message) in [
        ("", json!({}), "there is no table `django_session`"),
        (sessions, json!({}), "there is no table `django_session`"),
        ("CREATE VIEW django_session AS SELECT 1 AS expire_date", json!({}), "there is no table `django_session`"),
        (
            "CREATE TABLE django_session (expires datetime)",
            json!({}),
            "there is no column `django_session.expire_date`",
        ),
        (
            "CREATE TABLE django_session (session_key PRIMARY KEY, expire_date datetime) WITHOUT ROWID",
            json!({}),
            "`django_session` cannot be walked: it is WITHOUT ROWID, which cannot be walked",
        ),
        (
            "CREATE TABLE django_session (expire_date datetime, _ROWID_ text)",
            json!({}),
            "`django_session` cannot be walked: it has a column `_rowid_`, which hides the row ids",
        ),
        (
            "CREATE TABLE django_session (expire_date INTEGER)",
            json!({}),
            "`django_session.expire_date` is declared `INTEGER`, which holds no instants as Django stores them",
        ),
        (
            "CREATE TABLE django_session (expire_date real)",
            json!({}),
            "`django_session.expire_date` is declared `REAL`, which holds no instants as Django stores them",
        ),
        (
            "CREATE TABLE django_session (expire_date date)",
            json!({}),
            "`django_session.expire_date` is declared `date`, which holds no instants as Django stores them",
        ),
    ] {
        let all = if sql.contains("django_session") { format!("{sessions}{sql}") } else { sql.to_owned() };
        let conn = with_schema(&all);
        let mut host = Host::new(&conn);
        let error = host.refusal(&request("clearsessions", more));
        let (code, not) = if message.starts_with("there is no ") { missing } else { unsupported };
        assert_eq!(error.to_string(), format!("{not}: {message}; nothing was changed"), "{sql}");
        assert_eq!(error.code(), code);
        assert!(host.performed.iter().all(|performed| matches!(performed.effect, Effect::Query(_))), "{sql}");
    }
}

#[test]
fn the_user_table_is_asked_for_where_a_job_is_about_users() {
    let job = "remove_stale_unverified_accounts";
    let conn = with_schema("CREATE TABLE people (id integer PRIMARY KEY)");
    let hint = "that tells the user table (userTable sets it)";
    let error = Host::new(&conn).refusal(&request(job, json!({})));
    assert!(error.to_string().contains(hint), "{error}");
    assert_eq!(error.code(), "not_this_schema");
    let error = Host::new(&conn).refusal(&request(job, json!({ "userTable": "peopel" })));
    assert_eq!(
        error.to_string(),
        "`userTable` must be the name of a table of this database (did you mean `people`?), not `peopel`"
    );
    let conn = with_schema(
        "CREATE TABLE people (id integer PRIMARY KEY);
         CREATE TABLE hidp_accounts_emailchangerequest (id integer PRIMARY KEY, user_id integer)",
    );
    let error = Host::new(&conn).refusal(&request(job, json!({})));
    assert!(error.to_string().contains(hint), "{error}");
    assert_eq!(error.code(), "unsupported_schema");
}

#[test]
fn columns_that_may_hold_instants_are_taken() {
    for declared in
        ["datetime", "DATETIME", "timestamp", "timestamp with time zone", "text", "varchar(32)", "char(26)", ""]
    {
        let conn = with_schema(&format!(
            "CREATE TABLE people (id integer PRIMARY KEY); CREATE TABLE django_session (expire_date {declared});
             INSERT INTO django_session VALUES ('{LONG_AGO}'), ('{LATER}');"
        ));
        let report = Host::new(&conn).run(&request("clearsessions", json!({ "userTable": "people" })));
        assert_eq!(removed(&report), counts([("django_session", 1)]), "{declared}");
    }
}

#[test]
fn unreadable_instants_are_kept_and_warned_of() {
    let conn = sessions(10, 2);
    conn.execute("UPDATE django_session SET expire_date = 1577836800 WHERE rowid IN (1, 2)", []).unwrap();
    conn.execute("UPDATE django_session SET expire_date = 'soon' WHERE rowid = 9", []).unwrap();
    for dry_run in [true, false] {
        let report = Host::new(&conn).run(&request("clearsessions", json!({ "dryRun": dry_run })));
        assert_eq!(
            report.warnings,
            [
                "3 row(s) of `django_session` have an instant that cannot be read, and were kept for that if for nothing else"
            ]
        );
        assert_eq!(report.selected, 4);
    }
    assert_eq!(number(&conn, "SELECT count(*) FROM django_session"), 6);
    let again = Host::new(&conn).run_to_completion(&request("clearsessions", json!({ "maxRows": 1 })));
    assert_eq!(again.len(), 1);
}

/// What would make every slice fail, or do something else than it says, is found before the first.
#[test]
fn cascades_that_cannot_work_are_refused_before_anything_is_touched() {
    let cases = [
        (
            "CREATE TABLE club (name text PRIMARY KEY, owner integer REFERENCES people ON DELETE CASCADE);
             CREATE TABLE member (id integer PRIMARY KEY, club integer REFERENCES club ON DELETE CASCADE);",
            json!({}),
            "the foreign key `member.club` is declared `INTEGER`, and `club.name`, which it references, `TEXT`, so that",
        ),
        (
            "CREATE TABLE shop (id integer PRIMARY KEY, owner integer NOT NULL REFERENCES people);",
            json!({ "shop.owner": "set-null" }),
            "`shop.owner` is to be set to NULL, and it is declared NOT NULL",
        ),
        (
            "CREATE TABLE shop (id integer PRIMARY KEY, owner integer NOT NULL REFERENCES people ON DELETE SET DEFAULT);",
            json!({}),
            "`shop.owner` is to be set to NULL, and it is declared NOT NULL",
        ),
        (
            "CREATE TRIGGER keep BEFORE DELETE ON people BEGIN SELECT RAISE(IGNORE); END;",
            json!({}),
            "`people` has a trigger `keep` that can keep rows from going without an error",
        ),
    ];
    for (schema, on_delete, message) in cases {
        let conn = people_and(schema);
        let before = dump(&conn);
        let error = Host::new(&conn).refusal(&removal(on_delete, json!({})));
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(error.code(), "unsupported_schema");
        assert_eq!(dump(&conn), before);
    }
}

#[test]
fn a_trigger_on_what_loses_rows_is_warned_of() {
    let conn = people_and(
        "CREATE TABLE shop (id integer PRIMARY KEY, owner REFERENCES people ON DELETE CASCADE);
         CREATE TABLE note (id integer PRIMARY KEY, owner REFERENCES people ON DELETE SET NULL);
         CREATE TRIGGER keep_count AFTER DELETE ON Shop BEGIN SELECT 1; END;
         CREATE TRIGGER mourn BEFORE DELETE ON people BEGIN SELECT 1; END;
         CREATE TRIGGER elsewhere AFTER UPDATE ON note BEGIN SELECT 1; END;",
    );
    let warnings = [
        "`shop` has a trigger `keep_count`; what it does is not in the counts",
        "`people` has a trigger `mourn`; what it does is not in the counts",
    ];
    assert_eq!(plan(&conn, json!({})).warnings, warnings);
    assert_eq!(Host::new(&conn).run(&removal(json!({}), json!({}))).warnings, warnings);
}

#[test]
fn keys_that_nobody_checks_are_warned_of() {
    let conn = people_and("");
    conn.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    let report = Host::new(&conn).run(&removal(json!({}), json!({})));
    assert!(report.warnings[0].starts_with("foreign keys are not enforced"), "{:?}", report.warnings);
}

#[test]
fn a_temporary_table_of_the_same_name_is_not_meant() {
    let conn = people_and(
        "CREATE TABLE shop (id integer PRIMARY KEY, owner integer REFERENCES people ON DELETE CASCADE);
         INSERT INTO shop VALUES (1, 1), (2, 3);
         CREATE TEMP TABLE shop (id integer PRIMARY KEY, owner integer);
         INSERT INTO temp.shop VALUES (1, 1);",
    );
    let report = Host::new(&conn).run(&removal(json!({}), json!({})));
    assert_eq!(removed(&report), counts([("people", 2), ("shop", 1)]));
    assert_eq!(number(&conn, "SELECT count(*) FROM main.shop"), 1);
    assert_eq!(number(&conn, "SELECT count(*) FROM temp.shop"), 1);
}
