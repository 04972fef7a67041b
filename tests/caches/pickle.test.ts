import assert from "node:assert/strict";
import { test } from "node:test";
import { PICKLE_LIMIT, pickleText, unpickleText } from "../../js/caches/pickle.ts";
import { pickles } from "../support/read-keys.ts";

/** Lengths in bytes around which the form of a pickle changes. */
const LENGTHS = [0, 1, 2, 3, 4, 254, 255, 256, 257, 65_534, 65_535, 65_536, 65_537, 70_000];

/** Characters of one to four bytes, those that text formats treat in their own way, and halves of pairs. */
const CHARACTERS = [
  ..."az09 '\"\\\n\r\t\0\x1a\x7f\x80\xff.éßĀ߿ࠀ钥\u2028퟿\ufeff\uffff🔑\u{10ffff}",
  "\ud800",
  "\udfff",
];

/** The same numbers from 0 to 1 on every run. */
function* chance(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

function seededTexts(seed: number, count: number): string[] {
  const numbers = chance(seed);
  const below = (limit: number) => Math.floor(numbers.next().value * limit);
  const text = (length: number) =>
    Array.from({ length }, () => CHARACTERS[below(CHARACTERS.length)]).join("");
  return Array.from({ length: count }, () => text(below(600)));
}

const TEXTS = [
  ...LENGTHS.map((length) => "a".repeat(length)),
  // As many bytes, of characters of two, of four, and with a lone surrogate at the end.
  ...LENGTHS.map((length) => "é".repeat(length / 2) + "a".repeat(length % 2)),
  ...LENGTHS.map((length) => "🔑".repeat(length / 4) + "a".repeat(length % 4)),
  ...LENGTHS.filter((length) => length > 2).map((length) => `${"a".repeat(length - 3)}\ud800`),
  ...CHARACTERS,
  "\ud800\ud800\udc00\udc00",
  "\\u0041 \\U0001f600 \\\\u0041 \\",
  ...seededTexts(20_261_123, 300),
];

test("a text is pickled byte for byte as Python pickles it", async () => {
  const expected = await pickles(["dumps", "5"], TEXTS);
  for (const [at, text] of TEXTS.entries()) {
    const ours = Buffer.from(pickleText(text)).toString("base64");
    assert.ok(
      ours === expected[at],
      `text ${at}, ${JSON.stringify(text.slice(0, 40))}: ${ours.slice(0, 80)}`,
    );
  }
});

test("Python reads what was pickled", async () => {
  const read = await pickles(
    ["loads"],
    TEXTS.map((text) => Buffer.from(pickleText(text)).toString("base64")),
  );
  for (const [at, text] of TEXTS.entries()) assert.ok(read[at] === text, `text ${at}`);
});

for (const protocol of ["0", "1", "2", "3", "4", "5"]) {
  test(`a text that Python pickled with protocol ${protocol} is read`, async () => {
    for (const pure of [[], ["pure"]]) {
      const given = await pickles(["dumps", protocol, ...pure], TEXTS);
      for (const [at, text] of TEXTS.entries()) {
        const read = unpickleText(Buffer.from(given[at] ?? "", "base64"));
        assert.ok(read === text, `text ${at}, ${JSON.stringify(text.slice(0, 40))} ${pure}`);
      }
    }
  });
}

/** Bytes as characters. */
const bytes = (text: string) => Buffer.from(text, "latin1");

const FOREIGN = {
  "a call of os.system": "cos\nsystem\n(S'true'\ntR.",
  "a call, protocol 4": "\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
  None: "\x80\x05N.",
  "a number": "\x80\x05K\x05.",
  "bytes, protocol 5": "\x80\x05C\x01a\x94.",
  "bytes of Python 2": "S'a'\np0\n.",
  "a list": "\x80\x05\x95\x06\0\0\0\0\0\0\0]\x94\x8c\x01aa.",
  "two texts": "\x80\x05\x8c\x01a\x8c\x01b.",
  "two ends": "\x80\x05\x8c\x01a\x94..",
  "two memos": "\x80\x05\x8c\x01a\x94\x94.",
  "no end": "\x80\x05\x8c\x01a\x94",
  "something behind the end": "\x80\x05\x8c\x01a\x94.\n",
  "a protocol that there is not": "\x80\x06\x8c\x01a\x94.",
  "a length beyond the end": "\x80\x05\x8c\x09a\x94.",
  "a long length beyond the end": "\x80\x05X\xff\xff\xff\xffa\x94.",
  "a frame that is too long": "\x80\x05\x95\x06\0\0\0\0\0\0\0\x8c\x01a\x94.",
  "a frame that is too short": "\x80\x05\x95\x04\0\0\0\0\0\0\0\x8c\x01a\x94.",
  "a frame with a huge length": "\x80\x05\x95\x05\0\0\0\0\0\0\x01\x8c\x01a\x94.",
  "a frame within a frame": "\x80\x05\x95\x0e\0\0\0\0\0\0\0\x95\x05\0\0\0\0\0\0\0\x8c\x01a\x94.",
  "no UTF-8": "\x80\x05\x8c\x01\xff\x94.",
  "UTF-8 that is longer than need be": "\x80\x05\x8c\x02\xc0\x80\x94.",
  "half a surrogate": "\x80\x05\x8c\x02\xed\xa0\x94.",
  "a surrogate of wrong bytes": "\x80\x05\x8c\x03\xed\xa0\xc0\x94.",
  "an escape of too few digits": "V\\u004\np0\n.",
  "an escape beyond the last character": "V\\U00110000\np0\n.",
  "a backslash that is not escaped": "V\\\np0\n.",
  "a line without end": "Va",
  "a memo that is no number": "Va\np\n.",
  "a memo without end": "Va\np0",
  nothing: "",
};

for (const [what, pickle] of Object.entries(FOREIGN)) {
  test(`${what} is refused`, () => assert.equal(unpickleText(bytes(pickle)), null));
}

test("no beginning of a pickle is read", async () => {
  for (const protocol of ["0", "1", "2", "3", "4", "5"]) {
    const [pickle = ""] = await pickles(["dumps", protocol], ["héllo \\ \ud800 🔑"]);
    const whole = Buffer.from(pickle, "base64");
    for (let length = 0; length < whole.length; length += 1) {
      assert.equal(unpickleText(whole.subarray(0, length)), null, `${length} bytes of protocol ${protocol}`);
    }
  }
});

test("a pickle without memo is read, as `pickletools.optimize` leaves it", () => {
  assert.equal(unpickleText(bytes("\x80\x05\x95\x04\0\0\0\0\0\0\0\x8c\x01a.")), "a");
  assert.equal(unpickleText(bytes("Va\n.")), "a");
});

test("a pickle beyond the limit is not read", () => {
  const within = "a".repeat(PICKLE_LIMIT - 9);
  assert.equal(unpickleText(pickleText(within)), within);
  assert.equal(unpickleText(pickleText(`${within}a`)), null);
});
