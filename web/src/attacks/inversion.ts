/**
 * From protected values and a token (true or guessed) back to an embedding.
 * Mirrors src/veilface/evaluate/attacks/inversion.py; results are unit vectors.
 */
import { at } from '@/protect/ring'
import type { Transform } from '@/protect/transform'
import { rotate, rotateBack } from './rotation'
import { unit, type Vector } from './vectors'

export const PROJECTIONS = 60
export const SIGN_ROUNDS = 120

/** Hears what an attack has found so far, after `done` of `total` rounds. */
export type OnRound = (face: Vector, done: number, total: number) => void

/** The nearest embedding to values taken as outputs: the rotation undone and blocks averaged. */
export function linear(values: Vector, secret: Transform): Vector {
  return unit(rotateBack(values, secret))
}

/** Alternates between embeddings and outputs in the order that the ranks name (projections onto cones). */
export function projections(ranks: Vector, secret: Transform, group: number, onRound?: OnRound): Vector {
  const order = placesByRank(ranks, group)
  let face = linear(ranks, secret)
  for (let round = 1; round <= PROJECTIONS; round++) {
    const outputs = rotate(face, secret)
    for (let start = 0; start < outputs.length; start += group) {
      const places = order.subarray(start, start + group)
      const rising = isotonic(Float64Array.from(places, (place) => at(outputs, place)))
      places.forEach((place, index) => (outputs[place] = at(rising, index)))
    }
    face = unit(rotateBack(outputs, secret))
    onRound?.(face, round, PROJECTIONS)
  }
  return face
}

/**
 * Binary iterative hard thresholding (Jacques et al. 2013, without sparsity): an embedding whose outputs have these
 * signs. They are ±1; a smaller size says how sure they are.
 */
export function fromSigns(signs: Vector, secret: Transform, onRound?: OnRound): Vector {
  const step = 1 / Math.sqrt(signs.length)
  let face = linear(signs, secret)
  for (let round = 1; round <= SIGN_ROUNDS; round++) {
    const wrong = rotate(face, secret)
    for (let index = 0; index < wrong.length; index++) {
      const sign = signs[index] ?? 0
      wrong[index] = sign - Math.abs(sign) * Math.sign(wrong[index] ?? 0)
    }
    const correction = rotateBack(wrong, secret)
    face = unit(face.map((value, index) => value + step * at(correction, index)))
    onRound?.(face, round, SIGN_ROUNDS)
  }
  return face
}

/** Where in `ranks` the lowest, second lowest… of each group stand. */
function placesByRank(ranks: Vector, group: number): Uint16Array {
  const places = Uint16Array.from({ length: ranks.length }, (_, index) => index)
  for (let start = 0; start < places.length; start += group)
    places.subarray(start, start + group).sort((left, right) => at(ranks, left) - at(ranks, right))
  return places
}

/** The nearest rising row, by pooling neighbours that fall. */
export function isotonic(values: Vector): Vector {
  const pools: { sum: number; count: number }[] = []
  for (const value of values) {
    let pool = { sum: value, count: 1 }
    for (let last = pools.at(-1); last && last.sum * pool.count >= pool.sum * last.count; last = pools.at(-1)) {
      pool = { sum: last.sum + pool.sum, count: last.count + pool.count }
      pools.pop()
    }
    pools.push(pool)
  }
  return Float64Array.from(pools.flatMap(({ sum, count }) => new Array<number>(count).fill(sum / count)))
}
