//! The reading of a rule as the condition of a statement.

use super::{Related, Rule, Span};
use crate::dialect::Dialect;

/// A value that a statement is given when it runs. All of them cross as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// Known when the statement is written.
    Fixed(String),
    /// Where the slice begins.
    From,
    /// Where the slice ends, or may end at the latest.
    Upto,
    /// How many rows to walk at most.
    Window,
    /// How many stale rows to take at most.
    Take,
}

/// A statement in the making.
pub struct Sql<'d> {
    /// What it is written in.
    pub dialect: &'d dyn Dialect,
    text: String,
    slots: Vec<Slot>,
    aliases: usize,
}

/// A statement whose parameters are not all known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The text, with the dialect's placeholders.
    pub text: String,
    /// What each placeholder stands for, in order.
    pub slots: Vec<Slot>,
}

impl<'d> Sql<'d> {
    /// An empty statement.
    #[must_use]
    pub fn new(dialect: &'d dyn Dialect) -> Self {
        Self { dialect, text: String::new(), slots: Vec::new(), aliases: 0 }
    }

    /// Adds text as it is.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a quoted name.
    pub fn name(&mut self, name: &str) -> &mut Self {
        let quoted = self.dialect.quote(name);
        self.push(&quoted)
    }

    /// Adds the name of a table of the database.
    pub fn table(&mut self, name: &str) -> &mut Self {
        let qualified = self.dialect.table(name);
        self.push(&qualified)
    }

    /// Adds the column of an alias.
    pub fn column(&mut self, alias: &str, column: &str) -> &mut Self {
        self.push(alias).push(".").name(column)
    }

    /// Adds the columns of an alias, with commas between them.
    pub fn columns(&mut self, alias: &str, columns: &[String]) -> &mut Self {
        self.joined(columns, ", ", |sql, column| {
            sql.column(alias, column);
        })
    }

    /// Adds a placeholder.
    pub fn slot(&mut self, slot: Slot) -> &mut Self {
        self.slots.push(slot);
        let placeholder = self.dialect.placeholder(self.slots.len());
        self.push(&placeholder)
    }

    /// Adds pieces with a separator between them.
    pub fn joined<T>(&mut self, items: &[T], separator: &str, mut add: impl FnMut(&mut Self, &T)) -> &mut Self {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.push(separator);
            }
            add(self, item);
        }
        self
    }

    /// Adds the condition that the row of `table` called `alias` satisfies a rule.
    pub fn condition(&mut self, rule: &Rule, table: &str, alias: &str) -> &mut Self {
        match rule {
            Rule::All(rules) if rules.is_empty() => self.push("1 = 1"),
            Rule::Any(rules) if rules.is_empty() => self.push("1 = 0"),
            Rule::All(rules) => self.junction(rules, " AND ", table, alias),
            Rule::Any(rules) => self.junction(rules, " OR ", table, alias),
            // An EXISTS is never NULL; anything else may be, and does not hold then.
            Rule::Not(rule) if matches!(rule.as_ref(), Rule::Exists(_)) => {
                self.push("NOT ").condition(rule, table, alias)
            }
            Rule::Not(rule) => self.push("(").condition(rule, table, alias).push(") IS NOT TRUE"),
            Rule::IsNull(column) => self.column(alias, column).push(" IS NULL"),
            Rule::IsTrue(column) => {
                self.dialect.is_true(self, alias, column);
                self
            }
            Rule::Before(column, instant) => {
                self.dialect.compare_instant(self, alias, column, "<", *instant);
                self
            }
            Rule::NotAfter(column, instant) => {
                self.dialect.compare_instant(self, alias, column, "<=", *instant);
                self
            }
            Rule::Exists(related) => self.exists(related, alias),
            Rule::Within(span) => self.within(*span, table, alias),
        }
    }

    fn within(&mut self, span: Span, table: &str, alias: &str) -> &mut Self {
        self.dialect.within(self, span, table, alias);
        self
    }

    fn junction(&mut self, rules: &[Rule], separator: &str, table: &str, alias: &str) -> &mut Self {
        self.push("(")
            .joined(rules, separator, |sql, rule| {
                sql.condition(rule, table, alias);
            })
            .push(")")
    }

    fn exists(&mut self, related: &Related, alias: &str) -> &mut Self {
        self.aliases += 1;
        let other = format!("r{}", self.aliases);
        self.push("EXISTS (SELECT 1 FROM ").table(&related.table).push(&format!(" AS {other} WHERE "));
        let pairs: Vec<_> = related.columns.iter().zip(&related.equal).collect();
        self.joined(&pairs, " AND ", |sql, (theirs, own)| {
            sql.column(&other, theirs).push(" = ").column(alias, own);
        });
        if related.satisfying != Rule::All(Vec::new()) {
            self.push(" AND ").condition(&related.satisfying, &related.table, &other);
        }
        self.push(")")
    }

    /// The statement as written.
    #[must_use]
    pub fn finish(self) -> Template {
        Template { text: self.text, slots: self.slots }
    }
}
