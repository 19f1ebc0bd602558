export function backoffMs(attempt: number, random: () => number): number {
  return Math.min(3000, 100 * 2 ** attempt) * random();
}
