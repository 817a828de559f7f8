import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { api, type Template } from '@/api'
import { toHex } from '@/api/bytes'
import { storedSource } from '@/components/data/sources'
import type { OwnPicture } from '@/device/picture'
import { forgetTokens, makeToken } from '@/device/tokens'
import { countRecords, KEYED, NEGATIVE, sha256 } from '@/protect'
import { madeHere } from './madeHere'

const ACCOUNT = 'a'.repeat(32)
const KEY = new Uint8Array(32).fill(7)
const embedding = Float32Array.from({ length: 128 }, (_, index) => Math.sin(index + 1) / 8)
const picture = { embedding } as unknown as OwnPicture
let template: Template

beforeEach(async () => {
  vi.restoreAllMocks()
  await forgetTokens(ACCOUNT)
  template = { epoch: 3, key_fp: toHex(await sha256(KEY)) } as Template
  vi.spyOn(api, 'publicKey').mockResolvedValue(KEY)
})

describe('what a keyed template looks like', () => {
  it('is made as at enrolment, and nothing is fetched but the public key', async () => {
    const asked = vi.spyOn(api, 'templateData')
    const token = await makeToken(ACCOUNT, 3)
    const enrolled = await KEYED.ranking.template(embedding, { key: KEY, token })
    const made = await madeHere(ACCOUNT, template, 'ranking', picture)
    expect(made).toEqual({ template: storedSource('ranking', enrolled), records: null })
    expect(asked).not.toHaveBeenCalled()
  })

  it('shows counts of the very records that are shown', async () => {
    await makeToken(ACCOUNT, 3)
    const made = await madeHere(ACCOUNT, template, 'negative', picture)
    if (!made?.records) throw new RangeError('no records')
    expect(made.template).toEqual({ kind: 'counts', counts: countRecords(made.records, NEGATIVE.length) })
  })

  it('is not made without the token, nor under another key', async () => {
    expect(await madeHere(ACCOUNT, template, 'ranking', picture)).toBeNull()
    await makeToken(ACCOUNT, 3)
    vi.spyOn(api, 'publicKey').mockResolvedValue(new Uint8Array(32))
    expect(await madeHere(ACCOUNT, template, 'ranking', picture)).toBeNull()
  })
})
