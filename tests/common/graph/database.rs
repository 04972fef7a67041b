//! A graph as a real database.

use super::spec::{Edge, Graph, Row, Said, Target};
use crate::common::engine::{Engine, Text};
use crate::common::hidp::{LATER, LONG_AGO};
use idp_janitor::schema::Declared;
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

/// Makes the tables of a graph, with their rows, in an empty database.
pub fn build(engine: &impl Engine, graph: &Graph) {
    let product = engine.name();
    let quoted = |name: &str| engine.dialect().quote(name);
    let mut statements = match product {
        "mysql" => vec!["SET foreign_key_checks = 0".to_owned()],
        _ => vec!["BEGIN".to_owned()],
    };
    statements.extend((0..graph.tables.len()).map(|table| declaration(graph, table, product, &quoted)));
    if product == "sqlite" {
        statements.push("PRAGMA defer_foreign_keys = ON".to_owned());
    }
    for (at, table) in graph.tables.iter().enumerate() {
        let rows: Vec<String> =
            (0..table.rows.len() * graph.tiles).map(|row| inserted(&cells(graph, at, row))).collect();
        statements.extend(
            rows.chunks(500).map(|rows| format!("INSERT INTO {} VALUES {}", quoted(NAMES[at]), rows.join(", "))),
        );
    }
    if product == "postgres" {
        for (at, edge) in graph.edges.iter().enumerate() {
            let key = foreign_key(edge, at, product, &quoted);
            statements.push(format!("ALTER TABLE {} ADD {key}", quoted(NAMES[edge.child])));
        }
    }
    // InnoDB gives each key an index of its own.
    let indexed = |at: usize| match product {
        "mysql" => false,
        "postgres" => at.is_multiple_of(2),
        _ => graph.tiles > 1,
    };
    for (at, edge) in graph.edges.iter().enumerate().filter(|(at, _)| indexed(*at)) {
        let columns: Vec<String> = columns(edge, at).iter().map(|name| quoted(name)).collect();
        statements.push(format!("CREATE INDEX i{at} ON {} ({})", quoted(NAMES[edge.child]), columns.join(", ")));
    }
    statements.push(if product == "mysql" { "SET foreign_key_checks = 1" } else { "COMMIT" }.to_owned());
    engine.run(&statements.join(";\n"));
}

fn inserted(cells: &[Text]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| literal(cell.as_deref())).collect();
    format!("({})", cells.join(", "))
}

/// In quotes, which the type of the column reads.
fn literal(value: Option<&str>) -> String {
    value.map_or("NULL".to_owned(), |value| format!("'{value}'"))
}

fn declaration(graph: &Graph, table: usize, product: &str, quoted: &dyn Fn(&str) -> String) -> String {
    let (id, instant) = match product {
        // The two sides of a key must be of one type there.
        "mysql" => ("bigint", "datetime(6)"),
        "postgres" => ("integer", "timestamp with time zone"),
        _ => ("integer", "datetime"),
    };
    let mut parts = vec![
        format!("id {id} NOT NULL PRIMARY KEY"),
        "code varchar(20) NULL UNIQUE".to_owned(),
        "k1 bigint NOT NULL".to_owned(),
        "k2 varchar(20) NOT NULL".to_owned(),
    ];
    if table == 0 {
        parts.extend([format!("email_verified {instant} NULL"), format!("date_joined {instant} NOT NULL")]);
    }
    let edges = || graph.edges.iter().enumerate().filter(|(_, edge)| edge.child == table);
    for (at, edge) in edges() {
        let types: &[&str] = match edge.target {
            Target::Id => &["bigint"],
            Target::Code => &["varchar(20)"],
            Target::Pair => &["bigint", "varchar(20)"],
        };
        for (at, (column, default)) in columns(edge, at).iter().zip(defaults(graph, edge)).enumerate() {
            let null = if edge.required { "NOT NULL" } else { "NULL" };
            let default = default.map(|value| format!("DEFAULT {}", number_or_text(&value))).unwrap_or_default();
            parts.push(format!("{} {} {null} {default}", quoted(column), types[at]));
        }
    }
    parts.push("UNIQUE (k1, k2)".to_owned());
    if product != "postgres" {
        parts.extend(edges().map(|(at, edge)| foreign_key(edge, at, product, quoted)));
    }
    let end = match product {
        "sqlite" if graph.tables[table].without_row_ids => "WITHOUT ROWID",
        "postgres" if graph.sparse => "WITH (fillfactor = 10)",
        _ => "",
    };
    format!("CREATE TABLE {} ({}) {end}", quoted(NAMES[table]), parts.join(", "))
}

fn number_or_text(value: &str) -> String {
    if value.parse::<i64>().is_ok() { value.to_owned() } else { format!("'{value}'") }
}

fn foreign_key(edge: &Edge, at: usize, product: &str, quoted: &dyn Fn(&str) -> String) -> String {
    let names: Vec<String> = columns(edge, at).iter().map(|column| quoted(column)).collect();
    // Names in another case, and a target that is left out, are SQLite's usual freedoms.
    let free = product == "sqlite";
    let parent =
        if free && at.is_multiple_of(3) { NAMES[edge.parent].to_uppercase() } else { NAMES[edge.parent].to_owned() };
    let target = match edge.target {
        Target::Id if free && at.is_multiple_of(2) => String::new(),
        _ => format!("({})", target(edge).join(", ")),
    };
    let deferred = if edge.deferred && product != "mysql" { "DEFERRABLE INITIALLY DEFERRED" } else { "" };
    let (names, parent) = (names.join(", "), quoted(&parent));
    format!("FOREIGN KEY ({names}) REFERENCES {parent} {target} {} {deferred}", clause(edge))
}

/// What an edge's columns hold by default, column by column.
pub fn defaults(graph: &Graph, edge: &Edge) -> Vec<Text> {
    let safe = if edge.has_default { key(graph, edge, 0) } else { None };
    safe.map_or_else(|| vec![None; target(edge).len()], |key| key.into_iter().map(Some).collect())
}

fn clause(edge: &Edge) -> &'static str {
    match edge.declared() {
        Declared::NoAction => "",
        Declared::Restrict => "ON DELETE RESTRICT",
        Declared::Cascade => "ON DELETE CASCADE",
        Declared::SetNull => "ON DELETE SET NULL",
        Declared::SetDefault => "ON DELETE SET DEFAULT",
        Declared::SetSome => panic!("no graph has keys that set some of their columns"),
    }
}

/// The primary key of a row. Those of the root lie on both sides of zero, with gaps.
fn id(table: usize, row: usize) -> i64 {
    let row = i64::try_from(row).unwrap();
    if table == 0 { (row - 4) * 700_001 } else { row * 3 + 1 }
}

/// What a foreign key holds that points at a row; `None` where the row lacks the key.
fn key(graph: &Graph, edge: &Edge, row: usize) -> Option<Vec<String>> {
    Some(match edge.target {
        Target::Id => vec![id(edge.parent, row).to_string()],
        Target::Code => vec![code(graph, edge.parent, row)?],
        Target::Pair => pair(row).into(),
    })
}

fn code(graph: &Graph, table: usize, row: usize) -> Option<String> {
    let has_code = row == 0 || !spec(graph, table, row).without_code;
    has_code.then(|| format!("c{row}"))
}

/// Neither part alone is unique.
fn pair(row: usize) -> [String; 2] {
    [(row % 3).to_string(), format!("p{}", row / 3)]
}

fn spec(graph: &Graph, table: usize, row: usize) -> &Row {
    let rows = &graph.tables[table].rows;
    &rows[row % rows.len()]
}

fn cells(graph: &Graph, table: usize, row: usize) -> Vec<Text> {
    let mut cells = vec![Some(id(table, row).to_string()), code(graph, table, row)];
    cells.extend(pair(row).map(Some));
    if table == 0 {
        let stale = row > 0 && spec(graph, table, row).stale;
        // What is not stale has verified, or has joined a moment ago.
        let verified = !stale && row.is_multiple_of(2);
        cells.push(verified.then(|| LONG_AGO.to_owned()));
        cells.push(Some(if stale || verified { LONG_AGO } else { LATER }.to_owned()));
    }
    for (at, edge) in graph.edges.iter().enumerate().filter(|(_, edge)| edge.child == table) {
        cells.extend(reference(graph, edge, at, row));
    }
    cells
}

/// What a row holds in the columns of a foreign key.
fn reference(graph: &Graph, edge: &Edge, at: usize, row: usize) -> Vec<Text> {
    let null = || vec![None; target(edge).len()];
    let to = |row: usize| key(graph, edge, row).map(|key| key.into_iter().map(Some).collect::<Vec<_>>());
    let pick = usize::from(spec(graph, edge.child, row).picks[at]);
    if (row == 0 || pick.is_multiple_of(4)) && !edge.required {
        return null();
    }
    if row == 0 {
        return to(0).unwrap_or_else(null);
    }
    let rows = graph.tables[edge.parent].rows.len();
    let tile = (row / graph.tables[edge.child].rows.len() + pick % 3) % graph.tiles;
    let parent = tile * rows + pick / 4 % rows;
    match to(parent) {
        // A key of several columns points at nothing as soon as one of them is NULL.
        Some(key) if key.len() == 2 && pick % 8 == 1 && !edge.required => vec![key[0].clone(), None],
        Some(key) => key,
        None if edge.required => to(0).unwrap_or_else(null),
        None => null(),
    }
}
