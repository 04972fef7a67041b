//! What there is to do, whichever job asks for it and whatever store it is done on.

use crate::instant::Instant;
use crate::rule::Rule;

/// What a job does at one instant with one set of settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The sentence that is printed before it begins.
    pub opening: String,
    /// The instant before which a row is stale, where there is one for all.
    pub cutoff: Option<Instant>,
    /// The sweeps, in order.
    pub sweeps: Vec<Sweep>,
    /// What a person should know before.
    pub warnings: Vec<String>,
}

/// The removal from one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// The table.
    pub table: String,
    /// What is stale in it.
    pub rule: Rule,
    /// What a stale row is called, with its count before it.
    pub noun: &'static str,
}

impl Work {
    /// The sentence that says what came of it, given how many rows each sweep removed from its own table.
    #[must_use]
    pub fn summary(&self, counts: &[u64], dry_run: bool, complete: bool) -> String {
        let mut parts: Vec<(&str, u64)> = Vec::new();
        for (sweep, count) in self.sweeps.iter().zip(counts) {
            match parts.iter_mut().find(|(noun, _)| *noun == sweep.noun) {
                Some((_, sum)) => *sum += count,
                None => parts.push((sweep.noun, *count)),
            }
        }
        let parts: Vec<String> = parts.iter().map(|(noun, count)| format!("{count} {noun}")).collect();
        let list = match parts.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => parts.concat(),
        };
        let end = if complete { "." } else { "; the job is not finished." };
        if dry_run { format!("{list} would be removed{end}") } else { format!("Successfully removed {list}{end}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_up() {
        let sweep = |noun| Sweep { table: "t".into(), rule: Rule::All(vec![]), noun };
        let work = Work {
            opening: String::new(),
            cutoff: None,
            sweeps: vec![sweep("token(s)"), sweep("token(s)"), sweep("grant(s)"), sweep("code(s)")],
            warnings: vec![],
        };
        assert_eq!(
            work.summary(&[1, 2, 3, 4], false, true),
            "Successfully removed 3 token(s), 3 grant(s) and 4 code(s)."
        );
        assert_eq!(work.summary(&[1, 0, 0, 0], true, true), "1 token(s), 0 grant(s) and 0 code(s) would be removed.");
        assert!(work.summary(&[], false, false).ends_with("; the job is not finished."));
    }
}
