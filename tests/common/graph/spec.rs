//! What is drawn: tables, the foreign keys between them, and rows.

use idp_janitor::cascade::Action;
use idp_janitor::schema::Declared;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Tables, the root first, and the foreign keys between them.
#[derive(Debug, Clone)]
pub struct Graph {
    pub tables: Vec<Table>,
    pub edges: Vec<Edge>,
    /// How often the rows are there, each time with other keys.
    pub tiles: usize,
    /// Whether rows lie far apart, so that a table has many blocks.
    pub sparse: bool,
}

/// A table. Its first row is never removed: a default can point at it.
#[derive(Debug, Clone)]
pub struct Table {
    pub without_row_ids: bool,
    pub rows: Vec<Row>,
}

/// A row: whether it is stale, where it is one of the root's; whether it lacks its unique code; and which row it points
/// at by each foreign key.
#[derive(Debug, Clone)]
pub struct Row {
    pub stale: bool,
    pub without_code: bool,
    pub picks: Vec<u8>,
}

/// A foreign key.
#[derive(Debug, Clone)]
pub struct Edge {
    pub child: usize,
    pub parent: usize,
    pub target: Target,
    pub action: Action,
    pub said: Said,
    pub deferred: bool,
    pub required: bool,
    /// Whether its columns have the key of the parent's first row as their default.
    pub has_default: bool,
}

/// What a key points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Id,
    /// A unique column that is not the primary key, and may be NULL.
    Code,
    /// Two columns that are unique together.
    Pair,
}

/// Who says what a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// The database itself.
    Database,
    /// The settings, whatever the database declares.
    Settings(Declared),
}

impl Edge {
    fn unsets(&self) -> bool {
        matches!(self.action, Action::SetNull | Action::SetDefault)
    }

    /// What the database declares of it.
    pub fn declared(&self) -> Declared {
        match (self.said, self.action) {
            (Said::Settings(declared), _) => declared,
            (Said::Database, Action::Cascade) => Declared::Cascade,
            (Said::Database, Action::SetNull) => Declared::SetNull,
            (Said::Database, Action::SetDefault) => Declared::SetDefault,
            (Said::Database, Action::Restrict) => Declared::Restrict,
        }
    }

    /// The same, as far as a product can declare it: the settings say the rest. InnoDB has no defaults to set, tells keys
    /// that restrict as ones that say nothing, and takes no key that would set NULL where none can be.
    fn on(mut self, product: &str) -> Self {
        let impossible = match self.declared() {
            Declared::SetDefault => true,
            Declared::Restrict => self.said == Said::Database,
            Declared::SetNull => self.required,
            Declared::NoAction | Declared::Cascade | Declared::SetSome => false,
        };
        if product == "mysql" && impossible || product != "sqlite" && self.is_milder() {
            self.said = Said::Settings(Declared::NoAction);
        }
        self
    }

    /// Whether it is to do less than the database would do by itself, which is refused where others can write meanwhile.
    fn is_milder(&self) -> bool {
        match (self.declared(), self.action) {
            (Declared::Cascade, action) => action != Action::Cascade,
            (Declared::SetNull | Declared::SetDefault, action) => action == Action::Restrict,
            _ => false,
        }
    }
}

impl Graph {
    /// The same graph, as far as a product can declare it.
    pub fn on(&self, product: &str) -> Self {
        let edges = self.edges.iter().map(|edge| edge.clone().on(product)).collect();
        Self { edges, ..self.clone() }
    }

    /// The same graph with many rows of the root, most of them stale, in many blocks.
    pub fn crowded(mut self) -> Self {
        self.sparse = true;
        let rows = &mut self.tables[0].rows;
        for at in 0..9 {
            let mut row = rows[at % rows.len()].clone();
            row.stale = at % 4 != 1;
            match rows.get_mut(at) {
                Some(known) => *known = row,
                None => rows.push(row),
            }
        }
        self
    }
}

/// At most this many tables, and foreign keys.
pub const TABLES: usize = 5;
const EDGES: usize = 10;

/// What graphs may have.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The actions of their keys, beside the cascades by which most tables hang together.
    pub actions: &'static [Action],
    /// Whether settings say another thing than what the database declares.
    pub overrides: bool,
    /// How often the rows are there.
    pub tiles: usize,
}

/// Graphs of a shape.
pub fn graphs(shape: Shape) -> impl Strategy<Value = Graph> {
    let spine = vec((any::<u8>(), edge(&[Action::Cascade], shape.overrides)), TABLES - 1);
    let more = vec((any::<u8>(), any::<u8>(), edge(shape.actions, shape.overrides)), 0..=EDGES - TABLES + 1);
    let tables = vec((prop::bool::weighted(0.2), vec(row(), 1..10)), 2..=TABLES);
    (tables, spine, more).prop_map(move |(tables, spine, more)| {
        let tables: Vec<Table> = tables
            .into_iter()
            .enumerate()
            // The root is walked by its row ids.
            .map(|(at, (without, rows))| Table { without_row_ids: without && at > 0, rows })
            .collect();
        let count = tables.len();
        let mut edges: Vec<Edge> = Vec::new();
        // Most tables hang on an earlier one; the others are reached by other keys, or not at all.
        for (child, (parent, edge)) in (1..count).zip(spine) {
            if parent % 8 > 0 {
                edges.push(Edge { child, parent: usize::from(parent) % child, ..edge });
            }
        }
        edges.extend(more.into_iter().map(|(child, parent, edge)| {
            // A third of them points at the root.
            let (child, parent) = (usize::from(child) % count, usize::from(parent % 12) % (count + count / 2));
            let parent = if parent < count { parent } else { 0 };
            acyclic(Edge { child, parent, ..edge })
        }));
        Graph { tables, edges, tiles: shape.tiles, sparse: false }
    })
}

/// Cascades lead from a table to an earlier one, so that they form no cycle. Everything else may.
fn acyclic(edge: Edge) -> Edge {
    let (child, parent) = (edge.child.max(edge.parent), edge.child.min(edge.parent));
    match edge.action {
        Action::Cascade if child == parent => Edge { action: Action::SetNull, required: false, ..edge },
        Action::Cascade => Edge { child, parent, ..edge },
        _ => edge,
    }
}

fn edge(actions: &'static [Action], overrides: bool) -> impl Strategy<Value = Edge> {
    let target = prop_oneof![3 => Just(Target::Id), 1 => Just(Target::Code), 1 => Just(Target::Pair)];
    let mut declared = vec![Declared::NoAction];
    if overrides {
        declared.extend([Declared::Cascade, Declared::SetNull, Declared::SetDefault, Declared::Restrict]);
    }
    let said = prop_oneof![1 => Just(Said::Database), 3 => select(declared).prop_map(Said::Settings)];
    (target, select(actions), said, any::<[bool; 3]>()).prop_map(
        |(target, action, said, [deferred, required, has_default])| {
            let can_be_required = match action {
                Action::Cascade | Action::Restrict => true,
                Action::SetDefault => has_default,
                Action::SetNull => false,
            };
            let required = required && can_be_required;
            Edge { child: 0, parent: 0, target, action, said, deferred, required, has_default }
        },
    )
}

fn row() -> impl Strategy<Value = Row> {
    (prop::bool::weighted(0.6), prop::bool::weighted(0.2), vec(any::<u8>(), EDGES))
        .prop_map(|(stale, without_code, picks)| Row { stale, without_code, picks })
}
