//! What a PostgreSQL database declares, read from its catalogs. A table on the search path goes by its own name, any other by
//! that of its schema before it; statements name both by schema and name.

use crate::dialect::{text, yes};
use crate::effect::{Cell, Rows};
use crate::error::{Error, unexpected};
use crate::named::Named;
use crate::schema::{Column, Declared, ForeignKey, Index, Part, Schema, Table, Trigger};

/// The oldest version that scans ranges of places (14), as `server_version_num` has it.
const OLDEST: u64 = 140_000;

/// Tables of their own, neither temporary nor the server's.
macro_rules! own {
    () => {
        " c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' \
          AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' "
    };
}

/// The server, and whether the connection checks foreign keys: replication roles do not.
const SERVER: &str = "SELECT current_setting('server_version_num'), 'PostgreSQL ' || current_setting('server_version'), \
    (current_setting('session_replication_role') <> 'replica')::int";

/// One row per table, with the place of its schema on the search path.
const TABLES: &str = concat!(
    "SELECT c.oid::text, n.nspname::text, c.relname::text, array_position(current_schemas(false), n.nspname)::text, \
     format('%I.%I', n.nspname, c.relname), CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint::text END, \
     has_table_privilege(c.oid, 'SELECT')::int, has_table_privilege(c.oid, 'UPDATE')::int, \
     has_table_privilege(c.oid, 'DELETE')::int, row_security_active(c.oid)::int FROM pg_catalog.pg_class AS c \
     JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE",
    own!(),
    "ORDER BY array_position(current_schemas(false), n.nspname)"
);

/// One row per column, in order; domains by what they are made from.
const COLUMNS: &str = concat!(
    "SELECT c.oid::text, a.attname::text, format_type(CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END, NULL), \
     pg_get_expr(d.adbin, d.adrelid), coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0), a.attnotnull::int \
     FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
     JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
     JOIN pg_catalog.pg_type AS y ON y.oid = a.atttypid \
     LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum AND a.attgenerated = '' \
     LEFT JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid AND i.indisprimary WHERE",
    own!(),
    "ORDER BY c.oid, a.attnum"
);

/// One row per column of a foreign key, and of each table whose rows it may point at: one that points at a partition or an heir is
/// told of what that is a part of, too. What the parts of a partitioned table have is said once, of the whole. Those are not
/// checked whose triggers are off, or only for replication, or that are declared so (18).
const FOREIGN_KEYS: &str = "SELECT k.conrelid::text, k.oid || ' ' || r.oid, r.oid::text, a.attname::text, b.attname::text, \
    CASE WHEN (to_jsonb(k) ->> 'confdelsetcols') IS NULL THEN k.confdeltype::text ELSE 's' END, \
    k.conrelid::regclass::text, (r.oid <> k.confrelid)::int, \
    (to_jsonb(k) ->> 'conenforced' = 'false' IS TRUE OR EXISTS (WITH RECURSIVE same(oid) AS (SELECT k.oid UNION SELECT p.oid \
    FROM same JOIN pg_catalog.pg_constraint AS p ON p.conparentid = same.oid) SELECT 1 FROM same JOIN pg_catalog.pg_trigger AS g \
    ON g.tgconstraint = same.oid WHERE g.tgenabled NOT IN ('O', 'A')))::int FROM pg_catalog.pg_constraint AS k \
    CROSS JOIN LATERAL (WITH RECURSIVE tree(oid) AS (SELECT k.confrelid UNION SELECT i.inhparent FROM tree \
    JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = tree.oid) SELECT oid FROM tree) AS r \
    CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS o(child, target, at) \
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = o.child \
    JOIN pg_catalog.pg_attribute AS b ON b.attrelid = k.confrelid AND b.attnum = o.target \
    WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY k.conrelid, k.oid, r.oid <> k.confrelid, r.oid, o.at";

/// One row per trigger that may act on a removal or an unset. One that keeps a row keeps what hangs on it, for the changes of a
/// slice are chained.
const TRIGGERS: &str = "SELECT g.tgrelid::text, g.tgname::text FROM pg_catalog.pg_trigger AS g \
    WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND g.tgtype & 24 <> 0 AND g.tgenabled <> 'D' ORDER BY g.tgname";

/// One row per part of a table that has some, the table itself included where it holds rows.
const PARTS: &str = "WITH RECURSIVE tree(root, oid) AS (SELECT c.oid, c.oid FROM pg_catalog.pg_class AS c \
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND (c.relkind = 'p' OR \
    EXISTS (SELECT 1 FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid)) \
    UNION SELECT tree.root, i.inhrelid FROM tree JOIN pg_catalog.pg_inherits AS i ON i.inhparent = tree.oid) \
    SELECT tree.root::text, CASE WHEN l.relkind = 'r' THEN l.oid::text ELSE '' END, format('%I.%I', m.nspname, l.relname), \
    row_security_active(l.oid)::int, (SELECT c.relkind <> 'p' FROM pg_catalog.pg_class AS c WHERE c.oid = tree.root)::int \
    FROM tree JOIN pg_catalog.pg_class AS l ON l.oid = tree.oid AND l.relkind <> 'p' \
    JOIN pg_catalog.pg_namespace AS m ON m.oid = l.relnamespace ORDER BY tree.root, tree.oid";

/// One row per column of an index by which equal values are found.
const INDEXES: &str = "SELECT i.indrelid::text, i.indexrelid::text, a.attname::text FROM pg_catalog.pg_index AS i \
    JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am AS m ON m.oid = x.relam \
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS o(column_number, at) \
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = o.column_number \
    WHERE i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid AND m.amname IN ('btree', 'hash') \
    AND i.indrelid >= 16384 ORDER BY i.indexrelid, o.at";

/// The statements that read the schema.
pub(super) const QUERIES: &[&str] = &[SERVER, TABLES, COLUMNS, FOREIGN_KEYS, TRIGGERS, PARTS, INDEXES];

/// The schema out of their results.
pub(super) fn read(results: &[Rows]) -> Result<Schema, Error> {
    let [server, tables, columns, foreign_keys, triggers, parts, indexes] = results else {
        return Err(unexpected("the seven results of the schema"));
    };
    let [server] = server.as_slice() else { return Err(unexpected("one row of the server")) };
    let name = text(server.get(1))?;
    if server.first().map_or(Ok(0), Cell::count)? < OLDEST {
        return Err(Error::UnsupportedSchema {
            what: format!("{name} is too old to be walked, 14 is the oldest that can"),
        });
    }
    let mut found = Found::default();
    found.read_tables(tables)?;
    for row in columns {
        if let Some(table) = found.table(row)? {
            table.columns.push(Column {
                name: text(row.get(1))?,
                kind: text(row.get(2))?,
                default: row.get(3).and_then(Cell::text),
                primary_key: row.get(4).map_or(Ok(0), Cell::count)?,
                not_null: yes(row.get(5))?,
            });
        }
    }
    found.read_foreign_keys(foreign_keys)?;
    for row in triggers {
        if let Some(table) = found.table(row)? {
            table.triggers.push(Trigger { name: text(row.get(1))?, keeps_rows: false });
        }
    }
    for row in parts {
        if let Some(table) = found.table(row)? {
            table.parts.push(Part { id: text(row.get(1))?, address: text(row.get(2))? });
            table.hides_rows |= yes(row.get(3))?;
            table.has_heirs = yes(row.get(4))?;
        }
    }
    found.read_indexes(indexes)?;
    Ok(Schema { tables: found.tables, enforces_keys: yes(server.get(2))?, server: name, ..Schema::default() })
}

/// The tables by name, and their names by what the catalogs know them by.
#[derive(Default)]
struct Found {
    tables: Named<Table>,
    names: Named<String>,
}

impl Found {
    /// The table that a row is about, by the number in its first column.
    fn table(&mut self, row: &[Cell]) -> Result<Option<&mut Table>, Error> {
        let name = self.names.get(&text(row.first())?).cloned();
        Ok(name.and_then(|name| self.tables.get_mut(&name)))
    }

    /// Of tables of one name, the one whose schema comes first on the search path has it, as far as a temporary table
    /// does not hide it, which is not ours to care for.
    fn read_tables(&mut self, rows: &Rows) -> Result<(), Error> {
        for row in rows {
            let own = text(row.get(2))?;
            let on_path = row.get(3).and_then(Cell::text).is_some();
            let name = match self.tables.get(&own) {
                None if on_path => own,
                _ => format!("{}.{own}", text(row.get(1))?),
            };
            let mut denied = Vec::new();
            for (at, right) in [(6, "SELECT"), (7, "UPDATE"), (8, "DELETE")] {
                if !yes(row.get(at))? {
                    denied.push(right.to_owned());
                }
            }
            let rows = row.get(5).and_then(Cell::text).and_then(|rows| rows.parse().ok());
            self.names.insert(&text(row.first())?, name.clone());
            let (address, hides_rows) = (text(row.get(4))?, yes(row.get(9))?);
            self.tables.insert(&name, Table { address, rows, denied, hides_rows, ..Table::default() });
        }
        Ok(())
    }

    /// A key of a part alone, whose table is not among these, stands there all the same: whoever reaches it refuses it.
    fn read_foreign_keys(&mut self, rows: &Rows) -> Result<(), Error> {
        let mut last = String::new();
        for row in rows {
            let (id, column, target) = (text(row.get(1))?, text(row.get(3))?, text(row.get(4))?);
            let Some(references) = self.names.get(&text(row.get(2))?).cloned() else { continue };
            let table = match self.names.get(&text(row.first())?) {
                Some(name) => name.clone(),
                None => text(row.get(6))?,
            };
            let keys = &mut self.tables.entry(&table).foreign_keys;
            match keys.last_mut() {
                Some(key) if last == id => {
                    key.columns.push(column);
                    key.target.push(target);
                }
                _ => keys.push(ForeignKey {
                    columns: vec![column],
                    references,
                    target: vec![target],
                    declared: declared(&text(row.get(5))?),
                    of_part: yes(row.get(7))?,
                    unchecked: yes(row.get(8))?,
                }),
            }
            last = id;
        }
        Ok(())
    }

    fn read_indexes(&mut self, rows: &Rows) -> Result<(), Error> {
        let mut last = String::new();
        for row in rows {
            let (id, column) = (text(row.get(1))?, text(row.get(2))?);
            let Some(table) = self.table(row)? else { continue };
            match table.indexes.last_mut() {
                Some(index) if last == id => index.columns.push(column),
                _ => table.indexes.push(Index { columns: vec![column], ..Index::default() }),
            }
            last = id;
        }
        Ok(())
    }
}

/// `confdeltype`, as the catalog documents it.
fn declared(code: &str) -> Declared {
    match code {
        "c" => Declared::Cascade,
        "n" => Declared::SetNull,
        "d" => Declared::SetDefault,
        "r" => Declared::Restrict,
        "s" => Declared::SetSome,
        _ => Declared::NoAction,
    }
}
