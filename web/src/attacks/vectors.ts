/** Vectors of 128 numbers: lengths, cosines, and faces that belong to nobody. */
import { at } from '@/protect/ring'
import { DIMENSION } from '@/protect/transform'

export type Vector = Float64Array<ArrayBuffer>
type Numbers = ArrayLike<number>

const SUMMANDS = 4
const MIDDLE = 127.5

export function dot(left: Numbers, right: Numbers): number {
  let sum = 0
  for (let index = 0; index < left.length; index++) sum += at(left, index) * at(right, index)
  return sum
}

/** `values` at length one; zeros stay zeros. */
export function unit(values: Numbers): Vector {
  const length = Math.max(Math.sqrt(dot(values, values)), 1e-12)
  return Float64Array.from(values, (value) => value / length)
}

export function cosine(left: Numbers, right: Numbers): number {
  return dot(unit(left), unit(right))
}

/** The direction of the sum of unit vectors. */
export function average(vectors: readonly Vector[]): Vector {
  const sum = new Float64Array(DIMENSION)
  for (const vector of vectors) sum.forEach((value, index) => (sum[index] = value + at(vector, index)))
  return unit(sum)
}

/** A unit vector that looks like an embedding and belongs to nobody: sums of four random bytes a component. */
export function inventedFace(): Float32Array<ArrayBuffer> {
  const bytes = crypto.getRandomValues(new Uint8Array(DIMENSION * SUMMANDS))
  const sums = Array.from({ length: DIMENSION }, (_, index) =>
    bytes.subarray(index * SUMMANDS, (index + 1) * SUMMANDS).reduce((sum, byte) => sum + byte - MIDDLE, 0),
  )
  return Float32Array.from(unit(sums))
}
