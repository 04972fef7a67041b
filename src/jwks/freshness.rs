//! How long a key set is fresh: what the provider says (RFC 9111), within the bounds of the host.

use crate::jwks::provider::Policy;

/// Seconds of freshness from `Cache-Control` and `Age`. Without a `max-age`, and where the provider says not to cache, it
/// is the least that the policy allows.
#[must_use]
pub fn fresh_seconds(policy: &Policy, cache_control: Option<&str>, age: Option<&str>) -> u32 {
    let stated = cache_control.map_or(0, max_age);
    let age = age.and_then(|age| seconds(age.trim())).unwrap_or(0);
    stated.saturating_sub(age).clamp(policy.min_fresh_seconds, policy.max_fresh_seconds)
}

/// RFC 9111, section 5.2.2: `no-store` and `no-cache` go before `max-age`; of several the least counts.
fn max_age(header: &str) -> u32 {
    let mut least = None;
    for directive in header.split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let name = name.trim();
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return 0;
        }
        if name.eq_ignore_ascii_case("max-age") {
            let value = seconds(value.trim().trim_matches('"')).unwrap_or(0);
            least = Some(least.map_or(value, |least: u32| least.min(value)));
        }
    }
    least.unwrap_or(0)
}

/// Digits only (RFC 9111, section 1.2.2): a number beyond 32 bits is as good as for ever.
#[must_use]
pub fn seconds(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_provider_within_bounds() {
        let policy = Policy { min_fresh_seconds: 300, max_fresh_seconds: 86_400, ..Policy::default() };
        for (cache_control, age, expected) in [
            (None, None, 300),
            (Some("public, max-age=3600"), None, 3600),
            (Some("Max-Age = \"3600\""), None, 3600),
            (Some("max-age=3600"), Some("600"), 3000),
            (Some("max-age=3600"), Some("5000"), 300),
            (Some("max-age=3600"), Some("-1"), 3600),
            // Auth0 and Okta, as peers have met them.
            (Some("public, max-age=15, stale-while-revalidate=15"), None, 300),
            (Some("max-age=3283200, must-revalidate"), None, 86_400),
            (Some("max-age=99999999999999"), None, 86_400),
            (Some("max-age=3600, no-store"), None, 300),
            (Some("no-cache"), None, 300),
            (Some("max-age=3600, max-age=600"), None, 600),
            (Some("max-age=1e9"), None, 300),
            (Some("s-maxage=3600"), None, 300),
            (Some(",,="), None, 300),
        ] {
            assert_eq!(fresh_seconds(&policy, cache_control, age), expected, "{cache_control:?} {age:?}");
        }
    }
}
