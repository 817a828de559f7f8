import 'fake-indexeddb/auto'
import { describe, expect, it, vi } from 'vitest'
import { ApiError } from '@/api'
import { once } from './once'

const HOUR_MS = 3_600_000
let wishes = 0
const wish = (): string => `account/top-up/${++wishes}`

/** The key of one request that ends this way. */
async function keyOf(name: string, ending: ApiError | null): Promise<string> {
  let used = ''
  const asking = once(name, (key) => {
    used = key
    return ending ? Promise.reject(ending) : Promise.resolve(1)
  })
  await asking.catch(() => undefined)
  return used
}

describe('a wish that moves money', () => {
  it.each([
    new ApiError('timeout', '', 0),
    new ApiError('server_down', '', 502),
    new ApiError('server.not_signed_in', '', 401),
    new ApiError('server.wrong_credentials', '', 401),
    new ApiError('wallet.still_working', '', 409),
  ])('has one key until it is answered: $code', async (lost) => {
    const name = wish()
    const first = await keyOf(name, lost)
    expect(await keyOf(name, lost)).toBe(first)
    expect(await keyOf(wish(), lost)).not.toBe(first)
    expect(await keyOf(name, null)).toBe(first)
    expect(await keyOf(name, null)).not.toBe(first)
  })

  it('has another key after it was refused', async () => {
    const name = wish()
    const first = await keyOf(name, new ApiError('wallet.not_enough', '', 409))
    expect(await keyOf(name, null)).not.toBe(first)
  })

  it('says whether it was asked for before', async () => {
    const name = wish()
    await keyOf(name, new ApiError('timeout', '', 0))
    expect(await once(name, () => Promise.resolve(7))).toEqual({ answer: 7, again: true })
    expect(await once(name, () => Promise.resolve(8))).toEqual({ answer: 8, again: false })
  })

  it('has the same key in two tabs', async () => {
    const name = wish()
    const lost = new ApiError('timeout', '', 0)
    const [one, other] = await Promise.all([keyOf(name, lost), keyOf(name, lost)])
    expect(one).toBe(other)
  })

  it('has another one once the server has forgotten the first', async () => {
    const name = wish()
    const first = await keyOf(name, new ApiError('timeout', '', 0))
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 48 * HOUR_MS)
    expect(await keyOf(name, null)).not.toBe(first)
  })
})
