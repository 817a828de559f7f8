/** The attacks succeed where those of `veilface evaluate` do, and fail where they do. */
import { beforeAll, describe, expect, it } from 'vitest'
import { negativeTransform } from '@/protect/negative'
import { freshToken } from '@/protect/token'
import { ZeroMaker } from '@/protect/zeros'
import { attack } from './campaign'
import { uncentredCosine } from './constant'
import { isotonic } from './inversion'
import { rotate, rotateBack } from './rotation'
import { LEAKS, type AttackName, type Leak, type Outcome, type Step, type Target } from './trial'
import { cosine, dot, inventedFace, unit } from './vectors'

/** The cosine of two unrelated directions in 128 dimensions is N(0, 1/√128): 0.45 is five standard deviations. */
const UNRELATED = 5 / Math.sqrt(128)

let zeros: ZeroMaker
beforeAll(async () => {
  zeros = await ZeroMaker.load()
})

function rob(target: Target, leak: Leak, onStep?: (step: Step) => void): Promise<Outcome> {
  return attack(target, inventedFace(), leak, () => Promise.resolve(zeros), onStep)
}

function cosineBy(outcome: Outcome, attack: AttackName): number {
  return outcome.findings.find((finding) => finding.attack === attack)?.cosine ?? NaN
}

describe('with nothing but databases', () => {
  const LEAKED = ['database', 'several_databases'] as const
  const TARGETS = ['homomorphic', 'ranking', 'negative'] as const
  it.each(TARGETS.flatMap((target) => LEAKED.map((leak) => [target, leak] as const)))(
    '%s gives away no face from %s',
    async (target, leak) => {
      const outcome = await rob(target, leak)
      for (const found of outcome.findings) {
        expect(Math.abs(found.cosine)).toBeLessThan(UNRELATED)
        expect(found.acceptedNew && found.cosine < 0.25).toBe(false)
      }
      expect(outcome.replay?.renewed).toBe(false)
      if (target !== 'homomorphic') expect(outcome.replay?.same).toBe(true)
    },
  )

  it('the plain baseline gives away everything', async () => {
    const { findings, replay } = await rob('insecure_plain', 'database')
    expect(findings[0]?.cosine).toBeCloseTo(1, 6)
    expect(replay).toEqual({ same: true, renewed: true })
  })

  it('a negative database gives away keyed bits, which are worth nothing without the token', async () => {
    const { findings } = await rob('negative', 'database')
    const bits = Object.fromEntries(findings.map((found) => [found.attack, found.bits]))
    expect(bits.majority_vote).toBeGreaterThan(0.8)
    expect(bits.belief_propagation_records).toBeGreaterThan(0.98)
  })
})

describe('with what opens them', () => {
  it('ranks and token give the face back', async () => {
    const outcome = await rob('ranking', 'database_token')
    expect(cosineBy(outcome, 'inversion_linear')).toBeGreaterThan(0.97)
    expect(cosineBy(outcome, 'inversion_projections')).toBeGreaterThan(0.99)
    expect(outcome.findings.every(({ acceptedSame, acceptedNew }) => acceptedSame && acceptedNew)).toBe(true)
  })

  it('counts and token give the face back, records more of it', async () => {
    const outcome = await rob('negative', 'database_token')
    expect(cosineBy(outcome, 'inversion_linear')).toBeGreaterThan(0.92)
    expect(cosineBy(outcome, 'belief_propagation_records')).toBeGreaterThan(0.98)
  })

  it.each(['ranking', 'negative'] as const)('several databases of %s and their tokens give more than one', async (target) => {
    expect(cosineBy(await rob(target, 'several_databases_tokens'), 'averaging')).toBeGreaterThan(0.985)
  })

  it('a ciphertext and the secret key give the face back, and the key holder of a keyed protection has nothing', async () => {
    expect(cosineBy(await rob('homomorphic', 'database_keyholder'), 'decryption')).toBeGreaterThan(0.999)
    const keyed = await rob('ranking', 'database_keyholder')
    expect(Math.max(...keyed.findings.map(({ cosine }) => Math.abs(cosine)))).toBeLessThan(UNRELATED)
  })
})

describe('the mean face', () => {
  it.each(['homomorphic', 'ranking', 'negative', 'insecure_plain'] as const)('opens no enrolment of %s', async (target) => {
    const outcome = await rob(target, 'token')
    expect(outcome).toMatchObject({ template: null, replay: null })
    expect(Math.abs(cosineBy(outcome, 'mean_face'))).toBeLessThan(UNRELATED)
  })

  it('would be near everybody without centring', () => {
    expect(uncentredCosine(inventedFace())).toBeGreaterThan(0.05)
  })
})

describe('the parts', () => {
  it('turn back what they turned', async () => {
    const secret = await negativeTransform(freshToken(), new Uint8Array(64))
    const face = unit(inventedFace())
    const turned = rotate(face, secret)
    expect(dot(turned, turned)).toBeCloseTo(1, 12)
    expect(cosine(rotateBack(turned, secret), face)).toBeCloseTo(1, 12)
    const other = Float64Array.from({ length: 2048 }, (_, index) => Math.sin(index))
    expect(dot(turned, other)).toBeCloseTo(dot(face, rotateBack(other, secret)), 9)
  })

  it('pool what falls', () => {
    expect(Array.from(isotonic(Float64Array.of(1, 3, 2, 5, 4, 0)))).toEqual([1, 2.5, 2.5, 3, 3, 3])
  })

  it('report every round', async () => {
    const steps: Step[] = []
    await rob('ranking', 'database_token', (step) => steps.push(step))
    const nearer = steps.filter(({ attack }) => attack === 'inversion_projections')
    expect(nearer.length).toBeGreaterThan(50)
    expect(nearer.at(-1)?.cosine).toBeGreaterThan(0.99)
  })

  it('cover every leak', async () => {
    for (const leak of LEAKS) expect((await rob('insecure_plain', leak)).findings).toHaveLength(1)
  })
})
