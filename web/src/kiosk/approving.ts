import type { FurtherKiosk, Signed } from '@/api'
import { fromBase64url, fromHex, toBase64url } from '@/api/bytes'
import { deviceContext, Header, MessageType, revocationContext, sha256, signHeader } from '@/protect'
import { kioskApi, type Verdict } from './api'
import type { KioskMemory } from './store'

/**
 * Lets a kiosk that waits in, or turns it away for good, by this kiosk's word. What is signed names the key that was on
 * the screen, so that a server cannot put another in its place.
 */
export async function decideAbout(other: FurtherKiosk, verdict: Verdict, kiosk: KioskMemory): Promise<void> {
  const challenge = await kioskApi.verdictChallenge(kiosk.token, other.id, verdict)
  const header = new Header({
    type: verdict === 'approval' ? MessageType.DEVICE : MessageType.REVOKE,
    accountId: fromHex(kiosk.gallery),
    deviceId: kiosk.id,
    challenge: fromBase64url(challenge.challenge),
    issuedMs: challenge.server_time_ms,
    contextHash: await contextOf(other, verdict),
    bodyHash: await sha256(new Uint8Array()),
  })
  const signed: Signed = {
    header: toBase64url(header.toBytes()),
    signature: toBase64url(await signHeader(kiosk.privateKey, header)),
  }
  await kioskApi.decide(kiosk.token, other.id, verdict, signed)
}

function contextOf(other: FurtherKiosk, verdict: Verdict): Promise<Uint8Array<ArrayBuffer>> {
  if (verdict === 'refusal') return revocationContext(fromHex(other.id))
  return deviceContext(fromBase64url(other.public_key), fromHex(other.id))
}
