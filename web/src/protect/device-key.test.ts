import 'fake-indexeddb/auto'
import { describe, expect, it } from 'vitest'
import { deviceKey, forgetDeviceKey } from './device-key'
import { verifySignature } from './envelope'

describe('the device key', () => {
  it('is made once, also for two that ask at once', async () => {
    const [first, second] = await Promise.all([deviceKey('account'), deviceKey('account')])
    const later = await deviceKey('account')
    expect(first.id).toEqual(second.id)
    expect(first.publicKey).toEqual(second.publicKey)
    expect(later.publicKey).toEqual(first.publicKey)
    expect(first.id.length).toBe(16)
    expect(first.publicKey.length).toBe(65)
  })

  it('cannot be taken out, and signs', async () => {
    const { privateKey, publicKey } = await deviceKey('account')
    expect(privateKey.extractable).toBe(false)
    await expect(crypto.subtle.exportKey('pkcs8', privateKey)).rejects.toThrow()
    const data = new Uint8Array(256)
    const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, data)
    await verifySignature(publicKey, data, new Uint8Array(signature))
  })

  it('is another for another account, and after it was forgotten', async () => {
    const before = await deviceKey('account')
    expect((await deviceKey('other')).publicKey).not.toEqual(before.publicKey)
    await forgetDeviceKey('account')
    const after = await deviceKey('account')
    expect(after.publicKey).not.toEqual(before.publicKey)
    expect(after.id).not.toEqual(before.id)
  })
})
