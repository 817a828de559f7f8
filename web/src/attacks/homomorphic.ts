/** Attacks on encrypted templates: real ciphertexts, each under a key pair made here, as no device has of an account. */
import { COSINE_THRESHOLD } from '@/protect/calibration'
import { addMessage, DIMENSION, encodeTemplate, SCALE } from '@/protect/homomorphic'
import type { ZeroMaker } from '@/protect/zeros'
import { asIfPlain, openWith } from './ciphertexts'
import { attackByMeanFace } from './constant'
import { several, type Enrolment, type Finding, type Outcome, type Trial } from './trial'
import { average, dot, unit, type Vector } from './vectors'

const NORM_SLACK = 0.01

interface Encrypted extends Enrolment {
  /** What only the key holder has. */
  readonly secret: Float64Array
}

export async function attackHomomorphic(trial: Trial, zeros: ZeroMaker): Promise<Outcome> {
  const renewed = enrol(trial.face, zeros)
  const stolen = await several(trial.databases, () => enrol(trial.face, zeros))
  const [first] = stolen
  if (!first) {
    const findings = [attackByMeanFace(trial, enrol(trial.face, zeros), renewed)]
    return { target: trial.target, template: null, findings, replay: null }
  }
  return {
    target: trial.target,
    template: first.template,
    findings: [found(trial, stolen, first, renewed)],
    replay: { same: passes(first, first), renewed: passes(first, renewed) },
  }
}

function found(trial: Trial, stolen: readonly Encrypted[], first: Encrypted, renewed: Encrypted): Finding {
  if (trial.leak === 'database_keyholder')
    return trial.finding('decryption', unit(openWith(first.secret, first.template)), first, renewed)
  if (stolen.length === 1) return trial.finding('read_ciphertext', asIfPlain(first.template), first, renewed)
  const onRound = trial.rounds('averaging')
  const read: Vector[] = []
  for (const { template } of stolen) {
    read.push(asIfPlain(template))
    onRound(average(read), read.length, stolen.length)
  }
  return trial.finding('averaging', average(read), first, renewed)
}

function enrol(face: Vector, zeros: ZeroMaker): Encrypted {
  const { publicKey, secret } = zeros.makeKeys()
  const template = addMessage(zeros.encryptZero(publicKey), encodeTemplate(Float32Array.from(face)))
  return { template, secret, accepts: (probe) => similar(encoded(probe), openWith(secret, template)) }
}

/**
 * The key holder's judgement of a stolen template sent as a probe, on what it would open: a vector of length one, and
 * near enough. A probe is read backwards, so even the right key gives the product of a face with its own mirror image.
 */
function passes({ template }: Encrypted, current: Encrypted): boolean {
  const probe = openWith(current.secret, template)
  const norm = dot(probe, probe) / SCALE ** 2
  return Math.abs(norm - 1) <= NORM_SLACK && similar(probe.toReversed(), openWith(current.secret, current.template))
}

function encoded(face: Vector): Vector {
  return Float64Array.from(encodeTemplate(Float32Array.from(face)).subarray(0, DIMENSION))
}

/** Both in the scale of encoded embeddings. */
function similar(probe: Vector, template: Vector): boolean {
  return dot(probe, template) / SCALE ** 2 >= COSINE_THRESHOLD
}
