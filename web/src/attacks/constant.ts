/** The probe that suits everybody: what all faces have in common, and all that a thief with a device alone can show. */
import { CONTRACT, MU_UNIT } from '@/contract'
import { at } from '@/protect/ring'
import type { Enrolment, Finding, Trial } from './trial'
import { cosine, dot, unit, type Vector } from './vectors'

const MU = Float64Array.from(CONTRACT.mu, (value) => value / MU_UNIT)

/** The mean of all faces; less that mean, as every embedding is, it keeps its direction. */
export function meanFace(): Vector {
  return unit(MU)
}

/** How near the mean face would be to this one, had the mean not been taken from both. */
export function uncentredCosine(face: ArrayLike<number>): number {
  const centred = unit(face)
  // The embedding before centring has length one: |μ + n·x| = 1.
  const along = dot(MU, centred)
  const length = Math.sqrt(along ** 2 + 1 - dot(MU, MU)) - along
  return cosine(
    centred.map((value, index) => at(MU, index) + length * value),
    MU,
  )
}

export function attackByMeanFace(trial: Trial, stolen: Enrolment, renewed: Enrolment): Finding {
  return trial.finding('mean_face', meanFace(), stolen, renewed)
}
