/** The control: what is stored is the embedding. */
import { COSINE_THRESHOLD } from '@/protect/calibration'
import { attackByMeanFace } from './constant'
import type { Enrolment, Outcome, Trial } from './trial'
import { cosine } from './vectors'

export function attackPlain(trial: Trial): Promise<Outcome> {
  const enrolment: Enrolment = {
    template: new Uint8Array(Float32Array.from(trial.face).buffer),
    accepts: (face) => cosine(face, trial.face) >= COSINE_THRESHOLD,
  }
  if (trial.databases === 0) {
    const findings = [attackByMeanFace(trial, enrolment, enrolment)]
    return Promise.resolve({ target: trial.target, template: null, findings, replay: null })
  }
  const read = Float64Array.from(new Float32Array(enrolment.template.buffer))
  return Promise.resolve({
    target: trial.target,
    template: enrolment.template,
    findings: [trial.finding('read', read, enrolment, enrolment)],
    replay: { same: enrolment.accepts(read), renewed: enrolment.accepts(read) },
  })
}
