//! What the native tests ask of a database, whichever it is. All values come as text, so that no client rounds any.

use idp_janitor::dialect::{Dialect, by_name};
use idp_janitor::effect::{Answer, Cell, Effect, Failure, Ran, Rows, Statement};
use idp_janitor::schema::Schema;
use idp_janitor::value::Value;
use std::fmt;

/// A value as text; `None` for NULL.
pub type Text = Option<String>;

/// Why a statement was not performed.
#[derive(Debug, Clone)]
pub struct StoreError {
    /// What an adapter would make of it.
    pub failure: Failure,
    pub message: String,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A database of one of the products.
pub trait Engine {
    /// The name of its dialect in the adapter contract.
    fn name(&self) -> &'static str;

    /// Runs statements, with semicolons between them, that must not fail.
    fn run(&self, sql: &str);

    /// Runs one statement that reads.
    fn query(&self, statement: &Statement) -> Result<Rows, StoreError>;

    /// Runs statements as one atomic unit.
    fn batch(&self, statements: &[Statement]) -> Result<Vec<Ran>, StoreError>;

    /// Its SQL.
    fn dialect(&self) -> &'static dyn Dialect {
        by_name(self.name()).unwrap()
    }

    /// An expression's value as text.
    fn as_text(&self, expression: &str) -> String {
        let kind = if self.name() == "mysql" { "CHAR" } else { "TEXT" };
        format!("CAST({expression} AS {kind})")
    }

    /// The rows of a query.
    fn select(&self, sql: &str) -> Vec<Vec<Text>> {
        let rows = self.query(&plain(sql)).unwrap_or_else(|error| panic!("{error}\n{}", beginning(sql)));
        let text = |Cell(value): Cell| match value {
            Value::Null => None,
            Value::Int(number) => Some(number.to_string()),
            Value::Text(text) => Some(text),
            other => panic!("neither a number nor a text: {other:?}"),
        };
        rows.into_iter().map(|row| row.into_iter().map(text).collect()).collect()
    }

    /// What it declares.
    fn schema(&self) -> Schema {
        let queries = self.dialect().schema_queries().iter();
        let results: Vec<Rows> = queries.map(|sql| self.query(&plain(sql)).unwrap()).collect();
        self.dialect().schema(&results).unwrap()
    }
}

impl<E: Engine + ?Sized> Engine for &E {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn run(&self, sql: &str) {
        (**self).run(sql);
    }

    fn query(&self, statement: &Statement) -> Result<Rows, StoreError> {
        (**self).query(statement)
    }

    fn batch(&self, statements: &[Statement]) -> Result<Vec<Ran>, StoreError> {
        (**self).batch(statements)
    }
}

/// As much of a statement as somebody reads.
pub fn beginning(sql: &str) -> String {
    sql.chars().take(4_000).collect()
}

/// A statement without parameters.
pub fn plain(sql: &str) -> Statement {
    Statement { sql: sql.to_owned(), params: vec![] }
}

/// Performs one effect, but for those that only a host can.
pub fn act(engine: &impl Engine, effect: &Effect) -> Result<Answer, StoreError> {
    match effect {
        Effect::Query(statement) | Effect::Lease(statement) => engine.query(statement).map(Answer::Query),
        Effect::Batch(statements) => engine.batch(statements).map(Answer::Batch),
        Effect::Wait(_) => Ok(Answer::Waited),
        other => panic!("not for a database: {other:?}"),
    }
}
