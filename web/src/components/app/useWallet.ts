import { onBeforeUnmount, onMounted, ref, shallowRef } from 'vue'
import type { Movement, Wallet } from '@/api'
import { walletApi } from '@/api/wallet'

const RECENT = 6
/** While something is pending, or somebody is waiting to be paid. */
const LOOK_EVERY_MS = 2000

/** The balance and the last movements; asked for again while something is on its way. */
export function useWallet({ watching = false }: { watching?: boolean } = {}) {
  const wallet = shallowRef<Wallet | null>(null)
  const recent = shallowRef<readonly Movement[]>([])
  const trouble = shallowRef<unknown>(null)
  const loading = ref(true)
  let timer: ReturnType<typeof setTimeout> | undefined
  let left = false

  async function load(): Promise<void> {
    clearTimeout(timer)
    try {
      if (!document.hidden) await ask()
      trouble.value = null
    } catch (error) {
      if (!wallet.value || !watching) trouble.value = error
    } finally {
      loading.value = false
    }
    const waiting = watching || recent.value.some((movement) => movement.state === 'pending')
    if (waiting && !left) timer = setTimeout(() => void load(), LOOK_EVERY_MS)
  }

  /** The wallet first: asking for it settles what has become due. */
  async function ask(): Promise<void> {
    const now = await walletApi.wallet()
    recent.value = (await walletApi.movements({ limit: RECENT })).movements
    wallet.value = now
  }

  onMounted(load)
  onBeforeUnmount(() => {
    left = true
    clearTimeout(timer)
  })
  return { wallet, recent, trouble, loading, load }
}
