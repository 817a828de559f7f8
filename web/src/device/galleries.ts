/** Being found in a gallery, and leaving it: by this device's signature, with the key holder's receipt for it. */
import type { Gallery } from '@/api'
import { fromHex } from '@/api/bytes'
import { galleryApi } from '@/api/galleries'
import { galleryContext, MessageType, modelFingerprint, Outcome, Suite } from '@/protect'
import { currentTemplate, joined, keyFp, sign, type Grant } from './messages'
import { ensureDevice } from './registration'
import { deviceId, type Self } from './self'
import { alone, counted, settle } from './sending'

export type Act = 'in' | 'out'

/** Signs that this person joins (or leaves) exactly this gallery, with the template that counts now. */
export async function signMembership(gallery: Gallery, act: Act): Promise<void> {
  const me = await ensureDevice()
  const grant = await ask(me, gallery, act)
  const templateHash = currentTemplate(grant)
  const message = await sign(me, MessageType.GALLERY_OPT_IN, grant, {
    suite: Suite.HOMOMORPHIC,
    keyFp: keyFp(grant),
    modelFp: await modelFingerprint('homomorphic'),
    templateHash,
  })
  const sent = { type: MessageType.GALLERY_OPT_IN, header: message.header, templateHash }
  await alone(me, async () => {
    const request = act === 'in' ? galleryApi.join : galleryApi.leave
    const { receipt } = await counted(me, sent, () => request(gallery.id, joined(message)))
    await settle(me, receipt, { ...sent, outcome: Outcome.ACCEPTED })
  })
}

async function ask(me: Self, gallery: Gallery, act: Act): Promise<Grant> {
  const [askedAt, contextHash] = [performance.now(), await galleryContext(fromHex(gallery.id), act)]
  const challenge = await galleryApi.challenge(gallery.id, { device_id: deviceId(me), leave: act === 'out' })
  return { challenge, contextHash, askedAt }
}
