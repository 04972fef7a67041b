//! A graph as a real database.

use super::spec::{Edge, Graph, Row, Said, Target};
use crate::common::dump::quoted;
use crate::common::hidp::{LATER, LONG_AGO, with_schema};
use idp_janitor::cascade::Action;
use idp_janitor::schema::Declared;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value as Json};

/// The names of the tables: keywords, quotes, and names that statements use themselves.
pub const NAMES: [&str; super::spec::TABLES] = ["people", "group", "we\"ird", "t", "r1"];

/// The columns of a foreign key.
pub fn columns(edge: &Edge, at: usize) -> Vec<String> {
    match edge.target {
        Target::Pair => vec![format!("f{at} a"), format!("f{at} b")],
        _ => vec![format!("f{at}")],
    }
}

/// The columns that a foreign key points at.
pub fn target(edge: &Edge) -> &'static [&'static str] {
    match edge.target {
        Target::Id => &["id"],
        Target::Code => &["code"],
        Target::Pair => &["k1", "k2"],
    }
}

/// What the settings say of the foreign keys on which they speak.
pub fn on_delete(graph: &Graph) -> Json {
    let said = graph.edges.iter().enumerate().filter(|(_, edge)| edge.said != Said::Database);
    let entries = said.map(|(at, edge)| {
        let name = format!("{}.{}", NAMES[edge.child], columns(edge, at).join(","));
        (name, Json::from(edge.action.to_string()))
    });
    Json::Object(entries.collect::<Map<_, _>>())
}

/// The database of a graph, with its rows.
pub fn build(graph: &Graph) -> Connection {
    let schema: Vec<String> = (0..graph.tables.len()).map(|table| declaration(graph, table)).collect();
    let conn = with_schema(&schema.join(";"));
    conn.execute_batch("BEGIN; PRAGMA defer_foreign_keys = ON").unwrap();
    for (at, table) in graph.tables.iter().enumerate() {
        for row in 0..table.rows.len() * graph.tiles {
            let cells = cells(graph, at, row);
            let sql = format!("INSERT INTO {} VALUES ({})", quoted(NAMES[at]), vec!["?"; cells.len()].join(", "));
            conn.prepare_cached(&sql).unwrap().execute(params_from_iter(cells)).unwrap();
        }
    }
    conn.execute_batch("COMMIT").unwrap();
    conn
}

fn declaration(graph: &Graph, table: usize) -> String {
    let mut parts = vec![
        "id integer NOT NULL PRIMARY KEY".to_owned(),
        "code varchar(20) NULL UNIQUE".to_owned(),
        "k1 bigint NOT NULL".to_owned(),
        "k2 varchar(20) NOT NULL".to_owned(),
    ];
    if table == 0 {
        parts.extend(["email_verified datetime NULL".to_owned(), "date_joined datetime NOT NULL".to_owned()]);
    }
    let edges = || graph.edges.iter().enumerate().filter(|(_, edge)| edge.child == table);
    for (at, edge) in edges() {
        let types: &[&str] = match edge.target {
            Target::Id => &["bigint"],
            Target::Code => &["varchar(20)"],
            Target::Pair => &["bigint", "varchar(20)"],
        };
        let safe = key(graph, edge, 0).unwrap_or_default();
        for (at, (column, kind)) in columns(edge, at).iter().zip(types).enumerate() {
            let null = if edge.required { "NOT NULL" } else { "NULL" };
            let default = match safe.get(at) {
                Some(Value::Integer(number)) if edge.has_default => format!("DEFAULT {number}"),
                Some(Value::Text(text)) if edge.has_default => format!("DEFAULT '{text}'"),
                _ => String::new(),
            };
            parts.push(format!("{} {kind} {null} {default}", quoted(column)));
        }
    }
    parts.push("UNIQUE (k1, k2)".to_owned());
    for (at, edge) in edges() {
        let names: Vec<String> = columns(edge, at).iter().map(|column| quoted(column)).collect();
        // Names in another case, and a target that is left out, are SQLite's usual freedoms.
        let parent = if at % 3 == 0 { NAMES[edge.parent].to_uppercase() } else { NAMES[edge.parent].to_owned() };
        let target = match edge.target {
            Target::Id if at % 2 == 0 => String::new(),
            _ => format!("({})", target(edge).join(", ")),
        };
        parts.push(format!(
            "FOREIGN KEY ({}) REFERENCES {} {target} {} {}",
            names.join(", "),
            quoted(&parent),
            clause(edge),
            if edge.deferred { "DEFERRABLE INITIALLY DEFERRED" } else { "" }
        ));
    }
    let end = if graph.tables[table].without_row_ids { "WITHOUT ROWID" } else { "" };
    format!("CREATE TABLE {} ({}) {end}", quoted(NAMES[table]), parts.join(", "))
}

fn clause(edge: &Edge) -> &'static str {
    let declared = match (edge.said, edge.action) {
        (Said::Settings(declared), _) => declared,
        (Said::Database, Action::Cascade) => Declared::Cascade,
        (Said::Database, Action::SetNull) => Declared::SetNull,
        (Said::Database, Action::SetDefault) => Declared::SetDefault,
        (Said::Database, Action::Restrict) => Declared::Restrict,
    };
    match declared {
        Declared::NoAction => "",
        Declared::Restrict => "ON DELETE RESTRICT",
        Declared::Cascade => "ON DELETE CASCADE",
        Declared::SetNull => "ON DELETE SET NULL",
        Declared::SetDefault => "ON DELETE SET DEFAULT",
    }
}

/// The primary key of a row. Those of the root lie on both sides of zero, with gaps.
fn id(table: usize, row: usize) -> i64 {
    let row = i64::try_from(row).unwrap();
    if table == 0 { (row - 4) * 1_000_003 } else { row * 3 + 1 }
}

/// What a foreign key holds that points at a row; `None` where the row lacks the key.
fn key(graph: &Graph, edge: &Edge, row: usize) -> Option<Vec<Value>> {
    Some(match edge.target {
        Target::Id => vec![Value::Integer(id(edge.parent, row))],
        Target::Code => vec![Value::Text(code(graph, edge.parent, row)?)],
        Target::Pair => pair(row).into(),
    })
}

fn code(graph: &Graph, table: usize, row: usize) -> Option<String> {
    let has_code = row == 0 || !spec(graph, table, row).without_code;
    has_code.then(|| format!("c{row}"))
}

/// Neither part alone is unique.
fn pair(row: usize) -> [Value; 2] {
    [Value::Integer(i64::try_from(row % 3).unwrap()), Value::Text(format!("p{}", row / 3))]
}

fn spec(graph: &Graph, table: usize, row: usize) -> &Row {
    let rows = &graph.tables[table].rows;
    &rows[row % rows.len()]
}

fn cells(graph: &Graph, table: usize, row: usize) -> Vec<Value> {
    let mut cells = vec![Value::Integer(id(table, row)), code(graph, table, row).map_or(Value::Null, Value::Text)];
    cells.extend(pair(row));
    if table == 0 {
        let stale = row > 0 && spec(graph, table, row).stale;
        // What is not stale has verified, or has joined a moment ago.
        let verified = !stale && row.is_multiple_of(2);
        cells.push(if verified { Value::Text(LONG_AGO.to_owned()) } else { Value::Null });
        cells.push(Value::Text(if stale || verified { LONG_AGO } else { LATER }.to_owned()));
    }
    for (at, edge) in graph.edges.iter().enumerate().filter(|(_, edge)| edge.child == table) {
        cells.extend(reference(graph, edge, at, row));
    }
    cells
}

/// What a row holds in the columns of a foreign key.
fn reference(graph: &Graph, edge: &Edge, at: usize, row: usize) -> Vec<Value> {
    let null = || vec![Value::Null; target(edge).len()];
    let pick = usize::from(spec(graph, edge.child, row).picks[at]);
    if (row == 0 || pick.is_multiple_of(4)) && !edge.required {
        return null();
    }
    if row == 0 {
        return key(graph, edge, 0).unwrap_or_else(null);
    }
    let rows = graph.tables[edge.parent].rows.len();
    let tile = (row / graph.tables[edge.child].rows.len() + pick % 3) % graph.tiles;
    let parent = tile * rows + pick / 4 % rows;
    match key(graph, edge, parent) {
        // A key of several columns points at nothing as soon as one of them is NULL.
        Some(key) if key.len() == 2 && pick % 8 == 1 && !edge.required => vec![key[0].clone(), Value::Null],
        Some(key) => key,
        None if edge.required => key(graph, edge, 0).unwrap_or_else(null),
        None => null(),
    }
}
