/** Whose face is robbed: the one this device keeps, one just taken, or one that belongs to nobody. */
import { onMounted, onUnmounted, ref, shallowRef } from 'vue'
import { inventedFace } from '@/attacks'
import { forgetShot, type Shot } from '@/components/camera/shot'
import { ownPicture } from '@/device/picture'
import { knownSession } from '@/stores/session'

export const VICTIMS = ['own', 'photo', 'invented'] as const
export type Victim = (typeof VICTIMS)[number]

export interface Face {
  readonly victim: Victim
  /** 128 centred unit components; wiped when another face takes its place. */
  readonly embedding: Float32Array<ArrayBuffer>
  readonly crop: ImageData | null
}

export function useVictim() {
  const face = shallowRef<Face | null>(null)
  /** The face this device keeps of whoever is logged in; undefined until that is known. */
  const own = shallowRef<Face | null | undefined>()
  const victim = ref<Victim>('invented')

  function show(next: Face | null): void {
    forget(face.value)
    face.value = next && { ...next, embedding: next.embedding.slice() }
  }

  /** A photo is waited for; the others are there at once. */
  function choose(next: Victim): void {
    victim.value = next
    if (next === 'own') show(own.value ?? null)
    else if (next === 'photo') show(null)
    else show({ victim: next, embedding: inventedFace(), crop: null })
  }

  function take(shot: Shot): void {
    const { width, height, data } = shot.crop
    show({ victim: 'photo', embedding: shot.embedding, crop: new ImageData(data.slice(), width, height) })
    forgetShot(shot)
  }

  async function look(): Promise<void> {
    own.value = await keptFace().catch(() => null)
    choose(own.value ? 'own' : 'invented')
  }

  onMounted(look)
  onUnmounted(() => {
    forget(face.value)
    forget(own.value ?? null)
  })
  return { face, own, victim, choose, take }
}

async function keptFace(): Promise<Face | null> {
  const { account } = await knownSession()
  const picture = account && (await ownPicture(account.id))
  return picture && { victim: 'own', embedding: picture.embedding, crop: picture.crop }
}

function forget(face: Face | null): void {
  face?.embedding.fill(0)
}
