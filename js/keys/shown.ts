/** What comes out of a token that nobody has verified, as it stands in a message: not long, and nothing a terminal obeys. */
export function shown(text: string): string {
  return text.slice(0, 80).replace(/[^\x20-\x7e]/g, "?");
}
