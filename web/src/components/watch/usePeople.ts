import { computed, onMounted, ref, shallowRef } from 'vue'
import type { Person } from '@/api'
import { kioskApi } from '@/kiosk/api'

/** More people than this are not fetched into a page; the server knows them all the same. */
const MOST = 5000
/** Characters of a person's name, as the server counts them. */
export const LONGEST_NAME = 40
/** Rows on the screen at once. */
export const SHOWN = 50

/** The people of the gallery: listed, searched by name, renamed, removed. */
export function usePeople(token: () => string, changed: () => void) {
  const people = shallowRef<readonly Person[]>([])
  const loading = ref(true)
  const trouble = shallowRef<unknown>(null)
  const wanted = ref('')
  const matching = computed(() => {
    const part = wanted.value.trim().toLocaleLowerCase()
    return people.value.filter(({ name }) => name.toLocaleLowerCase().includes(part))
  })

  async function load(): Promise<void> {
    loading.value = true
    trouble.value = null
    try {
      const all: Person[] = []
      let after: string | null = null
      do {
        const page = await kioskApi.people(token(), after)
        all.push(...page.people)
        after = page.next
      } while (after !== null && all.length < MOST)
      people.value = all
    } catch (error) {
      trouble.value = error
    } finally {
      loading.value = false
    }
  }

  /** Somebody was registered. */
  function add(person: Person): void {
    people.value = [...people.value, person]
    changed()
  }

  async function rename(person: Person, name: string): Promise<void> {
    const renamed = await kioskApi.rename(token(), person.id, name)
    people.value = people.value.map((other) => (other.id === renamed.id ? renamed : other))
    changed()
  }

  async function remove(person: Person): Promise<void> {
    await kioskApi.remove(token(), person.id)
    people.value = people.value.filter(({ id }) => id !== person.id)
    changed()
  }

  async function removeAll(confirm: string): Promise<void> {
    await kioskApi.removeAll(token(), confirm)
    people.value = people.value.filter(({ kind }) => kind === 'account')
    changed()
  }

  onMounted(load)
  return { people, matching, wanted, loading, trouble, load, add, rename, remove, removeAll }
}
