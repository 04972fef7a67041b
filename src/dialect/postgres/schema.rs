//! What a PostgreSQL database declares, read from its catalogs. A table on the search path goes by its own name, any other by
//! that of its schema before it; statements name both by schema and name.

use crate::dialect::{text, unexpected, yes};
use crate::effect::{Cell, Rows};
use crate::error::Error;
use crate::named::Named;
use crate::schema::{Column, Declared, ForeignKey, Part, Schema, Table, Trigger};

/// The oldest version that scans ranges of places (14), as `server_version_num` has it.
const OLDEST: u64 = 140_000;

/// The name of the table `c` in the schema `n`.
macro_rules! name {
    ($class:literal, $schema:literal) => {
        concat!(
            "CASE WHEN pg_catalog.pg_table_is_visible(",
            $class,
            ".oid) THEN ",
            $class,
            ".relname::text ELSE ",
            $schema,
            ".nspname || '.' || ",
            $class,
            ".relname END"
        )
    };
}

/// Tables of their own, neither temporary nor the server's.
macro_rules! own {
    () => {
        " c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' \
          AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' "
    };
}

/// The server, and whether the connection checks foreign keys, which replication roles do not.
const SERVER: &str = "SELECT current_setting('server_version_num'), 'PostgreSQL ' || current_setting('server_version'), \
    (current_setting('session_replication_role') <> 'replica')::int";

/// One row per table.
const TABLES: &str = concat!(
    "SELECT ",
    name!("c", "n"),
    ", format('%I.%I', n.nspname, c.relname), CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint::text END, \
     has_table_privilege(c.oid, 'SELECT')::int, has_table_privilege(c.oid, 'UPDATE')::int, \
     has_table_privilege(c.oid, 'DELETE')::int FROM pg_catalog.pg_class AS c \
     JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE",
    own!()
);

/// One row per column, in order; domains by what they are made from.
const COLUMNS: &str = concat!(
    "SELECT ",
    name!("c", "n"),
    ", a.attname::text, format_type(CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END, NULL), \
     pg_get_expr(d.adbin, d.adrelid), coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0), a.attnotnull::int \
     FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
     JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
     JOIN pg_catalog.pg_type AS y ON y.oid = a.atttypid \
     LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum AND a.attgenerated = '' \
     LEFT JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid AND i.indisprimary WHERE",
    own!(),
    "ORDER BY c.oid, a.attnum"
);

/// One row per column of a foreign key. What the parts of a partitioned table have is said once, of the whole.
const FOREIGN_KEYS: &str = concat!(
    "SELECT ",
    name!("c", "n"),
    ", k.oid::text, ",
    name!("p", "m"),
    ", a.attname::text, b.attname::text, k.confdeltype::text FROM pg_catalog.pg_constraint AS k \
     JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
     JOIN pg_catalog.pg_class AS p ON p.oid = coalesce(pg_partition_root(k.confrelid)::oid, k.confrelid) \
     JOIN pg_catalog.pg_namespace AS m ON m.oid = p.relnamespace \
     CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS o(child, target, at) \
     JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = o.child \
     JOIN pg_catalog.pg_attribute AS b ON b.attrelid = k.confrelid AND b.attnum = o.target \
     WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY k.conrelid, k.oid, o.at"
);

/// One row per trigger that may act on a removal or an unset. One that keeps a row keeps what hangs on it, for the changes of a
/// slice are chained.
const TRIGGERS: &str = concat!(
    "SELECT ",
    name!("c", "n"),
    ", g.tgname::text FROM pg_catalog.pg_trigger AS g JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid \
     JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
     WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND g.tgtype & 24 <> 0 AND g.tgenabled <> 'D' ORDER BY g.tgname"
);

/// One row per part of a table that has some, the table itself included where it holds rows.
const PARTS: &str = concat!(
    "WITH RECURSIVE tree(root, oid) AS (SELECT c.oid, c.oid FROM pg_catalog.pg_class AS c \
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND (c.relkind = 'p' OR \
     EXISTS (SELECT 1 FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid)) \
     UNION SELECT tree.root, i.inhrelid FROM tree JOIN pg_catalog.pg_inherits AS i ON i.inhparent = tree.oid) SELECT ",
    name!("c", "n"),
    ", CASE WHEN l.relkind = 'r' THEN l.oid::text ELSE '' END, format('%I.%I', m.nspname, l.relname) FROM tree \
     JOIN pg_catalog.pg_class AS c ON c.oid = tree.root JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
     JOIN pg_catalog.pg_class AS l ON l.oid = tree.oid AND l.relkind <> 'p' \
     JOIN pg_catalog.pg_namespace AS m ON m.oid = l.relnamespace WHERE",
    own!(),
    "ORDER BY tree.root, tree.oid"
);

/// One row per column of an index by which equal values are found.
const INDEXES: &str = concat!(
    "SELECT ",
    name!("c", "n"),
    ", i.indexrelid::text, a.attname::text FROM pg_catalog.pg_index AS i \
     JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
     JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am AS m ON m.oid = x.relam \
     CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS o(column_number, at) \
     JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = o.column_number \
     WHERE i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid AND m.amname IN ('btree', 'hash') AND",
    own!(),
    "ORDER BY i.indexrelid, o.at"
);

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
        return Err(Error::NotThisSchema {
            what: format!("{name} is too old to be walked, 14 is the oldest that can"),
        });
    }
    let mut schema =
        Schema { tables: read_tables(tables)?, enforces_keys: yes(server.get(2))?, server: name, denied: vec![] };
    for row in columns {
        if let Some(table) = schema.tables.get_mut(&text(row.first())?) {
            table.columns.push(Column {
                name: text(row.get(1))?,
                kind: text(row.get(2))?,
                default: row.get(3).and_then(Cell::text),
                primary_key: row.get(4).map_or(Ok(0), Cell::count)?,
                not_null: yes(row.get(5))?,
            });
        }
    }
    read_foreign_keys(foreign_keys, &mut schema.tables)?;
    for row in triggers {
        if let Some(table) = schema.tables.get_mut(&text(row.first())?) {
            table.triggers.push(Trigger { name: text(row.get(1))?, keeps_rows: false });
        }
    }
    for row in parts {
        if let Some(table) = schema.tables.get_mut(&text(row.first())?) {
            table.parts.push(Part { id: text(row.get(1))?, address: text(row.get(2))? });
        }
    }
    read_indexes(indexes, &mut schema.tables)?;
    Ok(schema)
}

fn read_tables(rows: &Rows) -> Result<Named<Table>, Error> {
    let mut tables = Named::<Table>::default();
    for row in rows {
        let mut denied = Vec::new();
        for (at, right) in [(3, "SELECT"), (4, "UPDATE"), (5, "DELETE")] {
            if !yes(row.get(at))? {
                denied.push(right.to_owned());
            }
        }
        let rows = row.get(2).and_then(Cell::text).and_then(|rows| rows.parse().ok());
        let table = Table { address: text(row.get(1))?, rows, denied, ..Table::default() };
        tables.insert(&text(row.first())?, table);
    }
    Ok(tables)
}

/// A key of a part alone, whose table is not among these, stands there all the same: whoever reaches it refuses it.
fn read_foreign_keys(rows: &Rows, tables: &mut Named<Table>) -> Result<(), Error> {
    let mut last = (String::new(), String::new());
    for row in rows {
        let (table, id) = (text(row.first())?, text(row.get(1))?);
        let (column, target) = (text(row.get(3))?, text(row.get(4))?);
        let keys = &mut tables.entry(&table).foreign_keys;
        match keys.last_mut() {
            Some(key) if last == (table.clone(), id.clone()) => {
                key.columns.push(column);
                key.target.push(target);
            }
            _ => keys.push(ForeignKey {
                columns: vec![column],
                references: text(row.get(2))?,
                target: vec![target],
                declared: declared(&text(row.get(5))?),
            }),
        }
        last = (table, id);
    }
    Ok(())
}

fn read_indexes(rows: &Rows, tables: &mut Named<Table>) -> Result<(), Error> {
    let mut last = String::new();
    for row in rows {
        let (id, column) = (text(row.get(1))?, text(row.get(2))?);
        let Some(table) = tables.get_mut(&text(row.first())?) else { continue };
        match table.indexes.last_mut() {
            Some(index) if last == id => index.push(column),
            _ => table.indexes.push(vec![column]),
        }
        last = id;
    }
    Ok(())
}

/// `confdeltype`, as the catalog documents it.
fn declared(code: &str) -> Declared {
    match code {
        "c" => Declared::Cascade,
        "n" => Declared::SetNull,
        "d" => Declared::SetDefault,
        "r" => Declared::Restrict,
        _ => Declared::NoAction,
    }
}
