//! A sweep in parts: ranges that have no position in common, and together have all of them.
#![cfg(test)]

use idp_janitor::dialect;
use proptest::prelude::*;

proptest! {
    #[test]
    fn row_ids_are_split_without_gap_or_overlap(first in any::<i64>(), length in 0u64.., parts in 1u32..1_000) {
        let last = first.saturating_add_unsigned(length);
        let dialect = dialect::by_name("sqlite").unwrap();
        let ranges = dialect.split(&first.to_string(), &last.to_string(), parts);
        let number = |text: &str| text.parse::<i64>().unwrap();
        prop_assert!(!ranges.is_empty() && ranges.len() <= parts as usize);
        prop_assert_eq!(number(&ranges[0].0), first);
        prop_assert_eq!(number(&ranges[ranges.len() - 1].1), last);
        for pair in ranges.windows(2) {
            prop_assert_eq!(number(&pair[0].1) + 1, number(&pair[1].0));
        }
        let lengths = ranges.iter().map(|(from, upto)| number(upto).abs_diff(number(from)));
        let (shortest, longest) = (lengths.clone().min().unwrap(), lengths.max().unwrap());
        prop_assert!(longest - shortest <= 1, "{shortest} to {longest}");
    }

    #[test]
    fn blocks_are_split_without_gap_or_overlap(last in 0u32..100_000, parts in 1u32..1_000) {
        let dialect = dialect::by_name("postgres").unwrap();
        let ranges = dialect.split("(0,0)", &format!("({last},65535)"), parts);
        prop_assert!(!ranges.is_empty() && ranges.len() <= parts as usize);
        prop_assert_eq!(&ranges[0].0, "(0,0)");
        prop_assert_eq!(&ranges[ranges.len() - 1].1, &format!("({last},65535)"));
        for pair in ranges.windows(2) {
            prop_assert_eq!(dialect.after(&pair[0].1).unwrap(), pair[1].0.clone());
        }
    }
}
