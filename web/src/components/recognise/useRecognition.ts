import { computed, onMounted, ref, shallowRef } from 'vue'
import { forgetShot, type Shot } from '@/components/camera/shot'
import type { Step, Timings } from '@/components/camera/steps'
import { openTicket, verify, type Ticket, type Verified } from '@/device/face'
import { refreshAccount, session } from '@/stores/session'

export type Stage = 'loading' | 'empty' | 'looking' | 'asking' | 'answered'

/** One look at the camera, one question, one answer. */
export function useRecognition() {
  const stage = ref<Stage>('loading')
  const source = ref<'camera' | 'upload'>('camera')
  const timings = ref<Timings>({})
  const trouble = shallowRef<unknown>(null)
  const result = shallowRef<Verified | null>(null)
  const account = computed(() => session.account)
  let ticket: Promise<Ticket> | null = null

  /** Asks for the challenge while the person is still looking for the camera; tells at once when that fails. */
  async function load(): Promise<void> {
    trouble.value = null
    result.value = null
    timings.value = {}
    stage.value = 'loading'
    try {
      const { template } = await refreshAccount()
      if (!template) {
        stage.value = 'empty'
        return
      }
      ticket = openTicket('verify')
      await ticket
      stage.value = 'looking'
    } catch (error) {
      trouble.value = error
    }
  }

  async function look(shot: Shot): Promise<void> {
    if (stage.value !== 'looking' || !ticket) return
    stage.value = 'asking'
    timings.value = shot.timings
    try {
      result.value = await verify(await ticket, shot.face.embedding, note)
      stage.value = 'answered'
    } catch (error) {
      trouble.value = error
      stage.value = 'looking'
    } finally {
      ticket = null
      forgetShot(shot)
    }
  }

  function note(step: Step, milliseconds: number): void {
    timings.value = { ...timings.value, [step]: milliseconds }
  }

  onMounted(load)
  return { stage, source, timings, trouble, result, account, look, again: load, load }
}
