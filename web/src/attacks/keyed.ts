/** What a thief does with keyed templates, whichever of the two protections made them. */
import type { Bytes } from '@/protect/bytes'
import { at } from '@/protect/ring'
import { freshToken } from '@/protect/token'
import type { Transform } from '@/protect/transform'
import { attackByMeanFace } from './constant'
import { linear } from './inversion'
import { several, type Enrolment, type Finding, type Outcome, type Trial } from './trial'
import { average, type Vector } from './vectors'

export interface KeyedEnrolment extends Enrolment {
  readonly salt: Bytes
  readonly secret: Transform
  /** What is stored, a number for each output of the transform, around 0. */
  readonly values: Vector
}

/** What differs between the two. */
export interface KeyedAttack<E extends KeyedEnrolment> {
  enrol: (face: Vector) => Promise<E>
  /** The transform of a token under a public salt. */
  transformOf: (token: Bytes, salt: Bytes) => Promise<Transform>
  /** One template turned back with a transform: the true one, or a guessed one. */
  inverted: (trial: Trial, stolen: E, renewed: E, secret: Transform) => Finding[]
  /** Whether a stolen template is accepted in place of a probe. */
  replays: (stolen: E, current: E) => boolean
}

export async function attackKeyed<E extends KeyedEnrolment>(trial: Trial, attack: KeyedAttack<E>): Promise<Outcome> {
  const renewed = await attack.enrol(trial.face)
  const stolen = await several(trial.databases, () => attack.enrol(trial.face))
  const [first] = stolen
  if (!first) {
    const findings = [attackByMeanFace(trial, await attack.enrol(trial.face), renewed)]
    return { target: trial.target, template: null, findings, replay: null }
  }
  const guessed = await attack.transformOf(freshToken(), first.salt)
  return {
    target: trial.target,
    template: first.template,
    findings:
      stolen.length > 1
        ? [trial.finding('averaging', averaged(trial, stolen, guessed), first, renewed)]
        : attack.inverted(trial, first, renewed, trial.tokens ? first.secret : guessed),
    replay: { same: attack.replays(first, first), renewed: attack.replays(first, renewed) },
  }
}

/** Each template turned back with its token and the faces averaged; without tokens the templates are added up first. */
function averaged(trial: Trial, stolen: readonly KeyedEnrolment[], guessed: Transform): Vector {
  const onRound = trial.rounds('averaging')
  const faces: Vector[] = []
  const sum = new Float64Array(stolen[0]?.values.length ?? 0)
  let face: Vector = sum
  stolen.forEach(({ values, secret }, index) => {
    values.forEach((value, place) => (sum[place] = at(sum, place) + value))
    faces.push(linear(values, secret))
    face = trial.tokens ? average(faces) : linear(sum, guessed)
    onRound(face, index + 1, stolen.length)
  })
  return face
}
