import { computed, onMounted, ref, shallowRef } from 'vue'
import { ApiError } from '@/api'
import { forgetShot, type Shot } from '@/components/camera/shot'
import type { Step, Timings } from '@/components/camera/steps'
import { openTicket, verify, type Ticket, type Verified } from '@/device/face'
import { refreshAccount, session } from '@/stores/session'

export type Stage = 'looking' | 'empty' | 'asking' | 'answered' | 'failed'

/** One look at the camera, one question, one answer. */
export function useRecognition() {
  const stage = ref<Stage>(session.account?.template ? 'looking' : 'empty')
  const source = ref<'camera' | 'upload'>('camera')
  const timings = ref<Timings>({})
  const trouble = shallowRef<unknown>(null)
  const result = shallowRef<Verified | null>(null)
  const account = computed(() => session.account)
  let ticket: Promise<Ticket> | null = null

  /** Shows the camera at once, and asks for the challenge while the person still looks for their place. */
  function begin(): void {
    result.value = null
    timings.value = {}
    stage.value = session.account?.template ? 'looking' : 'empty'
    if (stage.value === 'empty') return
    ticket = openTicket('verify')
    ticket.catch(fail)
  }

  async function look(shot: Shot): Promise<void> {
    if (stage.value !== 'looking' || !ticket) return
    stage.value = 'asking'
    timings.value = shot.timings
    try {
      result.value = await verify(await ticket, shot.embedding, note)
      stage.value = 'answered'
    } catch (error) {
      await fail(error)
    } finally {
      forgetShot(shot)
    }
  }

  /** No decision was made; where the template turns out to be gone, the page says that instead. */
  async function fail(error: unknown): Promise<void> {
    trouble.value = error
    stage.value = 'failed'
    if (error instanceof ApiError && error.code === 'keyholder.not_enrolled') {
      await refreshAccount().catch(() => undefined)
      stage.value = 'empty'
    }
  }

  function note(step: Step, milliseconds: number): void {
    timings.value = { ...timings.value, [step]: milliseconds }
  }

  onMounted(begin)
  return { stage, source, timings, trouble, result, account, look, begin }
}
