import { computed, onBeforeUnmount, ref, shallowRef } from 'vue'
import { averageEmbeddings } from '@/face'
import { forgetShot, type Shot } from '@/components/camera/shot'
import type { Step, Timings } from '@/components/camera/steps'
import { enrol, openTicket, type Enrolled, type Ticket } from '@/device/face'
import type { Wish } from '@/device/messages'
import { keepPicture } from '@/device/picture'
import { refreshAccount, session } from '@/stores/session'
import { onePerson } from './onePerson'

/** How many shots are averaged. */
export const SHOTS = 3

export type Stage = 'before' | 'capture' | 'review' | 'protecting' | 'done'

/** The way from the first word to a protected template; one thing on the screen at a time. */
export function useEnrolment() {
  const stage = ref<Stage>('before')
  const source = ref<'camera' | 'upload'>('camera')
  const shots = shallowRef<readonly Shot[]>([])
  const timings = ref<Timings>({})
  const trouble = shallowRef<unknown>(null)
  const result = shallowRef<Enrolled | null>(null)
  const different = computed(() => !onePerson(shots.value.map((shot) => shot.embedding)))
  const busy = ref(false)
  const renewal = ref(session.account?.template != null)
  let wish: Wish = {}
  let ticket: Ticket | null = null

  /** Asks for the challenge first: a wrong password or a missing key holder is told before anybody poses. */
  async function begin(from: 'camera' | 'upload', wished: Wish): Promise<void> {
    wish = wished
    renewal.value = session.account?.template != null
    source.value = from
    busy.value = true
    trouble.value = null
    try {
      ticket = await openTicket('enrol', wish)
      stage.value = 'capture'
    } catch (error) {
      trouble.value = error
    } finally {
      busy.value = false
    }
  }

  function add(shot: Shot): void {
    shots.value = [...shots.value, shot]
    if (shots.value.length >= SHOTS) stage.value = 'review'
  }

  function remove(shot: Shot): void {
    forgetShot(shot)
    shots.value = shots.value.filter((other) => other.id !== shot.id)
    if (shots.value.length === 0) stage.value = 'capture'
  }

  function retake(): void {
    shots.value.forEach(forgetShot)
    shots.value = []
    stage.value = 'capture'
  }

  function note(step: Step, milliseconds: number): void {
    timings.value = { ...timings.value, [step]: milliseconds }
  }

  /** Averages, protects, sends; keeps the picture here only once the server has the template. */
  async function confirm(): Promise<void> {
    const [best] = shots.value
    if (!best) return
    stage.value = 'protecting'
    trouble.value = null
    timings.value = best.timings
    try {
      const embedding = averageEmbeddings(shots.value.map((shot) => shot.embedding))
      const picture = { photo: best.photo, crop: best.crop, embedding: embedding.slice() }
      const opened = ticket ?? (await openTicket('enrol', wish))
      result.value = await enrol(opened, embedding, note)
      await keepPicture(opened.self.account.id, { ...picture, takenAt: Date.now(), shots: shots.value.length })
      picture.embedding.fill(0)
      await refreshAccount()
      forgetShots()
      stage.value = 'done'
    } catch (error) {
      trouble.value = error
      stage.value = 'review'
    } finally {
      ticket = null
    }
  }

  function forgetShots(): void {
    shots.value.forEach(forgetShot)
    shots.value = []
  }

  onBeforeUnmount(forgetShots)
  return { stage, source, shots, timings, trouble, result, different, busy, renewal, begin, add, remove, retake, confirm }
}
