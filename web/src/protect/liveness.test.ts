import { describe, expect, it } from 'vitest'
import vectors from '../../../vectors/liveness-record.json'
import { fromHex, toHex } from '@/api/bytes'
import { livenessBytes } from './liveness'

const record = (vector: (typeof vectors)[number]) => ({
  steps: vector.steps.map(([action, promptedMs, doneMs, frames]) => ({
    action: String(action),
    promptedMs: Number(promptedMs),
    doneMs: Number(doneMs),
    frames: Number(frames),
  })),
  frames: Number(vector.counts[0]),
  durationMs: Number(vector.counts[1]),
  kept: Number(vector.counts[2]),
  detector: vector.counts[3] === true,
  commitment: fromHex(vector.commitment),
})

describe('the record of a liveness check', () => {
  it.each(vectors.map((vector) => [vector.bytes.slice(0, 16), vector] as const))('is what Python writes: %s', (_, vector) => {
    expect(toHex(livenessBytes(record(vector)))).toBe(vector.bytes)
  })

  it('is refused where it says what it cannot say', () => {
    const [first] = vectors
    if (!first) throw new Error('no vector')
    const good = record(first)
    expect(() => livenessBytes({ ...good, steps: [] })).toThrow()
    expect(() => livenessBytes({ ...good, commitment: new Uint8Array(31) })).toThrow()
    const [step] = good.steps
    if (!step) throw new Error('no step')
    expect(() => livenessBytes({ ...good, steps: [{ ...step, action: 'wink' }] })).toThrow()
    expect(() => livenessBytes({ ...good, steps: [{ ...step, doneMs: 65_536 }] })).toThrow()
  })
})
