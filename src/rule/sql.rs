//! The reading of a rule as the condition of a statement.

use super::{Related, Rule, Span};
use crate::dialect::Dialect;
use crate::schema::{Part, Schema};

/// A value that a statement is given when it runs. All of them cross as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// An instant, known when the statement is written.
    Fixed(String),
    /// Any other text that is known then.
    Text(String),
    /// Where the slice begins.
    From,
    /// Where the slice ends, or may end at the latest.
    Upto,
    /// How many rows to walk at most.
    Window,
    /// How many stale rows to take at most.
    Take,
    /// One less than that.
    Before,
    /// What tells the connection that holds the lease.
    Lease,
    /// How many rows the table had when its walk began; empty where that has still to be counted.
    Total,
}

/// Rows of another table that a statement has asked for already, by the name of the set that holds their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What was asked.
    pub related: Related,
    /// What else holds of the rows of the walked table for which it matters.
    pub guard: Rule,
    /// The set's name.
    pub set: String,
    /// Whether they have to be locked before they are judged, because their own columns decide.
    pub locks: bool,
}

/// Rows of a table that satisfy a rule, by the name that the statement has given them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The table.
    pub table: String,
    /// What holds of them.
    pub rule: Rule,
    /// The name.
    pub name: String,
}

/// A statement in the making.
pub struct Sql<'d> {
    /// What it is written in.
    pub dialect: &'d dyn Dialect,
    /// What the database declares.
    pub schema: &'d Schema,
    /// The part of the walked table that the walk is in, where it has parts.
    pub part: Option<&'d Part>,
    asked: Vec<Asked>,
    views: Vec<View>,
    pieces: Vec<Piece>,
    aliases: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Slot(Slot),
}

/// A statement whose parameters are not all known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

impl<'d> Sql<'d> {
    /// An empty statement.
    #[must_use]
    pub fn new(dialect: &'d dyn Dialect, schema: &'d Schema) -> Self {
        Self { dialect, schema, part: None, asked: Vec::new(), views: Vec::new(), pieces: Vec::new(), aliases: 0 }
    }

    /// The same, in a part of the table that is walked.
    #[must_use]
    pub fn in_part(mut self, part: Option<&'d Part>) -> Self {
        self.part = part;
        self
    }

    /// Adds something in which what rules ask of other rows is looked up in the sets of those that have been asked for.
    pub fn having_asked(&mut self, asked: &[Asked], add: impl FnOnce(&mut Self)) -> &mut Self {
        self.asked = asked.to_vec();
        add(self);
        self.asked.clear();
        self
    }

    /// From here on, rules that ask for such rows ask for them by their name.
    pub fn name_rows(&mut self, view: View) -> &mut Self {
        self.views.push(view);
        self
    }

    /// Adds text as it is.
    pub fn push(&mut self, text: &str) -> &mut Self {
        if let Some(Piece::Text(last)) = self.pieces.last_mut() {
            last.push_str(text);
        } else {
            self.pieces.push(Piece::Text(text.to_owned()));
        }
        self
    }

    /// Adds a quoted name.
    pub fn name(&mut self, name: &str) -> &mut Self {
        let quoted = self.dialect.quote(name);
        self.push(&quoted)
    }

    /// Adds the name of a table of the database.
    pub fn table(&mut self, name: &str) -> &mut Self {
        let address = self.schema.tables.get(name).map(|table| table.address.as_str()).unwrap_or_default();
        if address.is_empty() {
            let qualified = self.dialect.table(name);
            return self.push(&qualified);
        }
        self.push(address)
    }

    /// Adds the name of the table that is walked, or of the part of it that the walk is in.
    pub fn walked(&mut self, name: &str) -> &mut Self {
        match self.part {
            Some(part) => {
                self.push("ONLY ");
                self.push(&part.address)
            }
            None => self.table(name),
        }
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

    /// Adds a value that is given later.
    pub fn slot(&mut self, slot: Slot) -> &mut Self {
        self.pieces.push(Piece::Slot(slot));
        self
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
        let asked = self.asked.iter().find(|asked| asked.related == *related).map(|asked| asked.set.clone());
        if let Some(set) = asked {
            // Of a NULL, `IN` says NULL.
            self.push("((").columns(alias, &related.equal).push(") IN (SELECT ");
            self.joined(&related.columns, ", ", |sql, column| {
                sql.name(column);
            });
            return self.push(&format!(" FROM {set})) IS TRUE"));
        }
        self.aliases += 1;
        let other = format!("r{}", self.aliases);
        let view = self.views.iter().find(|view| view.table == related.table && view.rule == related.satisfying);
        let view = view.map(|view| view.name.clone());
        self.push("EXISTS (SELECT 1 FROM ");
        match &view {
            Some(name) => self.push(name),
            None => self.table(&related.table),
        };
        self.push(&format!(" AS {other} WHERE "));
        let pairs: Vec<_> = related.columns.iter().zip(&related.equal).collect();
        self.joined(&pairs, " AND ", |sql, (theirs, own)| {
            sql.column(&other, theirs).push(" = ").column(alias, own);
        });
        if view.is_none() && related.satisfying != Rule::All(Vec::new()) {
            self.push(" AND ").condition(&related.satisfying, &related.table, &other);
        }
        self.push(")")
    }

    /// The statement as written.
    #[must_use]
    pub fn finish(self) -> Template {
        Template(self.pieces)
    }
}

impl Template {
    /// The statement with its values: its text, and what is passed beside it where the dialect passes parameters.
    #[must_use]
    pub fn filled<'v>(&'v self, dialect: &dyn Dialect, value: impl Fn(&'v Slot) -> String) -> (String, Vec<String>) {
        let (mut text, mut params) = (String::new(), Vec::new());
        for piece in &self.0 {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Slot(slot) => match dialect.literal(slot, &value(slot)) {
                    Some(literal) => text.push_str(&literal),
                    None => {
                        text.push('?');
                        params.push(value(slot));
                    }
                },
            }
        }
        (text, params)
    }

    /// The statement for a person: `?` where a parameter goes, a name where the dialect writes the value itself.
    #[must_use]
    pub fn shown(&self, dialect: &dyn Dialect) -> String {
        let name = |slot: &Slot| match slot {
            Slot::Fixed(text) | Slot::Text(text) => dialect.literal(slot, text),
            Slot::From => dialect.literal(slot, "").map(|_| ":from".to_owned()),
            Slot::Upto => dialect.literal(slot, "").map(|_| ":upto".to_owned()),
            Slot::Window => dialect.literal(slot, "").map(|_| ":window".to_owned()),
            Slot::Take => dialect.literal(slot, "").map(|_| ":take".to_owned()),
            Slot::Before => dialect.literal(slot, "").map(|_| ":take - 1".to_owned()),
            Slot::Lease => dialect.literal(slot, "").map(|_| ":lease".to_owned()),
            Slot::Total => dialect.literal(slot, "").map(|_| ":total".to_owned()),
        };
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Slot(slot) => name(slot).unwrap_or_else(|| "?".into()),
        };
        self.0.iter().map(piece).collect()
    }
}
