//! Slices of one statement a change, in one transaction that first locks, in temporary tables, what goes: the root's rows that
//! nobody else holds, then what points at them, and so on. Keys are checked at once there, so rows that go let go of others before
//! those go.

use super::count::equal;
use super::{Purpose, Slice, SliceStatement, Tally, Told, Writer, purpose, unsetting};
use crate::cascade::{Change, Edge};
use crate::rule::sql::{Asked, Sql};
use crate::rule::{Rule, Span, all};

/// What is told, and of whom.
struct Steps {
    slice: Slice,
}

impl Steps {
    fn add(&mut self, purpose: Purpose, table: &str, sql: Sql, counted: bool) {
        let statement = self.slice.statements.len();
        if counted {
            self.slice.tallies.push(Tally { purpose, table: table.to_owned(), told: Told::Changes { statement } });
        }
        let purpose = if counted { purpose } else { Purpose::Stage };
        self.slice.statements.push(SliceStatement { purpose, table: table.to_owned(), template: sql.finish() });
    }
}

impl Writer<'_> {
    /// The slice.
    pub(super) fn staged(&self) -> Slice {
        let root = self.cascade.root.as_str();
        let asked = self.asked();
        let judged = asked.iter().map(|asked| asked.related.table.clone()).collect();
        let mut steps = Steps { slice: Slice { judged, ..Slice::default() } };
        if let Some((job, held)) = self.leased {
            let mut sql = self.sql();
            sql.push("SELECT ");
            held(&mut sql, job);
            steps.slice.lease = Some(Told::Column { statement: 0, column: 0 });
            steps.add(Purpose::Stage, root, sql, false);
        }
        steps.add(Purpose::Stage, root, self.drop_sets(&asked), false);
        for judged in &asked {
            let Asked { related, set, .. } = judged;
            let made = self.create(set, &related.table, &related.columns, &related.columns);
            steps.add(Purpose::Stage, &related.table, made, false);
            steps.add(Purpose::Stage, &related.table, self.judge_first(judged), false);
        }
        for table in self.parents_first().into_iter().filter(|table| self.is_staged(table)) {
            let (key, columns) = (self.schema.primary_key(table), self.kept_columns(table));
            steps.add(Purpose::Stage, table, self.create(&self.set_name(table), table, &key, &columns), false);
            if table == root {
                steps.add(Purpose::Stage, table, self.stage_root(&asked), false);
            }
            for edge in self.cascade.cascades_from(table) {
                steps.add(Purpose::Stage, table, self.stage(table, edge), false);
            }
        }
        for change in &self.cascade.order {
            let (purpose, table) = purpose(change);
            match change {
                Change::Delete { table } => steps.add(purpose, table, self.delete(table), true),
                Change::Unset { edge, before_own_delete } => {
                    let some_go = *before_own_delete && self.is_staged(table);
                    let own = edge.table == edge.key.references;
                    // MySQL takes a temporary table once in a statement, so rows that go let go of their own table first,
                    // whatever they point at.
                    if some_go && own {
                        steps.add(purpose, table, self.let_go_itself(edge), false);
                    }
                    steps.add(purpose, table, self.let_go(edge, some_go && !own), true);
                    if some_go && !own {
                        steps.add(purpose, table, self.let_go(edge, false), false);
                    }
                }
            }
        }
        steps.add(Purpose::Stage, root, self.drop_sets(&asked), false);
        steps.slice
    }

    /// Whether the rows that go from a table are remembered: others ask for them, or they are met in several ways.
    fn is_staged(&self, table: &str) -> bool {
        let goes = self.cascade.deleted().any(|deleted| deleted == table);
        let asked = self.cascade.edges.iter().any(|edge| edge.key.references == table);
        goes && (table == self.cascade.root
            || asked
            || self.lets_go(table)
            || self.cascade.cascades_from(table).nth(1).is_some())
    }

    fn set_name(&self, table: &str) -> String {
        format!("idp_janitor_gone_{}", self.place_of(table))
    }

    /// Temporary tables stay with the connection, whatever became of the slice.
    fn drop_sets(&self, asked: &[Asked]) -> Sql<'_> {
        let mut names: Vec<String> = asked.iter().map(|asked| asked.set.clone()).collect();
        names.extend(
            self.parents_first().into_iter().filter(|table| self.is_staged(table)).map(|table| self.set_name(table)),
        );
        let mut sql = self.sql();
        sql.push("DROP TEMPORARY TABLE IF EXISTS ").push(&names.join(", "));
        sql
    }

    /// Makes a set of rows of a table by some of their columns, `key` telling them apart. It is filled by another statement,
    /// because MySQL locks nothing while it makes a table.
    fn create(&self, name: &str, table: &str, key: &[String], columns: &[String]) -> Sql<'_> {
        let mut sql = self.sql();
        sql.push(&format!("CREATE TEMPORARY TABLE {name} (PRIMARY KEY ("));
        sql.joined(key, ", ", |sql, column| {
            sql.name(column);
        });
        sql.push(")) ENGINE=InnoDB SELECT ").columns("t", columns).push(" FROM ").table(table);
        sql.push(" AS t WHERE 1 = 0");
        sql
    }

    /// Begins to fill a set; what is in it already stays.
    fn fill(&self, name: &str, columns: &[String]) -> Sql<'_> {
        let mut sql = self.sql();
        sql.push(&format!("INSERT IGNORE INTO {name} (")).joined(columns, ", ", |sql, column| {
            sql.name(column);
        });
        sql.push(") SELECT ");
        sql
    }

    /// Rows of another table that the rule asks about, as they are when they are locked.
    fn judge_first(&self, judged: &Asked) -> Sql<'_> {
        let related = &judged.related;
        let mut sql = self.fill(&judged.set, &related.columns);
        sql.columns("r", &related.columns).push(" FROM ").table(&self.cascade.root);
        sql.push(" AS t FORCE INDEX (PRIMARY) STRAIGHT_JOIN ");
        self.joined_by(&mut sql, &related.table, "r", &related.columns);
        equal(&mut sql, "r", &related.columns, "t", &related.equal);
        sql.push(" WHERE ")
            .condition(&all([Rule::Within(Span::Slice), judged.guard.clone()]), &self.cascade.root, "t")
            .push(" AND ");
        sql.condition(&related.satisfying, &related.table, "r").push(" FOR UPDATE SKIP LOCKED");
        sql
    }

    fn stage_root(&self, asked: &[Asked]) -> Sql<'_> {
        let root = self.cascade.root.as_str();
        let columns = self.kept_columns(root);
        let mut sql = self.fill(&self.set_name(root), &columns);
        sql.columns("t", &columns).push(" FROM ").table(root).push(" AS t FORCE INDEX (PRIMARY) WHERE ");
        if let Some((job, held)) = self.leased {
            sql.push("(");
            held(&mut sql, job);
            sql.push(") AND ");
        }
        let rule = all([Rule::Within(Span::Slice), self.removable()]);
        sql.having_asked(asked, |sql| {
            sql.condition(&rule, root, "t");
        });
        sql.push(" FOR UPDATE SKIP LOCKED");
        sql
    }

    /// What goes along by one key. It waits for nobody: InnoDB looks for deadlocks at once, and would end the transaction that has
    /// done less, which is never the slice.
    fn stage(&self, table: &str, edge: &Edge) -> Sql<'_> {
        let columns = self.kept_columns(table);
        let mut sql = self.fill(&self.set_name(table), &columns);
        sql.columns("t", &columns);
        sql.push(&format!(" FROM {} AS p STRAIGHT_JOIN ", self.set_name(&edge.key.references)));
        self.joined_by(&mut sql, table, "t", &edge.key.columns);
        equal(&mut sql, "t", &edge.key.columns, "p", &edge.key.target);
        sql.push(" FOR UPDATE NOWAIT");
        sql
    }

    fn delete(&self, table: &str) -> Sql<'_> {
        let mut sql = self.sql();
        if self.is_staged(table) {
            let key = self.schema.primary_key(table);
            sql.push(&format!("DELETE t FROM {} AS p STRAIGHT_JOIN ", self.set_name(table)));
            self.joined_by(&mut sql, table, "t", &key);
            equal(&mut sql, "t", &key, "p", &key);
        } else {
            // It has one key, or it would be staged.
            for edge in self.cascade.cascades_from(table).take(1) {
                let set = self.set_name(&edge.key.references);
                sql.push(&format!("DELETE t FROM {set} AS p STRAIGHT_JOIN "));
                self.joined_by(&mut sql, table, "t", &edge.key.columns);
                equal(&mut sql, "t", &edge.key.columns, "p", &edge.key.target);
            }
        }
        sql
    }

    /// Rows that point at ones that go let go; with `staying`, of these only those that do not go themselves.
    fn let_go(&self, edge: &Edge, staying: bool) -> Sql<'_> {
        let mut sql = self.sql();
        sql.push(&format!("UPDATE {} AS p STRAIGHT_JOIN ", self.set_name(&edge.key.references)));
        self.joined_by(&mut sql, &edge.table, "t", &edge.key.columns);
        equal(&mut sql, "t", &edge.key.columns, "p", &edge.key.target);
        self.set(&mut sql, edge);
        if staying {
            let key = self.schema.primary_key(&edge.table);
            sql.push(&format!(" WHERE NOT EXISTS (SELECT 1 FROM {} AS g WHERE ", self.set_name(&edge.table)));
            equal(&mut sql, "g", &key, "t", &key);
            sql.push(")");
        }
        sql
    }

    /// Rows that go themselves let go of whatever they point at in their own table.
    fn let_go_itself(&self, edge: &Edge) -> Sql<'_> {
        let key = self.schema.primary_key(&edge.table);
        let mut sql = self.sql();
        sql.push(&format!("UPDATE {} AS p STRAIGHT_JOIN ", self.set_name(&edge.table)));
        self.joined_by(&mut sql, &edge.table, "t", &key);
        equal(&mut sql, "t", &key, "p", &key);
        self.set(&mut sql, edge);
        sql
    }

    /// Adds what the columns of a key are set to.
    fn set(&self, sql: &mut Sql, edge: &Edge) {
        sql.push(" SET ").joined(&edge.key.columns, ", ", |sql, column| {
            sql.column("t", column).push(" = ");
            if unsetting(edge) == Purpose::SetDefault && self.default(&edge.table, column).is_some() {
                sql.push("DEFAULT(").column("t", column).push(")");
            } else {
                sql.push("NULL");
            }
        });
    }

    /// What a set remembers of each row: its key, and what others point at.
    fn kept_columns(&self, table: &str) -> Vec<String> {
        let mut columns = self.schema.primary_key(table);
        for target in self.targets(table) {
            if !columns.contains(&target) {
                columns.push(target);
            }
        }
        columns
    }
}
