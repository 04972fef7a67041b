//! What can be wrong with key sets, providers and tokens.

use thiserror::Error;

/// What is wrong with a key set as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeySetError {
    /// The text is too long.
    #[error("the key set has {bytes} bytes, and {most} are the most that is read")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The bound.
        most: usize,
    },
    /// Brackets within brackets.
    #[error("the key set is nested deeper than {most} levels")]
    TooDeep {
        /// The bound.
        most: usize,
    },
    /// The text is no JSON.
    #[error("what was to be a key set is no JSON (line {line}, column {column}); it begins with `{start}`")]
    NotJson {
        /// Where the reading ended, from 1.
        line: usize,
        /// Where the reading ended, from 1.
        column: usize,
        /// The first characters.
        start: String,
    },
    /// JSON, but no key set; or of too many members to be read.
    #[error("what was to be a key set is JSON of another shape: {why}")]
    Malformed {
        /// What is missing, or too much.
        why: &'static str,
    },
    /// Too many keys.
    #[error("the key set has {keys} keys, and {most} are the most that is read")]
    TooMany {
        /// Their number.
        keys: usize,
        /// The bound.
        most: usize,
    },
    /// No key at all.
    #[error("the key set is empty")]
    Empty,
    /// No key that can be used.
    #[error("none of the {keys} keys of the set can be used: {why}")]
    Unusable {
        /// Their number.
        keys: usize,
        /// Why, key by key.
        why: String,
    },
}

impl KeySetError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "key_set_too_large",
            Self::TooDeep { .. } => "key_set_too_deep",
            Self::NotJson { .. } => "key_set_not_json",
            Self::Malformed { .. } => "key_set_malformed",
            Self::TooMany { .. } => "key_set_too_many_keys",
            Self::Empty => "key_set_empty",
            Self::Unusable { .. } => "key_set_unusable",
        }
    }
}
