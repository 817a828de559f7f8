import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'

interface Disclosure {
  open: Ref<boolean>
  toggle: () => void
  close: () => void
}

/** A button in `root` that shows and hides something; Escape and a press outside of `root` hide it. */
export function useDisclosure(root: Readonly<Ref<HTMLElement | null>>): Disclosure {
  const open = ref(false)

  function close(): void {
    open.value = false
  }

  function toggle(): void {
    open.value = !open.value
  }

  function onKey(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !open.value) return
    close()
    root.value?.querySelector('button')?.focus()
  }

  function onPress(event: PointerEvent): void {
    if (!(event.target instanceof Node) || !root.value?.contains(event.target)) close()
  }

  onMounted(() => {
    document.addEventListener('keydown', onKey)
    document.addEventListener('pointerdown', onPress)
  })

  onBeforeUnmount(() => {
    document.removeEventListener('keydown', onKey)
    document.removeEventListener('pointerdown', onPress)
  })

  return { open, toggle, close }
}
