import type { AccountMemory } from './store'

/** How far the key holder's count of decisions is from what this device asked for. */
export interface CountCheck {
  /** Decisions nobody on this device asked for; more than 0 must be shown to the person. */
  readonly unexplained: number
  /** The count went backwards: the other side forgot, or shows an old receipt. */
  readonly rolledBack: boolean
}

/**
 * Compares the count in a fresh receipt with the last one this device saw.
 *
 * The key holder counts one for every receipt it signs. The count must therefore have grown by one for the request just
 * answered; other requests of this device whose answer got lost may or may not have been counted. Everything beyond
 * them was asked by somebody else: another device of the same person, or a server that uses the key holder as an
 * oracle. The first receipt of an account has nothing to be compared with.
 * @param memory as it was while the request was under way, so `unanswered` counts this request too
 */
export function checkCount(memory: AccountMemory, total: number): CountCheck {
  if (memory.decisions === null) return { unexplained: 0, rolledBack: false }
  const most = memory.decisions + memory.unanswered
  return { unexplained: Math.max(0, total - most), rolledBack: total <= memory.decisions }
}
