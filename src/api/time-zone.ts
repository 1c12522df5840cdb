/** Time zones by their IANA names, as far as this Node knows them. */

/** Also for old names and links, in any case. */
export function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en-US', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}
