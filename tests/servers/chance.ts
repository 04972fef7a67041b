// Chance that can be repeated.

/** Draws numbers; the same seed, the same numbers. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to 1: Mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  happens(probability: number): boolean {
    return this.next() < probability;
  }

  /** A number between two, both included in its range. */
  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  /** One of several; undefined where there is none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.next() * items.length)];
  }

  /** Letters and digits that nobody else draws. */
  word(): string {
    return `${this.#digits()}${this.#digits()}`;
  }

  uuid(): string {
    const hex = `${this.#digits()}${this.#digits()}${this.#digits()}${this.#digits()}`;
    return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
  }

  #digits(): string {
    return Math.floor(this.next() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  }
}
