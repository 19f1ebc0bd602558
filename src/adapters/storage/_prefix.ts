/** Throws RangeError on a prefix that does not end at an element's border: a bug of the caller. */
export function checkPrefix(prefix: string): void {
  if (prefix !== "" && !prefix.endsWith("/"))
    throw new RangeError(`prefix ${JSON.stringify(prefix)} does not end in /`);
}
