/** What happens to a frame, in order; the last two only where somebody is asked about. */
export const STAGES = ['read', 'detect', 'track', 'embed', 'protect', 'search'] as const
export type Stage = (typeof STAGES)[number]
export type StageTimes = Readonly<Partial<Record<Stage, number>>>

const WINDOW = 30

/** Frames a second over the last thirty. */
export class FrameRate {
  #ends: number[] = []

  /** A frame ended at `now` ms; the rate so far, 0 before the second one. */
  frame(now: number): number {
    this.#ends = [...this.#ends, now].slice(-WINDOW)
    const passed = now - (this.#ends[0] ?? now)
    return passed > 0 ? ((this.#ends.length - 1) * 1000) / passed : 0
  }
}
