import { describe, expect, it } from 'vitest'
import { duration, stepState } from './steps'

describe('stepState', () => {
  it('lights the steps up in order', () => {
    const timings = { found: 30, aligned: 4 }
    expect(stepState('found', timings, true)).toBe('done')
    expect(stepState('measured', timings, true)).toBe('running')
    expect(stepState('protected', timings, true)).toBe('waiting')
  })

  it('has no running step when nothing runs', () => {
    expect(stepState('found', {}, false)).toBe('waiting')
  })
})

describe('duration', () => {
  it('shows what a person can use', () => {
    expect(duration(4.26, 'en')).toBe('4.3 ms')
    expect(duration(187.4, 'en')).toBe('187 ms')
    expect(duration(1234, 'en')).toBe('1.2 sec')
    expect(duration(1234, 'zh')).toContain('1.2')
  })
})
