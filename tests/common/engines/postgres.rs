//! A real PostgreSQL, spoken to by text alone.

use super::server::Server;
use crate::common::engine::{Engine, StoreError, beginning};
use idp_janitor::effect::{Cell, Failure, Ran, Rows, Statement};
use idp_janitor::value::Value;
use postgres::{Client, NoTls, SimpleQueryMessage};
use std::cell::RefCell;

/// A connection to a server, and a schema of its own.
pub struct Postgres {
    client: RefCell<Client>,
    _server: Server,
}

impl Postgres {
    pub(super) fn start() -> Self {
        let server = Server::start("postgres");
        let mut client = Client::connect(&server.url, NoTls).unwrap();
        client.batch_execute("SET jit = off; SET TimeZone = 'UTC'; SET client_min_messages = warning").unwrap();
        Self { client: RefCell::new(client), _server: server }
    }

    /// Does away with all tables.
    pub fn emptied(&self) -> &Self {
        // Of a test that panicked, a transaction may be open still.
        self.run("ROLLBACK");
        self.run("DROP SCHEMA IF EXISTS ours CASCADE; CREATE SCHEMA ours; SET search_path = ours");
        self
    }

    /// As one text, which is one transaction.
    fn perform(&self, texts: &[&str]) -> Result<Vec<Ran>, StoreError> {
        let messages = self.client.borrow_mut().simple_query(&texts.join("\n;")).map_err(failed)?;
        let mut all = Vec::new();
        let mut ran = Ran::default();
        let mut reads = false;
        for message in messages {
            match message {
                SimpleQueryMessage::RowDescription(_) => reads = true,
                SimpleQueryMessage::Row(row) => {
                    let cell = |at| Cell(row.get(at).map_or(Value::Null, |text| Value::Text(text.to_owned())));
                    ran.rows.push((0..row.len()).map(cell).collect());
                }
                SimpleQueryMessage::CommandComplete(count) => {
                    // The number tells of a query how many rows it gave.
                    ran.changes = if reads { 0 } else { count };
                    all.push(std::mem::take(&mut ran));
                    reads = false;
                }
                other => panic!("{other:?}"),
            }
        }
        Ok(all)
    }
}

impl Engine for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn run(&self, sql: &str) {
        self.perform(&[sql]).unwrap_or_else(|error| panic!("{error}\n{}", beginning(sql)));
    }

    fn query(&self, statement: &Statement) -> Result<Rows, StoreError> {
        assert!(statement.params.is_empty(), "values stand in the text: {statement:?}");
        self.perform(&[&statement.sql]).map(|mut ran| ran.pop().unwrap_or_default().rows)
    }

    fn batch(&self, statements: &[Statement]) -> Result<Vec<Ran>, StoreError> {
        if statements.is_empty() {
            self.run("SHOW transaction_read_only");
            return Ok(vec![]);
        }
        assert!(statements.iter().all(|statement| statement.params.is_empty()), "values stand in the text");
        let texts: Vec<&str> = statements.iter().map(|statement| statement.sql.as_str()).collect();
        self.perform(&texts)
    }
}

fn failed(error: postgres::Error) -> StoreError {
    let failure = match error.code().map(postgres::error::SqlState::code) {
        Some("40001" | "40P01") => Failure::Conflict,
        Some("55P03") => Failure::Locked,
        Some("57014") => Failure::Timeout,
        Some(state) if state.starts_with("23") => Failure::Constraint,
        Some(_) => Failure::Other,
        None => Failure::Unavailable,
    };
    let message = error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string);
    StoreError { failure, message }
}
