/** What is attacked, with what, and what came of it. */
import type { Bytes } from '@/protect/bytes'
import type { SchemeName } from '@/protect/suites'
import type { OnRound } from './inversion'
import { cosine, unit, type Vector } from './vectors'

/** What the thief has, by the names of `veilface evaluate`; `token` is the unlocked device and no database. */
export const LEAKS = [
  'database',
  'database_token',
  'several_databases',
  'several_databases_tokens',
  'database_keyholder',
  'token',
] as const
export type Leak = (typeof LEAKS)[number]

/** The three protections, and the baseline that stores the embedding itself. */
export type Target = SchemeName | 'insecure_plain'
export const TARGETS: readonly Target[] = ['homomorphic', 'ranking', 'negative', 'insecure_plain']

export type AttackName =
  | 'read'
  | 'read_ciphertext'
  | 'decryption'
  | 'inversion_linear'
  | 'inversion_projections'
  | 'majority_vote'
  | 'belief_propagation_records'
  | 'averaging'
  | 'mean_face'

/** Renewals a thief of several databases has. */
export const DATABASES = 8

/** One enrolment made in this page: what the server would store, and whether it would accept a face. */
export interface Enrolment {
  readonly template: Bytes
  accepts: (face: Vector) => boolean
}

/** What one attack found; `accepted…` say whether the victim's own device would get in with that face. */
export interface Finding {
  readonly attack: AttackName
  /** 128 unit components. */
  readonly face: Float32Array
  readonly cosine: number
  readonly acceptedSame: boolean
  readonly acceptedNew: boolean
  /** The share of the keyed bit string that was read, where there is one. */
  readonly bits: number | null
}

/** Whether the stolen template is accepted in place of a probe, its signature somehow made. */
export interface Replay {
  readonly same: boolean
  readonly renewed: boolean
}

export interface Outcome {
  readonly target: Target
  /** What was stolen, null without a database. */
  readonly template: Bytes | null
  readonly findings: readonly Finding[]
  readonly replay: Replay | null
}

/** How far an attack is, and the cosine of what it has found so far (null where that is no face yet). */
export interface Step {
  readonly target: Target
  readonly attack: AttackName
  readonly done: number
  readonly total: number
  readonly cosine: number | null
}

/** One face under attack on one protection. */
export class Trial {
  readonly target: Target
  readonly face: Vector
  readonly leak: Leak
  readonly #onStep: (step: Step) => void

  /** @param face 128 unit components */
  constructor(target: Target, face: ArrayLike<number>, leak: Leak, onStep: (step: Step) => void = () => undefined) {
    this.target = target
    this.face = unit(face)
    this.leak = leak
    this.#onStep = onStep
  }

  /** Whether the thief knows the tokens. */
  get tokens(): boolean {
    return this.leak === 'database_token' || this.leak === 'several_databases_tokens'
  }

  /** How many databases the thief has. */
  get databases(): number {
    if (this.leak === 'token') return 0
    return this.leak.startsWith('several') ? DATABASES : 1
  }

  /** Reports the rounds of an attack that comes nearer to a face. */
  rounds(attack: AttackName): OnRound {
    return (face, done, total) => {
      this.#onStep({ target: this.target, attack, done, total, cosine: cosine(face, this.face) })
    }
  }

  /** Reports the rounds of an attack that has no face yet. */
  blindRounds(attack: AttackName): (done: number, total: number) => void {
    return (done, total) => {
      this.#onStep({ target: this.target, attack, done, total, cosine: null })
    }
  }

  /** What `attack` achieved against the stolen enrolment and the one after it. */
  finding(attack: AttackName, face: Vector, stolen: Enrolment, renewed: Enrolment, bits: number | null = null): Finding {
    this.rounds(attack)(face, 1, 1)
    return {
      attack,
      face: Float32Array.from(face),
      cosine: cosine(face, this.face),
      acceptedSame: stolen.accepts(face),
      acceptedNew: renewed.accepts(face),
      bits,
    }
  }
}

/** `count` of what `make` makes, one after another. */
export async function several<T>(count: number, make: () => T | Promise<T>): Promise<T[]> {
  const made: T[] = []
  while (made.length < count) made.push(await make())
  return made
}
