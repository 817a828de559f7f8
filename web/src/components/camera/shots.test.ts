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
    expect(feed(new ShotController(1), () => true, 0, 5000)).toBe(HOLD_MS)
  })

  it('never shoots a bad frame', () => {
    expect(feed(new ShotController(1), () => false, 0, 5000)).toBeNull()
    expect(feed(new ShotController(1), (now) => now % 200 === 0, 0, 5000)).toBeNull()
  })

  it('forgives one bad frame without starting over', () => {
    const shot = feed(new ShotController(1), (now) => now !== 400, 0, 5000)
    expect(shot).toBe(900)
  })

  it('does not count the time it did not look', () => {
    const controller = new ShotController(1)
    controller.frame(true, 0)
    expect(controller.frame(true, 60_000).shoot).toBe(false)
  })

  it('asks once, rests while the shot is taken, then pauses', () => {
    const controller = new ShotController(2)
    const first = feed(controller, () => true, 0, 5000)!
    expect(feed(controller, () => true, first + 100, first + 3000)).toBeNull()
    controller.shotTaken(first + 3000)
    expect(controller.frame(true, first + 3000 + PAUSE_MS - 1).progress).toBe(0)
    expect(feed(controller, () => true, first + 3400, first + 9000)).not.toBeNull()
  })

  it('is done after as many shots as wanted, and a missed one does not count', () => {
    const controller = new ShotController(1)
    controller.rest()
    controller.shotMissed(0)
    expect(controller.done).toBe(false)
    controller.rest()
    controller.shotTaken(1000)
    expect(controller.done).toBe(true)
    expect(feed(controller, () => true, 2000, 9000)).toBeNull()
  })

  it('aims again after a shot was thrown away', () => {
    const controller = new ShotController(1)
    controller.rest()
    controller.shotTaken(0)
    controller.shotDiscarded()
    expect(controller.done).toBe(false)
    expect(feed(controller, () => true, 1000, 5000)).not.toBeNull()
  })
})
