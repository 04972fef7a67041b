/** Integers as the contract has them. */

/** An integer, written in decimal or as bigint: a number up to 2^53 - 1, a bigint beyond. */
export function toInteger(value: string | bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : BigInt(value);
}
