import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { contractId } from '@/contract'
import embedderVectors from '../../../vectors/face-embedder.json'
import { COSINE_THRESHOLD, modelFingerprint, thresholdUnits } from './calibration'
import { isKeyed, SCHEME_NAMES, schemeNamed, schemeOf, SCHEMES } from './suites'

describe('suites', () => {
  it('are the numbers of the protocol, with the sizes of their messages', () => {
    const table = SCHEME_NAMES.map((name) => {
      const { suite, keyBytes, tokenBytes, templateBytes, probeBytes } = SCHEMES[name]
      return [name, suite, keyBytes, tokenBytes, templateBytes, probeBytes]
    })
    expect(table).toEqual([
      ['homomorphic', 1, 98_304, 0, 73_728, 73_728],
      ['ranking', 3, 32, 32, 320, 320],
      ['negative', 4, 32, 32, 2048, 256],
    ])
    expect(SCHEME_NAMES.map((name) => isKeyed(SCHEMES[name]))).toEqual([false, true, true])
  })

  it('are found by name and by number, and nothing else is', () => {
    for (const name of SCHEME_NAMES) expect(schemeOf(schemeNamed(name).suite).name).toBe(name)
    for (const unknown of [0, 2, 5, 255]) expect(() => schemeOf(unknown)).toThrow('malformed_envelope')
    for (const unknown of ['', 'insecure_plain', 'constructor']) expect(() => schemeNamed(unknown)).toThrow('malformed_envelope')
  })
})

describe('thresholds', () => {
  it('are whole numbers, and part of what a header names', async () => {
    expect(SCHEME_NAMES.map(thresholdUnits)).toEqual([363_518, 60_481, 2033])
    expect(COSINE_THRESHOLD).toBeCloseTo(0.363518, 6)
    expect(Buffer.from(await modelFingerprint('homomorphic')).toString('hex')).toBe(embedderVectors.model_fp)
    const id = await contractId()
    for (const name of SCHEME_NAMES) {
      const units = Buffer.alloc(4)
      units.writeUInt32BE(thresholdUnits(name))
      const expected = createHash('sha256').update(id).update(units).digest()
      expect(Buffer.from(await modelFingerprint(name))).toEqual(expected)
    }
  })
})
