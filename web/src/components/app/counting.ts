/** What was last shown of each account's money, in minor units; gone with the page. */
export const lastShown = new Map<string, number>()

/** Where an amount is after `part` (0 to 1) of its way; whole minor units, and exactly `to` in the end. */
export function between(from: number, to: number, part: number): number {
  return part >= 1 ? to : from + Math.trunc((to - from) * part * (2 - part))
}
