import { onBeforeUnmount, onMounted, ref, shallowRef, watch, type Ref } from 'vue'
import { cameraFault, closeCamera, nextCamera, openCamera, type Camera, type CameraFault, type Facing } from './media'

/** A camera without a picture for this long is as good as unplugged. */
const MUTED_MS = 3000

/** Keeps one camera open while the component lives; the light goes out when it leaves. */
export function useCamera(video: Readonly<Ref<HTMLVideoElement | null>>, facing: Facing = 'user') {
  const state = ref<'asking' | 'live' | CameraFault>('asking')
  const camera = shallowRef<Camera | null>(null)
  const other = ref<string | null>(null)
  let left = false

  async function open(deviceId?: string): Promise<void> {
    stop()
    state.value = 'asking'
    try {
      const opened = await openCamera(deviceId, facing)
      if (left) {
        closeCamera(opened)
        return
      }
      camera.value = opened
      watchTrack(opened)
      other.value = await nextCamera(opened.deviceId)
    } catch (error) {
      state.value = cameraFault(error)
    }
  }

  /** Unplugged, taken by another program, or its picture stopped coming. */
  function watchTrack(opened: Camera): void {
    const track = opened.stream.getVideoTracks()[0]
    const lost = (): void => {
      if (camera.value === opened) stop('lost')
    }
    track?.addEventListener('ended', lost)
    track?.addEventListener('mute', () => {
      setTimeout(() => {
        if (track.muted && !document.hidden) lost()
      }, MUTED_MS)
    })
  }

  function stop(reason: CameraFault | 'asking' = 'asking'): void {
    closeCamera(camera.value)
    camera.value = null
    state.value = reason
  }

  watch([camera, video], async ([opened, element]) => {
    if (!element) return
    element.srcObject = opened?.stream ?? null
    if (!opened) return
    try {
      await element.play()
      if (camera.value === opened) state.value = 'live'
    } catch (error) {
      if (camera.value === opened) stop(cameraFault(error))
    }
  })

  const leave = (): void => { stop(); }
  onMounted(() => {
    addEventListener('pagehide', leave)
    void open()
  })
  onBeforeUnmount(() => {
    left = true
    removeEventListener('pagehide', leave)
    stop()
  })

  return { state, camera, other, open, stop }
}
