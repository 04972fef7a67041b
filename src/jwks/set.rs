//! A key set: every key judged, what is to be kept of it, and how it differs from the one before.

use crate::jwks::error::KeySetError;
use crate::jwks::json::{read_json, shown};
use crate::jwks::key::{JudgedKey, PublicKey, Reason, Verdict, algorithms, judge};
use crate::named::Named;
use crate::value::Value;
use serde::Serialize;

/// How much of a key id stands in a message, in characters.
const SHOWN: usize = 100;
/// The most keys that a set may have.
pub const MOST_KEYS: usize = 100;

/// A key set of which at least one key can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<JudgedKey>,
}

/// How a key set differs from the one before: ids of keys, or thumbprints of those without.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Were not there before.
    pub added: Vec<String>,
    /// Are there no more.
    pub removed: Vec<String>,
    /// Stand for another key than before, or for another algorithm.
    pub changed: Vec<String>,
}

impl Difference {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// The form that is stored: the usable keys, and of them the public members.
#[derive(Serialize)]
struct Stored<'a> {
    keys: Vec<&'a PublicKey>,
}

impl KeySet {
    /// Reads and judges the text of a key set (RFC 7517, section 5).
    ///
    /// # Errors
    /// [`KeySetError`] for text that is no key set, and for a set without one usable key.
    pub fn parse(text: &str) -> Result<Self, KeySetError> {
        let Value::Map(mut set) = read_json(text)? else {
            return Err(KeySetError::Malformed { why: "it is no object" });
        };
        let keys = match set.get_mut("keys") {
            Some(Value::List(keys)) => std::mem::take(keys),
            Some(_) => return Err(KeySetError::Malformed { why: "its `keys` are no list" }),
            None => return Err(KeySetError::Malformed { why: "it has no `keys`" }),
        };
        if keys.is_empty() {
            return Err(KeySetError::Empty);
        }
        if keys.len() > MOST_KEYS {
            return Err(KeySetError::TooMany { keys: keys.len(), most: MOST_KEYS });
        }
        let set = Self { keys: keys.into_iter().map(judge).collect() };
        if set.usable().next().is_none() {
            // Published secrets first: nobody is to overlook them.
            let (exposed, others): (Vec<_>, Vec<_>) = set.verdicts().partition(|verdict| is_exposed(verdict));
            let why: Vec<String> = exposed.into_iter().chain(others).take(5).map(described).collect();
            return Err(KeySetError::Unusable { keys: set.keys.len(), why: why.join("; ") });
        }
        Ok(set)
    }

    /// What is said of each key, in the order of the set.
    pub fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.keys.iter().map(|key| &key.verdict)
    }

    /// The keys that can be used.
    pub fn usable(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter().filter_map(|key| key.public.as_ref())
    }

    /// Whether a key of that id can be used.
    #[must_use]
    pub fn has(&self, kid: &str) -> bool {
        self.usable().any(|key| key.kid.as_deref() == Some(kid))
    }

    /// The usable key of a thumbprint.
    #[must_use]
    pub fn by_thumbprint(&self, thumbprint: &str) -> Option<&PublicKey> {
        let key = self.keys.iter().find(|key| key.verdict.thumbprint.as_deref() == Some(thumbprint));
        key.and_then(|key| key.public.as_ref())
    }

    /// The usable keys that may have made a signature, with their thumbprints: of that id, if there is one, and for that
    /// algorithm.
    pub fn candidates(&self, alg: &str, kid: Option<&str>) -> impl Iterator<Item = (&PublicKey, &str)> {
        self.keys.iter().filter_map(move |key| {
            let public = key.public.as_ref()?;
            let by_id = kid.is_none_or(|kid| public.kid.as_deref() == Some(kid));
            let by_algorithm = public.alg.as_deref().is_none_or(|own| own == alg) && algorithms(public).contains(&alg);
            (by_id && by_algorithm).then_some((public, key.verdict.thumbprint.as_deref()?))
        })
    }

    /// The text that is stored and published: usable keys and registered public members, nothing else.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Text only: there is nothing in it that could fail to be written.
        serde_json::to_string(&Stored { keys: self.usable().collect() }).unwrap_or_default()
    }

    /// What a person should know, loudest first.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let exposed = self.verdicts().filter(|verdict| is_exposed(verdict));
        let mut warnings: Vec<String> = exposed
            .map(|verdict| {
                let key = described(verdict);
                format!("SECRET PUBLISHED: {key}; it is not used, and none of it is stored: tell the provider at once")
            })
            .collect();
        let aside = self.verdicts().filter(|verdict| !verdict.usable && !is_exposed(verdict));
        warnings.extend(aside.map(|verdict| format!("set aside: {}", described(verdict))));
        let mut times: Named<u32> = Named::default();
        for kid in self.usable().filter_map(|key| key.kid.as_deref()) {
            *times.entry(kid) += 1;
        }
        let twice = times.iter().filter(|(_, times)| **times > 1);
        warnings.extend(twice.map(|(kid, times)| format!("{times} keys have the id `{}`", shown(kid, SHOWN))));
        let nameless = self.usable().filter(|key| key.kid.is_none()).count();
        if nameless > 0 {
            warnings.push(format!("{nameless} usable key(s) without an id"));
        }
        warnings
    }

    /// How this set differs from the one before, by the thumbprints and algorithms under each id.
    #[must_use]
    pub fn difference(&self, before: Option<&Self>) -> Difference {
        let now = self.by_id();
        let before = before.map(Self::by_id).unwrap_or_default();
        let of = |keep: &dyn Fn(&str, &Vec<String>) -> bool, map: &Named<Vec<String>>| -> Vec<String> {
            map.iter().filter(|(id, prints)| keep(id, prints)).map(|(id, _)| id.to_owned()).collect()
        };
        Difference {
            added: of(&|id, _| before.get(id).is_none(), &now),
            removed: of(&|id, _| now.get(id).is_none(), &before),
            changed: of(&|id, prints| before.get(id).is_some_and(|other| other != prints), &now),
        }
    }

    fn by_id(&self) -> Named<Vec<String>> {
        let mut ids: Named<Vec<String>> = Named::default();
        for verdict in self.verdicts().filter(|verdict| verdict.usable) {
            let Some(thumbprint) = &verdict.thumbprint else { continue };
            let prints = ids.entry(verdict.kid.as_ref().unwrap_or(thumbprint));
            let print = format!("{thumbprint} {}", verdict.alg.as_deref().unwrap_or_default());
            // Sorted as they come: sorting code takes four kilobytes of wasm.
            if let Err(at) = prints.binary_search(&print) {
                prints.insert(at, print);
            }
        }
        ids
    }
}

fn is_exposed(verdict: &Verdict) -> bool {
    matches!(verdict.reason, Some(Reason::Private | Reason::Symmetric))
}

/// A key and what is wrong with it.
fn described(verdict: &Verdict) -> String {
    let name = match (&verdict.kid, &verdict.kty) {
        (Some(kid), _) => format!("the key `{}`", shown(kid, SHOWN)),
        (None, Some(kty)) => format!("a key of type `{}` without an id", shown(kty, SHOWN)),
        (None, None) => "a key without an id".into(),
    };
    format!("{name}: {}", verdict.message.as_deref().unwrap_or_default())
}
