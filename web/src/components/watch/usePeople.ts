import { computed, onMounted, ref, watch } from 'vue'
import type { Person } from '@/api'
import { kioskApi } from '@/kiosk/api'
import { usePages } from './usePages'

/** Characters of a person's name, as the server counts them. */
export const LONGEST_NAME = 40
/** How long a name is left alone before it is looked for. */
const PAUSE_MS = 250

/** The people of the gallery: listed page by page, looked for by name, renamed, removed. */
export function usePeople(token: () => string, changed: () => void) {
  const everybody = usePages((after) => kioskApi.people(token(), after))
  const wanted = ref('')
  const part = computed(() => wanted.value.trim())
  const named = usePages((after) => kioskApi.peopleByName(token(), part.value, after))
  /** The server looks for a name where not everybody is here. */
  const asked = computed(() => part.value !== '' && !everybody.complete.value)
  const pages = computed(() => (asked.value ? named : everybody))
  const matching = computed(() => {
    const letters = part.value.toLocaleLowerCase()
    return pages.value.people.value.filter(({ name }) => asked.value || name.toLocaleLowerCase().includes(letters))
  })
  const more = computed(() => pages.value.next.value !== null)
  const loading = computed(() => pages.value.loading.value)
  const trouble = computed(() => pages.value.trouble.value)

  watch(part, (_now, _before, onCleanup) => {
    if (!asked.value) return
    const timer = setTimeout(() => {
      void named.load()
    }, PAUSE_MS)
    onCleanup(() => {
      clearTimeout(timer)
    })
  })

  function change(work: (people: readonly Person[]) => readonly Person[]): void {
    everybody.change(work)
    named.change(work)
    changed()
  }

  /** Somebody was registered, anew or in the place of what was known of them. */
  function add(person: Person): void {
    change((people) => people.filter(({ id }) => id !== person.id))
    everybody.change((people) => [...people, person])
  }

  async function rename(person: Person, name: string): Promise<void> {
    const renamed = await kioskApi.rename(token(), person.id, name)
    change((people) => people.map((other) => (other.id === renamed.id ? renamed : other)))
  }

  async function remove(person: Person): Promise<void> {
    await kioskApi.remove(token(), person.id)
    change((people) => people.filter(({ id }) => id !== person.id))
  }

  async function removeAll(confirm: string): Promise<void> {
    await kioskApi.removeAll(token(), confirm)
    change((people) => people.filter(({ kind }) => kind === 'account'))
  }

  onMounted(everybody.load)
  return {
    people: everybody.people,
    whole: everybody.complete,
    matching,
    wanted,
    more,
    loading,
    trouble,
    load: () => pages.value.load(),
    loadMore: () => pages.value.more(),
    add,
    rename,
    remove,
    removeAll,
  }
}
