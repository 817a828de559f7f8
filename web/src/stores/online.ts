/** Whether the device says it has a network. */
import { readonly, ref } from 'vue'

const connected = ref(navigator.onLine)

for (const [event, state] of [['online', true], ['offline', false]] as const) {
  window.addEventListener(event, () => {
    connected.value = state
  })
}

export const online = readonly(connected)
