//! What a run is asked for, checked before anything is touched.

use crate::cascade::Action;
use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::error::{Error, invalid, suggest};
use crate::instant::Instant;
use crate::jobs::settings::Settings;
use crate::jobs::{Job, Names};
use crate::named::Named;
use crate::presets::Preset;
use crate::sweep::bounds::{Bounds, positive};
use crate::value::{FromValue, Members, Shape, Value};
use crate::work::Work;

/// A request as it comes from the host. Numbers are checked by [`Order::read`], for messages that name what is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The job's name.
    pub job: String,
    /// The preset's name.
    pub preset: String,
    /// The host's clock, RFC 3339.
    pub clock: String,
    /// The instant to judge by, if not the clock's.
    pub now: Option<String>,
    /// Settings by job.
    pub jobs: Named<Named<Value>>,
    /// Settings of this job that go before those.
    pub settings: Named<Value>,
    /// The project's user table.
    pub user_table: Option<String>,
    /// What foreign keys do on a deletion, by `table.column`.
    pub on_delete: Named<String>,
    /// Whether to change nothing.
    pub dry_run: bool,
    /// Whether only the plan is wanted.
    pub plan_only: bool,
    /// Whether no job is meant, but a look at the database for all of them.
    pub examine: bool,
    /// The bound on stale rows.
    pub max_rows: Value,
    /// The bound on statements.
    pub max_statements: Value,
    /// The bound on seconds.
    pub max_seconds: Value,
    /// The duration that a slice aims at, in milliseconds.
    pub slice_ms: Value,
    /// How many slices at the same time.
    pub concurrency: Value,
    /// The pause between slices, in milliseconds.
    pub pause_ms: Value,
    /// How many calls the store serves at the same time.
    pub max_concurrency: Value,
    /// Whether the store keeps connections for what lives as long as they do.
    pub session: bool,
    /// Whether the lease of a job is to be a row of the store.
    pub row_lease: bool,
    /// Who runs the job, for others who would.
    pub holder: Option<String>,
    /// The run that slices write down their counts for.
    pub ledger: Value,
    /// Into how many parts to cut a sweep, and which one, where that is all that is wanted.
    pub split: Option<Split>,
}

/// What a sweep is to be cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// The sweep, from 0.
    pub step: usize,
    /// How many parts at most.
    pub parts: u32,
}

impl FromValue for Split {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let mut members: Members = value.read()?;
        Ok(Self { step: members.take("step")?, parts: members.take("parts")? })
    }
}

impl FromValue for Request {
    fn from_value(value: Value) -> Result<Self, Shape> {
        let mut members: Members = value.read()?;
        Ok(Self {
            job: members.take("job")?,
            preset: members.take("preset")?,
            clock: members.take("clock")?,
            now: members.take("now")?,
            jobs: members.take::<Option<_>>("jobs")?.unwrap_or_default(),
            settings: members.take::<Option<_>>("settings")?.unwrap_or_default(),
            user_table: members.take("userTable")?,
            on_delete: members.take::<Option<_>>("onDelete")?.unwrap_or_default(),
            dry_run: members.take::<Option<_>>("dryRun")?.unwrap_or_default(),
            plan_only: members.take::<Option<_>>("planOnly")?.unwrap_or_default(),
            examine: members.take::<Option<_>>("examine")?.unwrap_or_default(),
            max_rows: members.take("maxRows")?,
            max_statements: members.take("maxStatements")?,
            max_seconds: members.take("maxSeconds")?,
            slice_ms: members.take("sliceMs")?,
            concurrency: members.take("concurrency")?,
            pause_ms: members.take("pauseMs")?,
            max_concurrency: members.take("maxConcurrency")?,
            session: members.take::<Option<_>>("session")?.unwrap_or_default(),
            row_lease: members.take::<Option<_>>("rowLease")?.unwrap_or_default(),
            holder: members.take("holder")?,
            ledger: members.take("ledger")?,
            split: members.take("split")?,
        })
    }
}

const LONGEST_SLICE_MS: f64 = 60_000.0;
const MOST_LANES: i64 = 32;
const LONGEST_RUN_NAME: usize = 100;

/// A request that has been checked.
#[derive(Debug, Clone)]
pub struct Order {
    /// The job.
    pub job: &'static Job,
    /// The preset.
    pub preset: &'static Preset,
    /// Its settings.
    pub settings: Settings,
    /// The instant to judge by.
    pub now: Instant,
    /// Whether that lies in the future, where everything is older than it is.
    pub ahead_of_clock: bool,
    /// The project's user table, if given.
    pub user_table: Option<String>,
    /// What foreign keys do on a deletion, by `table.column`.
    pub on_delete: Named<Action>,
    /// Whether to change nothing.
    pub dry_run: bool,
    /// Whether only the plan is wanted.
    pub plan_only: bool,
    /// What ends the run early.
    pub bounds: Bounds,
    /// The duration that a slice aims at, in milliseconds, if given.
    pub slice_ms: Option<f64>,
    /// How many slices at the same time.
    pub concurrency: usize,
    /// The pause between slices, in milliseconds.
    pub pause_ms: f64,
    /// Whether the store keeps connections for what lives as long as they do.
    pub session: bool,
    /// Who runs the job, where the lease is to be a row of the store.
    pub row_lease: Option<String>,
    /// The run that slices write down their counts for, if they are to.
    pub ledger: Option<String>,
    /// What a sweep is to be cut into, where that is all that is wanted.
    pub split: Option<Split>,
    /// Where chance begins, in the pauses before something is tried again.
    pub seed: u64,
}

impl Order {
    /// Checks a request, and the checkpoint that it is to go on from.
    ///
    /// # Errors
    /// Whatever is wrong with it; see [`Error`].
    pub fn read(request: &Request, checkpoint: Option<&Checkpoint>) -> Result<Self, Error> {
        let job = Job::by_name(&request.job)?;
        let mut given = Named::default();
        for (name, settings) in request.jobs.iter() {
            let other = Job::by_name(name)?;
            Settings::of(other, settings)?;
            if other.name == job.name {
                given = settings.clone();
            }
        }
        for (name, value) in request.settings.iter() {
            given.insert(name, value.clone());
        }
        let mut on_delete = Named::default();
        for (column, action) in request.on_delete.iter() {
            on_delete.insert(column, read_action(column, action)?);
        }

        let asked = request.now.as_deref().map(Instant::parse).transpose()?;
        if let Some(checkpoint) = checkpoint {
            checkpoint.check(job.name, asked)?;
        }
        let clock = Instant::parse(&request.clock)?;
        let now = match (asked, checkpoint) {
            (Some(now), _) => now,
            (None, Some(checkpoint)) => checkpoint.now,
            (None, None) => clock,
        };
        let is_part = checkpoint.is_some_and(Checkpoint::is_part);
        let mut order = Self {
            job,
            preset: Preset::by_name(&request.preset)?,
            settings: Settings::of(job, &given)?,
            now,
            ahead_of_clock: now > clock,
            user_table: request.user_table.clone(),
            on_delete,
            dry_run: request.dry_run,
            plan_only: request.plan_only,
            bounds: Bounds::read(&request.max_rows, &request.max_statements, &request.max_seconds)?,
            slice_ms: read_slice_ms(&request.slice_ms)?,
            concurrency: read_concurrency(&request.concurrency, &request.max_concurrency)?,
            pause_ms: read_pause_ms(&request.pause_ms)?,
            // Parts of a sweep are worked on at the same time.
            session: request.session && !is_part,
            row_lease: (request.row_lease && !is_part).then(|| holder(request)),
            ledger: read_ledger(&request.ledger)?,
            split: request.split,
            seed: Digest::default().add(&request.clock).number(),
        };
        if asked.is_none() && checkpoint.is_some_and(|checkpoint| checkpoint.place(&order.fingerprint()).is_none()) {
            // Other settings, another pass.
            order.now = clock;
            order.ahead_of_clock = false;
        }
        // A setting can be beyond the calendar, which only the work itself finds out.
        order.work("")?;
        Ok(order)
    }

    /// The job's work, the user table being known.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] where a setting is beyond the calendar.
    pub fn work(&self, user_table: &str) -> Result<Work, Error> {
        let names = Names { tables: &self.preset.tables, user: user_table };
        let mut work = (self.job.work)(&self.settings, &names, self.now)?;
        if self.ahead_of_clock {
            work.warnings.push(format!("it judges by {}, which lies in the future", self.now));
        }
        Ok(work)
    }

    /// Everything that must be the same for a checkpoint to be of use.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let on_delete: Vec<String> =
            self.on_delete.iter().map(|(column, action)| format!("{column}:{action}")).collect();
        format!(
            "{}{}|{}|{}",
            self.settings.fingerprint(),
            self.user_table.as_deref().unwrap_or_default(),
            on_delete.join(","),
            if self.dry_run { "dry" } else { "real" }
        )
    }
}

const ACTIONS: [(&str, Action); 4] = [
    ("cascade", Action::Cascade),
    ("set-null", Action::SetNull),
    ("set-default", Action::SetDefault),
    ("restrict", Action::Restrict),
];

fn read_action(column: &str, text: &str) -> Result<Action, Error> {
    ACTIONS.into_iter().find(|(name, _)| *name == text).map(|(_, action)| action).ok_or_else(|| {
        let suggestion = suggest(text, ACTIONS.map(|(name, _)| name));
        let hint = suggestion.map(|name| format!(" (did you mean \"{name}\"?)")).unwrap_or_default();
        invalid(
            &format!("onDelete.{column}"),
            &Value::Text(text.to_owned()),
            format!("one of {}{hint}", ACTIONS.map(|(name, _)| format!("\"{name}\"")).join(", ")),
        )
    })
}

fn holder(request: &Request) -> String {
    let who = request.holder.as_deref().unwrap_or("a run of idp-janitor");
    format!("{who}, since {}", request.clock)
}

/// Of what no database makes anything but text.
fn in_run_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._:-".contains(&byte)
}

fn read_ledger(value: &Value) -> Result<Option<String>, Error> {
    match value {
        Value::Null => Ok(None),
        Value::Text(run) if (1..=LONGEST_RUN_NAME).contains(&run.len()) && run.bytes().all(in_run_name) => {
            Ok(Some(run.clone()))
        }
        _ => {
            let expected = format!("the name of a run, 1 to {LONGEST_RUN_NAME} of the characters A-Z a-z 0-9 . _ : -");
            Err(invalid("ledger", value, expected))
        }
    }
}

fn read_concurrency(value: &Value, most: &Value) -> Result<usize, Error> {
    let most = if let Value::Int(most) = most { (*most).clamp(1, MOST_LANES) } else { 1 };
    match value {
        Value::Null => Ok(1),
        Value::Int(lanes) if (1..=most).contains(lanes) => Ok(usize::try_from(*lanes).unwrap_or(1)),
        _ if most == 1 => Err(invalid("concurrency", value, "1 on this store, which serves one call at a time".into())),
        _ => Err(invalid("concurrency", value, format!("a whole number from 1 to {most} on this store"))),
    }
}

fn read_pause_ms(value: &Value) -> Result<f64, Error> {
    let expected = "a number of milliseconds from 0 to 60000";
    if matches!(value, Value::Int(0)) {
        return Ok(0.0);
    }
    match positive("pauseMs", expected, value)? {
        Some(ms) if ms > LONGEST_SLICE_MS => Err(invalid("pauseMs", value, expected.into())),
        ms => Ok(ms.unwrap_or_default()),
    }
}

fn read_slice_ms(value: &Value) -> Result<Option<f64>, Error> {
    let expected = "a number of milliseconds from 1 to 60000";
    match positive("sliceMs", expected, value)? {
        Some(ms) if !(1.0..=LONGEST_SLICE_MS).contains(&ms) => Err(invalid("sliceMs", value, expected.into())),
        ms => Ok(ms),
    }
}
