/** How long quality must hold before a shot is taken, the pause between two shots, in milliseconds. */
export const HOLD_MS = 500
export const PAUSE_MS = 350
/** A bad frame empties the ring this many times faster than a good one fills it: a blink is forgiven, a turn is not. */
const DRAIN = 3
/** Frames further apart than this say nothing about the time between them. */
const LONGEST_GAP_MS = 300

export interface Aim {
  /** How far the ring is filled, 0…1. */
  readonly progress: number
  /** True on the one frame that must become a shot. */
  readonly shoot: boolean
}

/**
 * Decides when to shoot: fed with every looked-at frame, it fills while quality holds and asks for a shot when full.
 * After asking it rests until it hears that the shot is over.
 */
export class ShotController {
  #held = 0
  #last: number | null = null
  #resting = false
  #pausedUntil = Number.NEGATIVE_INFINITY

  /** One frame was looked at, at `now` ms; `good` when it had no problem. */
  frame(good: boolean, now: number): Aim {
    const gap = this.#last === null ? 0 : Math.min(now - this.#last, LONGEST_GAP_MS)
    this.#last = now
    if (this.#resting || now < this.#pausedUntil) return { progress: 0, shoot: false }
    this.#held = good ? this.#held + gap : Math.max(0, this.#held - gap * DRAIN)
    const progress = Math.min(1, this.#held / HOLD_MS)
    const shoot = good && progress === 1
    if (shoot) this.rest()
    return { progress, shoot }
  }

  /** A shot is being taken, by itself or by hand: nothing counts until it is over. */
  rest(): void {
    this.#resting = true
    this.#held = 0
  }

  /** The shot was taken or missed: aim again after a pause. */
  over(now: number): void {
    this.#resting = false
    this.#held = 0
    this.#pausedUntil = now + PAUSE_MS
  }
}
