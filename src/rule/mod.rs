//! Rules: what is stale, as an expression over named columns.
//!
//! A rule is written once and read twice: [`eval`] judges a record in memory, [`sql`] renders the condition of a
//! statement. Both readings are two-valued: a condition on a NULL does not hold, and [`Rule::Not`] holds exactly
//! where its rule does not.

pub mod eval;
pub mod sql;

use crate::instant::Instant;

/// A condition on a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Every one of them holds; none at all is true.
    All(Vec<Rule>),
    /// At least one of them holds; none at all is false.
    Any(Vec<Rule>),
    /// It does not hold.
    Not(Box<Rule>),
    /// The column is NULL.
    IsNull(String),
    /// The column is true.
    IsTrue(String),
    /// The column's instant is earlier.
    Before(String, Instant),
    /// The column's instant is earlier or the same.
    NotAfter(String, Instant),
    /// There is a row that this one points at, or that points at this one, which satisfies a rule.
    Exists(Box<Related>),
    /// The row's place in the walk of its table. It means nothing outside of a walk.
    Within(Span),
}

/// The rows of `table` whose `columns` equal the row's own `equal`, position by position, and that satisfy a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The other table.
    pub table: String,
    /// Columns of the other table.
    pub columns: Vec<String>,
    /// Columns of the row itself.
    pub equal: Vec<String>,
    /// What the other row must satisfy.
    pub satisfying: Rule,
}

/// A part of a table's walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// What lies before the slice in hand.
    Passed,
    /// The slice in hand.
    Slice,
}

/// Every rule holds.
pub fn all<const N: usize>(rules: [Rule; N]) -> Rule {
    Rule::All(rules.into())
}

/// At least one rule holds.
pub fn any<const N: usize>(rules: [Rule; N]) -> Rule {
    Rule::Any(rules.into())
}

/// The rule does not hold.
#[must_use]
pub fn not(rule: Rule) -> Rule {
    Rule::Not(Box::new(rule))
}

/// The column is NULL.
#[must_use]
pub fn is_null(column: &str) -> Rule {
    Rule::IsNull(column.to_owned())
}

/// The column is true.
#[must_use]
pub fn is_true(column: &str) -> Rule {
    Rule::IsTrue(column.to_owned())
}

/// The column's instant is before the given one.
#[must_use]
pub fn before(column: &str, instant: Instant) -> Rule {
    Rule::Before(column.to_owned(), instant)
}

/// The column's instant is the given one or before it.
#[must_use]
pub fn not_after(column: &str, instant: Instant) -> Rule {
    Rule::NotAfter(column.to_owned(), instant)
}

/// The row that `column` points at, by its `key` in `table`, satisfies a rule.
#[must_use]
pub fn parent(column: &str, table: &str, key: &str, satisfying: Rule) -> Rule {
    exists(table, &[key.to_owned()], &[column.to_owned()], satisfying)
}

/// No row of `table` points by its `column` at this row's `key`.
#[must_use]
pub fn unreferenced(table: &str, column: &str, key: &str) -> Rule {
    not(exists(table, &[column.to_owned()], &[key.to_owned()], all([])))
}

/// A row of `table` whose `columns` equal this row's `equal` satisfies a rule.
#[must_use]
pub fn exists(table: &str, columns: &[String], equal: &[String], satisfying: Rule) -> Rule {
    Rule::Exists(Box::new(Related {
        table: table.to_owned(),
        columns: columns.to_owned(),
        equal: equal.to_owned(),
        satisfying,
    }))
}

/// How a rule reads a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// As a key or a NULL.
    Plain,
    /// As a truth value.
    Truth,
    /// As an instant.
    Instant,
}

impl Rule {
    /// Calls `visit` with every table, column and use that the rule reads, itself being a rule on `table`.
    pub fn visit_columns<'a>(&'a self, table: &'a str, visit: &mut impl FnMut(&'a str, &'a str, Use)) {
        match self {
            Self::All(rules) | Self::Any(rules) => {
                for rule in rules {
                    rule.visit_columns(table, visit);
                }
            }
            Self::Not(rule) => rule.visit_columns(table, visit),
            Self::IsNull(column) => visit(table, column, Use::Plain),
            Self::IsTrue(column) => visit(table, column, Use::Truth),
            Self::Before(column, _) | Self::NotAfter(column, _) => visit(table, column, Use::Instant),
            Self::Exists(related) => {
                for column in &related.equal {
                    visit(table, column, Use::Plain);
                }
                for column in &related.columns {
                    visit(&related.table, column, Use::Plain);
                }
                related.satisfying.visit_columns(&related.table, visit);
            }
            Self::Within(_) => {}
        }
    }

    /// The rule as it will be on `table` once the rows for which `gone` has a rule, by table, are gone.
    #[must_use]
    pub fn once_gone(&self, table: &str, gone: &impl Fn(&str) -> Option<Rule>) -> Self {
        let kept = self.relations_once_gone(gone);
        match gone(table) {
            Some(gone) => all([kept, not(gone)]),
            None => kept,
        }
    }

    /// As [`Rule::once_gone`], for a row that is known to stay itself.
    #[must_use]
    pub fn relations_once_gone(&self, gone: &impl Fn(&str) -> Option<Rule>) -> Self {
        self.with_relations(&|related| {
            let mut related = related.clone();
            related.satisfying = related.satisfying.once_gone(&related.table, gone);
            related
        })
    }

    fn with_relations(&self, change: &impl Fn(&Related) -> Related) -> Self {
        let each = |rules: &[Self]| rules.iter().map(|rule| rule.with_relations(change)).collect();
        match self {
            Self::All(rules) => Self::All(each(rules)),
            Self::Any(rules) => Self::Any(each(rules)),
            Self::Not(rule) => not(rule.with_relations(change)),
            Self::Exists(related) => Self::Exists(Box::new(change(related))),
            leaf => leaf.clone(),
        }
    }

    /// Calls `visit` with whatever the rule says is not there, and the table of whose rows it says so, itself being a rule on `table`.
    pub fn visit_absences(&self, table: &str, is_negated: bool, visit: &mut impl FnMut(&str, &Related)) {
        match self {
            Self::All(rules) | Self::Any(rules) => {
                rules.iter().for_each(|rule| rule.visit_absences(table, is_negated, visit));
            }
            Self::Not(rule) => rule.visit_absences(table, !is_negated, visit),
            Self::Exists(related) => {
                if is_negated {
                    visit(table, related);
                }
                related.satisfying.visit_absences(&related.table, is_negated, visit);
            }
            _ => {}
        }
    }

    /// Whether the rule itself says that no row of `table` points by `columns` at the `target` of a row that satisfies it.
    #[must_use]
    pub fn excludes_reference(&self, table: &str, columns: &[String], target: &[String]) -> bool {
        match self {
            Self::All(rules) => rules.iter().any(|rule| rule.excludes_reference(table, columns, target)),
            Self::Not(rule) => matches!(
                rule.as_ref(),
                Self::Exists(related)
                    if related.table == table
                        && related.columns == columns
                        && related.equal == target
                        && related.satisfying == all([])
            ),
            _ => false,
        }
    }
}
