/** Attacks on the negative database: its counts as they are stored, and the records they were made of, had they been kept. */
import { thresholdUnits } from '@/protect/calibration'
import { transformSalt } from '@/protect/keyed'
import { countRecords, kHidden, NEGATIVE, negativeScore, negativeTransform, signBits, type Records } from '@/protect/negative'
import { freshToken } from '@/protect/token'
import { transform, type Transform } from '@/protect/transform'
import { fromSigns, linear } from './inversion'
import { attackKeyed, type KeyedEnrolment } from './keyed'
import { agreement, beliefPropagation, majorityVote } from './records'
import type { Finding, Outcome, Trial } from './trial'
import type { Vector } from './vectors'

interface Hidden extends KeyedEnrolment {
  readonly bits: Uint8Array
  /** Thrown away at a real enrolment. */
  readonly records: Records
  readonly counts: Int8Array
}

export function attackNegative(trial: Trial): Promise<Outcome> {
  return attackKeyed(trial, { enrol, transformOf: negativeTransform, inverted, replays })
}

function inverted(trial: Trial, stolen: Hidden, renewed: Hidden, secret: Transform): Finding[] {
  const voted = majorityVote(stolen.counts)
  const signs = Float64Array.from(voted, (bit) => 2 * bit - 1)
  const byVote = fromSigns(signs, secret, trial.rounds('majority_vote'))
  const beliefs = beliefPropagation(stolen.records, NEGATIVE, trial.blindRounds('belief_propagation_records'))
  const believed = Uint8Array.from(beliefs, (belief) => (belief > 0 ? 1 : 0))
  const sureness = beliefs.map((belief) => Math.tanh(belief / 2))
  const byBelief = fromSigns(sureness, secret, trial.rounds('belief_propagation_records'))
  return [
    trial.finding('inversion_linear', linear(stolen.values, secret), stolen, renewed),
    trial.finding('majority_vote', byVote, stolen, renewed, agreement(voted, stolen.bits)),
    trial.finding('belief_propagation_records', byBelief, stolen, renewed, agreement(believed, stolen.bits)),
  ]
}

async function enrol(face: Vector): Promise<Hidden> {
  const salt = await transformSalt(freshToken())
  const secret = await negativeTransform(freshToken(), salt)
  const bits = signBits(transform(face, secret))
  const records = kHidden(bits)
  const counts = countRecords(records, NEGATIVE.length)
  const accepts = (probe: Vector): boolean => near(signBits(transform(probe, secret)), counts)
  const template = new Uint8Array(counts.buffer)
  return { salt, secret, values: Float64Array.from(counts), bits, records, counts, template, accepts }
}

function replays(stolen: Hidden, current: Hidden): boolean {
  return near(majorityVote(stolen.counts), current.counts)
}

function near(probe: Uint8Array, counts: Int8Array): boolean {
  return negativeScore(probe, counts) >= thresholdUnits('negative')
}
