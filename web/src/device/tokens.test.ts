import 'fake-indexeddb/auto'
import { describe, expect, it, vi } from 'vitest'
import { canUse } from './custody'
import { forgetAccount } from './forget'
import { store } from './store'
import { dropTokensBefore, forgetTokens, hasToken, makeToken, tokenOf } from './tokens'

describe('a token', () => {
  it('comes back for its own account and epoch only', async () => {
    const token = await makeToken('a', 3)
    expect(token).toHaveLength(32)
    expect(await tokenOf('a', 3)).toEqual(token)
    expect(await tokenOf('a', 2)).toBeNull()
    expect(await tokenOf('b', 3)).toBeNull()
    expect(await hasToken('a', 3)).toBe(true)
    expect(await hasToken('b', 3)).toBe(false)
    expect(await makeToken('a', 4)).not.toEqual(token)
  })

  it('is never overwritten by another one of its epoch', async () => {
    const token = await makeToken('h', 1)
    await expect(makeToken('h', 1)).rejects.toMatchObject({ code: 'certificate_invalid', details: { check: 'epoch' } })
    expect(await tokenOf('h', 1)).toEqual(token)
  })

  it('is written so that it is on the disk', async () => {
    const opening = vi.spyOn(await store(), 'transaction')
    await makeToken('i', 1)
    expect(opening).toHaveBeenCalledWith('tokens', 'readwrite', { durability: 'strict' })
  })

  it('is never stored in the open, nor opened under another epoch', async () => {
    const token = await makeToken('c', 1)
    const database = await store()
    const sealed = await database.get('tokens', ['c', 1])
    if (!sealed) throw new RangeError('no token')
    expect(new Uint8Array(sealed.bytes).slice(0, 32)).not.toEqual(token)
    await database.put('tokens', sealed, ['c', 2])
    await expect(tokenOf('c', 2)).rejects.toThrow()
  })

  it('goes with the epochs before a new one, and never with those after it or of others', async () => {
    for (const epoch of [1, 2, 3]) await makeToken('d', epoch)
    await makeToken('e', 1)
    await dropTokensBefore('d', 2)
    expect(await Promise.all([1, 2, 3].map((epoch) => hasToken('d', epoch)))).toEqual([false, true, true])
    await forgetTokens('d')
    expect(await Promise.all([1, 2, 3].map((epoch) => hasToken('d', epoch)))).toEqual([false, false, false])
    expect(await hasToken('e', 1)).toBe(true)
  })

  it('is what a keyed template needs here, and no other', async () => {
    await makeToken('f', 2)
    expect(await canUse('f', { scheme: 'ranking', epoch: 2 })).toBe(true)
    expect(await canUse('f', { scheme: 'negative', epoch: 3 })).toBe(false)
    expect(await canUse('f', { scheme: 'homomorphic', epoch: 3 })).toBe(true)
  })

  it('goes with the account', async () => {
    await makeToken('g', 1)
    await forgetAccount('g')
    expect(await hasToken('g', 1)).toBe(false)
  })
})
