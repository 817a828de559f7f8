import { computed, ref, shallowRef } from 'vue'
import type { Hex, People, Person } from '@/api'

/** People page by page, as `fetch` gives what comes after somebody; the latest load wins. */
export function usePages(fetch: (after: Hex | null) => Promise<People>) {
  const people = shallowRef<readonly Person[]>([])
  const next = shallowRef<Hex | null>(null)
  const loading = ref(false)
  const trouble = shallowRef<unknown>(null)
  /** Whether nobody comes after those who are here. */
  const complete = computed(() => next.value === null && !loading.value && trouble.value === null)
  let turn = 0

  async function turnTo(after: Hex | null): Promise<void> {
    const mine = ++turn
    loading.value = true
    trouble.value = null
    try {
      const page = await fetch(after)
      if (mine !== turn) return
      const fresh = new Set(page.people.map(({ id }) => id)) // somebody registered meanwhile stands here already
      people.value = after === null ? page.people : [...people.value.filter(({ id }) => !fresh.has(id)), ...page.people]
      next.value = page.next
    } catch (error) {
      if (mine === turn) trouble.value = error
    } finally {
      if (mine === turn) loading.value = false
    }
  }

  function change(work: (people: readonly Person[]) => readonly Person[]): void {
    const before = people.value
    people.value = work(before)
    if (next.value !== null && !people.value.some(({ id }) => id === next.value)) comeAfterAnother(before)
  }

  /** The server can say what comes after somebody only while they are there. */
  function comeAfterAnother(before: readonly Person[]): void {
    const left = new Set(people.value.map(({ id }) => id))
    const known = before.slice(0, before.findIndex(({ id }) => id === next.value))
    const last = known.findLast(({ id }) => left.has(id))
    if (last) next.value = last.id
    else void turnTo(null)
  }

  return {
    people,
    next,
    loading,
    trouble,
    complete,
    load: () => turnTo(null),
    more: () => turnTo(next.value),
    change,
  }
}
