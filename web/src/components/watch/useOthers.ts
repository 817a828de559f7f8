import { onMounted, onUnmounted, ref, shallowRef } from 'vue'
import type { FurtherKiosk } from '@/api'
import { fromBase64url } from '@/api/bytes'
import { deviceCode } from '@/device/registration'
import { kioskApi, type Verdict } from '@/kiosk/api'
import { decideAbout } from '@/kiosk/approving'
import type { KioskMemory } from '@/kiosk/store'

/** How often an active kiosk asks whether another one waits. */
const ASK_EVERY_MS = 5_000

/** Further kiosks of the gallery that wait, one after the other, and what is decided about them here. */
export function useOthers(kiosk: () => KioskMemory) {
  const waiting = shallowRef<{ readonly other: FurtherKiosk; readonly code: string } | null>(null)
  const decided = shallowRef<{ readonly name: string; readonly verdict: Verdict } | null>(null)
  const trouble = shallowRef<unknown>(null)
  const busy = ref(false)
  /** A list asked for before a decision still has on it whoever that was about. */
  let turn = 0

  /** Whoever is on the screen stays there while they wait, and nobody takes their place at once, under a finger. */
  async function ask(): Promise<void> {
    if (busy.value || document.hidden) return
    const mine = ++turn
    try {
      const all = await kioskApi.waiting(kiosk().token)
      const shown = waiting.value?.other.public_key
      const other = shown === undefined ? all[0] : all.find(({ public_key }) => public_key === shown)
      const code = other && (await deviceCode(fromBase64url(other.public_key)))
      if (mine !== turn) return
      if (other?.id !== waiting.value?.other.id) waiting.value = other && code !== undefined ? { other, code } : null
    } catch {
      // Recognising does not need it, and says by itself when the server is away.
    }
  }

  async function decide(verdict: Verdict): Promise<void> {
    if (!waiting.value) return
    const { other } = waiting.value
    turn += 1
    busy.value = true
    trouble.value = null
    try {
      await decideAbout(other, verdict, kiosk())
      decided.value = { name: other.name, verdict }
      waiting.value = null
    } catch (error) {
      trouble.value = error
    } finally {
      busy.value = false
    }
  }

  const asking = setInterval(() => void ask(), ASK_EVERY_MS)
  onUnmounted(() => {
    clearInterval(asking)
  })
  onMounted(ask)
  return { waiting, decided, trouble, busy, decide }
}
