/**
 * The protections as their papers published them: for fidelity and the breach simulator, never offered to a user.
 * Mirrors src/veilface/protect/published.py. A general negative database is a list of strings over 0, 1 and *.
 */
import { refused } from './errors'
import { SPECIFIED, type Randomness, type Records } from './negative'
import { at } from './ring'

/** Local ranking of Zhao et al. 2018: how many blocks of the group are smaller; equal blocks share the lower rank. */
export function bitRanks(bits: Uint8Array, key: Uint8Array, blockBits = 4, blocks = 64): number[] {
  const fits = blockBits >= 1 && blockBits <= 16 && blocks >= 2 && blocks <= 256
  if (!fits || bits.length % (blockBits * blocks) !== 0)
    throw refused('group_out_of_range', `${blockBits} × ${blocks}`, `blockBits × blocks | ${bits.length}`)
  const numbers = Array.from({ length: bits.length / blockBits }, (_, block) =>
    bits
      .subarray(block * blockBits, (block + 1) * blockBits)
      .reduce((number, bit, index) => 2 * number + (bit ^ at(key, block * blockBits + index)), 0),
  )
  return numbers.map((own, index) => {
    const start = index - (index % blocks)
    return numbers.slice(start, start + blocks).filter((other) => other < own).length
  })
}

/** The L1 distance of two rank vectors: the less, the more alike. */
export function rankDistance(probe: number[], template: number[]): number {
  return probe.reduce((sum, rank, index) => sum + Math.abs(rank - at(template, index)), 0)
}

/** p_t = C(3,t)·q^t / ((1+q)^3 − 1), with which K-hidden is q-hidden. */
export function qHiddenProbabilities(q: number): [number, number, number] {
  if (!(q > 0 && q < Infinity)) throw refused('records_out_of_range', `${q}`, 'q > 0')
  const total = 3 * q + 3 * (q * q) + q * q * q
  return [(3 * q) / total, (3 * (q * q)) / total, (q * q * q) / total]
}

/** The prefix algorithm for one string (Esponda et al. 2007): one record a bit, complete, and read off at once. */
export function prefixDatabase(bits: Uint8Array): string[] {
  const text = bits.join('')
  return Array.from(bits, (bit, index) => `${text.slice(0, index)}${1 - bit}`.padEnd(text.length, '*'))
}

/** Records of three values that hide exactly `bits`, which therefore follow from them bit by bit. */
export function completeDatabase(bits: Uint8Array, randomness: Randomness): string[] {
  if (bits.length < SPECIFIED) throw refused('records_out_of_range', `${bits.length}`, `≥ ${SPECIFIED}`)
  const word = (bytes: Uint8Array, index = 0): number =>
    new DataView(bytes.buffer, bytes.byteOffset).getUint32(4 * index, true)
  const keys = randomness(4 * bits.length)
  const order = Array.from(bits.keys()).sort((left, right) => word(keys, left) - word(keys, right) || left - right)
  const database: string[] = []
  for (let wrong = 1; wrong < 8; wrong++)
    database.push(record(bits, order.slice(0, SPECIFIED), [(wrong >> 2) & 1, (wrong >> 1) & 1, wrong & 1]))
  for (let index = SPECIFIED; index < bits.length; index++) {
    const first = word(randomness(4)) % index
    const second = (first + 1 + (word(randomness(4)) % (index - 1))) % index
    database.push(record(bits, [at(order, first), at(order, second), at(order, index)], [0, 0, 1]))
  }
  return database.sort()
}

/** Records of three values as strings over 0, 1 and *. */
export function asStrings({ positions, values }: Records, length: number): string[] {
  return Array.from({ length: positions.length / SPECIFIED }, (_, index) => {
    const characters = new Array<string>(length).fill('*')
    for (let i = index * SPECIFIED; i < (index + 1) * SPECIFIED; i++) characters[at(positions, i)] = `${at(values, i)}`
    return characters.join('')
  })
}

/** Whether no record matches: a record matches where all its specified values agree with the candidate. */
export function isHidden(candidate: string, database: readonly string[]): boolean {
  const agrees = (value: string, index: number): boolean => value === '*' || value === candidate[index]
  return !database.some((record) => Array.from(record).every(agrees))
}

function record(bits: Uint8Array, positions: number[], wrong: number[]): string {
  const characters = new Array<string>(bits.length).fill('*')
  positions.forEach((position, index) => (characters[position] = `${at(bits, position) ^ at(wrong, index)}`))
  return characters.join('')
}
