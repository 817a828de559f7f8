/**
 * The keyed transform as the linear map it is, forwards and backwards, scaled so that its columns are orthonormal.
 *
 * Attacks turn vectors hundreds of times: the loops here see one kind of array each, which a browser makes ten times
 * as fast as the exact transform's.
 */
import { DIMENSION, ROUNDS, type Transform } from '@/protect/transform'
import type { Vector } from './vectors'

/** 128 numbers to 128·blocks. */
export function rotate(embedding: Vector, secret: Transform): Vector {
  const outputs = new Float64Array(secret.rounds.length * DIMENSION)
  secret.rounds.forEach((turns, block) => {
    let state = embedding
    for (const { signs, order } of turns) {
      const after = new Float64Array(DIMENSION)
      for (let index = 0; index < DIMENSION; index++) {
        const from = order[index] ?? 0
        after[index] = (state[from] ?? 0) * (signs[from] ?? 0)
      }
      hadamard(after)
      state = after
    }
    outputs.set(state, block * DIMENSION)
  })
  return scale(outputs, secret)
}

/** The transposed map: 128·blocks numbers to 128, each block turned back and all of them added up. */
export function rotateBack(values: Vector, secret: Transform): Vector {
  const sum = new Float64Array(DIMENSION)
  secret.rounds.forEach((turns, block) => {
    let state = values.slice(block * DIMENSION, (block + 1) * DIMENSION)
    for (const { signs, order } of turns.toReversed()) {
      hadamard(state)
      const before = new Float64Array(DIMENSION)
      for (let index = 0; index < DIMENSION; index++) {
        const from = order[index] ?? 0
        before[from] = (state[index] ?? 0) * (signs[from] ?? 0)
      }
      state = before
    }
    for (let index = 0; index < DIMENSION; index++) sum[index] = (sum[index] ?? 0) + (state[index] ?? 0)
  })
  return scale(sum, secret)
}

/** As `hadamard` of the transform, on reals. */
function hadamard(values: Vector): void {
  for (let half = 1; half < DIMENSION; half *= 2)
    for (let start = 0; start < DIMENSION; start += 2 * half)
      for (let low = start; low < start + half; low++) {
        const first = values[low] ?? 0
        const second = values[low + half] ?? 0
        values[low] = first + second
        values[low + half] = first - second
      }
}

function scale(values: Vector, { rounds }: Transform): Vector {
  const length = Math.sqrt(DIMENSION ** ROUNDS * rounds.length)
  for (let index = 0; index < values.length; index++) values[index] = (values[index] ?? 0) / length
  return values
}
