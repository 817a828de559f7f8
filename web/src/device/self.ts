import { api, type Account, type Hex, type Site } from '@/api'
import { fromBase64url, fromHex, toBase64url, toHex } from '@/api/bytes'
import { modelFingerprint, SCHEME_NAMES } from '@/protect'
import { deviceKey, type DeviceKey } from '@/protect/device-key'
import { knownSession } from '@/stores/session'
import { DeviceError } from './errors'
import { pinnedKeyHolder } from './trust'

type Bytes = Uint8Array<ArrayBuffer>

/** Who acts: this device, for an account, towards a key holder it knows. */
export interface Self {
  readonly account: Pick<Account, 'id'>
  readonly accountId: Bytes
  readonly key: DeviceKey
  readonly keyHolder: Bytes
  /** What a signature is good for: this site, and this session or visit only. */
  readonly origin: string
  readonly binding: Bytes
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/**
 * Gathers who acts for whoever is logged in; see `selfAs`.
 * @throws DeviceError signed_out, keyholder_changed, contract_mismatch; ApiError
 */
export async function self(): Promise<Self> {
  const { account, binding } = await knownSession()
  if (!account) throw new DeviceError('signed_out')
  return selfAs(account.id, fromBase64url(binding))
}

/**
 * Gathers who acts for `account`, and checks that the other side is who it was and speaks of the same models.
 * @throws DeviceError keyholder_changed, contract_mismatch; ApiError
 */
export async function selfAs(account: Hex, binding: Bytes): Promise<Self> {
  const site = await api.site()
  const keyHolder = await pinnedKeyHolder(fromBase64url(site.keyholder.public_key))
  if (!(await speaksOfTheSame(site.contract.schemes))) throw new DeviceError('contract_mismatch')
  return {
    account: { id: account },
    accountId: fromHex(account),
    key: await deviceKey(account),
    keyHolder,
    origin: signedOrigin(location, site.origin),
    binding,
  }
}

/** Whether the server knows every protection of this page, with the same models and thresholds. */
async function speaksOfTheSame(offered: Site['contract']['schemes']): Promise<boolean> {
  const own = SCHEME_NAMES.map(async (name) => {
    const theirs = offered.find((scheme) => scheme.name === name)
    return theirs?.model_fp === toBase64url(await modelFingerprint(name))
  })
  return (await Promise.all(own)).every(Boolean)
}

/** This device's id, as the server writes it. */
export function deviceId(self: Self): Hex {
  return toHex(self.key.id)
}

/**
 * The origin to sign: where this page really is, never what a server claims, so that one site cannot have a message
 * signed that is meant for another. Only the names of this very machine count as one place.
 */
export function signedOrigin(here: Pick<Location, 'origin' | 'hostname' | 'port'>, claimed: string): string {
  const site = new URL(claimed)
  const sameMachine = LOOPBACK.includes(here.hostname) && LOOPBACK.includes(site.hostname) && here.port === site.port
  return sameMachine ? site.origin : here.origin
}
