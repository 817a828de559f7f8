/** A robbery under way: what each protection has given away so far, and what every leak so far gave away at last. */
import { computed, onUnmounted, reactive, ref, shallowReactive } from 'vue'
import { LEAKS, TARGETS, Thief, type AttackName, type Leak, type Outcome, type Target } from '@/attacks'
import { COSINE_THRESHOLD } from '@/protect/calibration'

/** How one protection stands. */
export interface Standing {
  /** The attack that runs now. */
  readonly attack: AttackName | null
  /** The best cosine so far, null before any face was found. */
  readonly cosine: number | null
  readonly outcome: Outcome | null
}

const UNTOUCHED: Standing = { attack: null, cosine: null, outcome: null }
type Cell = Readonly<{ cosine: number; crossed: boolean }>
export type Ledger = Readonly<Partial<Record<Leak, Readonly<Partial<Record<Target, Cell>>>>>>

export function useBreach() {
  const leak = ref<Leak>('database')
  const running = ref(false)
  const failed = ref(false)
  const standings = shallowReactive(untouched())
  const ledger = reactive<Partial<Record<Leak, Partial<Record<Target, Cell>>>>>({})
  const finished = computed(() => TARGETS.filter((target) => standings[target].outcome).length)
  let thief: Thief | undefined

  /** Another leak or another face: nothing of what is shown belongs to it. */
  function clear(): void {
    failed.value = false
    Object.assign(standings, untouched())
  }

  function choose(next: Leak): void {
    leak.value = next
    clear()
  }

  /** Another face: the ledger of the last one goes too. */
  function startOver(): void {
    for (const each of LEAKS) ledger[each] = {}
    clear()
  }

  async function rob(face: Float32Array, leaks: readonly Leak[]): Promise<void> {
    running.value = true
    try {
      thief ??= new Thief()
      for (const each of leaks) {
        choose(each)
        await thief.rob(face, each, { onStep, onOutcome })
      }
    } catch {
      stop()
      clear()
      failed.value = true
    } finally {
      running.value = false
    }
  }

  function onStep({ target, attack, cosine }: { target: Target; attack: AttackName; cosine: number | null }): void {
    const before = standings[target].cosine
    const best = cosine === null ? before : Math.max(before ?? -1, cosine)
    standings[target] = { attack, cosine: best, outcome: null }
  }

  function onOutcome(outcome: Outcome): void {
    const cosine = Math.max(...outcome.findings.map((finding) => finding.cosine))
    standings[outcome.target] = { attack: null, cosine, outcome }
    ledger[leak.value] = { ...ledger[leak.value], [outcome.target]: { cosine, crossed: crosses(cosine) } }
  }

  function stop(): void {
    thief?.close()
    thief = undefined
  }

  onUnmounted(stop)
  return { leak, running, failed, standings, ledger, finished, choose, startOver, rob }
}

/** Whether a face this near counts as the same person. */
export function crosses(cosine: number): boolean {
  return cosine >= COSINE_THRESHOLD
}

/** A cosine with three decimals and a real minus. */
export function shownCosine(cosine: number): string {
  const text = Math.abs(cosine).toFixed(3)
  return cosine < 0 && Number(text) > 0 ? `−${text}` : text
}

function untouched(): Record<Target, Standing> {
  return { homomorphic: UNTOUCHED, ranking: UNTOUCHED, negative: UNTOUCHED, insecure_plain: UNTOUCHED }
}
