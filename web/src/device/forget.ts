import { forgetDeviceKey } from '@/protect/device-key'
import { erasePicture } from './picture'
import { keysOf, store } from './store'
import { forgetTokens } from './tokens'

/** Takes everything about `account` off this device: picture, memory, tokens and key. The account must be gone by then. */
export async function forgetAccount(account: string): Promise<void> {
  await Promise.all([
    erasePicture(account),
    forgetDeviceKey(account),
    forgetTokens(account),
    (await store()).delete('accounts', account),
    (await store()).delete('payments', account),
    (await store()).delete('payments', keysOf(account)),
    (await store()).delete('keys', keysOf(account)),
    (await store()).delete('people', account),
  ])
}
