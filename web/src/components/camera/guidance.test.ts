import { describe, expect, it } from 'vitest'
import { GuidanceChooser, SETTLE_MS, STAY_MS, worst } from './guidance'

describe('worst', () => {
  it('names one problem, the most helpful first', () => {
    expect(worst(['blurred', 'too_dark', 'too_small'])).toBe('too_small')
    expect(worst(['tilted', 'several_faces'])).toBe('several_faces')
  })

  it('is ready without problems', () => {
    expect(worst([])).toBe('ready')
  })
})

describe('GuidanceChooser', () => {
  it('asks for a face before it has seen one', () => {
    expect(new GuidanceChooser().next([], 0)).toBe('no_face')
  })

  it('changes the line once another has settled', () => {
    const chooser = new GuidanceChooser()
    chooser.next([], 0)
    expect(chooser.next([], SETTLE_MS - 1)).toBe('no_face')
    expect(chooser.next([], SETTLE_MS)).toBe('ready')
  })

  it('does not flicker when a measurement does', () => {
    const chooser = new GuidanceChooser()
    const lines = new Set<string>()
    for (let now = 0; now < 5000; now += 100) {
      const line = chooser.next(now % 200 === 0 ? ['too_small'] : [], now)
      if (now > 1000) lines.add(line)
    }
    expect(lines.size).toBe(1)
  })

  it('lets a line stay long enough to be read', () => {
    const chooser = new GuidanceChooser()
    chooser.next(['too_dark'], 0)
    expect(chooser.next(['too_dark'], SETTLE_MS)).toBe('too_dark')
    chooser.next([], SETTLE_MS + 1)
    expect(chooser.next([], SETTLE_MS + STAY_MS - 1)).toBe('too_dark')
    expect(chooser.next([], SETTLE_MS + STAY_MS)).toBe('ready')
  })
})
