//! Whether a public key's point lies on its curve. Who signs with a point off the curve, or of small order, proves nothing.

/// A prime field, for Montgomery's multiplication on limbs of 32 bits, the least significant first.
struct Field {
    p: Vec<u32>,
    /// -1/p modulo 2^32.
    inverse: u32,
    /// The square of Montgomery's radix, by which numbers enter his form.
    entry: Vec<u32>,
}

/// y² = x³ - 3x + b over a prime field (FIPS 186-4, D.1.2).
pub struct ShortCurve {
    p: &'static str,
    b: &'static str,
    /// Length of a coordinate in bytes.
    pub bytes: usize,
}

/// P-256.
pub const P256: ShortCurve = ShortCurve {
    p: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
    b: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
    bytes: 32,
};

/// P-384.
pub const P384: ShortCurve = ShortCurve {
    p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
    b: "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
    bytes: 48,
};

/// P-521.
pub const P521: ShortCurve = ShortCurve {
    p: "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    b: "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
    bytes: 66,
};

/// The prime of Curve25519 (RFC 8032, section 5.1).
const P25519: &str = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
/// The d of Ed25519.
const D25519: &str = "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3";
/// (p - 1) / 2.
const HALF25519: &str = "3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff6";
/// The y of a point of order 8; the other y of that order is its negative.
const ORDER8: &str = "7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7";

impl ShortCurve {
    /// Whether the point lies on the curve. Coordinates are big-endian, of [`ShortCurve::bytes`] bytes.
    #[must_use]
    pub fn holds(&self, x: &[u8], y: &[u8]) -> bool {
        let field = Field::new(self.p);
        let (Some(x), Some(y)) = (field.element(limbs(x)), field.element(limbs(y))) else { return false };
        let Some(b) = field.element(hex(self.b)) else { return false };
        let cube = field.multiply(&field.multiply(&x, &x), &x);
        let three = field.add(&field.add(&x, &x), &x);
        field.multiply(&y, &y) == field.add(&field.subtract(&cube, &three), &b)
    }
}

/// Whether 32 bytes encode a point of Ed25519 (RFC 8032, section 5.1.3) whose order is not small.
#[must_use]
pub fn is_ed25519_point(encoded: &[u8]) -> bool {
    let mut bytes = encoded.to_vec();
    bytes.reverse();
    let Some(first) = bytes.first_mut() else { return false };
    // The bit beside it is the sign of x.
    *first &= 0x7f;
    let field = Field::new(P25519);
    let (Some(y), Some(one)) = (field.element(limbs(&bytes)), field.element(vec![1])) else { return false };
    let (Some(d), Some(order8)) = (field.element(hex(D25519)), field.element(hex(ORDER8))) else { return false };
    let zero = field.subtract(&one, &one);
    let minus = |value: &[u32]| field.subtract(&zero, value);
    let of_small_order = [zero.clone(), one.clone(), minus(&one), order8.clone(), minus(&order8)].contains(&y);
    // x² = (y² - 1) / (d y² + 1): there is such an x where numerator and denominator together are a square.
    let square = field.multiply(&y, &y);
    let numerator = field.subtract(&square, &one);
    let denominator = field.add(&field.multiply(&d, &square), &one);
    let together = field.multiply(&numerator, &denominator);
    !of_small_order && field.power(&together, &hex(HALF25519), &one) == one
}

impl Field {
    fn new(p: &str) -> Self {
        let p = hex(p);
        let least = p.first().copied().unwrap_or(1);
        // Newton's iteration: each step doubles the bits that are right.
        let inverse = (0..5).fold(1_u32, |x, _| x.wrapping_mul(2_u32.wrapping_sub(least.wrapping_mul(x))));
        let mut field = Self { inverse: inverse.wrapping_neg(), entry: Vec::new(), p };
        let mut entry = vec![0; field.p.len()];
        if let Some(first) = entry.first_mut() {
            *first = 1;
        }
        for _ in 0..64 * field.p.len() {
            entry = field.add(&entry, &entry);
        }
        field.entry = entry;
        field
    }

    /// A number in Montgomery's form; `None` unless it is below the prime.
    fn element(&self, mut number: Vec<u32>) -> Option<Vec<u32>> {
        if number.len() > self.p.len() {
            return None;
        }
        number.resize(self.p.len(), 0);
        less(&number, &self.p).then(|| self.multiply(&number, &self.entry))
    }

    #[expect(clippy::cast_possible_truncation, reason = "a limb is the low half of its sum")]
    fn add(&self, a: &[u32], b: &[u32]) -> Vec<u32> {
        let mut carry = 0_u64;
        let sum: Vec<u32> = a
            .iter()
            .zip(b)
            .map(|(a, b)| {
                carry += u64::from(*a) + u64::from(*b);
                let limb = carry as u32;
                carry >>= 32;
                limb
            })
            .collect();
        if carry > 0 || !less(&sum, &self.p) { difference(&sum, &self.p) } else { sum }
    }

    fn subtract(&self, a: &[u32], b: &[u32]) -> Vec<u32> {
        self.add(a, &difference(&self.p, b))
    }

    /// Montgomery's product, limb by limb.
    #[expect(clippy::cast_possible_truncation, reason = "a limb is the low half of its sum")]
    fn multiply(&self, a: &[u32], b: &[u32]) -> Vec<u32> {
        let mut total = vec![0_u32; self.p.len()];
        let mut top = 0_u64;
        for factor in a {
            let carry = add_multiple(&mut total, *factor, b);
            top += carry;
            let least = total.first().copied().unwrap_or_default();
            let carry = add_multiple(&mut total, least.wrapping_mul(self.inverse), &self.p);
            top += carry;
            // The lowest limb is zero now: the whole moves down by one.
            total.rotate_left(1);
            if let Some(last) = total.last_mut() {
                *last = top as u32;
            }
            top >>= 32;
        }
        if top > 0 || !less(&total, &self.p) { difference(&total, &self.p) } else { total }
    }

    fn power(&self, base: &[u32], exponent: &[u32], one: &[u32]) -> Vec<u32> {
        let mut result = one.to_vec();
        for limb in exponent.iter().rev() {
            for bit in (0..32).rev() {
                result = self.multiply(&result, &result);
                if limb >> bit & 1 == 1 {
                    result = self.multiply(&result, base);
                }
            }
        }
        result
    }
}

/// Adds a multiple of a number and gives what is carried out of the last limb.
#[expect(clippy::cast_possible_truncation, reason = "a limb is the low half of its sum")]
fn add_multiple(total: &mut [u32], factor: u32, number: &[u32]) -> u64 {
    let mut carry = 0_u64;
    for (limb, other) in total.iter_mut().zip(number) {
        carry += u64::from(*limb) + u64::from(factor) * u64::from(*other);
        *limb = carry as u32;
        carry >>= 32;
    }
    carry
}

/// a - b, the last borrow left out.
fn difference(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut borrow = false;
    a.iter()
        .zip(b)
        .map(|(a, b)| {
            let (limb, first) = a.overflowing_sub(*b);
            let (limb, second) = limb.overflowing_sub(u32::from(borrow));
            borrow = first || second;
            limb
        })
        .collect()
}

/// Whether a < b, both of as many limbs.
fn less(a: &[u32], b: &[u32]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// Big-endian bytes as limbs.
fn limbs(bytes: &[u8]) -> Vec<u32> {
    bytes.rchunks(4).map(|chunk| chunk.iter().fold(0, |limb, byte| limb << 8 | u32::from(*byte))).collect()
}

/// A constant as limbs.
fn hex(digits: &str) -> Vec<u32> {
    digits.as_bytes().rchunks(8).map(|chunk| chunk.iter().fold(0, |limb, digit| limb << 4 | nibble(*digit))).collect()
}

fn nibble(digit: u8) -> u32 {
    u32::from(if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 })
}
