/** Attacks on local ranking: the ranks turned back with the true token, or with a guessed one. */
import { thresholdUnits } from '@/protect/calibration'
import { transformSalt } from '@/protect/keyed'
import { localRanks, packRanks, RANKING, rankingTransform, rankScore } from '@/protect/ranking'
import { freshToken } from '@/protect/token'
import { transform, type Transform } from '@/protect/transform'
import { linear, projections } from './inversion'
import { attackKeyed, type KeyedEnrolment } from './keyed'
import type { Finding, Outcome, Trial } from './trial'
import type { Vector } from './vectors'

interface Ranked extends KeyedEnrolment {
  readonly ranks: Uint8Array
}

export function attackRanking(trial: Trial): Promise<Outcome> {
  return attackKeyed(trial, { enrol, transformOf: rankingTransform, inverted, replays })
}

function inverted(trial: Trial, stolen: Ranked, renewed: Ranked, secret: Transform): Finding[] {
  const nearer = projections(stolen.values, secret, RANKING.group, trial.rounds('inversion_projections'))
  return [
    trial.finding('inversion_linear', linear(stolen.values, secret), stolen, renewed),
    trial.finding('inversion_projections', nearer, stolen, renewed),
  ]
}

async function enrol(face: Vector): Promise<Ranked> {
  const salt = await transformSalt(freshToken())
  const secret = await rankingTransform(freshToken(), salt)
  const ranks = localRanks(transform(face, secret))
  const values = Float64Array.from(ranks, (rank) => 2 * rank - (RANKING.group - 1))
  const accepts = (probe: Vector): boolean => near(localRanks(transform(probe, secret)), ranks)
  return { salt, secret, values, ranks, template: packRanks(ranks), accepts }
}

function replays(stolen: Ranked, current: Ranked): boolean {
  return near(stolen.ranks, current.ranks)
}

function near(probe: Uint8Array, template: Uint8Array): boolean {
  return rankScore(probe, template) >= thresholdUnits('ranking')
}
