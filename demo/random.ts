/** A small seeded generator (mulberry32), so that a seed always gives the same database. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 random bits. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A number from 0 up to, but not including, 1. */
  fraction(): number {
    return this.bits() / 0x1_0000_0000;
  }

  /** A whole number from `low` up to, but not including, `high`. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low));
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.integer(0, items.length)];
    if (item === undefined) throw new RangeError("nothing to pick from");
    return item;
  }

  /** Lower-case hexadecimal digits. */
  hex(length: number): string {
    let digits = "";
    while (digits.length < length) {
      const bits = this.bits();
      digits += `${FOUR_DIGITS[bits >>> 16]}${FOUR_DIGITS[bits & 0xffff]}`;
    }
    return digits.slice(0, length);
  }

  /** A UUID of version 4 as Django stores it on SQLite: 32 digits without dashes. */
  uuid4(): string {
    return `${this.hex(12)}4${this.hex(3)}${this.pick(VARIANT)}${this.hex(15)}`;
  }

  /** A UUID of version 7, which HIdP's keys are: it begins with the millisecond of its making. */
  uuid7(milliseconds: number): string {
    const time = Math.floor(milliseconds).toString(16).padStart(12, "0");
    return `${time}7${this.hex(3)}${this.pick(VARIANT)}${this.hex(15)}`;
  }
}

/** Every group of four hexadecimal digits: most of a token database is random hex. */
const FOUR_DIGITS = Array.from({ length: 0x1_0000 }, (_, value) => value.toString(16).padStart(4, "0"));
const VARIANT = ["8", "9", "a", "b"];
