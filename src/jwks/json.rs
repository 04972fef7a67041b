//! Texts from elsewhere, read within bounds.

use crate::jwks::error::KeySetError;
use crate::value::Value;

/// The longest text that is read, in bytes.
pub const MOST_BYTES: usize = 1 << 20;
/// The deepest nesting that is read. A key set has three levels, a discovery document two.
pub const MOST_LEVELS: usize = 16;

/// The most members that all objects of a text may have: to fill a sorted vector takes the square of their number.
const MOST_MEMBERS: usize = 2000;

/// Reads JSON text.
///
/// # Errors
/// [`KeySetError`] for text that is too long, nested too deep, of too many members, or no JSON.
pub fn read_json(text: &str) -> Result<Value, KeySetError> {
    read_json_within(text, MOST_BYTES)
}

/// Reads JSON text of another length in bytes at most.
///
/// # Errors
/// As [`read_json`].
pub fn read_json_within(text: &str, most: usize) -> Result<Value, KeySetError> {
    if text.len() > most {
        return Err(KeySetError::TooLarge { bytes: text.len(), most });
    }
    let (levels, members) = extent(text);
    if levels > MOST_LEVELS {
        return Err(KeySetError::TooDeep { most: MOST_LEVELS });
    }
    if members > MOST_MEMBERS {
        return Err(KeySetError::Malformed { why: "it has more than 2000 members" });
    }
    serde_json::from_str(text).map_err(|error| KeySetError::NotJson {
        line: error.line(),
        column: error.column(),
        start: shown(text.trim_start(), 24),
    })
}

/// What somebody else wrote, as it stands in a message: not too long, and without what a terminal obeys.
#[must_use]
pub fn shown(text: &str, most: usize) -> String {
    text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// How deep brackets are nested, and how many members all objects have together: both outside of strings.
fn extent(text: &str) -> (usize, usize) {
    let (mut deepest, mut level, mut members) = (0_usize, 0_usize, 0_usize);
    let (mut in_text, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                level += 1;
                deepest = deepest.max(level);
            }
            b']' | b'}' if !in_text => level = level.saturating_sub(1),
            b':' if !in_text => members += 1,
            _ => {}
        }
    }
    (deepest, members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_outside_of_strings() {
        for (text, expected) in [
            ("", (0, 0)),
            ("{}", (1, 0)),
            (r#"{"a":[{}],"b":":"}"#, (3, 2)),
            (r#"["[[[:", "\"[[:"]"#, (1, 0)),
            ("]]][", (1, 0)),
            (r#""\\"[[:"#, (2, 1)),
        ] {
            assert_eq!(extent(text), expected, "{text}");
        }
    }

    #[test]
    fn reads_up_to_its_bounds() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read_json(&nested(MOST_LEVELS)).is_ok());
        assert_eq!(read_json(&nested(MOST_LEVELS + 1)), Err(KeySetError::TooDeep { most: MOST_LEVELS }));
        let long = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
        assert!(read_json(&long(MOST_BYTES)).is_ok());
        let error = KeySetError::TooLarge { bytes: MOST_BYTES + 1, most: MOST_BYTES };
        assert_eq!(read_json(&long(MOST_BYTES + 1)), Err(error));
    }

    /// Regression: an object of 95,000 members in the reverse order of their names took nine seconds.
    #[test]
    fn reads_as_many_members_as_anybody_has() {
        let object = |members: usize| {
            let members: Vec<String> = (0..members).map(|at| format!("\"{at}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(read_json(&object(2000)).is_ok());
        let error = KeySetError::Malformed { why: "it has more than 2000 members" };
        assert_eq!(read_json(&object(2001)), Err(error.clone()));
        assert_eq!(read_json(&format!("[{},{}]", object(1000), object(1001))), Err(error));
    }

    #[test]
    fn says_where_it_is_no_json() {
        let error = read_json("\n<!DOCTYPE html>\n<p>").unwrap_err();
        let text = "what was to be a key set is no JSON (line 2, column 1); it begins with `<!DOCTYPE html> <p>`";
        assert_eq!(error.to_string(), text);
    }
}
