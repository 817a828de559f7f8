/** Light, dark, or as the device has it. */
import { readonly, ref } from 'vue'
import { storeChoice, storedChoice } from '@/stores/remember'

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const chosen = ref<Theme>(storedChoice('theme', THEMES) ?? 'auto')

export const theme = readonly(chosen)

export function setTheme(next: Theme): void {
  chosen.value = next
  storeChoice('theme', next === 'auto' ? undefined : next)
  if (next === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = next
}
