/** SFace: an aligned crop to 128 numbers, centred and of unit length. Mirror of src/veilface/face/embedder.py. */
import { CONTRACT, MU_UNIT } from '../contract'
import type { Pixels } from './types'

export type Embedding = Float32Array<ArrayBuffer>

/** Red, green and blue planes, 0 to 255; the network normalises inside. */
export function planesOf(crop: Pixels): Float32Array<ArrayBuffer> {
  const plane = crop.width * crop.height
  const planes = new Float32Array(3 * plane)
  for (let index = 0; index < plane; index += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      planes[channel * plane + index] = crop.data[3 * index + channel] ?? 0
    }
  }
  return planes
}

function unit(values: Float64Array): Float64Array {
  let squares = 0
  for (const value of values) squares += value * value
  const length = Math.sqrt(squares)
  return values.map((value) => value / length)
}

/** x = (e − MU) / |e − MU| with e the network's output brought to unit length. */
export function centre(raw: ArrayLike<number>): Embedding {
  const shifted = unit(Float64Array.from(raw)).map((value, index) => value - (CONTRACT.mu[index] ?? 0) / MU_UNIT)
  return Float32Array.from(unit(shifted))
}

/** The mean of one person's embeddings, brought back to unit length. @throws RangeError for none */
export function averageEmbeddings(embeddings: readonly Float32Array[]): Embedding {
  const [first] = embeddings
  if (!first) throw new RangeError('no embeddings to average')
  const sum = new Float64Array(first.length)
  for (const embedding of embeddings) {
    for (const [index, value] of embedding.entries()) sum[index] = (sum[index] ?? 0) + value
  }
  return Float32Array.from(unit(sum))
}

/** The cosine of two embeddings, which have unit length. */
export function likeness(one: Float32Array, other: Float32Array): number {
  return one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0)
}
