//! Texts from elsewhere, read within bounds.

use crate::jwks::error::KeySetError;
use crate::value::Value;

/// The longest text that is read, in bytes.
pub const MOST_BYTES: usize = 1 << 20;
/// The deepest nesting that is read. A key set has three levels, a discovery document two.
pub const MOST_LEVELS: usize = 16;

/// Reads JSON text.
///
/// # Errors
/// [`KeySetError`] for text that is too long, nested too deep, or no JSON.
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
    if levels(text) > MOST_LEVELS {
        return Err(KeySetError::TooDeep { most: MOST_LEVELS });
    }
    serde_json::from_str(text).map_err(|error| KeySetError::NotJson {
        line: error.line(),
        column: error.column(),
        start: text.trim_start().chars().take(24).map(|c| if c.is_control() { ' ' } else { c }).collect(),
    })
}

/// How deep brackets are nested outside of strings.
fn levels(text: &str) -> usize {
    let (mut deepest, mut level) = (0_usize, 0_usize);
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
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_brackets_outside_of_strings() {
        for (text, expected) in
            [("", 0), ("{}", 1), (r#"{"a":[{}]}"#, 3), (r#"["[[[", "\"[["]"#, 1), ("]]][", 1), (r#""\\"[["#, 2)]
        {
            assert_eq!(levels(text), expected, "{text}");
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

    #[test]
    fn says_where_it_is_no_json() {
        let error = read_json("\n<!DOCTYPE html>\n<p>").unwrap_err();
        let text = "what was to be a key set is no JSON (line 2, column 1); it begins with `<!DOCTYPE html> <p>`";
        assert_eq!(error.to_string(), text);
    }
}
