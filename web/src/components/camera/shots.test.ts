import { describe, expect, it } from 'vitest'
import { HOLD_MS, PAUSE_MS, ShotController } from './shots'

/** Feeds frames 100 ms apart and returns when a shot was asked for, or null. */
function feed(controller: ShotController, good: (now: number) => boolean, from: number, until: number): number | null {
  for (let now = from; now <= until; now += 100) {
    if (controller.frame(good(now), now).shoot) return now
  }
  return null
}

describe('ShotController', () => {
  it('shoots after quality held for half a second', () => {
    expect(feed(new ShotController(), () => true, 0, 5000)).toBe(HOLD_MS)
  })

  it('never shoots a bad frame', () => {
    expect(feed(new ShotController(), () => false, 0, 5000)).toBeNull()
    expect(feed(new ShotController(), (now) => now % 200 === 0, 0, 5000)).toBeNull()
  })

  it('forgives one bad frame without starting over', () => {
    const shot = feed(new ShotController(), (now) => now !== 400, 0, 5000)
    expect(shot).toBe(900)
  })

  it('does not count the time it did not look', () => {
    const controller = new ShotController()
    controller.frame(true, 0)
    expect(controller.frame(true, 60_000).shoot).toBe(false)
  })

  it('asks once, rests while the shot is taken, then pauses', () => {
    const controller = new ShotController()
    const first = feed(controller, () => true, 0, 5000) ?? 0
    expect(feed(controller, () => true, first + 100, first + 3000)).toBeNull()
    controller.over(first + 3000)
    expect(controller.frame(true, first + 3000 + PAUSE_MS - 1).progress).toBe(0)
    expect(feed(controller, () => true, first + 3400, first + 9000)).not.toBeNull()
  })
})
