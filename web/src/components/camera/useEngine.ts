import { onMounted, ref, shallowRef } from 'vue'
import type { FaceEngine } from '@/face'
import { faceEngine } from '@/device/engines'

/** The face engine of this tab, with the bytes loaded so far while it is on its way. */
export function useEngine() {
  const engine = shallowRef<FaceEngine | null>(null)
  const loaded = ref(0)
  const total = ref(0)
  const failed = ref(false)

  async function load(): Promise<void> {
    failed.value = false
    try {
      engine.value = await faceEngine((now, all) => {
        loaded.value = now
        total.value = all
      })
    } catch {
      failed.value = true
    }
  }

  onMounted(load)
  return { engine, loaded, total, failed, load }
}
