//! A real MariaDB, spoken to by text alone.

use super::server::Server;
use crate::common::engine::{Engine, StoreError, beginning};
use idp_janitor::effect::{Cell, Failure, Ran, Rows, Statement};
use idp_janitor::value::Value;
use mysql::consts::CapabilityFlags;
use mysql::prelude::Queryable;
use mysql::{Conn, Error, Opts, OptsBuilder, Row};
use std::cell::RefCell;

/// A connection to a server, and a database of its own.
pub struct Mariadb {
    conn: RefCell<Conn>,
    database: String,
    _server: Server,
}

impl Mariadb {
    pub(super) fn start() -> Self {
        let server = Server::start("mariadb");
        let opts = Opts::from_url(&server.url).unwrap();
        let database = opts.get_db_name().unwrap().to_owned();
        // As mysql2 does: an update tells the rows that it met, whether they were different before or not.
        let opts = OptsBuilder::from_opts(opts).additional_capabilities(CapabilityFlags::CLIENT_FOUND_ROWS);
        let conn = Conn::new(opts).unwrap();
        Self { conn: RefCell::new(conn), database, _server: server }
    }

    /// Does away with all tables.
    pub fn emptied(&self) -> &Self {
        // Of a test that panicked, a transaction may be open still.
        self.run("ROLLBACK");
        let name = &self.database;
        self.run(&format!("DROP DATABASE {name}; CREATE DATABASE {name}; USE {name}"));
        self.run("SET SESSION foreign_key_checks = 1, SESSION sql_mode = DEFAULT");
        self
    }

    fn perform(&self, sql: &str) -> Result<Vec<Ran>, StoreError> {
        let mut conn = self.conn.borrow_mut();
        let mut result = conn.query_iter(sql).map_err(failed)?;
        let mut all = Vec::new();
        while let Some(mut set) = result.iter() {
            // The client forgets it when it goes on.
            let changes = set.affected_rows();
            let rows = set.by_ref().map(|row| row.map(cells).map_err(failed)).collect::<Result<Rows, _>>()?;
            all.push(Ran { rows, changes });
        }
        Ok(all)
    }

    fn transact(&self, statements: &[Statement]) -> Result<Vec<Ran>, StoreError> {
        let mut all = Vec::new();
        for statement in statements {
            assert!(statement.params.is_empty(), "values stand in the text: {statement:?}");
            all.extend(self.perform(&statement.sql)?);
        }
        self.perform("COMMIT")?;
        Ok(all)
    }
}

impl Engine for Mariadb {
    fn name(&self) -> &'static str {
        "mysql"
    }

    fn run(&self, sql: &str) {
        self.perform(sql).unwrap_or_else(|error| panic!("{error}\n{}", beginning(sql)));
    }

    fn query(&self, statement: &Statement) -> Result<Rows, StoreError> {
        assert!(statement.params.is_empty(), "values stand in the text: {statement:?}");
        self.perform(&statement.sql).map(|mut ran| ran.pop().unwrap_or_default().rows)
    }

    fn batch(&self, statements: &[Statement]) -> Result<Vec<Ran>, StoreError> {
        self.perform("SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION")?;
        self.transact(statements).inspect_err(|_| self.run("ROLLBACK"))
    }
}

fn cells(row: Row) -> Vec<Cell> {
    let cell = |value: mysql::Value| match value {
        mysql::Value::NULL => Cell(Value::Null),
        mysql::Value::Bytes(text) => Cell(Value::Text(String::from_utf8(text).unwrap())),
        other => panic!("not as text: {other:?}"),
    };
    row.unwrap().into_iter().map(cell).collect()
}

fn failed(error: Error) -> StoreError {
    let failure = match &error {
        Error::MySqlError(error) => match error.code {
            1020 | 1213 => Failure::Conflict,
            1205 => Failure::Locked,
            1969 => Failure::Timeout,
            1048 | 1062 | 1216 | 1217 | 1451 | 1452 | 1761 | 1762 | 4025 => Failure::Constraint,
            _ => Failure::Other,
        },
        _ => Failure::Unavailable,
    };
    StoreError { failure, message: error.to_string() }
}
