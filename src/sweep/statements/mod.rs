//! The statements of a sweep. Every slice repeats the rule over its part of the table.

mod chained;
mod count;
mod ledger;
mod repeated;
mod staged;

use crate::cascade::{Action, Cascade, Change, Edge};
use crate::dialect::{Dialect, Held, Search, Slices};
use crate::effect::Statement;
use crate::rule::sql::{Asked, Slot, Sql, Template};
use crate::rule::{Rule, Use, all, not};
use crate::schema::{Part, Schema};

/// The statements of a sweep, their slice still open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Templates {
    /// Begins the walk.
    pub open: Template,
    /// Finds what is stale in a window.
    pub find: Template,
    /// One slice.
    pub slice: Slice,
    /// Counts what a slice would do to dependants, one column an entry of `counted`; none where there are none.
    pub count: Option<Template>,
    /// What `count` counts: what would be done, and the table that it would be done to.
    pub counted: Vec<(Purpose, String)>,
}

/// One atomic unit, and what its results tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slice {
    /// The statements in order.
    pub statements: Vec<SliceStatement>,
    /// What they did, and where that is told.
    pub tallies: Vec<Tally>,
    /// The tables, other than its own, whose rows it locks before it judges by them.
    pub judged: Vec<String>,
    /// The statement that begins its one row with what it has found, where the slice finds what it removes.
    pub found: Option<usize>,
    /// Where it is told whether the lease was held still, if it is asked.
    pub lease: Option<Told>,
}

/// A statement of a slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceStatement {
    /// What it does.
    pub purpose: Purpose,
    /// The table that it does it to.
    pub table: String,
    /// The statement.
    pub template: Template,
}

/// A number of rows that a slice tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// What was done to them.
    pub purpose: Purpose,
    /// Their table.
    pub table: String,
    /// Where the number is told.
    pub told: Told,
}

/// Where a slice tells something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// By how many rows a statement changed.
    Changes {
        /// Which of the slice's statements, from 0.
        statement: usize,
    },
    /// In a column of the one row that a statement returned.
    Column {
        /// Which of the slice's statements, from 0.
        statement: usize,
        /// Which column, from 0.
        column: usize,
    },
}

/// What a statement of a slice does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Removes rows.
    Delete,
    /// Sets columns to NULL.
    SetNull,
    /// Sets columns to their default.
    SetDefault,
    /// Locks rows, or remembers them for the statements after it.
    Stage,
}

impl Purpose {
    /// As a plan names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::SetNull => "set null",
            Self::SetDefault => "set default",
            Self::Stage => "stage",
        }
    }
}

/// What the open places of a template are filled with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filling {
    /// Where the slice begins.
    pub from: String,
    /// Where it ends.
    pub upto: String,
    /// How many rows to walk at most.
    pub window: u64,
    /// How many rows the table had when its walk began; empty where that has still to be counted.
    pub total: String,
    /// How many stale rows to take at most.
    pub take: u64,
    /// What tells the connection that holds the lease.
    pub lease: String,
}

impl Template {
    /// The statement with its open places filled.
    #[must_use]
    pub fn fill(&self, dialect: &dyn Dialect, filling: &Filling) -> Statement {
        let value = |slot: &Slot| match slot {
            Slot::Fixed(text) | Slot::Text(text) => text.clone(),
            Slot::From => filling.from.clone(),
            Slot::Upto => filling.upto.clone(),
            Slot::Window => filling.window.to_string(),
            Slot::Total => filling.total.clone(),
            Slot::Take => filling.take.to_string(),
            Slot::Before => filling.take.saturating_sub(1).to_string(),
            Slot::Lease => filling.lease.clone(),
        };
        let (sql, params) = self.filled(dialect, value);
        Statement { sql, params }
    }
}

/// A removal whose statements are to be written.
pub struct Writer<'a> {
    /// The SQL to write.
    pub dialect: &'a dyn Dialect,
    /// What the database declares.
    pub schema: &'a Schema,
    /// What goes along.
    pub cascade: &'a Cascade,
    /// The part of the table to walk, where it has parts.
    pub part: Option<&'a Part>,
    /// The job whose lease each slice asks for, and how, if it is to.
    pub leased: Option<(&'a str, Held)>,
    /// The run that each slice writes down its counts for, if it is to.
    pub ledger: Option<&'a str>,
    /// What is stale.
    pub stale: &'a Rule,
    /// What of it must be kept all the same.
    pub restricted: &'a Rule,
}

/// What goes from the root: stale, and held by nothing.
#[must_use]
pub fn removable(stale: &Rule, restricted: &Rule) -> Rule {
    match restricted {
        Rule::Any(ways) if ways.is_empty() => stale.clone(),
        restricted => all([stale.clone(), not(restricted.clone())]),
    }
}

impl<'a> Writer<'a> {
    /// All statements. `gone_before` gives, by table, the rows that earlier sweeps of a dry run would have taken.
    #[must_use]
    pub fn write(&self, gone_before: &impl Fn(&str) -> Option<Rule>) -> Templates {
        let mut instants: Vec<String> = Vec::new();
        self.stale.visit_columns(&self.cascade.root, &mut |table, column, usage| {
            if table == self.cascade.root && usage == Use::Instant && !instants.iter().any(|known| known == column) {
                instants.push(column.to_owned());
            }
        });
        let asked = if self.dialect.slices() == Slices::Chained { self.asked() } else { vec![] };
        let search = Search { stale: self.stale, restricted: self.restricted, instants: &instants, asked: &asked };
        let dependants: Vec<&Change> = self.cascade.order.iter().filter(|change| !self.is_own(change)).collect();
        Templates {
            open: self.dialect.open(self.schema, &self.cascade.root, self.part),
            find: self.dialect.find(self.schema, &self.cascade.root, self.part, &search),
            slice: match (self.dialect.slices(), self.ledger) {
                (Slices::Chained, _) => self.chained(&search),
                (_, Some(run)) => self.with_ledger(run, self.by_steps()),
                (_, None) => self.by_steps(),
            },
            count: (!dependants.is_empty()).then(|| self.count(&dependants, gone_before)),
            counted: dependants
                .iter()
                .map(|change| purpose(change))
                .map(|(purpose, table)| (purpose, table.clone()))
                .collect(),
        }
    }

    fn by_steps(&self) -> Slice {
        if self.dialect.slices() == Slices::Staged { self.staged() } else { self.repeated() }
    }

    fn sql(&self) -> Sql<'a> {
        Sql::new(self.dialect, self.schema).in_part(self.part)
    }

    /// Whether it is the removal from the root itself, which the find counts.
    fn is_own(&self, change: &Change) -> bool {
        matches!(change, Change::Delete { table } if *table == self.cascade.root)
    }

    fn removable(&self) -> Rule {
        removable(self.stale, self.restricted)
    }

    fn default(&self, table: &str, column: &str) -> Option<&str> {
        self.schema.column(table, column).ok()?.default.as_deref()
    }

    /// The columns of a table that others point at.
    fn targets(&self, table: &str) -> Vec<String> {
        let mut columns: Vec<String> = Vec::new();
        for edge in self.cascade.edges.iter().filter(|edge| edge.key.references == table) {
            for column in &edge.key.target {
                if !columns.contains(column) {
                    columns.push(column.clone());
                }
            }
        }
        columns
    }

    /// The tables that lose rows, each after those that its rows go along with.
    fn parents_first(&self) -> Vec<&'a str> {
        self.cascade.deleted().rev().collect()
    }

    /// A table's place among them.
    fn place_of(&self, table: &str) -> usize {
        self.parents_first().iter().position(|known| *known == table).unwrap_or_default()
    }

    /// The keys by which rows go along, or the one by which they let go.
    fn edges_of<'c>(&'c self, change: &'c Change) -> Vec<&'c Edge> {
        match change {
            Change::Delete { table } => self.cascade.cascades_from(table).collect(),
            Change::Unset { edge, .. } => vec![edge],
        }
    }

    /// Whether rows of a table that go may also have to let go of others that do.
    fn lets_go(&self, table: &str) -> bool {
        self.cascade.order.iter().any(|change| matches!(change, Change::Unset { edge, .. } if edge.table == table))
    }

    /// What the rule asks of other rows, as far as it has to be asked for beforehand: where their own columns decide, they have
    /// to be locked first, or what they say may be over before the slice is. That a row points at one that goes needs no such
    /// care: its key locks what it points at.
    fn asked(&self) -> Vec<Asked> {
        let mut asked = Vec::new();
        ask(self.stale, true, &[], &mut asked);
        let chained = self.dialect.slices() == Slices::Chained;
        // For an index to be gone through by the keys of a window, whatever the planner thinks of how many these are.
        let listed = |asked: &Asked| {
            chained
                && asked.related.columns.len() == 1
                && self.schema.has_index(&asked.related.table, &asked.related.columns)
        };
        asked.retain(|asked| asked.locks || listed(asked));
        asked
    }
}

/// Adds what a rule asks of other rows; `guards` hold wherever it matters. What is kept by a row that is changed meanwhile is
/// kept, so only what is `taken` by one has to be locked.
fn ask(rule: &Rule, taken: bool, guards: &[Rule], asked: &mut Vec<Asked>) {
    match rule {
        Rule::All(rules) => {
            let own = rules.iter().filter(|rule| !asks(rule));
            let guards: Vec<Rule> = guards.iter().chain(own).cloned().collect();
            rules.iter().for_each(|rule| ask(rule, taken, &guards, asked));
        }
        Rule::Any(rules) => rules.iter().for_each(|rule| ask(rule, taken, guards, asked)),
        Rule::Not(rule) => ask(rule, !taken, guards, asked),
        Rule::Exists(related) => match asked.iter_mut().find(|known| known.related == **related) {
            // Asked in two places, it matters wherever either is reached.
            Some(known) => {
                known.guard = all([]);
                known.locks |= taken && related.satisfying != all([]);
            }
            None => asked.push(Asked {
                related: related.as_ref().clone(),
                guard: Rule::All(guards.to_vec()),
                set: format!("idp_janitor_asked_{}", asked.len()),
                locks: taken && related.satisfying != all([]),
            }),
        },
        _ => {}
    }
}

/// Whether a rule asks anything of other rows.
fn asks(rule: &Rule) -> bool {
    match rule {
        Rule::All(rules) | Rule::Any(rules) => rules.iter().any(asks),
        Rule::Not(rule) => asks(rule),
        Rule::Exists(_) => true,
        _ => false,
    }
}

/// What a change does, and the table that it does it to.
fn purpose(change: &Change) -> (Purpose, &String) {
    match change {
        Change::Delete { table } => (Purpose::Delete, table),
        Change::Unset { edge, .. } => (unsetting(edge), &edge.table),
    }
}

fn unsetting(edge: &Edge) -> Purpose {
    if edge.action == Action::SetDefault { Purpose::SetDefault } else { Purpose::SetNull }
}
