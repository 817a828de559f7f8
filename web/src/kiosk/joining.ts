import { api } from '@/api'
import { fromBase64url, fromHex, toBase64url, toHex } from '@/api/bytes'
import { DeviceError } from '@/device/errors'
import { pinnedKeyHolder } from '@/device/trust'
import { deviceContext, Header, MessageType, modelFingerprint, sha256, signHeader } from '@/protect'
import { kioskApi } from './api'
import { recallJoining, rememberJoining, rememberKiosk, type Joining } from './store'

type Bytes = Uint8Array<ArrayBuffer>

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
const ID_BYTES = 16
const TOKEN_BYTES = 32

/**
 * Makes this browser a kiosk of the gallery whose operator gave out `code`: a key and a token are made here, and the key
 * proved to the key holder. Cut off, it is repeated with the same code, as often as need be.
 * @throws DeviceError keyholder_changed, contract_mismatch; ApiError
 */
export async function joinGallery(code: string, name: string): Promise<void> {
  const keyHolder = await knownKeyHolder()
  const joining = await begun(code)
  const { id, publicKey, privateKey, token } = joining
  const contextHash = await deviceContext(publicKey, id)
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
  await kioskApi.join({
    code,
    name,
    device_id: toHex(id),
    header: toBase64url(header.toBytes()),
    signature: toBase64url(await signHeader(privateKey, header)),
    public_key: toBase64url(publicKey),
    token_hash: toBase64url(await sha256(new TextEncoder().encode(token))),
  })
  const keyFp = (await kioskApi.state(token)).probe_key.key_fp
  await rememberKiosk({ gallery: gallery.id, galleryName: gallery.name, id, publicKey, privateKey, token, keyHolder, keyFp })
}

/** With what this browser asks to be let in: kept before the first request, so that a lost answer takes nothing with it. */
async function begun(code: string): Promise<Joining> {
  const plain = code.replace(/[^0-9A-Za-z]/g, '').toUpperCase()
  const known = await recallJoining()
  if (known?.code === plain) return known
  const { publicKey, privateKey } = await crypto.subtle.generateKey(P256, false, ['sign', 'verify'])
  const made = {
    code: plain,
    id: random(ID_BYTES),
    publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', publicKey)),
    privateKey,
    token: `vk_${toBase64url(random(TOKEN_BYTES))}`,
  }
  await rememberJoining(made)
  return made
}

function random(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length))
}

/** The site's key holder, pinned, and its models the same as this page's. */
async function knownKeyHolder(): Promise<Bytes> {
  const { keyholder, contract } = await api.site()
  const known = await pinnedKeyHolder(fromBase64url(keyholder.public_key))
  const theirs = contract.schemes.find(({ name }) => name === 'homomorphic')
  if (theirs?.model_fp !== toBase64url(await modelFingerprint('homomorphic'))) throw new DeviceError('contract_mismatch')
  return known
}
