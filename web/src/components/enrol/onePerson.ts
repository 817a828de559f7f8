import { likeness } from '@/face/embedder'
import { COSINE_THRESHOLD } from '@/protect'

/** Whether every two of these unit embeddings are at least as alike as a recognition asks for. */
export function onePerson(embeddings: readonly Float32Array[]): boolean {
  return embeddings.every((a, index) => embeddings.slice(index + 1).every((b) => likeness(a, b) >= COSINE_THRESHOLD))
}
