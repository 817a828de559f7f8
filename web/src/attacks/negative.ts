/** Attacks on the negative database: its counts as they are stored, and the records they were made of, had they been kept. */
import type { Bytes } from '@/protect/bytes'
import { thresholdUnits } from '@/protect/calibration'
import { transformSalt } from '@/protect/keyed'
import { countRecords, kHidden, NEGATIVE, negativeScore, negativeTransform, signBits, type Records } from '@/protect/negative'
import { at } from '@/protect/ring'
import { freshToken } from '@/protect/token'
import { transform, type Transform } from '@/protect/transform'
import { attackByMeanFace } from './constant'
import { fromSigns, linear } from './inversion'
import { agreement, beliefPropagation, majorityVote } from './records'
import { several, type Enrolment, type Finding, type Outcome, type Trial } from './trial'
import { average, type Vector } from './vectors'

interface Hidden extends Enrolment {
  readonly salt: Bytes
  readonly secret: Transform
  readonly bits: Uint8Array
  /** Thrown away at a real enrolment. */
  readonly records: Records
  readonly counts: Int8Array
}

export async function attackNegative(trial: Trial): Promise<Outcome> {
  const renewed = await enrol(trial.face)
  const stolen = await several(trial.databases, () => enrol(trial.face))
  const [first] = stolen
  if (!first) {
    const findings = [attackByMeanFace(trial, await enrol(trial.face), renewed)]
    return { target: trial.target, template: null, findings, replay: null }
  }
  const guessed = await negativeTransform(freshToken(), first.salt)
  const replayed = majorityVote(first.counts)
  return {
    target: trial.target,
    template: first.template,
    findings:
      stolen.length > 1
        ? [trial.finding('averaging', averaged(trial, stolen, guessed), first, renewed)]
        : inverted(trial, first, renewed, trial.tokens ? first.secret : guessed),
    replay: { same: near(replayed, first.counts), renewed: near(replayed, renewed.counts) },
  }
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
    trial.finding('inversion_linear', linear(Float64Array.from(stolen.counts), secret), stolen, renewed),
    trial.finding('majority_vote', byVote, stolen, renewed, agreement(voted, stolen.bits)),
    trial.finding('belief_propagation_records', byBelief, stolen, renewed, agreement(believed, stolen.bits)),
  ]
}

/** Each template turned back with its token and the faces averaged; without tokens the templates are added up first. */
function averaged(trial: Trial, stolen: readonly Hidden[], guessed: Transform): Vector {
  const onRound = trial.rounds('averaging')
  const faces: Vector[] = []
  const sum = new Float64Array(NEGATIVE.length)
  let face: Vector = sum
  stolen.forEach(({ counts, secret }, index) => {
    counts.forEach((count, place) => (sum[place] = at(sum, place) + count))
    faces.push(linear(Float64Array.from(counts), secret))
    face = trial.tokens ? average(faces) : linear(sum, guessed)
    onRound(face, index + 1, stolen.length)
  })
  return face
}

async function enrol(face: Vector): Promise<Hidden> {
  const salt = await transformSalt(freshToken())
  const secret = await negativeTransform(freshToken(), salt)
  const bits = signBits(transform(face, secret))
  const records = kHidden(bits)
  const counts = countRecords(records, NEGATIVE.length)
  const accepts = (probe: Vector): boolean => near(signBits(transform(probe, secret)), counts)
  return { salt, secret, bits, records, counts, template: new Uint8Array(counts.buffer), accepts }
}

function near(probe: Uint8Array, counts: Int8Array): boolean {
  return negativeScore(probe, counts) >= thresholdUnits('negative')
}
