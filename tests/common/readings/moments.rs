//! Instants around cutoffs, each written out in both forms by hand, so that no code of the core's makes its own proof.

/// One instant in the two forms in which it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// As records of a host have it.
    pub rfc3339: &'static str,
    /// As Django writes it to SQLite.
    pub django: &'static str,
}

const fn moment(rfc3339: &'static str, django: &'static str) -> Moment {
    Moment { rfc3339, django }
}

/// What rules compare with: a whole second, half a second, the last microsecond of a second, the turn of a year, and
/// the ends of the calendar.
pub const CUTOFFS: [&str; 6] = [
    "2026-01-31T03:00:00Z",
    "2026-01-31T03:00:00.5Z",
    "2026-01-31T04:00:00.999999+01:00",
    "2026-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
];

/// The cutoffs, a microsecond on either side of each, and some at a distance.
pub const MOMENTS: [Moment; 20] = [
    moment("2026-01-31T02:59:59.999999Z", "2026-01-31 02:59:59.999999"),
    moment("2026-01-31T03:00:00Z", "2026-01-31 03:00:00"),
    moment("2026-01-31T03:00:00.000001Z", "2026-01-31 03:00:00.000001"),
    moment("2026-01-31T03:00:00.499999Z", "2026-01-31 03:00:00.499999"),
    moment("2026-01-31T03:00:00.500000Z", "2026-01-31 03:00:00.500000"),
    moment("2026-01-31T03:00:00.500001Z", "2026-01-31 03:00:00.500001"),
    moment("2026-01-31T03:00:00.999998Z", "2026-01-31 03:00:00.999998"),
    moment("2026-01-31T03:00:00.999999Z", "2026-01-31 03:00:00.999999"),
    moment("2026-01-31T03:00:01Z", "2026-01-31 03:00:01"),
    moment("2025-12-31T23:59:59.999999Z", "2025-12-31 23:59:59.999999"),
    moment("2025-12-31T16:00:00-08:00", "2026-01-01 00:00:00"),
    moment("2026-01-01T00:00:00.000001Z", "2026-01-01 00:00:00.000001"),
    moment("0001-01-01T00:00:00Z", "0001-01-01 00:00:00"),
    moment("0001-01-01T00:00:00.000001Z", "0001-01-01 00:00:00.000001"),
    moment("9999-12-31T23:59:59.999998Z", "9999-12-31 23:59:59.999998"),
    moment("9999-12-31T23:59:59.999999Z", "9999-12-31 23:59:59.999999"),
    moment("9999-12-31T23:59:59Z", "9999-12-31 23:59:59"),
    moment("2026-01-30T03:00:00.100000Z", "2026-01-30 03:00:00.100000"),
    moment("2026-01-31T10:00:00+02:00", "2026-01-31 08:00:00"),
    moment("0999-06-15T12:00:00Z", "0999-06-15 12:00:00"),
];
