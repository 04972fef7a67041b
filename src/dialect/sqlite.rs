//! SQLite, and what speaks its SQL. Instants are Django's text; a table is walked in the order of its row ids.

use super::{Dialect, Lease, LeaseRows, Search, Slices, ranges, text};
use crate::effect::{Cell, Rows};
use crate::error::{Error, unexpected};
use crate::instant::Instant;
use crate::named::Named;
use crate::rule::Span;
use crate::rule::sql::{Slot, Sql, Template};
use crate::schema::{Column, Declared, ForeignKey, Index, Part, Schema, Table, Trigger};

/// The dialect of SQLite 3.38 and later.
pub struct Sqlite;

/// The first instant of Django's calendar.
const FIRST: &str = "0001-01-01";
/// What an instant with a fraction looks like behind its seconds.
const FRACTION: &str = "???????????????????.[0-9][0-9][0-9][0-9][0-9][0-9]";

/// One row per table and column, in the order of both.
const COLUMNS: &str = "SELECT t.name, t.wr, c.name, c.type, c.dflt_value, c.pk, c.\"notnull\", \
    (SELECT m.sql LIKE '%COLLATE%' FROM main.sqlite_master AS m WHERE m.type = 'table' AND m.name = t.name) \
    FROM pragma_table_list AS t, pragma_table_xinfo(t.name, t.schema) AS c \
    WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY t.name, c.cid";

/// One row per column of a foreign key.
const FOREIGN_KEYS: &str = "SELECT t.name, f.id, f.\"table\", f.\"from\", f.\"to\", f.on_delete \
    FROM pragma_table_list AS t, pragma_foreign_key_list(t.name, t.schema) AS f \
    WHERE t.schema = 'main' AND t.type = 'table' ORDER BY t.name, f.id, f.seq";

/// The triggers, and whether they can keep a row from going without an error.
const TRIGGERS: &str = "SELECT tbl_name, name, sql LIKE '%RAISE%IGNORE%' FROM main.sqlite_master \
    WHERE type = 'trigger' ORDER BY tbl_name, name";

const ENFORCED: &str = "PRAGMA foreign_keys";

/// One row per index by which equal values are found, its columns as JSON.
const INDEXES: &str = "SELECT t.name, (SELECT json_group_array(c.name) FROM (SELECT i.name FROM \
    pragma_index_info(x.name, t.schema) AS i ORDER BY i.seqno) AS c WHERE c.name IS NOT NULL) \
    FROM pragma_table_list AS t, pragma_index_list(t.name, t.schema) AS x \
    WHERE t.schema = 'main' AND t.type = 'table' AND NOT x.partial";

const VERSION: &str = "SELECT sqlite_version()";

impl Sqlite {
    /// The first name of the row id that no column hides.
    fn row_id(sql: &mut Sql, alias: &str) {
        sql.push(alias).push("._rowid_");
    }

    /// `YYYY-MM-DD HH:MM:SS`, as SQLite itself would write it, and then nothing or a fraction of six digits.
    fn is_instant(sql: &mut Sql, alias: &str, column: &str) {
        let c = format!("{alias}.{}", Self.quote(column));
        sql.push(&format!(
            "(typeof({c}) = 'text' AND {c} >= '{FIRST}' AND datetime(substr({c}, 1, 19)) IS substr({c}, 1, 19) \
             AND (length({c}) = 19 OR {c} GLOB '{FRACTION}'))"
        ));
    }

    fn integer(sql: &mut Sql, slot: Slot) {
        sql.push("CAST(").slot(slot).push(" AS INTEGER)");
    }
}

impl Dialect for Sqlite {
    fn quote(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// A temporary table would go before one of the same name in the database itself.
    fn table(&self, name: &str) -> String {
        format!("main.{}", self.quote(name))
    }

    /// By the collation of the target, which is the one that counts for SQLite's own check; a column's own may take more
    /// for equal. Said only where it makes a difference, for several keys at once would then be found by no index.
    fn foreign_key(&self, sql: &mut Sql, alias: &str, columns: &[String], table: Option<&Table>) {
        let several = columns.len() > 1;
        let collation = if table.is_some_and(|table| table.collates) { " COLLATE BINARY" } else { "" };
        sql.push(if several { "(" } else { "" });
        sql.joined(columns, ", ", |sql, column| {
            sql.column(alias, column).push(collation);
        });
        sql.push(if several { ")" } else { "" });
    }

    /// The check of a key compares as the target's type does. A condition compares as numbers if either does, and then '1'
    /// and '01' are the same.
    fn comparable(&self, child: &Column, target: &Column) -> bool {
        is_numeric(&target.kind) || !is_numeric(&child.kind)
    }

    fn literal(&self, _slot: &Slot, _value: &str) -> Option<String> {
        None
    }

    fn is_true(&self, sql: &mut Sql, alias: &str, column: &str) {
        sql.column(alias, column).push(" = 1");
    }

    /// SQLite sorts every number before every text, so an instant stored as a number would pass for ancient: only
    /// Django's own text counts, and of that the order is the order in time.
    fn compare_instant(&self, sql: &mut Sql, alias: &str, column: &str, operator: &str, instant: Instant) {
        sql.push("(").column(alias, column).push(&format!(" {operator} ")).slot(Slot::Fixed(instant.to_django_text()));
        sql.push(" AND ");
        Self::is_instant(sql, alias, column);
        sql.push(")");
    }

    fn unreadable_instant(&self, sql: &mut Sql, alias: &str, column: &str) {
        sql.column(alias, column).push(" IS NOT NULL AND NOT ");
        Self::is_instant(sql, alias, column);
    }

    fn holds_instants(&self, column: &Column) -> bool {
        let kind = column.kind.to_ascii_uppercase();
        kind.is_empty()
            || ["DATETIME", "TIMESTAMP", "TEXT", "VARCHAR", "CHAR"].iter().any(|name| kind.starts_with(name))
    }

    fn holds_truth(&self, _column: &Column) -> bool {
        true
    }

    fn within(&self, sql: &mut Sql, span: Span, _table: &str, alias: &str) {
        Self::row_id(sql, alias);
        match span {
            Span::Passed => {
                sql.push(" < ");
                Self::integer(sql, Slot::From);
            }
            Span::Slice => {
                sql.push(" BETWEEN ");
                Self::integer(sql, Slot::From);
                sql.push(" AND ");
                Self::integer(sql, Slot::Upto);
            }
        }
    }

    fn walkable(&self, table: &Table) -> Result<(), String> {
        if table.without_row_ids {
            return Err("it is WITHOUT ROWID, which cannot be walked".into());
        }
        if table.columns.iter().any(|column| column.name.eq_ignore_ascii_case("_rowid_")) {
            return Err("it has a column `_rowid_`, which hides the row ids".into());
        }
        Ok(())
    }

    fn open(&self, schema: &Schema, table: &str, _part: Option<&Part>) -> Template {
        let mut sql = Sql::new(self, schema);
        // Counting reads the whole table, so a walk that goes on is told what there was at its beginning.
        sql.push("SELECT coalesce(nullif(").slot(Slot::Total).push(", ''), (SELECT count(*) FROM ").table(table);
        sql.push(")), ");
        sql.push("(SELECT CAST(min(_rowid_) AS TEXT) FROM ").table(table).push("), ");
        sql.push("(SELECT CAST(max(_rowid_) AS TEXT) FROM ").table(table).push(")");
        sql.finish()
    }

    fn find(&self, schema: &Schema, table: &str, _part: Option<&Part>, search: &Search) -> Template {
        let mut sql = Sql::new(self, schema);
        sql.push("WITH idp_janitor_walked(position, verdict) AS MATERIALIZED (SELECT ");
        Self::row_id(&mut sql, "t");
        sql.push(", ");
        search.verdict(&mut sql, table);
        sql.push(" FROM ").table(table).push(" AS t WHERE ");
        self.within(&mut sql, Span::Slice, table, "t");
        sql.push(" ORDER BY ");
        Self::row_id(&mut sql, "t");
        sql.push(" LIMIT ");
        Self::integer(&mut sql, Slot::Window);
        sql.push(
            ") SELECT count(*), CAST(max(position) AS TEXT), sum(verdict IN (1, 2)), sum(verdict = 2), sum(verdict = 3) \
             FROM idp_janitor_walked WHERE position <= coalesce((SELECT position FROM idp_janitor_walked \
             WHERE verdict = 1 ORDER BY position LIMIT 1 OFFSET ",
        );
        Self::integer(&mut sql, Slot::Take);
        sql.push(" - 1), 9223372036854775807)");
        sql.finish()
    }

    fn window_end(&self, _from: &str, _window: u64, last: &str) -> String {
        last.to_owned()
    }

    fn is_position(&self, text: &str) -> bool {
        text.parse::<i64>().is_ok()
    }

    fn after(&self, position: &str) -> Option<String> {
        position.parse::<i64>().ok()?.checked_add(1).map(|next| next.to_string())
    }

    fn split(&self, first: &str, last: &str, parts: u32) -> Vec<(String, String)> {
        let (Ok(first), Ok(last)) = (first.parse::<i64>(), last.parse::<i64>()) else { return vec![] };
        ranges(first, last, parts).map(|(from, upto)| (from.to_string(), upto.to_string())).collect()
    }

    /// SQLite has one writer, and a transaction rewrites every page of every index that it touches: many short ones
    /// cost several times as much as few long ones. Django waits five seconds for a lock, and two leave it room.
    fn slice_ms(&self) -> f64 {
        2_000.0
    }

    fn slices(&self) -> Slices {
        Slices::Repeated
    }

    /// Order within a slice is then free, and a foreign key that is still broken at its end undoes it.
    fn prelude(&self, _slice_ms: f64) -> Vec<String> {
        vec!["PRAGMA defer_foreign_keys = ON".into()]
    }

    fn epilogue(&self) -> &'static [&'static str] {
        &[]
    }

    fn lease(&self, _job: &str) -> Option<Lease> {
        None
    }

    fn lease_rows(&self) -> Option<LeaseRows> {
        let instant = |seconds| format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+{seconds} seconds')");
        Some(LeaseRows { before: &[], instant, held: None })
    }

    fn schema_queries(&self) -> &'static [&'static str] {
        &[COLUMNS, FOREIGN_KEYS, TRIGGERS, ENFORCED]
    }

    fn examination_queries(&self) -> &'static [&'static str] {
        &[INDEXES, VERSION]
    }

    fn examined(&self, schema: &mut Schema, results: &[Rows]) -> Result<(), Error> {
        let [indexes, version] = results else { return Err(unexpected("the two results of an examination")) };
        for row in indexes {
            let Some(table) = schema.tables.get_mut(&text(row.first())?) else { continue };
            match row.get(1).and_then(Cell::text) {
                // The names of columns, as JSON.
                Some(columns) => table.indexes.extend(serde_json::from_str(&columns).ok().map(unnamed)),
                None => continue,
            }
        }
        if let Some(version) = version.first() {
            schema.server = format!("SQLite {}", text(version.first())?);
        }
        // The row id is an index that is in no list.
        for name in schema.tables.names().map(str::to_owned).collect::<Vec<_>>() {
            let key = schema.primary_key(&name);
            if let Some(table) = schema.tables.get_mut(&name).filter(|_| !key.is_empty()) {
                table.indexes.push(unnamed(key));
            }
        }
        Ok(())
    }

    fn create_index(&self, schema: &Schema, table: &str, columns: &[String]) -> String {
        let mut sql = Sql::new(self, schema);
        sql.push("CREATE INDEX ").name(&format!("{table}_{}", columns.join("_"))).push(" ON ").name(table).push(" (");
        sql.joined(columns, ", ", |sql, column| {
            sql.name(column);
        });
        sql.push(")");
        sql.finish().shown(self)
    }

    fn schema(&self, results: &[Rows]) -> Result<Schema, Error> {
        let [columns, foreign_keys, triggers, enforced] = results else {
            return Err(unexpected("the four results of the schema"));
        };
        let mut tables = read_columns(columns)?;
        for row in triggers {
            if let Some(table) = spelt(tables.names(), &text(row.first())?).and_then(|name| tables.get_mut(&name)) {
                table.triggers.push(Trigger { name: text(row.get(1))?, keeps_rows: text(row.get(2))? != "0" });
            }
        }
        for (table, key) in read_foreign_keys(foreign_keys, &tables)? {
            if let Some(table) = tables.get_mut(&table) {
                table.foreign_keys.push(key);
            }
        }
        let enforces_keys = enforced.first().map(|row| text(row.first())).transpose()?.is_some_and(|on| on != "0");
        Ok(Schema { tables, enforces_keys, server: "SQLite".into(), ..Schema::default() })
    }
}

fn read_columns(rows: &Rows) -> Result<Named<Table>, Error> {
    let mut tables = Named::<Table>::default();
    for row in rows {
        let table = tables.entry(&text(row.first())?);
        table.without_row_ids = text(row.get(1))? != "0";
        table.collates = text(row.get(7))? != "0";
        table.columns.push(Column {
            name: text(row.get(2))?,
            kind: text(row.get(3))?,
            default: row.get(4).and_then(Cell::text),
            primary_key: row.get(5).map_or(Ok(0), Cell::count)?,
            not_null: text(row.get(6))? != "0",
        });
    }
    Ok(tables)
}

/// Foreign keys, their names spelt as the tables and columns themselves are: SQLite tells them as they were written,
/// in whatever case, and leaves out the target where it is the primary key.
fn read_foreign_keys(rows: &Rows, tables: &Named<Table>) -> Result<Vec<(String, ForeignKey)>, Error> {
    let mut keys: Vec<(String, String, ForeignKey)> = Vec::new();
    for row in rows {
        let (table, id) = (text(row.first())?, text(row.get(1))?);
        // A key to a table that does not exist can have no row that points anywhere.
        let Some(references) = spelt(tables.names(), &text(row.get(2))?) else { continue };
        let column = column_of(tables, &table, &text(row.get(3))?);
        let target = row.get(4).and_then(Cell::text).map(|target| column_of(tables, &references, &target));
        match keys.last_mut() {
            Some((last_table, last_id, key)) if *last_table == table && *last_id == id => {
                key.columns.push(column);
                key.target.extend(target);
            }
            _ => keys.push((
                table,
                id,
                ForeignKey {
                    columns: vec![column],
                    references,
                    target: target.into_iter().collect(),
                    declared: declared(&text(row.get(5))?),
                    of_part: false,
                    unchecked: false,
                },
            )),
        }
    }
    for (_, _, key) in &mut keys {
        if key.target.is_empty() {
            key.target = primary_key(tables, &key.references);
        }
    }
    Ok(keys.into_iter().map(|(table, _, key)| (table, key)).collect())
}

/// Whether values become numbers in a column of that type: "Determination Of Column Affinity" in SQLite's documentation.
fn is_numeric(kind: &str) -> bool {
    let kind = kind.to_ascii_uppercase();
    let has = |part: &str| kind.as_bytes().windows(part.len()).any(|window| window == part.as_bytes());
    has("INT") || !(kind.is_empty() || ["CHAR", "CLOB", "TEXT", "BLOB"].into_iter().any(has))
}

fn declared(text: &str) -> Declared {
    match text {
        "CASCADE" => Declared::Cascade,
        "SET NULL" => Declared::SetNull,
        "SET DEFAULT" => Declared::SetDefault,
        "RESTRICT" => Declared::Restrict,
        _ => Declared::NoAction,
    }
}

fn primary_key(tables: &Named<Table>, table: &str) -> Vec<String> {
    let columns = tables.get(table).map(|table| table.columns.as_slice()).unwrap_or_default();
    let place = |place: u64| columns.iter().find(|column| column.primary_key == place);
    (1..).map_while(place).map(|column| column.name.clone()).collect()
}

fn spelt<'a>(mut names: impl Iterator<Item = &'a str>, name: &str) -> Option<String> {
    names.find(|candidate| candidate.eq_ignore_ascii_case(name)).map(str::to_owned)
}

/// The column as the table spells it; as it was told, where there is none: whoever reaches such a key refuses it.
fn column_of(tables: &Named<Table>, table: &str, column: &str) -> String {
    let columns = tables.get(table).into_iter().flat_map(|table| &table.columns);
    spelt(columns.map(|column| column.name.as_str()), column).unwrap_or_else(|| column.to_owned())
}
fn unnamed(columns: Vec<String>) -> Index {
    Index { columns, ..Index::default() }
}
