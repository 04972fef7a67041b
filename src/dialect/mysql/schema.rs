//! What a MySQL or MariaDB database declares, read from its `information_schema`. A table of another database on the same
//! server goes by both names.

use crate::dialect::{text, yes};
use crate::effect::{Cell, Rows};
use crate::error::{Error, unexpected};
use crate::named::Named;
use crate::schema::{Column, Declared, ForeignKey, Index, Schema, Table, Trigger};

/// The server, whether the connection checks foreign keys, and whether a role is active, whose rights are not told here.
const SERVER: &str = "SELECT VERSION(), @@foreign_key_checks, coalesce(CURRENT_ROLE(), 'NONE') <> 'NONE'";

/// One row per table.
const TABLES: &str = "SELECT t.TABLE_NAME, t.ENGINE = 'InnoDB', t.TABLE_ROWS FROM information_schema.TABLES AS t \
    WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE = 'BASE TABLE'";

/// One row per column, in order.
const COLUMNS: &str = "SELECT c.TABLE_NAME, c.COLUMN_NAME, c.COLUMN_TYPE, c.COLUMN_DEFAULT, c.IS_NULLABLE = 'NO' \
    FROM information_schema.COLUMNS AS c WHERE c.TABLE_SCHEMA = DATABASE() ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION";

/// One row per column of an index by which equal values are found.
const INDEXES: &str = "SELECT s.TABLE_NAME, s.INDEX_NAME, s.COLUMN_NAME, s.SEQ_IN_INDEX FROM information_schema.STATISTICS AS s \
    WHERE s.TABLE_SCHEMA = DATABASE() AND s.INDEX_TYPE = 'BTREE' AND s.SUB_PART IS NULL \
    /*!80000 AND s.IS_VISIBLE = 'YES' */ /*M!100600 AND s.IGNORED = 'NO' */ \
    ORDER BY s.TABLE_NAME, s.INDEX_NAME, s.SEQ_IN_INDEX";

/// One row per column of a foreign key that points at a table of this database.
const FOREIGN_KEYS: &str = "SELECT CASE WHEN k.TABLE_SCHEMA = DATABASE() THEN k.TABLE_NAME \
    ELSE CONCAT(k.TABLE_SCHEMA, '.', k.TABLE_NAME) END, k.CONSTRAINT_NAME, k.REFERENCED_TABLE_NAME, k.COLUMN_NAME, \
    k.REFERENCED_COLUMN_NAME, r.DELETE_RULE FROM information_schema.KEY_COLUMN_USAGE AS k \
    JOIN information_schema.REFERENTIAL_CONSTRAINTS AS r ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA \
    AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME \
    WHERE k.REFERENCED_TABLE_SCHEMA = DATABASE() \
    ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION";

/// One row per trigger that may act on a removal or an unset; none can keep a row without an error.
const TRIGGERS: &str = "SELECT g.EVENT_OBJECT_TABLE, g.TRIGGER_NAME FROM information_schema.TRIGGERS AS g \
    WHERE g.EVENT_OBJECT_SCHEMA = DATABASE() AND g.EVENT_MANIPULATION IN ('DELETE', 'UPDATE') ORDER BY g.TRIGGER_NAME";

/// One row per right of the role, with the table that it is limited to, if it is.
const RIGHTS: &str = "SELECT u.PRIVILEGE_TYPE, NULL FROM information_schema.USER_PRIVILEGES AS u \
    WHERE u.GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') \
    UNION ALL SELECT s.PRIVILEGE_TYPE, NULL FROM information_schema.SCHEMA_PRIVILEGES AS s \
    WHERE s.GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND DATABASE() LIKE s.TABLE_SCHEMA \
    UNION ALL SELECT t.PRIVILEGE_TYPE, t.TABLE_NAME FROM information_schema.TABLE_PRIVILEGES AS t \
    WHERE t.GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND t.TABLE_SCHEMA = DATABASE()";

/// Slices keep what they have locked in these.
const TEMPORARY_TABLES: &str = "CREATE TEMPORARY TABLES";

/// The statements that read the schema.
pub(super) const QUERIES: &[&str] = &[SERVER, TABLES, COLUMNS, INDEXES, FOREIGN_KEYS, TRIGGERS, RIGHTS];

/// The schema out of their results.
pub(super) fn read(results: &[Rows]) -> Result<Schema, Error> {
    let [server, tables, columns, indexes, foreign_keys, triggers, rights] = results else {
        return Err(unexpected("the seven results of the schema"));
    };
    let [server] = server.as_slice() else { return Err(unexpected("one row of the server")) };
    let mut schema =
        Schema { enforces_keys: yes(server.get(1))?, server: product(&text(server.first())?), ..Schema::default() };
    for row in tables {
        let table = schema.tables.entry(&text(row.first())?);
        table.without_row_ids = !yes(row.get(1))?;
        table.rows = row.get(2).and_then(Cell::text).and_then(|rows| rows.parse().ok());
    }
    for row in columns {
        if let Some(table) = schema.tables.get_mut(&text(row.first())?) {
            table.columns.push(Column {
                name: text(row.get(1))?,
                kind: text(row.get(2))?,
                default: row.get(3).and_then(Cell::text),
                primary_key: 0,
                not_null: yes(row.get(4))?,
            });
        }
    }
    read_indexes(indexes, &mut schema.tables)?;
    read_foreign_keys(foreign_keys, &mut schema.tables)?;
    for row in triggers {
        if let Some(table) = schema.tables.get_mut(&text(row.first())?) {
            table.triggers.push(Trigger { name: text(row.get(1))?, keeps_rows: false });
        }
    }
    if !yes(server.get(2))? {
        read_rights(rights, &mut schema)?;
    }
    Ok(schema)
}

/// `10.11.14-MariaDB-0+deb12u2`, `8.0.36`
fn product(version: &str) -> String {
    let number = version.split('-').next().unwrap_or_default();
    let name = if version.contains("MariaDB") { "MariaDB" } else { "MySQL" };
    format!("{name} {number}")
}

/// Indexes, and the places of columns in the primary key. An expression in an index ends what it is of use for.
fn read_indexes(rows: &Rows, tables: &mut Named<Table>) -> Result<(), Error> {
    let mut last = (String::new(), String::new());
    for row in rows {
        let (name, index, Some(column)) = (text(row.first())?, text(row.get(1))?, row.get(2).and_then(Cell::text))
        else {
            continue;
        };
        let place = row.get(3).map_or(Ok(0), Cell::count)?;
        let Some(table) = tables.get_mut(&name) else { continue };
        if index == "PRIMARY" {
            for candidate in table.columns.iter_mut().filter(|candidate| candidate.name == column) {
                candidate.primary_key = place;
            }
        }
        match table.indexes.last_mut() {
            Some(known) if last == (name.clone(), index.clone()) && known.columns.len() as u64 + 1 == place => {
                known.columns.push(column);
            }
            _ if place == 1 => table.indexes.push(Index { name: index.clone(), columns: vec![column] }),
            _ => continue,
        }
        last = (name, index);
    }
    Ok(())
}

fn read_foreign_keys(rows: &Rows, tables: &mut Named<Table>) -> Result<(), Error> {
    let mut last = (String::new(), String::new());
    for row in rows {
        let (table, name) = (text(row.first())?, text(row.get(1))?);
        let (column, target) = (text(row.get(3))?, text(row.get(4))?);
        let references = text(row.get(2))?;
        let keys = &mut tables.entry(&table).foreign_keys;
        match keys.last_mut() {
            Some(key) if last == (table.clone(), name.clone()) => {
                key.columns.push(column);
                key.target.push(target);
            }
            _ => keys.push(ForeignKey {
                columns: vec![column],
                references,
                target: vec![target],
                declared: declared(&text(row.get(5))?),
                of_part: false,
                unchecked: false,
            }),
        }
        last = (table, name);
    }
    Ok(())
}

/// InnoDB does the same for `RESTRICT`, `NO ACTION` and nothing at all, and MariaDB tells all three as `RESTRICT`.
fn declared(rule: &str) -> Declared {
    match rule {
        "CASCADE" => Declared::Cascade,
        "SET NULL" => Declared::SetNull,
        "SET DEFAULT" => Declared::SetDefault,
        _ => Declared::NoAction,
    }
}

/// What a role is granted in the whole database or on a table.
fn read_rights(rows: &Rows, schema: &mut Schema) -> Result<(), Error> {
    let mut granted: Vec<(String, Option<String>)> = Vec::new();
    for row in rows {
        granted.push((text(row.first())?, row.get(1).and_then(Cell::text)));
    }
    let everywhere = |right: &str| granted.iter().any(|(granted, on)| granted == right && on.is_none());
    if !everywhere(TEMPORARY_TABLES) {
        schema.denied.push(TEMPORARY_TABLES.to_owned());
    }
    let mut only_read = 0;
    let names: Vec<String> = schema.tables.names().map(str::to_owned).collect();
    for name in names {
        let may = |right: &str| {
            granted.iter().any(|(granted, on)| granted == right && on.as_ref().is_none_or(|table| *table == name))
        };
        let denied =
            ["SELECT", "UPDATE", "DELETE"].into_iter().filter(|right| !may(right)).map(str::to_owned).collect();
        only_read += usize::from(may("SELECT") && !["INSERT", "UPDATE", "DELETE", "REFERENCES"].into_iter().any(may));
        if let Some(table) = schema.tables.get_mut(&name) {
            table.denied = denied;
        }
    }
    if !everywhere("SELECT") {
        schema.denied.push("SELECT on the whole database".into());
        schema.warnings.push(
            "the role may not read every table of the database, and what it may not read, and would go along, is not told".into(),
        );
    }
    if only_read > 0 {
        schema.denied.push(format!("REFERENCES on {only_read} table(s) that it may only read"));
        schema.warnings.push(format!(
            "the role may only read {only_read} table(s), and the server may hide their foreign keys from it: what goes along can \
             be more than is told"
        ));
    }
    Ok(())
}
