/**
 * The negative database: a keyed bit string, stored as counts over patterns that it does not match.
 * Mirrors src/veilface/protect/negative.py; published generators are in published.ts.
 */
import type { Bytes } from './bytes'
import { refused } from './errors'
import { at } from './ring'
import { DIMENSION, keyedTransform, type Transform } from './transform'

const INFO = new TextEncoder().encode('veilface negative 1')
const DRAWS = 2 ** 32
const COUNT_MAX = 127
const CANDIDATE_BYTES = 16
const MOST_RANDOM_BYTES = 65_536
export const SPECIFIED = 3

/** Gives the next `length` bytes of a stream. */
export type Randomness = (length: number) => Bytes

/** ⌈length·ratio⌉ records; each has 1, 2 or 3 wrong values with these probabilities. */
export interface RecordParameters {
  readonly length: number
  readonly ratio: number
  readonly probabilities: readonly [number, number, number]
}

/** Record i specifies `values[3i…3i+2]` at `positions[3i…3i+2]`, which rise within the record. */
export interface Records {
  readonly positions: Uint16Array
  readonly values: Uint8Array
}

export const NEGATIVE: RecordParameters = { length: 2048, ratio: 4.5, probabilities: [0.95, 0.03, 0.02] }

/** Bytes from the browser's generator, in the portions it allows. */
export const systemRandomness: Randomness = (length) => {
  const bytes = new Uint8Array(length)
  for (let start = 0; start < length; start += MOST_RANDOM_BYTES)
    crypto.getRandomValues(bytes.subarray(start, start + MOST_RANDOM_BYTES))
  return bytes
}

/** How many records hide one string. */
export function recordCount({ length, ratio }: RecordParameters): number {
  return Math.ceil(length * ratio)
}

/** Pd = Σ t·p_t / 3: the share of specified values that differ from the hidden string. */
export function wrongShare({ probabilities: [one, two, three] }: RecordParameters): number {
  return (one + 2 * two + 3 * three) / SPECIFIED
}

/** Gives the parameters back; throws `ProtectError` where records cannot be made or matched. */
export function checkRecords(parameters: RecordParameters): RecordParameters {
  const { length, ratio, probabilities } = parameters
  const sum = probabilities.reduce((all, p) => all + p, 0)
  if (Math.min(...probabilities) < 0 || Math.abs(sum - 1) > 1e-9 || wrongShare(parameters) >= 1 / 2)
    throw refused('records_out_of_range', probabilities.join(', '), 'sum 1, Σ t·p_t < 3/2')
  if (!(length >= SPECIFIED && length <= 255 * DIMENSION && ratio > 0 && ratio <= 1000))
    throw refused('records_out_of_range', `${length} × ${ratio}`, `3…${255 * DIMENSION} × 0…1000`)
  return parameters
}

/** Gives the parameters back; throws where every record is one linear equation over GF(2). */
export function refuseWeak(parameters: RecordParameters): RecordParameters {
  const [one, two, three] = checkRecords(parameters).probabilities
  if (two === 0 || one + three === 0)
    throw refused('one_parity', parameters.probabilities.join(', '), 'p1 + p3 > 0, p2 > 0')
  return parameters
}

/** The keyed transform of this protection. */
export function negativeTransform(token: Bytes, salt: Bytes, parameters = NEGATIVE): Promise<Transform> {
  if (parameters.length % DIMENSION !== 0)
    throw refused('records_out_of_range', `${parameters.length}`, `${DIMENSION}·n`)
  return keyedTransform(token, salt, INFO, parameters.length / DIMENSION)
}

/** 1 where an output is above zero. */
export function signBits(outputs: Int32Array): Uint8Array {
  return Uint8Array.from(outputs, (value) => (value > 0 ? 1 : 0))
}

/**
 * Records that hide `bits`; made once an enrolment, as a second set would let a thief average.
 *
 * A candidate is four little-endian u32: the first chooses how many values are wrong, the others the positions, of
 * which the first ones are the wrong ones. Unevenly drawn or repeated positions drop the candidate whole.
 */
export function kHidden(bits: Uint8Array, parameters = NEGATIVE, randomness = systemRandomness): Records {
  const { length, probabilities } = checkRecords(parameters)
  const count = recordCount(parameters)
  const positions = new Uint16Array(count * SPECIFIED)
  const values = new Uint8Array(count * SPECIFIED)
  for (let made = 0; made < count; ) {
    const drawn = randomness(CANDIDATE_BYTES * (count - made))
    const view = new DataView(drawn.buffer, drawn.byteOffset, drawn.byteLength)
    for (let start = 0; start < drawn.length; start += CANDIDATE_BYTES) {
      const first = view.getUint32(start + 4, true)
      const second = view.getUint32(start + 8, true)
      const third = view.getUint32(start + 12, true)
      if (!usable(first, second, third, length)) continue
      const wrong = wrongValues(view.getUint32(start, true) / DRAWS, probabilities)
      // The order of drawing tells which values are wrong; sorted by position, the order tells nothing.
      const pairs = Uint32Array.of(
        specify(bits, first % length, true),
        specify(bits, second % length, wrong > 1),
        specify(bits, third % length, wrong > 2),
      ).sort()
      pairs.forEach((pair, index) => {
        positions[made * SPECIFIED + index] = pair >> 1
        values[made * SPECIFIED + index] = pair & 1
      })
      made++
    }
  }
  return { positions, values }
}

/** c = n1 − n0: how often each position is specified as 1, less how often as 0; throws where one does not fit. */
export function countRecords({ positions, values }: Records, length: number): Int8Array<ArrayBuffer> {
  const counts = new Int32Array(length)
  positions.forEach((position, index) => (counts[position] = at(counts, position) + (values[index] ? 1 : -1)))
  const largest = counts.reduce((most, count) => Math.max(most, Math.abs(count)), 0)
  if (largest > COUNT_MAX) throw refused('records_out_of_range', `${largest}`, `counts ≤ ${COUNT_MAX}`)
  return Int8Array.from(counts)
}

/** Σ c·(2x − 1): the more, the nearer `probe` is to the hidden string. */
export function negativeScore(probe: Uint8Array, counts: Int8Array): number {
  return counts.reduce((sum, count, index) => sum + count * (2 * at(probe, index) - 1), 0)
}

/** A probe on the wire: eight bits a byte, least significant first (256 B by default). */
export function packBits(bits: Uint8Array): Bytes {
  const packed = new Uint8Array(Math.ceil(bits.length / 8))
  bits.forEach((bit, index) => (packed[index >> 3] = at(packed, index >> 3) | (bit << (index & 7))))
  return packed
}

function usable(first: number, second: number, third: number, length: number): boolean {
  const even = Math.floor(DRAWS / length) * length
  if (first >= even || second >= even || third >= even) return false
  const [one, two, three] = [first % length, second % length, third % length]
  return one !== two && one !== three && two !== three
}

/** A position and the value specified there, as 2·position + value. */
function specify(bits: Uint8Array, position: number, wrong: boolean): number {
  return 2 * position + (at(bits, position) ^ Number(wrong))
}

function wrongValues(chance: number, [one, two]: RecordParameters['probabilities']): number {
  return 1 + (chance >= one ? 1 : 0) + (chance >= one + two ? 1 : 0)
}
