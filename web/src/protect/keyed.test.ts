/** The keyed protections against vectors that neither language made (tools/protection_vectors.py). */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import kt1 from '../../../vectors/kt1.json'
import negative from '../../../vectors/negative.json'
import ranking from '../../../vectors/ranking.json'
import { contractId } from '@/contract'
import type { Bytes } from './bytes'
import { countsOf, KEYED, negativeBits } from './keyed'
import {
  countRecords,
  kHidden,
  NEGATIVE,
  negativeScore,
  negativeTransform,
  packBits,
  refuseWeak,
  signBits,
  type Randomness,
  type Records,
} from './negative'
import { asStrings, bitRanks, completeDatabase, isHidden, prefixDatabase, qHiddenProbabilities } from './published'
import { checkRanking, localRanks, packRanks, parseRanks, RANKING, rankingTransform, rankScore } from './ranking'
import { checkToken, freshToken } from './token'
import { keyedTransform, quantise, transform } from './transform'

const hex = (text: string): Bytes => Uint8Array.from(Buffer.from(text, 'hex'))
const toHex = (bytes: ArrayBufferView): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
const sha256 = (data: string | NodeJS.ArrayBufferView): string => createHash('sha256').update(data).digest('hex')
const bitsOf = (text: string): Uint8Array => Uint8Array.from(text, Number)
const named = (embeddings: Record<string, number[]>, name: string): number[] => embeddings[name] ?? []

/** SHA-256(seed/0) ‖ SHA-256(seed/1) ‖ … */
function stream(seed: string): Randomness {
  let pool = Buffer.alloc(0)
  let index = 0
  return (length) => {
    while (pool.length < length) {
      const block = createHash('sha256').update(`${seed}/${index}`).digest()
      pool = Buffer.concat([pool, block])
      index += 1
    }
    const taken = Uint8Array.from(pool.subarray(0, length))
    pool = pool.subarray(length)
    return taken
  }
}

function words({ positions, values }: Records): string[] {
  const pairs = Array.from(positions, (position, index) => `${position} ${values[index] ?? '?'}`)
  return Array.from({ length: pairs.length / 3 }, (_, index) => pairs.slice(3 * index, 3 * index + 3).join(' '))
}

function hiddenStrings(database: string[]): string[] {
  const length = database[0]?.length ?? 0
  const every = Array.from({ length: 2 ** length }, (_, number) => number.toString(2).padStart(length, '0'))
  return every.filter((candidate) => isHidden(candidate, database))
}

describe('KT-1', () => {
  it.each(kt1.cases)('$name', async (given) => {
    const secret = await keyedTransform(hex(given.token), hex(given.salt), hex(given.info), given.blocks)
    const outputs = transform(given.embedding, secret)
    expect(Array.from(quantise(given.embedding))).toEqual(given.quantised)
    expect(Array.from(outputs.subarray(0, 8))).toEqual(given.first_outputs)
    expect(sha256(outputs)).toBe(given.outputs_sha256)
    for (const [group, expected] of [[16, given.ranks_16_sha256], [32, given.ranks_32_sha256]] as const)
      if (expected) expect(sha256(localRanks(outputs, { outputs: 512, group }))).toBe(expected)
  })

  it.each([[new Array<number>(128).fill(0)], [new Array<number>(128).fill(NaN)], [[1, 2, 3]]])(
    'refuses an unusable embedding',
    (bad) => {
      expect(() => quantise(bad)).toThrow('unusable_embedding')
    },
  )

  it('refuses tokens nobody drew', () => {
    expect(checkToken(freshToken())).toHaveLength(32)
    for (const bad of [new Uint8Array(32), new Uint8Array(31), new TextEncoder().encode('123456'.repeat(5) + '12')])
      expect(() => checkToken(bad)).toThrow('unusable_token')
  })
})

describe('a scheme on the device', () => {
  it('salts the transform with the contract and the epoch of its own', async () => {
    for (const { contract_id } of [ranking.scheme, negative.scheme]) expect(toHex(await contractId())).toBe(contract_id)
    const { token, ...given } = ranking.scheme
    const embedding = named(ranking.embeddings, given.embedding)
    const secrets = { key: hex(given.key), token: hex(token) }
    expect(toHex(await KEYED.ranking.template(embedding, secrets))).toBe(given.template)
    expect(toHex(await KEYED.ranking.probe(embedding, secrets))).toBe(given.template)
    const next = { ...secrets, key: hex(given.key).reverse() }
    expect(toHex(await KEYED.ranking.template(embedding, next))).not.toBe(given.template)
  })

  it('hides the keyed bits behind records of its own', async () => {
    const { embedding, key, token, probe, seed, template } = negative.scheme
    const bits = await negativeBits(named(negative.embeddings, embedding), { key: hex(key), token: hex(token) })
    expect(toHex(packBits(bits))).toBe(probe)
    expect(toHex(countsOf(bits, stream(seed)))).toBe(template)
  })
})

describe('local ranking', () => {
  it('packs and scores as the vectors say', async () => {
    const first = new Map<number, Uint8Array>()
    for (const given of ranking.cases) {
      const parameters = { outputs: 512, group: given.group }
      const secret = await rankingTransform(hex(given.token), hex(ranking.salt))
      const ranks = localRanks(transform(named(ranking.embeddings, given.embedding), secret), parameters)
      const packed = packRanks(ranks, parameters)
      expect(toHex(packed)).toBe(given.packed)
      expect(parseRanks(packed, parameters)).toEqual(ranks)
      if (!first.has(given.group)) first.set(given.group, ranks)
      expect(rankScore(ranks, first.get(given.group) ?? ranks, parameters)).toBe(given.score_with_first)
    }
  })

  it.each(ranking.bit_ranking)('ranks bits as published: $ranks', (given) => {
    expect(bitRanks(bitsOf(given.bits), bitsOf(given.key), given.block_bits, given.blocks)).toEqual(given.ranks)
  })

  it('refuses what it cannot have written, and groups out of range', () => {
    expect(() => parseRanks(new Uint8Array(319))).toThrow('malformed_template')
    expect(() => parseRanks(new Uint8Array(320))).toThrow('malformed_template')
    expect(() => checkRanking({ outputs: 512, group: 4 })).toThrow('group_out_of_range')
    expect(() => bitRanks(new Uint8Array(1024), new Uint8Array(1024), 5, 64)).toThrow('group_out_of_range')
    expect(checkRanking(RANKING)).toBe(RANKING)
  })
})

describe('the negative database', () => {
  it.each(negative.databases)('hides $hidden', ({ records, hidden }) => {
    expect(hiddenStrings(records)).toEqual(hidden)
  })

  it.each(negative.records)('draws the records of $seed', (given) => {
    const bits = bitsOf(given.bits)
    const [one = 0, two = 0, three = 0] = given.probabilities
    const parameters = { length: bits.length, ratio: given.ratio, probabilities: [one, two, three] as const }
    const records = kHidden(bits, parameters, stream(given.seed))
    expect(words(records)).toEqual(given.records)
    expect(Array.from(countRecords(records, bits.length))).toEqual(given.counts)
    expect(isHidden(given.bits, asStrings(records, bits.length))).toBe(true)
  })

  it.each(negative.cases)('protects $embedding', async (given) => {
    const secret = await negativeTransform(hex(given.token), hex(negative.salt))
    const bits = signBits(transform(named(negative.embeddings, given.embedding), secret))
    const records = kHidden(bits, NEGATIVE, stream(given.seed))
    const counts = countRecords(records, NEGATIVE.length)
    expect(toHex(packBits(bits))).toBe(given.probe)
    expect(sha256(words(records).join('\n'))).toBe(given.records_sha256)
    expect(toHex(counts)).toBe(given.counts)
    expect(negativeScore(bits, counts)).toBe(given.score)
  })

  it('makes the published databases', () => {
    const { bits, records } = negative.prefix
    expect(prefixDatabase(bitsOf(bits))).toEqual(records)
    expect(hiddenStrings(completeDatabase(bitsOf('1011001'), stream('any')))).toEqual(['1011001'])
    for (const { q, probabilities } of negative.q_hidden)
      qHiddenProbabilities(q).forEach((p, index) => {
        expect(p).toBeCloseTo(probabilities[index] ?? NaN, 14)
      })
  })

  it('refuses parameters that are known to break', () => {
    const weak = (probabilities: readonly [number, number, number]) => () => refuseWeak({ ...NEGATIVE, probabilities })
    expect(weak([0.9, 0, 0.1])).toThrow('one_parity')
    expect(weak([0, 0.4, 0.6])).toThrow('records_out_of_range')
    expect(weak([0.5, 0.5, 0.5])).toThrow('records_out_of_range')
    expect(() => kHidden(bitsOf('10'), { ...NEGATIVE, length: 2 })).toThrow('records_out_of_range')
    expect(refuseWeak(NEGATIVE)).toBe(NEGATIVE)
  })
})
