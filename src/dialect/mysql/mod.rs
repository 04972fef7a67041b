//! MySQL 8.0 and MariaDB 10.6, and later. Instants are `datetime(6)` in UTC; a table is walked in the order of its primary
//! key, by which InnoDB stores it.

mod schema;

use super::{Dialect, Lease, Search, Slices};
use crate::effect::Rows;
use crate::error::Error;
use crate::instant::Instant;
use crate::rule::Span;
use crate::rule::sql::{Slot, Sql, Template};
use crate::schema::{Column, Part, Schema, Table};

/// The dialect of MySQL and MariaDB.
pub struct MySql;

/// The first instant of Django's calendar. Zero dates, which these products can hold, come before it.
const FIRST: &str = "TIMESTAMP'0001-01-01 00:00:00'";

impl MySql {
    /// Neither a zero date, nor one with a zero in it, nor a day that its month does not have.
    fn is_instant(sql: &mut Sql, alias: &str, column: &str) {
        sql.column(alias, column).push(&format!(" >= {FIRST} AND MONTH(")).column(alias, column);
        sql.push(") > 0 AND DAYOFMONTH(").column(alias, column).push(") BETWEEN 1 AND DAYOFMONTH(LAST_DAY(");
        sql.column(alias, column).push("))");
    }

    /// The one column by which a table is walked.
    fn key(schema: &Schema, table: &str) -> String {
        schema.primary_key(table).into_iter().next().unwrap_or_default()
    }

    /// Adds a position as a value of the table's key, so that it compares as that does.
    fn position(sql: &mut Sql, table: &str, slot: Slot) {
        let key = Self::key(sql.schema, table);
        let kind = sql.schema.column(table, &key).map(|column| column.kind.clone()).unwrap_or_default();
        if !is_integer(&kind) {
            sql.slot(slot);
            return;
        }
        sql.push("CAST(").slot(slot).push(if kind.contains("unsigned") { " AS UNSIGNED)" } else { " AS SIGNED)" });
    }
}

impl Dialect for MySql {
    fn quote(&self, name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }

    fn table(&self, name: &str) -> String {
        self.quote(name)
    }

    /// Numbers as they are, for `LIMIT` takes no text. Positions are the bytes of a key's text in hexadecimal, which no character set
    /// of a connection changes, and no mode of the server reads otherwise.
    fn literal(&self, slot: &Slot, value: &str) -> Option<String> {
        Some(match slot {
            Slot::Window | Slot::Take | Slot::Before | Slot::Total | Slot::Lease => value.to_owned(),
            Slot::Fixed(_) => format!("TIMESTAMP'{value}'"),
            Slot::Text(_) => {
                format!("_utf8mb4 X'{}'", value.bytes().map(|byte| format!("{byte:02X}")).collect::<String>())
            }
            Slot::From | Slot::Upto => format!("_utf8mb4 X'{value}'"),
        })
    }

    fn foreign_key(&self, sql: &mut Sql, alias: &str, columns: &[String], _table: Option<&Table>) {
        let several = columns.len() > 1;
        sql.push(if several { "(" } else { "" }).columns(alias, columns).push(if several { ")" } else { "" });
    }

    /// InnoDB itself allows no key between columns that compare otherwise.
    fn comparable(&self, child: &Column, target: &Column) -> bool {
        let base = |kind: &str| kind.split(['(', ' ']).next().unwrap_or_default().to_ascii_lowercase();
        base(&child.kind) == base(&target.kind)
    }

    fn is_true(&self, sql: &mut Sql, alias: &str, column: &str) {
        sql.column(alias, column).push(" = 1");
    }

    fn compare_instant(&self, sql: &mut Sql, alias: &str, column: &str, operator: &str, instant: Instant) {
        sql.push("(").column(alias, column).push(&format!(" {operator} "));
        sql.slot(Slot::Fixed(instant.to_django_text())).push(" AND ");
        Self::is_instant(sql, alias, column);
        sql.push(")");
    }

    fn unreadable_instant(&self, sql: &mut Sql, alias: &str, column: &str) {
        sql.column(alias, column).push(" IS NOT NULL AND NOT (");
        Self::is_instant(sql, alias, column);
        sql.push(")");
    }

    /// A `timestamp` would be read by the zone of whoever asks.
    fn holds_instants(&self, column: &Column) -> bool {
        column.kind.to_ascii_lowercase().starts_with("datetime")
    }

    fn holds_truth(&self, column: &Column) -> bool {
        is_integer(&column.kind) || column.kind.to_ascii_lowercase().starts_with("bit")
    }

    fn within(&self, sql: &mut Sql, span: Span, table: &str, alias: &str) {
        let key = Self::key(sql.schema, table);
        sql.push("(").column(alias, &key);
        match span {
            Span::Passed => {
                sql.push(" < ");
                Self::position(sql, table, Slot::From);
            }
            Span::Slice => {
                sql.push(" >= ");
                Self::position(sql, table, Slot::From);
                sql.push(" AND ").column(alias, &key).push(" <= ");
                Self::position(sql, table, Slot::Upto);
            }
        }
        sql.push(")");
    }

    fn walkable(&self, table: &Table) -> Result<(), String> {
        let key: Vec<&Column> = table.columns.iter().filter(|column| column.primary_key > 0).collect();
        let [key] = key.as_slice() else { return Err("it has no primary key of one column".into()) };
        let kind = key.kind.to_ascii_lowercase();
        // Of others, the order of values is not that of their texts, or the text is not the value.
        if is_integer(&kind) || ["char", "varchar", "uuid"].iter().any(|known| kind.starts_with(known)) {
            return Ok(());
        }
        Err(format!(
            "its primary key is declared `{kind}`, and only keys of whole numbers, text and `uuid` can be walked by"
        ))
    }

    /// Anything but InnoDB would do half a slice, and its rows cannot be told apart without a key.
    fn changeable(&self, table: &Table) -> Result<(), String> {
        if table.without_row_ids {
            return Err("its storage engine is not InnoDB, and knows no transactions".into());
        }
        if table.columns.iter().all(|column| column.primary_key == 0) {
            return Err("it has no primary key".into());
        }
        Ok(())
    }

    /// The number of rows is the engine's estimate: counting them reads the whole table.
    fn open(&self, schema: &Schema, table: &str, _part: Option<&Part>) -> Template {
        let key = Self::key(schema, table);
        let rows = schema.tables.get(table).and_then(|table| table.rows).unwrap_or_default();
        let mut sql = Sql::new(self, schema);
        for (before, function) in [(format!("SELECT {rows}, "), "min"), (", ".into(), "max")] {
            sql.push(&before).push(&format!("(SELECT HEX(CAST({function}(t.")).name(&key);
            sql.push(") AS CHAR CHARACTER SET utf8mb4)) FROM ").table(table).push(" AS t)");
        }
        sql.finish()
    }

    fn find(&self, schema: &Schema, table: &str, _part: Option<&Part>, search: &Search) -> Template {
        let key = Self::key(schema, table);
        let mut sql = Sql::new(self, schema);
        sql.push("WITH idp_janitor_walked AS (SELECT t.").name(&key).push(" AS position, ");
        search.verdict(&mut sql, table);
        sql.push(" AS verdict FROM ").table(table).push(" AS t FORCE INDEX (PRIMARY) WHERE ");
        self.within(&mut sql, Span::Slice, table, "t");
        sql.push(" ORDER BY t.").name(&key).push(" LIMIT ").slot(Slot::Window);
        sql.push(
            "), idp_janitor_end AS (SELECT coalesce((SELECT position FROM idp_janitor_walked WHERE verdict = 1 \
             ORDER BY position LIMIT 1 OFFSET ",
        );
        sql.slot(Slot::Before).push(
            "), (SELECT max(position) FROM idp_janitor_walked)) AS position) \
             SELECT count(*), (SELECT HEX(CAST(position AS CHAR CHARACTER SET utf8mb4)) FROM idp_janitor_end), sum(verdict IN (1, 2)), \
             sum(verdict = 2), sum(verdict = 3), (SELECT HEX(CAST(min(n.",
        );
        sql.name(&key).push(") AS CHAR CHARACTER SET utf8mb4)) FROM ").table(table).push(" AS n WHERE n.").name(&key);
        sql.push(" > (SELECT position FROM idp_janitor_end) AND n.").name(&key).push(" <= ");
        Self::position(&mut sql, table, Slot::Upto);
        sql.push(") FROM idp_janitor_walked WHERE position <= (SELECT position FROM idp_janitor_end)");
        sql.finish()
    }

    fn window_end(&self, _from: &str, _window: u64, last: &str) -> String {
        last.to_owned()
    }

    fn is_position(&self, text: &str) -> bool {
        !text.is_empty() && text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// What comes after a text depends on its collation, so the find tells it.
    fn after(&self, _position: &str) -> Option<String> {
        None
    }

    fn slice_ms(&self) -> f64 {
        100.0
    }

    fn slices(&self) -> Slices {
        Slices::Staged
    }

    /// How long a lock is waited for is the adapter's to set: it is a setting of the connection.
    fn prelude(&self, _slice_ms: f64) -> Vec<String> {
        Vec::new()
    }

    fn epilogue(&self) -> &'static [&'static str] {
        &[]
    }

    fn lease(&self, job: &str) -> Option<Lease> {
        let name = lock_name(job);
        Some(Lease {
            take: format!(
                "SELECT coalesce(GET_LOCK({name}, 0), 0), CONNECTION_ID(), \
                 CONCAT('connection ', IS_USED_LOCK({name}), ' of the server', \
                 coalesce((SELECT CONCAT(' (user ', p.USER, ' from ', p.HOST, ')') FROM information_schema.PROCESSLIST AS p \
                 WHERE p.ID = IS_USED_LOCK({name})), ''))"
            ),
            held: |sql, job| {
                sql.push(&format!("(SELECT IS_USED_LOCK({})) <=> ", lock_name(job))).slot(Slot::Lease);
            },
        })
    }

    fn last_changes(&self) -> (&'static str, &'static str) {
        ("ROW_COUNT()", " FROM DUAL")
    }

    fn schema_queries(&self) -> &'static [&'static str] {
        schema::QUERIES
    }

    fn schema(&self, results: &[Rows]) -> Result<Schema, Error> {
        schema::read(results)
    }

    fn create_index(&self, schema: &Schema, table: &str, columns: &[String]) -> String {
        let mut sql = Sql::new(self, schema);
        sql.push("ALTER TABLE ").table(table).push(" ADD INDEX (");
        sql.joined(columns, ", ", |sql, column| {
            sql.name(column);
        });
        sql.push("), ALGORITHM=INPLACE, LOCK=NONE");
        sql.finish().shown(self)
    }
}

/// The name of a job's lock, as an expression: locks are the server's, and databases many.
fn lock_name(job: &str) -> String {
    format!("CONCAT('idp_janitor:', LEFT(SHA2(CONCAT(DATABASE(), ' {job}'), 256), 40))")
}

/// Whether a column's type, as `information_schema` tells it, is a whole number.
fn is_integer(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    ["tinyint", "smallint", "mediumint", "int", "bigint"].iter().any(|name| kind.starts_with(name))
}
