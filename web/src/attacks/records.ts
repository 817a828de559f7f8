/**
 * Opening a negative database: from its records, or its counts, back to the hidden bit string.
 * Mirrors src/veilface/evaluate/attacks/records.py.
 */
import { SPECIFIED, type RecordParameters, type Records } from '@/protect/negative'

export const BELIEF_ROUNDS = 40
const DAMPING = 0.3
const SUREST = 30
const LEAST = 1e-12

/** How likely one pattern of one, two or three wrong values is. */
interface Weights {
  readonly one: number
  readonly two: number
  readonly three: number
}

/** A position is specified as its true value more often than not: the sign of the counts. */
export function majorityVote(counts: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(counts, (count) => (count > 0 ? 1 : 0))
}

/**
 * Log-likelihood ratios of each bit being 1, by loopy belief propagation over the records.
 *
 * A record says: of my three values t are wrong, with probability p_t, t ≥ 1, each pattern of t as likely as any
 * other. Works on records; the counts that are stored do not tell which values came together.
 */
export function beliefPropagation(
  { positions, values }: Records,
  { length, probabilities: [one, two, three] }: RecordParameters,
  onRound?: (done: number, total: number) => void,
): Float64Array {
  const weights: Weights = { one: one / SPECIFIED, two: two / SPECIFIED, three }
  const away = Float64Array.from(values, (value) => 1 - 2 * value)
  const messages = new Float64Array(positions.length)
  let total = new Float64Array(length)
  for (let round = 1; round <= BELIEF_ROUNDS; round++) {
    // The chance that each specified value is wrong, without what this record itself has said.
    const wrong = messages.map((message, index) => {
      const belief = (away[index] ?? 0) * ((total[positions[index] ?? 0] ?? 0) - message)
      return 1 / (1 + Math.exp(-Math.max(-SUREST, Math.min(SUREST, belief))))
    })
    total = new Float64Array(length)
    positions.forEach((position, index) => {
      const fresh = (away[index] ?? 0) * factorMessage(wrong, index, weights)
      const message = DAMPING * (messages[index] ?? 0) + (1 - DAMPING) * fresh
      messages[index] = message
      total[position] = (total[position] ?? 0) + message
    })
    onRound?.(round, BELIEF_ROUNDS)
  }
  return total
}

/** log(P(I am wrong)/P(I am right)) for one value of a record, from how likely its two others are wrong. */
function factorMessage(wrong: Float64Array, index: number, { one, two, three }: Weights): number {
  const first = index - (index % SPECIFIED)
  const left = wrong[first + ((index + 1) % SPECIFIED)] ?? 0
  const right = wrong[first + ((index + 2) % SPECIFIED)] ?? 0
  const none = (1 - left) * (1 - right)
  const both = left * right
  const single = 1 - none - both
  const beingWrong = one * none + two * single + three * both
  // A record of no wrong value would match: there is none.
  const beingRight = one * single + two * both
  return Math.log(Math.max(beingWrong, LEAST) / Math.max(beingRight, LEAST))
}

/** The share of bits that were read rightly. */
export function agreement(found: Uint8Array, truth: Uint8Array): number {
  return found.filter((bit, index) => bit === truth[index]).length / truth.length
}
