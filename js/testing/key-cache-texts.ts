/** Texts that a cache must keep, and keys that it must keep apart. */

/** How many callers there are at once. */
export const AT_ONCE = 20;

/** Keys, of which some are alike in one respect or another. */
export const KEYS: readonly string[] = [
  "key",
  "KEY",
  "key ",
  " key",
  "kéy",
  "ke%",
  "ke_",
  "a:b",
  "a:b:c",
  "a:b:c:",
  ":a:b",
  "1:a:b",
  "a/b?c=d&e#f",
  "' \" ` \\ ; --",
  "1",
  "01",
  "钥匙 🔑",
  "k".repeat(200),
  "k".repeat(199),
];

/** Values: what looks like something else than text, what drivers like to trim, and what is long. */
export const VALUES: readonly string[] = [
  "",
  " ",
  "0",
  "5",
  "-17",
  "1e3",
  "null",
  "None",
  "true",
  '{"keys":[]}',
  "' \" ` \\ % _ \\u0041",
  "\ufeffa byte order mark\ufeff",
  "  lines\r\nand\ttabs \n",
  "é ß 钥匙 🔑 \u2028 \u{10ffff}",
  "x".repeat(255),
  "x".repeat(256),
  "é".repeat(128),
  "x".repeat(65_536),
  `{"keys":["${"x".repeat(100_000)}é🔑${"y".repeat(100_000)}"]}`,
];
