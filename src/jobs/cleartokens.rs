//! `cleartokens` of Django OAuth Toolkit: tokens and grants that expired or were revoked, in the original's order,
//! for what one step takes makes rows of a later one stale. And, where asked for, expired device grants, which the
//! original never removes.

use super::settings::{Kind, Setting, Settings};
use super::{Job, Names};
use crate::error::Error;
use crate::instant::Instant;
use crate::rule::{Rule, all, before, is_null, not_after, parent, unreferenced};
use crate::work::{Sweep, Work};

const EXPIRE: &str = "refreshTokenExpireSeconds";
const GRACE: &str = "refreshTokenGracePeriodSeconds";
const REUSE_PROTECTION: &str = "refreshTokenReuseProtection";
const RULES: &str = "rules";
const DEVICE_GRANTS: &str = "deviceGrants";

pub(super) static JOB: Job = Job {
    name: "cleartokens",
    summary: "tokens and grants that are expired, revoked or orphaned",
    settings: &[
        Setting {
            name: EXPIRE,
            kind: Kind::SecondsOrNever(90 * 24 * 60 * 60),
            summary: "seconds until a refresh token expires, null for never (REFRESH_TOKEN_EXPIRE_SECONDS)",
        },
        Setting {
            name: GRACE,
            kind: Kind::Seconds(10 * 60),
            summary: "seconds that a revoked refresh token is kept (REFRESH_TOKEN_GRACE_PERIOD_SECONDS)",
        },
        Setting {
            name: REUSE_PROTECTION,
            kind: Kind::Flag(false),
            summary: "keep revoked refresh tokens until they expire (REFRESH_TOKEN_REUSE_PROTECTION)",
        },
        Setting {
            name: RULES,
            kind: Kind::Word(&["3.4", "before-3.4"]),
            summary: "the version of Django OAuth Toolkit whose rules to follow",
        },
        Setting { name: DEVICE_GRANTS, kind: Kind::Flag(false), summary: "remove expired device grants too" },
    ],
    work,
};

fn work(settings: &Settings, names: &Names, now: Instant) -> Result<Work, Error> {
    // The original treats 0 as unset.
    let expired = settings.seconds_before(EXPIRE, now)?.filter(|expired| *expired != now);
    let grace = settings.seconds_before(GRACE, now)?.unwrap_or(now);
    let tables = names.tables;
    let sweep = |table: &str, rule: Rule, noun| Sweep { table: table.to_owned(), rule, noun };

    let refresh_tokens = if settings.is(RULES, "3.4") {
        let revoked = if settings.flag(REUSE_PROTECTION) { expired } else { Some(grace) };
        refresh_tokens(tables.access_tokens, revoked, expired)
    } else {
        refresh_tokens_before_3_4(tables.access_tokens, expired)
    };
    let mut sweeps = Vec::new();
    if !refresh_tokens.is_empty() {
        // Steps 1 to 3 of the original, in one walk: none of them changes what the others ask about.
        sweeps.push(sweep(tables.refresh_tokens, Rule::Any(refresh_tokens), "refresh token(s)"));
    }
    // `expires < now` and no refresh token points at it
    let unused = all([before("expires", now), unreferenced(tables.refresh_tokens, "access_token_id", "id")]);
    sweeps.push(sweep(tables.access_tokens, unused, "access token(s)"));
    // `expires < now` and no access token points at it
    let unused = all([before("expires", now), unreferenced(tables.access_tokens, "id_token_id", "id")]);
    sweeps.push(sweep(tables.id_tokens, unused, "ID token(s)"));
    sweeps.push(sweep(tables.grants, before("expires", now), "grant(s)"));
    if settings.flag(DEVICE_GRANTS) {
        sweeps.push(sweep(tables.device_grants, before("expires", now), "device grant(s)"));
    }

    let warnings = if expired.is_none() {
        vec![format!(
            "{EXPIRE} is not set, so refresh tokens never expire by age, and what they hold is kept as long as they live"
        )]
    } else {
        vec![]
    };
    Ok(Work {
        opening: "Removing tokens and grants that are no longer of use...".into(),
        cutoff: None,
        sweeps,
        warnings,
    })
}

/// `clear_expired` of 3.4: revoked ones past their grace (or, where their reuse is to be noticed, their expiry); those
/// whose access token is gone; those whose access token expired long ago.
fn refresh_tokens(access_tokens: &str, revoked: Option<Instant>, expired: Option<Instant>) -> Vec<Rule> {
    let mut rules = Vec::new();
    rules.extend(revoked.map(|revoked| not_after("revoked", revoked)));
    rules.push(all([is_null("revoked"), is_null("access_token_id")]));
    rules.extend(expired.map(|expired| {
        all([is_null("revoked"), parent("access_token_id", access_tokens, "id", not_after("expires", expired))])
    }));
    rules
}

/// `clear_expired` before 3.4: both only where an expiry is set, and strictly before it.
fn refresh_tokens_before_3_4(access_tokens: &str, expired: Option<Instant>) -> Vec<Rule> {
    let Some(expired) = expired else { return vec![] };
    vec![before("revoked", expired), parent("access_token_id", access_tokens, "id", before("expires", expired))]
}
