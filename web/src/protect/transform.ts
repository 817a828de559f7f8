/**
 * The keyed transform KT-1: 128 numbers to 128·B integers, exact, and equal to src/veilface/protect/transform.py.
 *
 * Each of B blocks rotates the embedding by three rounds of random signs, a random permutation and a
 * Walsh–Hadamard transform, all drawn from the token.
 */
import type { Bytes } from './bytes'
import { refused } from './errors'
import { at } from './ring'
import { expand } from './token'

export const DIMENSION = 128
export const UNIT = 16384
export const ROUNDS = 3

const SIGN_BYTES = DIMENSION / 8
const ROUND_BYTES = SIGN_BYTES + 4 * DIMENSION

interface Round {
  /** 128 signs, ±1. */
  readonly signs: Int8Array
  /** A permutation of 0…127. */
  readonly order: Uint8Array
}

/** The secret transform of one token: rounds[block][turn]. */
export interface Transform {
  readonly rounds: readonly (readonly Round[])[]
}

/** The transform of a 32-byte token with 1…255 blocks; rejects with `ProtectError`. */
export async function keyedTransform(token: Bytes, salt: Bytes, info: Bytes, blocks: number): Promise<Transform> {
  const rounds = Array.from({ length: blocks }, async (_, block) => {
    const bytes = await expand(token, salt, Uint8Array.of(...info, block), ROUNDS * ROUND_BYTES)
    return Array.from({ length: ROUNDS }, (_, turn) => readRound(bytes.slice(turn * ROUND_BYTES)))
  })
  return { rounds: await Promise.all(rounds) }
}

/** The outputs (128·blocks), of size below 2^26, of an embedding (128) of any length but zero. */
export function transform(embedding: ArrayLike<number>, { rounds }: Transform): Int32Array {
  const start = quantise(embedding)
  const outputs = new Int32Array(rounds.length * DIMENSION)
  rounds.forEach((turns, block) => {
    let state = start
    for (const { signs, order } of turns) {
      const previous = state
      state = Int32Array.from(order, (from) => at(previous, from) * at(signs, from))
      hadamard(state)
    }
    outputs.set(state, block * DIMENSION)
  })
  return outputs
}

/** ⌊16384·x/|x| + ½⌋; squares are added in the order of the index, as in Python. Throws `ProtectError`. */
export function quantise(embedding: ArrayLike<number>): Int32Array {
  const values = Float64Array.from(embedding)
  const squares = values.reduce((sum, value) => sum + value * value, 0)
  if (values.length !== DIMENSION || !(squares > 0) || squares === Infinity)
    throw refused('unusable_embedding', `${values.length} numbers of length² ${squares}`, `${DIMENSION}, 1`)
  const length = Math.sqrt(squares)
  return Int32Array.from(values, (value) => Math.floor((value / length) * UNIT + 0.5))
}

/** The unnormalised Walsh–Hadamard transform in natural order, in place. */
export function hadamard(values: Int32Array): void {
  for (let half = 1; half < values.length; half *= 2)
    for (let low = 0; low < values.length; low++) {
      if (low & half) continue
      const first = at(values, low)
      const second = at(values, low + half)
      values[low] = first + second
      values[low + half] = first - second
    }
}

function readRound(bytes: Bytes): Round {
  const view = new DataView(bytes.buffer)
  const key = (index: number): number => view.getUint32(SIGN_BYTES + 4 * index, true)
  const bit = (index: number): number => (at(bytes, index >> 3) >> (index & 7)) & 1
  const signs = Int8Array.from({ length: DIMENSION }, (_, index) => 1 - 2 * bit(index))
  const order = Uint8Array.from({ length: DIMENSION }, (_, index) => index)
  return { signs, order: order.sort((left, right) => key(left) - key(right) || left - right) }
}
