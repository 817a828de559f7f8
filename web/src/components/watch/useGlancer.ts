import { onBeforeUnmount, ref, shallowRef, watch, type Ref } from 'vue'
import { Glancer, type FaceEngine } from '@/face'

/** A worker that follows faces for as long as this component is there, opened once the engine's files are in the cache. */
export function useGlancer(engine: Readonly<Ref<FaceEngine | null>>) {
  const glancer = shallowRef<Glancer | null>(null)
  const failed = ref(false)
  let left = false

  async function load(): Promise<void> {
    failed.value = false
    try {
      const opened = await Glancer.load()
      if (left) opened.close()
      else glancer.value = opened
    } catch {
      failed.value = true
    }
  }

  watch(
    engine,
    (ready) => {
      if (ready) void load()
    },
    { immediate: true },
  )
  onBeforeUnmount(() => {
    left = true
    glancer.value?.close()
  })

  return { glancer, failed, load }
}
