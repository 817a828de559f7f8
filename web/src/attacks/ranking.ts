/** Attacks on local ranking: the ranks turned back with the true token, or with a guessed one. */
import type { Bytes } from '@/protect/bytes'
import { thresholdUnits } from '@/protect/calibration'
import { transformSalt } from '@/protect/keyed'
import { localRanks, packRanks, RANKING, rankingTransform, rankScore } from '@/protect/ranking'
import { at } from '@/protect/ring'
import { freshToken } from '@/protect/token'
import { transform, type Transform } from '@/protect/transform'
import { attackByMeanFace } from './constant'
import { linear, projections } from './inversion'
import { several, type Enrolment, type Finding, type Outcome, type Trial } from './trial'
import { average, type Vector } from './vectors'

interface Ranked extends Enrolment {
  readonly salt: Bytes
  readonly secret: Transform
  readonly ranks: Uint8Array
}

export async function attackRanking(trial: Trial): Promise<Outcome> {
  const renewed = await enrol(trial.face)
  const stolen = await several(trial.databases, () => enrol(trial.face))
  const [first] = stolen
  if (!first) {
    const findings = [attackByMeanFace(trial, await enrol(trial.face), renewed)]
    return { target: trial.target, template: null, findings, replay: null }
  }
  const guessed = await rankingTransform(freshToken(), first.salt)
  return {
    target: trial.target,
    template: first.template,
    findings:
      stolen.length > 1
        ? [trial.finding('averaging', averaged(trial, stolen, guessed), first, renewed)]
        : inverted(trial, first, renewed, trial.tokens ? first.secret : guessed),
    replay: { same: passes(first, first), renewed: passes(first, renewed) },
  }
}

function inverted(trial: Trial, stolen: Ranked, renewed: Ranked, secret: Transform): Finding[] {
  const values = centredRanks(stolen.ranks)
  const nearer = projections(values, secret, RANKING.group, trial.rounds('inversion_projections'))
  return [
    trial.finding('inversion_linear', linear(values, secret), stolen, renewed),
    trial.finding('inversion_projections', nearer, stolen, renewed),
  ]
}

/** Each template turned back with its token and the faces averaged; without tokens the templates are added up first. */
function averaged(trial: Trial, stolen: readonly Ranked[], guessed: Transform): Vector {
  const onRound = trial.rounds('averaging')
  const faces: Vector[] = []
  const sum = new Float64Array(RANKING.outputs)
  let face: Vector = sum
  stolen.forEach(({ ranks, secret }, index) => {
    const values = centredRanks(ranks)
    values.forEach((value, place) => (sum[place] = at(sum, place) + value))
    faces.push(linear(values, secret))
    face = trial.tokens ? average(faces) : linear(sum, guessed)
    onRound(face, index + 1, stolen.length)
  })
  return face
}

async function enrol(face: Vector): Promise<Ranked> {
  const salt = await transformSalt(freshToken())
  const secret = await rankingTransform(freshToken(), salt)
  const ranks = localRanks(transform(face, secret))
  const accepts = (probe: Vector): boolean => near(localRanks(transform(probe, secret)), ranks)
  return { salt, secret, ranks, template: packRanks(ranks), accepts }
}

function passes(stolen: Ranked, current: Ranked): boolean {
  return near(stolen.ranks, current.ranks)
}

function near(probe: Uint8Array, template: Uint8Array): boolean {
  return rankScore(probe, template) >= thresholdUnits('ranking')
}

function centredRanks(ranks: Uint8Array): Vector {
  return Float64Array.from(ranks, (rank) => 2 * rank - (RANKING.group - 1))
}
