/** A second, careless reader of pickled texts, so that `js/caches/pickle.ts` is not its own witness. */

/** Where the text begins and how it is told: the opcode of each form that `pickle.dumps(text, 5)` has. */
const FORMS = [
  { opcode: 0x8c, at: 11, text: 13 },
  { opcode: 0x58, at: 11, text: 16 },
  { opcode: 0x58, at: 2, text: 7 },
];

/** The text that was pickled; throws for what is not of protocol 5. */
export function pickled(bytes: Buffer): string {
  const form = FORMS.find(({ opcode, at }) => bytes[at] === opcode && (at === 2 || bytes[2] === 0x95));
  if (bytes.readUInt16BE(0) !== 0x8005 || !form)
    throw new Error(`no pickle: ${bytes.toString("hex", 0, 20)}`);
  return bytes.toString("utf8", form.text, bytes.length - 2);
}
