import { computed, onBeforeUnmount, ref } from 'vue'

/** Seconds until a moment of this machine's steady clock; 0 when it is over or none is set. */
export function useCountdown() {
  const end = ref(0)
  const now = ref(performance.now())
  const left = computed(() => Math.max(0, Math.ceil((end.value - now.value) / 1000)))
  const clock = setInterval(() => {
    now.value = performance.now()
  }, 500)

  function until(milliseconds: number): void {
    now.value = performance.now()
    end.value = now.value + milliseconds
  }

  onBeforeUnmount(() => {
    clearInterval(clock)
  })
  return { left, until }
}

/** `9:05` */
export function clockTime(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
