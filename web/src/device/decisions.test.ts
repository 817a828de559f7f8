import { describe, expect, it } from 'vitest'
import { checkCount } from './decisions'
import type { AccountMemory } from './store'

const memory = (decisions: number | null, unanswered = 1): AccountMemory => ({
  keyFp: null,
  epoch: 0,
  decisions,
  unanswered,
  alarm: null,
  scheme: null,
})

describe('checkCount', () => {
  it('has nothing to compare the first receipt with', () => {
    expect(checkCount(memory(null), 41)).toEqual({ unexplained: 0, rolledBack: false })
  })

  it('is content with exactly one more', () => {
    expect(checkCount(memory(7), 8)).toEqual({ unexplained: 0, rolledBack: false })
  })

  it('counts what nobody here asked for', () => {
    expect(checkCount(memory(7), 11).unexplained).toBe(3)
  })

  it('allows for requests whose answer got lost', () => {
    expect(checkCount(memory(7, 3), 10).unexplained).toBe(0)
    expect(checkCount(memory(7, 3), 8).unexplained).toBe(0)
    expect(checkCount(memory(7, 3), 11).unexplained).toBe(1)
  })

  it('notices a count that went backwards or stood still', () => {
    expect(checkCount(memory(7), 7).rolledBack).toBe(true)
    expect(checkCount(memory(7), 3).rolledBack).toBe(true)
  })
})
