import type { ProblemCode } from '@/face'

/** What the one line under the oval says: a problem to solve, or `ready` when there is none. */
export type Guide = ProblemCode | 'ready'

/** Most helpful first: a person can only act on one thing, and later problems often vanish with earlier ones. */
const PRIORITY: readonly ProblemCode[] = [
  'no_face',
  'several_faces',
  'too_small',
  'too_close',
  'off_centre',
  'too_dark',
  'too_bright',
  'occluded',
  'turned',
  'tilted',
  'blurred',
]

/** Milliseconds a new line must hold before it replaces the old one, and the least time a line stays. */
export const SETTLE_MS = 250
export const STAY_MS = 700

/** The problem to name first, or `ready`. */
export function worst(problems: readonly ProblemCode[]): Guide {
  return PRIORITY.find((code) => problems.includes(code)) ?? 'ready'
}

/**
 * Chooses the line to show from one frame's problems after another.
 *
 * Measurements near a limit flicker from frame to frame; a line that flickers cannot be read, let alone be spoken.
 * So a line changes only after another one has been the right one for `SETTLE_MS`, and stays at least `STAY_MS`.
 */
export class GuidanceChooser {
  #shown: Guide = 'no_face'
  #shownSince = Number.NEGATIVE_INFINITY
  #candidate: Guide = 'no_face'
  #candidateSince = Number.NEGATIVE_INFINITY

  /** Takes in one frame at `now` (ms) and returns the line to show. */
  next(problems: readonly ProblemCode[], now: number): Guide {
    const wanted = worst(problems)
    if (wanted !== this.#candidate) {
      this.#candidate = wanted
      this.#candidateSince = now
    }
    const settled = now - this.#candidateSince >= SETTLE_MS
    const stayed = now - this.#shownSince >= STAY_MS
    if (this.#candidate !== this.#shown && settled && stayed) {
      this.#shown = this.#candidate
      this.#shownSince = now
    }
    return this.#shown
  }

  /** Shows a line at once, because a shot has just failed for this reason. */
  insist(problem: ProblemCode, now: number): Guide {
    this.#shown = problem
    this.#shownSince = now
    return problem
  }
}
