import { computed, ref, shallowRef } from 'vue'
import { forgetShot, type Shot } from '@/components/camera/shot'
import type { Step, Timings } from '@/components/camera/steps'
import { logInByFace, openLogin, type LoginTicket } from '@/device/face-login'
import type { Hex } from '@/api'
import { adopt } from '@/stores/session'

/** `greeting` shows whose turn it is; `blocked` says why no face would be judged now. */
export type Stage = 'greeting' | 'looking' | 'asking' | 'blocked' | 'failed'

/** One look at the camera, and in. */
export function useFaceLogin(done: () => void) {
  const stage = ref<Stage>('greeting')
  const timings = ref<Timings>({})
  const trouble = shallowRef<unknown>(null)
  const opened = shallowRef<LoginTicket | null>(null)
  const plan = computed(() => opened.value?.ticket.grant.challenge.liveness ?? null)
  let ticket: Promise<LoginTicket> | null = null

  /** The camera opens at once; the device knocks meanwhile. */
  function begin(account: Hex): void {
    timings.value = {}
    trouble.value = null
    opened.value = null
    stage.value = 'looking'
    const mine = openLogin(account)
    ticket = mine
    mine.then(
      (answer) => {
        if (ticket === mine) knocked(answer)
      },
      (error: unknown) => {
        if (ticket === mine) fail(error)
      },
    )
  }

  function knocked(answer: LoginTicket): void {
    opened.value = answer
    if (answer.disabled || answer.retryAfterS > 0) stage.value = 'blocked'
  }

  async function look(shot: Shot): Promise<void> {
    if (stage.value !== 'looking' || !ticket) return
    stage.value = 'asking'
    timings.value = shot.timings
    try {
      const { session } = await logInByFace(await ticket, shot, note)
      await adopt(session)
      done()
    } catch (error) {
      fail(error)
    } finally {
      forgetShot(shot)
    }
  }

  function fail(error: unknown): void {
    trouble.value = error
    stage.value = 'failed'
  }

  function note(step: Step, milliseconds: number): void {
    timings.value = { ...timings.value, [step]: milliseconds }
  }

  return { stage, timings, trouble, opened, plan, begin, look }
}
