//! PostgreSQL 14 and later. Instants are `timestamptz`; a table is walked by ranges of its rows' physical places, which a
//! TID range scan reads without touching the rest of the table.

mod schema;

use super::{Dialect, LEASES, Lease, LeaseRows, Search, Slices, ranges};
use crate::digest::Digest;
use crate::effect::Rows;
use crate::error::Error;
use crate::instant::Instant;
use crate::rule::sql::{Asked, Slot, Sql, Template};
use crate::rule::{Rule, Span, all};
use crate::schema::{Column, Part, Schema, Table};

/// The dialect of PostgreSQL.
pub struct Postgres;

/// The first instant of Django's calendar, and the last.
const FIRST: &str = "'0001-01-01 00:00:00+00'::timestamptz";
const LAST: &str = "'9999-12-31 23:59:59.999999+00'::timestamptz";
/// The last place that a block can have.
const LAST_PLACE: u32 = 65_535;
/// How many rows of a table with dependants a block holds, as a rule; the pace corrects what it is off.
const ROWS_A_BLOCK: u64 = 40;
/// Compiling a slice takes several times as long as running it, and without scans of places each would read the whole table.
const PLANNED: &str = "SELECT set_config('jit', 'off', true), set_config('enable_tidscan', 'on', true)";
/// The same for what reads, which waits for a lock of the whole table no longer than a run can be kept from ending, and has a minute
/// as well, whatever the role's own limit is; as one statement, for hosts that count them.
const BEFORE_READING: &str = "SELECT set_config('jit', 'off', true), set_config('enable_tidscan', 'on', true), \
    set_config('lock_timeout', '2000', true), set_config('statement_timeout', '60000', true)";
/// The first of the two numbers of our advisory locks; the second tells the job.
const LOCK_CLASS: i32 = 0x0001_d9a1;
/// How long a slice waits for somebody else's lock, in milliseconds: well under the second after which PostgreSQL looks for
/// deadlocks, so that in a cycle it is the slice that gives way, and not somebody else's transaction.
const LOCK_TIMEOUT_MS: (f64, f64) = (50.0, 400.0);
/// How long one statement of a slice may take, in milliseconds: far more than any does that is well.
const STATEMENT_TIMEOUT_MS: f64 = 60_000.0;

/// Who changes the row of a lease waits for the slices that ask for it, and not for what nobody ends.
const LEASE_TIMEOUTS: &[&str] = &["SET LOCAL lock_timeout = 2000", "SET LOCAL statement_timeout = 10000"];

impl Postgres {
    /// Adds the sets of a find: of what other rows have to say, of the window's rows with a verdict on each, of where it ends,
    /// and, as one row, of what was found.
    pub(crate) fn look(sql: &mut Sql, table: &str, search: &Search) {
        for asked in search.asked {
            Self::ask(sql, table, asked, |sql| {
                sql.condition(&Rule::Within(Span::Slice), table, "o");
            });
            sql.push("), ");
        }
        sql.push("idp_janitor_walked(position, verdict) AS MATERIALIZED (SELECT t.ctid, ");
        search.verdict(sql, table);
        sql.push(" FROM ").walked(table).push(" AS t WHERE ");
        sql.condition(&Rule::Within(Span::Slice), table, "t").push(
            "), idp_janitor_end(position) AS MATERIALIZED (SELECT coalesce((SELECT position FROM idp_janitor_walked \
             WHERE verdict = 1 ORDER BY position OFFSET ",
        );
        sql.slot(Slot::Take).push(" - 1 LIMIT 1), ").slot(Slot::Upto);
        sql.push(
            "::tid)), idp_janitor_found AS MATERIALIZED (SELECT count(*)::text AS walked, \
             (SELECT position::text FROM idp_janitor_end) AS upto, count(*) FILTER (WHERE verdict IN (1, 2))::text AS stale, \
             count(*) FILTER (WHERE verdict = 2)::text AS restricted, count(*) FILTER (WHERE verdict = 3)::text AS unreadable \
             FROM idp_janitor_walked WHERE position <= (SELECT position FROM idp_janitor_end))",
        );
    }

    /// Begins the set of what a rule asks of other rows about those of the walked table that are `about`.
    pub(crate) fn ask(sql: &mut Sql, walked: &str, asked: &Asked, about: impl FnOnce(&mut Sql)) {
        let related = &asked.related;
        let several = related.columns.len() > 1;
        sql.push(&asked.set).push(" AS MATERIALIZED (SELECT ").columns("t", &related.columns);
        sql.push(" FROM ").table(&related.table).push(" AS t WHERE ");
        sql.push(if several { "(" } else { "" }).columns("t", &related.columns);
        sql.push(if several { ") IN (SELECT " } else { " = ANY (ARRAY(SELECT " }).columns("o", &related.equal);
        sql.push(" FROM ").walked(walked).push(" AS o WHERE ");
        about(sql);
        if asked.guard != all([]) {
            sql.push(" AND ").condition(&asked.guard, walked, "o");
        }
        sql.push(if several { ")" } else { "))" });
        if related.satisfying != all([]) {
            sql.push(" AND ").condition(&related.satisfying, &related.table, "t");
        }
    }
}

impl Dialect for Postgres {
    fn quote(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    fn table(&self, name: &str) -> String {
        self.quote(name)
    }

    /// All values are our own digits and instants, checked names, or what the server told, and without parameters a whole batch is
    /// one round trip.
    fn literal(&self, slot: &Slot, value: &str) -> Option<String> {
        Some(match slot {
            Slot::Window | Slot::Take | Slot::Before | Slot::Total | Slot::Lease => value.to_owned(),
            // In names of tables there may be a backslash, of which a setting of the server says what it means.
            Slot::Text(_) => format!("E'{}'", value.replace('\\', "\\\\").replace('\'', "''")),
            Slot::Fixed(_) | Slot::From | Slot::Upto => format!("'{}'", value.replace('\'', "''")),
        })
    }

    fn foreign_key(&self, sql: &mut Sql, alias: &str, columns: &[String], _table: Option<&Table>) {
        let several = columns.len() > 1;
        sql.push(if several { "(" } else { "" }).columns(alias, columns).push(if several { ")" } else { "" });
    }

    fn comparable(&self, child: &Column, target: &Column) -> bool {
        let family = |kind: &str| match kind {
            "smallint" | "integer" | "bigint" => "integer".to_owned(),
            "character varying" | "text" => "text".to_owned(),
            other => other.to_owned(),
        };
        family(&child.kind) == family(&target.kind)
    }

    fn is_true(&self, sql: &mut Sql, alias: &str, column: &str) {
        sql.column(alias, column);
    }

    /// What lies outside Django's calendar, `-infinity` included, is kept.
    fn compare_instant(&self, sql: &mut Sql, alias: &str, column: &str, operator: &str, instant: Instant) {
        let text = format!("{}+00", instant.to_django_text());
        sql.push("(").column(alias, column).push(&format!(" {operator} ")).slot(Slot::Fixed(text));
        sql.push("::timestamptz AND ").column(alias, column).push(&format!(" >= {FIRST})"));
    }

    fn unreadable_instant(&self, sql: &mut Sql, alias: &str, column: &str) {
        sql.column(alias, column).push(&format!(" NOT BETWEEN {FIRST} AND {LAST}"));
    }

    /// A `timestamp` without a zone would be read by the zone of whoever asks.
    fn holds_instants(&self, column: &Column) -> bool {
        column.kind == "timestamp with time zone"
    }

    fn holds_truth(&self, column: &Column) -> bool {
        column.kind == "boolean"
    }

    /// Each part of a partitioned table has places of its own.
    fn within(&self, sql: &mut Sql, span: Span, _table: &str, alias: &str) {
        let place = format!("{alias}.ctid");
        let part = sql.part.map(|part| part.id.clone());
        match (span, part) {
            (Span::Passed, None) => {
                sql.push(&format!("{place} < ")).slot(Slot::From).push("::tid");
            }
            (Span::Passed, Some(part)) => {
                sql.push(&format!("({alias}.tableoid < {part}::oid OR {alias}.tableoid = {part}::oid AND {place} < "));
                sql.slot(Slot::From).push("::tid)");
            }
            (Span::Slice, part) => {
                sql.push(&format!("({place} >= ")).slot(Slot::From).push(&format!("::tid AND {place} <= "));
                sql.slot(Slot::Upto).push("::tid");
                if let Some(part) = part {
                    sql.push(&format!(" AND {alias}.tableoid = {part}::oid"));
                }
                sql.push(")");
            }
        }
    }

    fn walkable(&self, table: &Table) -> Result<(), String> {
        if table.parts.iter().any(|part| part.id.is_empty()) {
            return Err("a part of it is a foreign table, which cannot be walked".into());
        }
        Ok(())
    }

    /// The number of rows is the engine's estimate: counting them reads the whole table.
    fn open(&self, schema: &Schema, table: &str, part: Option<&Part>) -> Template {
        let mut sql = Sql::new(self, schema).in_part(part);
        let address = part.map_or_else(
            || schema.tables.get(table).map(|table| table.address.clone()).unwrap_or_default(),
            |part| part.address.clone(),
        );
        sql.push(
            "SELECT greatest(c.reltuples, 0)::bigint::text, CASE WHEN s.blocks > 0 THEN '(0,0)' END, \
             format('(%s,65535)', s.blocks - 1) FROM pg_catalog.pg_class AS c, LATERAL \
             (SELECT pg_relation_size(c.oid) / current_setting('block_size')::bigint AS blocks) AS s WHERE c.oid = '",
        );
        sql.push(&address.replace('\'', "''")).push("'::regclass");
        sql.finish()
    }

    fn find(&self, schema: &Schema, table: &str, part: Option<&Part>, search: &Search) -> Template {
        let mut sql = Sql::new(self, schema).in_part(part);
        sql.push("WITH ");
        Self::look(&mut sql, table, search);
        sql.push(" SELECT walked, upto, stale, restricted, unreadable FROM idp_janitor_found");
        sql.finish()
    }

    fn window_end(&self, from: &str, window: u64, last: &str) -> String {
        let (Some((block, _)), Some((end, _))) = (place(from), place(last)) else { return last.to_owned() };
        let blocks = u32::try_from((window / ROWS_A_BLOCK).max(1)).unwrap_or(u32::MAX);
        let reached = block.saturating_add(blocks - 1);
        // Never beyond the end, or a walk that ends within a block would go on without one.
        if reached >= end { last.to_owned() } else { written(reached, LAST_PLACE) }
    }

    fn reckoned(&self, from: &str, upto: &str) -> Option<u64> {
        let ((from, _), (upto, _)) = (place(from)?, place(upto)?);
        Some((u64::from(upto.saturating_sub(from)) + 1) * ROWS_A_BLOCK)
    }

    fn is_position(&self, text: &str) -> bool {
        place(text).is_some()
    }

    fn after(&self, position: &str) -> Option<String> {
        match place(position)? {
            (block, LAST_PLACE) => Some(written(block.checked_add(1)?, 0)),
            (block, at) => Some(written(block, at + 1)),
        }
    }

    fn split(&self, first: &str, last: &str, parts: u32) -> Vec<(String, String)> {
        let (Some((first, _)), Some((last, _))) = (place(first), place(last)) else { return vec![] };
        let blocks = ranges(first.into(), last.into(), parts);
        blocks.map(|(from, upto)| (format!("({from},0)"), format!("({upto},{LAST_PLACE})"))).collect()
    }

    fn slice_ms(&self) -> f64 {
        100.0
    }

    fn slices(&self) -> Slices {
        Slices::Chained
    }

    fn prelude(&self, slice_ms: f64) -> Vec<String> {
        let (least, most) = LOCK_TIMEOUT_MS;
        #[expect(clippy::cast_possible_truncation, reason = "between the two")]
        let lock_timeout = slice_ms.max(least).min(most) as i64;
        #[expect(clippy::cast_possible_truncation, reason = "a slice aims at a minute at most")]
        let statement_timeout = (slice_ms * 10.0).max(STATEMENT_TIMEOUT_MS) as i64;
        vec![
            format!("SET LOCAL lock_timeout = {lock_timeout}"),
            format!("SET LOCAL statement_timeout = {statement_timeout}"),
            PLANNED.into(),
        ]
    }

    fn before_reading(&self) -> &'static [&'static str] {
        &[BEFORE_READING]
    }

    /// Deferred keys are checked while a statement runs, which can be timed out, and not while the commit does. Each check looks
    /// for one value, and even in a small table an index finds it sooner.
    fn epilogue(&self) -> &'static [&'static str] {
        &["SET LOCAL enable_seqscan = off", "SET CONSTRAINTS ALL IMMEDIATE"]
    }

    fn lease(&self, job: &str) -> Option<Lease> {
        let key = format!("{LOCK_CLASS}, {}", lock_of(job));
        Some(Lease {
            take: format!(
                "SELECT pg_try_advisory_lock({key})::int::text, pg_backend_pid()::text, \
                 (SELECT concat('process ', a.pid, ' of the server', ' (role ' || a.usename || ')', ', application ' || \
                 nullif(a.application_name, ''), ' from ' || host(a.client_addr), ', connected since ' || \
                 to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')) \
                 FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid WHERE {} \
                 AND a.pid <> pg_backend_pid() LIMIT 1)",
                lock_row(job)
            ),
            held: |sql, job| {
                sql.push("EXISTS (SELECT 1 FROM pg_catalog.pg_locks AS l WHERE ").push(&lock_row(job));
                sql.push(" AND l.pid = ").slot(Slot::Lease).push(")");
            },
        })
    }

    /// Slices share the row's lock, so that those of several lanes do not wait for each other, and who would take the lease does.
    fn lease_rows(&self) -> Option<LeaseRows> {
        Some(LeaseRows {
            before: LEASE_TIMEOUTS,
            instant: |seconds| {
                format!(
                    "to_char((clock_timestamp() + interval '{seconds} seconds') AT TIME ZONE 'UTC', \
                     'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
                )
            },
            held: Some(|sql, job| {
                sql.push(&format!("EXISTS (SELECT 1 FROM {LEASES} AS l WHERE l.job = "))
                    .slot(Slot::Text(job.to_owned()));
                sql.push(" AND l.fence = ").slot(Slot::Lease).push(" FOR SHARE)");
            }),
        })
    }

    fn schema_queries(&self) -> &'static [&'static str] {
        schema::QUERIES
    }

    fn schema(&self, results: &[Rows]) -> Result<Schema, Error> {
        schema::read(results)
    }

    fn create_index(&self, schema: &Schema, table: &str, columns: &[String]) -> String {
        let mut sql = Sql::new(self, schema);
        sql.push("CREATE INDEX CONCURRENTLY ON ").table(table).push(" (");
        sql.joined(columns, ", ", |sql, column| {
            sql.name(column);
        });
        sql.push(")");
        sql.finish().shown(self)
    }
}

/// Which row of `pg_locks` is the lock of a job in this database.
fn lock_row(job: &str) -> String {
    format!(
        "l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = {LOCK_CLASS} AND l.objid = {} AND \
         l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())",
        lock_of(job)
    )
}

/// The number of a job among our locks, from 0 to 2^31 - 1.
fn lock_of(job: &str) -> u64 {
    Digest::default().add(job).number() & 0x7fff_ffff
}

/// Block and place of a `tid`.
fn place(text: &str) -> Option<(u32, u32)> {
    let (block, at) = text.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    Some((block.parse().ok()?, at.parse().ok().filter(|at| *at <= LAST_PLACE)?))
}

fn written(block: u32, at: u32) -> String {
    format!("({block},{at})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_by_blocks() {
        for (position, next) in [
            ("(0,0)", Some("(0,1)")),
            ("(7,65535)", Some("(8,0)")),
            ("(4294967295,65535)", None),
            ("(4294967295,1)", Some("(4294967295,2)")),
        ] {
            assert!(Postgres.is_position(position));
            assert_eq!(Postgres.after(position).as_deref(), next);
        }
        for text in ["", "0", "(0)", "(0,65536)", "(4294967296,0)", "(-1,0)", "(0,0)'; DROP", "(0,1,2)"] {
            assert!(!Postgres.is_position(text), "{text}");
        }
        assert_eq!(Postgres.window_end("(3,7)", 400, "(99,65535)"), "(12,65535)");
        assert_eq!(Postgres.window_end("(3,7)", 1, "(99,65535)"), "(3,65535)");
        assert_eq!(Postgres.window_end("(3,7)", 1_000_000, "(99,65535)"), "(99,65535)");
        // Regression: the end of a claim that was visited again was rounded up to that of its block, and never met.
        for (from, last) in
            [("(810,3)", "(810,37)"), ("(810,38)", "(810,37)"), ("(811,0)", "(810,37)"), ("(7,0)", "(810,37)")]
        {
            assert_eq!(Postgres.window_end(from, 1_000_000, last), last);
        }
        assert_eq!(Postgres.window_end("(809,0)", 1, "(810,37)"), "(809,65535)");
        // As many rows as the window was asked for, however many there are in a block.
        assert_eq!(Postgres.reckoned("(3,7)", &Postgres.window_end("(3,7)", 400, "(99,65535)")), Some(400));
        assert_eq!(Postgres.reckoned("(3,7)", "(3,9)"), Some(40));
    }
}
