import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { api, ApiError } from '@/api'
import { deleteTemplate, enrol, openTicket, verify } from '@/device/face'
import { recall } from '@/device/memory'
import { trustKeyHolder } from '@/device/trust'
import { Outcome } from '@/protect'
import { FakeKeyHolder } from './keyHolder'

const CIPHERTEXT = new Uint8Array(73_728).fill(7)

vi.mock('@/device/engines', () => ({
  templateProtector: () =>
    Promise.resolve({
      protectTemplate: () => Promise.resolve(CIPHERTEXT),
      protectProbe: () => Promise.resolve(CIPHERTEXT),
    }),
}))
vi.mock('@/stores/session', () => ({ knownSession: () => Promise.resolve(session) }))

const session = { account: { id: '' }, binding: 'A'.repeat(43) }
const ignore = (): void => undefined
const embedding = (): Float32Array => new Float32Array(128).fill(0.25)
let keyHolder: FakeKeyHolder

vi.stubGlobal('location', new URL('http://localhost:8000/enrol'))

/** A fresh account on a fresh browser. */
beforeEach(async () => {
  vi.restoreAllMocks()
  keyHolder = await FakeKeyHolder.make()
  keyHolder.account = crypto.randomUUID().replaceAll('-', '')
  session.account.id = keyHolder.account
  Object.assign(api, keyHolder.api())
  await trustKeyHolder(keyHolder.publicKey)
})

async function enrolled(): Promise<void> {
  await enrol(await openTicket('enrol'), embedding(), ignore)
}

describe('enrol', () => {
  it('registers the device, encrypts, and takes the receipt in', async () => {
    const { template, receipt, body, alarm } = await enrol(await openTicket('enrol'), embedding(), ignore)
    expect(template.bytes).toBe(73_728)
    expect(receipt.outcome).toBe(Outcome.ACCEPTED)
    expect(body).toBe(CIPHERTEXT)
    expect(alarm).toBeNull()
    expect(keyHolder.devices).toHaveLength(1)
    expect(await recall(keyHolder.account)).toMatchObject({ decisions: 1, unanswered: 0, epoch: 1 })
  })

  it('overwrites the embedding once it is protected', async () => {
    const values = embedding()
    await enrol(await openTicket('enrol'), values, ignore)
    expect(values.every((value) => value === 0)).toBe(true)
  })
})

describe('verify', () => {
  it('says what the key holder said, with the stages it took', async () => {
    await enrolled()
    const steps: string[] = []
    const { outcome } = await verify(await openTicket('verify'), embedding(), (step) => steps.push(step))
    expect(outcome).toBe('accepted')
    expect(steps).toEqual(['protected', 'sent', 'answered'])
    keyHolder.outcome = Outcome.NOT_ACCEPTED
    expect((await verify(await openTicket('verify'), embedding(), ignore)).outcome).toBe('not_accepted')
  })

  it('believes no server that turns a no into a yes', async () => {
    await enrolled()
    keyHolder.outcome = Outcome.NOT_ACCEPTED
    const honest = api.verify
    api.verify = async (envelope) => {
      const answer = await honest(envelope)
      return { ...answer, data: { ...answer.data, outcome: 'accepted' as const } }
    }
    const asking = verify(await openTicket('verify'), embedding(), ignore)
    await expect(asking).rejects.toMatchObject({ code: 'receipt_invalid' })
  })

  it('believes no receipt for another message, nor one of another key holder', async () => {
    await enrolled()
    const other = await FakeKeyHolder.make()
    for (const signer of [keyHolder, other]) {
      const stale = await signer.receipt(new Uint8Array(256).fill(11), keyHolder.templateHash ?? new Uint8Array(32))
      const data = { accepted: true, outcome: 'accepted' as const, retry_after_s: 0, receipt: stale }
      api.verify = () => Promise.resolve({ data, timings: {} })
      const asking = verify(await openTicket('verify'), embedding(), ignore)
      await expect(asking).rejects.toMatchObject({ code: 'receipt_invalid' })
    }
  })

  it('raises an alarm when somebody else asked in this name', async () => {
    await enrolled()
    keyHolder.decisions += 3
    const { outcome, alarm } = await verify(await openTicket('verify'), embedding(), ignore)
    expect(outcome).toBe('accepted')
    expect(alarm).toMatchObject({ unexplained: 3, rolledBack: false })
    expect((await recall(keyHolder.account)).alarm).toMatchObject({ unexplained: 3 })
  })

  it('forgives a lost answer, but not a server that decided behind a refusal', async () => {
    await enrolled()
    const honest = api.verify
    api.verify = async (envelope) => {
      await honest(envelope)
      throw new ApiError('timeout', '', 0)
    }
    await expect(verify(await openTicket('verify'), embedding(), ignore)).rejects.toThrow()
    api.verify = honest
    expect((await verify(await openTicket('verify'), embedding(), ignore)).alarm).toBeNull()
    api.verify = async (envelope) => {
      await honest(envelope)
      throw new ApiError('server.context_mismatch', '', 400)
    }
    await expect(verify(await openTicket('verify'), embedding(), ignore)).rejects.toThrow()
    api.verify = honest
    expect((await verify(await openTicket('verify'), embedding(), ignore)).alarm).toMatchObject({ unexplained: 1 })
  })
})

describe('openTicket', () => {
  it('sends nothing to a key holder that changed', async () => {
    await trustKeyHolder((await FakeKeyHolder.make()).publicKey)
    await expect(openTicket('enrol')).rejects.toMatchObject({ code: 'keyholder_changed' })
    expect(keyHolder.devices).toHaveLength(0)
  })

  it('encrypts under no key that another account owns, that is older, or that does not match', async () => {
    await enrolled()
    const honest = keyHolder.certificate.bind(keyHolder)
    keyHolder.certificate = () => honest('ff'.repeat(16))
    await expect(openTicket('verify')).rejects.toMatchObject({ code: 'certificate_invalid', details: { check: 'subject' } })
    keyHolder.certificate = honest
    keyHolder.epoch = 0
    await expect(openTicket('verify')).rejects.toMatchObject({ details: { check: 'epoch' } })
    keyHolder.epoch = 2
    api.publicKey = () => Promise.resolve(new Uint8Array(98_304).fill(9))
    await expect(openTicket('verify')).rejects.toMatchObject({ details: { check: 'fingerprint' } })
  })

  it('waits for approval on a further device, and stops on a removed one', async () => {
    keyHolder.devices.push({ id: 'other', state: 'active', public_key: '', active_from: '' })
    await expect(openTicket('enrol')).rejects.toMatchObject({ code: 'device_pending' })
    for (const device of keyHolder.devices) device.state = 'revoked'
    await expect(openTicket('enrol')).rejects.toMatchObject({ code: 'device_revoked' })
  })

  it('refuses models that are not those of this page', async () => {
    const site = api.site
    api.site = async () => {
      const said = await site()
      const schemes = said.contract.schemes.map((scheme) => ({ ...scheme, model_fp: 'AAAA' }))
      return { ...said, contract: { ...said.contract, schemes } }
    }
    await expect(openTicket('enrol')).rejects.toMatchObject({ code: 'contract_mismatch' })
  })
})

describe('deleteTemplate', () => {
  it('brings back a receipt for the template that was there', async () => {
    await enrolled()
    const gone = keyHolder.templateHash
    const template = (await api.enrol(new Uint8Array(74_048))).data.template
    keyHolder.templateHash = gone
    const { receipt } = await deleteTemplate(template)
    expect(receipt.templateHash).toEqual(gone)
    await expect(openTicket('verify').then((ticket) => verify(ticket, embedding(), ignore))).rejects.toMatchObject({
      code: 'nothing_enrolled',
    })
  })
})
