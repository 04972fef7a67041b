//! The fuzz targets without a fuzzer: their corpus, and a number of mutations of it that is the same every time.
#![cfg(test)]

#[path = "../fuzz/checks.rs"]
mod checks;

use std::fs;
use std::path::Path;

/// What a mutation puts in: what the readers look for.
const WORDS: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\n",
    "\t",
    "null",
    "true",
    "0",
    "-1",
    "1e309",
    "18446744073709551615",
    "\"keys\"",
    "\"kty\"",
    "\"oct\"",
    "\"d\":",
    "\"k\":",
    "\"kid\"",
    "\"use\":\"sig\"",
    "\"crit\":",
    "\"alg\":\"none\"",
    "AAAA",
    "AQ",
    "\\u0000",
    "é",
    "200",
    "302",
    "304",
    "503",
    "timeout",
    "https://id.test/",
    "http://id.test/",
    "\"1\"",
    "max-age=9",
    "discovery",
    "40000",
];

/// Draws the same numbers every time (Steele and Vigna's SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ mixed >> 31) % bound as u64).unwrap()
    }

    fn mutate(&mut self, text: &mut Vec<u8>, other: &[u8]) {
        let (at, length) = (self.below(text.len() + 1), self.below(12));
        let end = (at + length).min(text.len());
        match self.below(6) {
            0 => drop(text.drain(at..end)),
            1 => drop(text.splice(at..at, WORDS[self.below(WORDS.len())].bytes())),
            2 => drop(text.splice(at..end, WORDS[self.below(WORDS.len())].bytes())),
            3 => text.extend_from_within(at..end),
            4 if at < text.len() => text[at] ^= 1 << self.below(7),
            _ => {
                let from = self.below(other.len() + 1);
                text.truncate(at);
                text.extend_from_slice(&other[from..]);
            }
        }
    }
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "{target} has {} seeds", files.len());
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

/// A check that panics says so by itself, but not on what.
fn run(target: &str, check: fn(&[u8]), input: &[u8]) {
    let failed = std::panic::catch_unwind(|| check(input)).is_err();
    assert!(!failed, "{target} failed on {:?}", String::from_utf8_lossy(input));
}

fn holds(target: &str, check: fn(&[u8]), mutations: usize) {
    let corpus = corpus(target);
    for seed in &corpus {
        run(target, check, seed);
    }
    let mut chance = Chance(u64::try_from(target.len()).unwrap());
    for _ in 0..mutations {
        let mut text = corpus[chance.below(corpus.len())].clone();
        for _ in 0..=chance.below(4) {
            let other = chance.below(corpus.len());
            chance.mutate(&mut text, &corpus[other]);
        }
        run(target, check, &text);
    }
}

#[test]
fn any_text_is_a_key_set_that_can_be_kept_or_is_refused() {
    holds("key_set", checks::key_set, 4_000);
}

#[test]
fn any_text_is_a_token_that_may_be_verified_or_is_refused() {
    holds("token", checks::token, 20_000);
}

#[test]
fn any_answers_end_a_refresh() {
    holds("refresh", checks::refresh, 6_000);
}
