/**
 * Local ranking: of each output of the keyed transform only its rank within its group is kept.
 * Mirrors src/veilface/protect/ranking.py; the published form is in published.ts.
 */
import type { Bytes } from './bytes'
import { refused } from './errors'
import { at } from './ring'
import { DIMENSION, keyedTransform, type Transform } from './transform'

const INFO = new TextEncoder().encode('veilface ranking 1')
const LEAST_GROUP = 8

/** `outputs` numbers of the keyed transform, ranked in consecutive groups of `group`. */
export interface RankingParameters {
  readonly outputs: number
  readonly group: number
}

export const RANKING: RankingParameters = { outputs: 512, group: 32 }
export const COMPACT_RANKING: RankingParameters = { outputs: 512, group: 16 }

/** Gives the parameters back; throws `ProtectError` where groups do not fit or are too small to tell people apart. */
export function checkRanking(parameters: RankingParameters): RankingParameters {
  const { outputs, group } = parameters
  const power = (group & (group - 1)) === 0 && group >= LEAST_GROUP && group <= DIMENSION
  if (!power || outputs % DIMENSION !== 0 || outputs < DIMENSION || outputs > 255 * DIMENSION)
    throw refused('group_out_of_range', `${outputs}/${group}`, `128·n/2^k, 8 ≤ 2^k ≤ 128`)
  return parameters
}

/** Bytes of a packed template, and of a probe. */
export function rankingBytes({ outputs, group }: RankingParameters): number {
  return (outputs * Math.log2(group)) / 8
}

/** The keyed transform of this protection. */
export function rankingTransform(token: Bytes, salt: Bytes, parameters = RANKING): Promise<Transform> {
  return keyedTransform(token, salt, INFO, checkRanking(parameters).outputs / DIMENSION)
}

/** The ranks, 0…group−1: the position of each value when its group is sorted by (value, index). */
export function localRanks(outputs: Int32Array, { group } = RANKING): Uint8Array {
  const ranks = new Uint8Array(outputs.length)
  for (let start = 0; start < outputs.length; start += group) {
    const order = Array.from({ length: group }, (_, index) => start + index)
    order.sort((left, right) => at(outputs, left) - at(outputs, right) || left - right)
    order.forEach((index, rank) => (ranks[index] = rank))
  }
  return ranks
}

/** Σ u·u′ with u = 2r − (group − 1), Spearman's inner product: a whole number. */
export function rankScore(probe: Uint8Array, template: Uint8Array, { group } = RANKING): number {
  return probe.reduce((sum, rank, index) => sum + (2 * rank - group + 1) * (2 * at(template, index) - group + 1), 0)
}

/** The stored form: log2(group) bits a rank, least significant first, without gaps (320 B by default). */
export function packRanks(ranks: Uint8Array, parameters = RANKING): Bytes {
  const bits = Math.log2(parameters.group)
  const packed = new Uint8Array(rankingBytes(parameters))
  ranks.forEach((rank, index) => {
    for (let bit = 0; bit < bits; bit++) {
      const place = index * bits + bit
      packed[place >> 3] = at(packed, place >> 3) | (((rank >> bit) & 1) << (place & 7))
    }
  })
  return packed
}

/** Reads what `packRanks` wrote; throws `ProtectError` for another length or repeated ranks. */
export function parseRanks(data: Uint8Array, parameters = RANKING): Uint8Array {
  const { outputs, group } = parameters
  const bits = Math.log2(group)
  if (data.length !== rankingBytes(parameters))
    throw refused('malformed_template', `${data.length} B`, `${rankingBytes(parameters)} B`)
  const ranks = Uint8Array.from({ length: outputs }, (_, index) => {
    let rank = 0
    for (let bit = 0; bit < bits; bit++) {
      const place = index * bits + bit
      rank |= ((at(data, place >> 3) >> (place & 7)) & 1) << bit
    }
    return rank
  })
  for (let start = 0; start < outputs; start += group)
    if (new Set(ranks.subarray(start, start + group)).size !== group)
      throw refused('malformed_template', 'repeated ranks', 'each rank once in a group')
  return ranks
}
