import { api } from '@/api'
import { fromBase64url, fromHex, toBase64url, toHex } from '@/api/bytes'
import { DeviceError } from '@/device/errors'
import { pinnedKeyHolder } from '@/device/trust'
import { deviceContext, Header, MessageType, modelFingerprint, sha256, signHeader } from '@/protect'
import { kioskApi } from './api'
import { rememberKiosk, type KioskMemory } from './store'

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
const ID_BYTES = 16

/**
 * Makes this browser a kiosk of the gallery whose operator gave out `code`: a key is made here, and proved to the key
 * holder.
 * @throws DeviceError keyholder_changed, contract_mismatch; ApiError
 */
export async function joinGallery(code: string, name: string): Promise<KioskMemory> {
  const keyHolder = await knownKeyHolder()
  const { publicKey, privateKey } = await crypto.subtle.generateKey(P256, false, ['sign', 'verify'])
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey))
  const id = crypto.getRandomValues(new Uint8Array(ID_BYTES))
  const contextHash = await deviceContext(point, id)
  const { gallery, challenge } = await kioskApi.joiningChallenge({
    code,
    device_id: toHex(id),
    context_hash: toBase64url(contextHash),
  })
  const header = new Header({
    type: MessageType.DEVICE,
    accountId: fromHex(gallery.id),
    deviceId: id,
    challenge: fromBase64url(challenge.challenge),
    issuedMs: challenge.server_time_ms,
    contextHash,
    bodyHash: await sha256(new Uint8Array()),
  })
  const { token } = await kioskApi.join({
    code,
    name,
    device_id: toHex(id),
    header: toBase64url(header.toBytes()),
    signature: toBase64url(await signHeader(privateKey, header)),
    public_key: toBase64url(point),
  })
  const { probe_key } = await kioskApi.state(token)
  const joined = { gallery: gallery.id, galleryName: gallery.name, id, privateKey, token, keyHolder, keyFp: probe_key.key_fp }
  await rememberKiosk(joined)
  return joined
}

/** The site's key holder, pinned, and its models the same as this page's. */
async function knownKeyHolder(): Promise<Uint8Array<ArrayBuffer>> {
  const { keyholder, contract } = await api.site()
  const known = await pinnedKeyHolder(fromBase64url(keyholder.public_key))
  const theirs = contract.schemes.find(({ name }) => name === 'homomorphic')
  if (theirs?.model_fp !== toBase64url(await modelFingerprint('homomorphic'))) throw new DeviceError('contract_mismatch')
  return known
}
