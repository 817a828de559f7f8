import { onMounted, shallowRef, ref } from 'vue'
import type { KioskState } from '@/api'
import { kioskApi } from '@/kiosk/api'
import { Desk } from '@/kiosk/desk'
import { joinGallery } from '@/kiosk/joining'
import { forgetKiosk, recallKiosk, type KioskMemory } from '@/kiosk/store'

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

  onMounted(open)
  return { stage, trouble, memory, state, desk, busy, open, join, leave }
}
