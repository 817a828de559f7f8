import { computed, onMounted, ref, shallowRef } from 'vue'
import { ApiError } from '@/api'
import { forgetShot, type Shot } from '@/components/camera/shot'
import type { Step, Timings } from '@/components/camera/steps'
import { canUse } from '@/device/custody'
import { DeviceError } from '@/device/errors'
import { openTicket, verify, type Ticket, type Verified } from '@/device/face'
import { refreshAccount, session } from '@/stores/session'

export type Stage = 'opening' | 'looking' | 'empty' | 'elsewhere' | 'asking' | 'answered' | 'failed'

/** One look at the camera, one question, one answer. */
export function useRecognition() {
  const stage = ref<Stage>('opening')
  const source = ref<'camera' | 'upload'>('camera')
  const timings = ref<Timings>({})
  const trouble = shallowRef<unknown>(null)
  const result = shallowRef<Verified | null>(null)
  const account = computed(() => session.account)
  let ticket: Promise<Ticket> | null = null

  /**
   * Shows the camera, and asks for the challenge while the person still looks for their place. Nobody poses where there
   * is no template, or one whose secret is on another device.
   */
  async function begin(): Promise<void> {
    result.value = null
    timings.value = {}
    const { id, template } = session.account ?? {}
    try {
      stage.value = !id || !template ? 'empty' : (await canUse(id, template)) ? 'looking' : 'elsewhere'
    } catch (error) {
      await fail(error)
    }
    if (stage.value !== 'looking') return
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

  /** No decision was made; where the template turns out to be gone, or another device's, the page says that instead. */
  async function fail(error: unknown): Promise<void> {
    trouble.value = error
    stage.value = 'failed'
    const gone = error instanceof ApiError && error.code === 'keyholder.not_enrolled'
    const elsewhere = error instanceof DeviceError && error.code === 'token_elsewhere'
    if (!gone && !elsewhere) return
    await refreshAccount().catch(() => undefined)
    stage.value = gone ? 'empty' : 'elsewhere'
  }

  function note(step: Step, milliseconds: number): void {
    timings.value = { ...timings.value, [step]: milliseconds }
  }

  onMounted(begin)
  return { stage, source, timings, trouble, result, account, look, begin }
}
