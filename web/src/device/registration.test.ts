import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '@/api/bytes'
import { sha256 } from '@/protect'
import vectors from '../../../vectors/envelope.json'
import { deviceCode } from './registration'

const publicKey = fromHex(vectors.device_context.public_key)

describe('the code of a device', () => {
  it('is the beginning of the hash of its key, in groups a person can compare', async () => {
    const code = await deviceCode(publicKey)
    expect(code).toMatch(/^([0-9a-f]{4} ){5}[0-9a-f]{4}$/)
    expect(toHex(await sha256(publicKey))).toContain(code.replaceAll(' ', ''))
  })

  it('is too long for a server to find another key with the same one', async () => {
    const bits = 4 * (await deviceCode(publicKey)).replaceAll(' ', '').length
    expect(bits).toBeGreaterThanOrEqual(80)
  })
})
