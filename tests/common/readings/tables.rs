//! Three related tables with the types that Django declares on each product.

use crate::common::engine::Engine;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An integer key.
    Id,
    /// A key of 32 hexadecimal digits.
    Uuid,
    Instant,
    Truth,
}

/// A column.
#[derive(Debug)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub nullable: bool,
}

/// A table. Its first column is its primary key.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [Column],
}

/// A way from the rows of a table to those of another: their `columns` equal the row's own `equal`.
#[derive(Debug)]
pub struct Way {
    pub from: usize,
    pub equal: &'static [&'static str],
    pub to: usize,
    pub columns: &'static [&'static str],
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, nullable: false }
}

const fn nullable(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, nullable: true }
}

pub const TABLES: [Table; 3] = [
    Table {
        name: "account",
        columns: &[
            column("id", Kind::Id),
            nullable("uuid", Kind::Uuid),
            nullable("boss_id", Kind::Id),
            column("joined", Kind::Instant),
            nullable("verified", Kind::Instant),
            column("active", Kind::Truth),
            nullable("asked", Kind::Truth),
        ],
    },
    // A keyword, a blank and a quote, as names.
    Table {
        name: "order",
        columns: &[
            column("id", Kind::Uuid),
            nullable("account id", Kind::Id),
            nullable("expires", Kind::Instant),
            nullable("re\"voked", Kind::Instant),
            nullable("used", Kind::Truth),
        ],
    },
    Table {
        name: "link",
        columns: &[
            column("id", Kind::Id),
            nullable("account_id", Kind::Id),
            nullable("account_uuid", Kind::Uuid),
            nullable("order_id", Kind::Uuid),
            nullable("made", Kind::Instant),
        ],
    },
];

/// Every way and its reverse: to the row that a key points at, and to the rows that point at it.
pub const WAYS: [Way; 10] = [
    Way { from: 0, equal: &["boss_id"], to: 0, columns: &["id"] },
    Way { from: 0, equal: &["id"], to: 0, columns: &["boss_id"] },
    Way { from: 1, equal: &["account id"], to: 0, columns: &["id"] },
    Way { from: 0, equal: &["id"], to: 1, columns: &["account id"] },
    Way { from: 2, equal: &["account_id"], to: 0, columns: &["id"] },
    Way { from: 0, equal: &["id"], to: 2, columns: &["account_id"] },
    Way { from: 2, equal: &["order_id"], to: 1, columns: &["id"] },
    Way { from: 1, equal: &["id"], to: 2, columns: &["order_id"] },
    Way { from: 2, equal: &["account_id", "account_uuid"], to: 0, columns: &["id", "uuid"] },
    Way { from: 0, equal: &["id", "uuid"], to: 2, columns: &["account_id", "account_uuid"] },
];

/// The tables' declarations on SQLite. `account` has a bigint key beside the row id, `link` one that is the row id.
pub const SQLITE: &str = r#"
    CREATE TABLE "account" (
        "id" bigint NOT NULL PRIMARY KEY, "uuid" char(32) NULL, "boss_id" bigint NULL, "joined" datetime NOT NULL,
        "verified" datetime NULL, "active" bool NOT NULL, "asked" bool NULL
    );
    CREATE TABLE "order" (
        "id" char(32) NOT NULL PRIMARY KEY, "account id" bigint NULL, "expires" datetime NULL,
        "re""voked" datetime NULL, "used" bool NULL
    );
    CREATE TABLE "link" (
        "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "account_id" bigint NULL, "account_uuid" char(32) NULL,
        "order_id" char(32) NULL, "made" datetime NULL
    );
"#;

/// Makes the tables. On servers, some of the columns by which rows are related have an index.
pub fn create(engine: &impl Engine) {
    if engine.name() == "sqlite" {
        return engine.run(SQLITE);
    }
    let quoted = |name: &str| engine.dialect().quote(name);
    for table in &TABLES {
        let mut parts: Vec<String> = Vec::new();
        for column in table.columns {
            let null = if column.nullable { "NULL" } else { "NOT NULL" };
            parts.push(format!("{} {} {null}", quoted(column.name), kind(engine.name(), column)));
        }
        parts.push(format!("PRIMARY KEY ({})", quoted(table.columns[0].name)));
        engine.run(&format!("CREATE TABLE {} ({})", quoted(table.name), parts.join(", ")));
    }
    for (table, column) in [("account", "boss_id"), ("link", "account_id"), ("link", "order_id")] {
        let create = format!("CREATE INDEX {column}_index ON {} ({})", quoted(table), quoted(column));
        engine.run(&create);
    }
}

/// The type of a column on a server. MariaDB has uuids of its own since 10.7, which newer versions of Django use; older ones
/// go on with text.
fn kind(product: &str, column: &Column) -> &'static str {
    match (column.kind, product) {
        (Kind::Id, _) => "bigint",
        (Kind::Uuid, "mysql") if column.name.contains("uuid") => "char(32)",
        (Kind::Uuid, _) => "uuid",
        (Kind::Instant, "postgres") => "timestamp with time zone",
        (Kind::Instant, _) => "datetime(6)",
        (Kind::Truth, "postgres") => "boolean",
        (Kind::Truth, _) => "tinyint(1)",
    }
}
