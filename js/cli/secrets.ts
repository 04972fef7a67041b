/**
 * An address as it may be shown: nothing of what stands before the last `@`, and no query, where tokens and passwords are.
 * It may be one that is not well formed, so rather too much is left out than too little.
 */
export function withoutSecrets(address: string): string {
  return address.replace(/^([A-Za-z][A-Za-z0-9+.-]*:)?(\/*).*@/s, "$1$2***@").replace(/\?.*$/s, "?***");
}
