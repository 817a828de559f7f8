import { COSINE_THRESHOLD } from '@/protect'

/** Whether every two of these unit embeddings are at least as alike as a recognition asks for. */
export function onePerson(embeddings: readonly Float32Array[]): boolean {
  return embeddings.every((a, index) => embeddings.slice(index + 1).every((b) => cosine(a, b) >= COSINE_THRESHOLD))
}

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
}
