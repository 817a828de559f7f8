import { onMounted, onUnmounted, shallowRef, ref } from 'vue'
import { ApiError, type KioskState } from '@/api'
import { kioskApi } from '@/kiosk/api'
import { Desk } from '@/kiosk/desk'
import { joinGallery } from '@/kiosk/joining'
import { forgetKiosk, recallKiosk, type KioskMemory } from '@/kiosk/store'

/** How often a kiosk that waits asks whether it was let in. */
const ASK_EVERY_MS = 4_000
/** The token is refused: this browser is no kiosk any more. */
const UNAUTHORIZED = 401

/** Whether this browser is a kiosk, of which gallery, and how it becomes one. */
export function useKiosk() {
  const stage = ref<'opening' | 'none' | 'waiting' | 'ready' | 'failed'>('opening')
  const trouble = shallowRef<unknown>(null)
  const memory = shallowRef<KioskMemory | null>(null)
  const state = shallowRef<KioskState | null>(null)
  const desk = shallowRef<Desk | null>(null)
  const busy = ref(false)

  async function open(): Promise<void> {
    trouble.value = null
    try {
      memory.value = await recallKiosk()
      if (!memory.value) {
        stage.value = 'none'
        return
      }
      state.value = await kioskApi.state(memory.value.token)
      desk.value = new Desk(memory.value)
      stage.value = state.value.state === 'active' ? 'ready' : 'waiting'
    } catch (error) {
      trouble.value = error
      stage.value = 'failed'
    }
  }

  async function join(code: string, name: string): Promise<void> {
    busy.value = true
    trouble.value = null
    try {
      await joinGallery(code, name)
      await open()
    } catch (error) {
      trouble.value = error
    } finally {
      busy.value = false
    }
  }

  /** Forgets key and token; another code makes this browser a kiosk again. */
  async function leave(): Promise<void> {
    await forgetKiosk()
    await open()
  }

  /** Goes on by itself once it is let in, and says so when it is turned away; what else fails is asked again. */
  async function ask(): Promise<void> {
    const kiosk = memory.value
    if (stage.value !== 'waiting' || !kiosk || document.hidden) return
    try {
      const found = await kioskApi.state(kiosk.token)
      if (memory.value !== kiosk) return
      state.value = found
      if (found.state === 'active') stage.value = 'ready'
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== UNAUTHORIZED) return
      trouble.value = error
      stage.value = 'failed'
    }
  }

  const asking = setInterval(() => void ask(), ASK_EVERY_MS)
  onUnmounted(() => {
    clearInterval(asking)
  })
  onMounted(open)
  return { stage, trouble, memory, state, desk, busy, open, join, leave }
}
