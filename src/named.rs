//! A map by name, kept sorted: a fraction of the wasm that a `BTreeMap` for every kind of value takes.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Values by name, in the order of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<T>(Vec<(String, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Named<T> {
    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        let at = self.position(name).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// The value of a name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        let at = self.position(name).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Sets the value of a name.
    pub fn insert(&mut self, name: &str, value: T) {
        match self.position(name) {
            Ok(at) => {
                if let Some(slot) = self.0.get_mut(at) {
                    slot.1 = value;
                }
            }
            Err(at) => self.0.insert(at, (name.to_owned(), value)),
        }
    }

    /// All of them, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The values, in the order of names.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }

    /// All of them, taken apart.
    pub fn into_entries(self) -> impl Iterator<Item = (String, T)> {
        self.0.into_iter()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.as_str().cmp(name))
    }
}

impl<T: Default> Named<T> {
    /// The value of a name, a default one where there was none.
    #[expect(clippy::indexing_slicing, reason = "the position is where the name is, or was put just now")]
    pub fn entry(&mut self, name: &str) -> &mut T {
        let at = self.position(name).unwrap_or_else(|at| {
            self.0.insert(at, (name.to_owned(), T::default()));
            at
        });
        &mut self.0[at].1
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(entries: &[(&str, u32)]) -> Named<u32> {
        let mut named = Named::default();
        for (name, value) in entries {
            named.insert(name, *value);
        }
        named
    }

    #[test]
    fn keeps_the_order_of_names_and_the_last_value() {
        let named = named(&[("b", 1), ("", 2), ("a", 3), ("B", 4), ("b", 5), ("é", 6), ("ab", 7)]);
        let expected = [("", 2), ("B", 4), ("a", 3), ("ab", 7), ("b", 5), ("é", 6)];
        assert_eq!(named.iter().map(|(name, value)| (name, *value)).collect::<Vec<_>>(), expected);
        assert_eq!(named.names().collect::<Vec<_>>(), expected.map(|(name, _)| name));
        assert_eq!(named.values().copied().collect::<Vec<_>>(), expected.map(|(_, value)| value));
        for (name, value) in expected {
            assert_eq!(named.get(name), Some(&value));
        }
        assert_eq!(named.get("c"), None);
    }

    #[test]
    fn is_changed_in_place() {
        let mut named = named(&[("b", 1)]);
        *named.entry("b") += 1;
        *named.entry("a") += 1;
        *named.get_mut("a").unwrap() += 5;
        assert_eq!(named.get_mut("c"), None);
        assert_eq!(named.into_entries().collect::<Vec<_>>(), [("a".to_owned(), 6), ("b".to_owned(), 2)]);
    }

    #[test]
    fn crosses_as_an_object() {
        assert_eq!(serde_json::to_string(&named(&[("z", 3), ("a", 2)])).unwrap(), r#"{"a":2,"z":3}"#);
    }
}
