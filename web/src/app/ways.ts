/** Pages that the site and the app both have: a link in a shared component leads to the one of where it stands. */
import { computed } from 'vue'
import { useRoute, type RouteLocationRaw } from 'vue-router'

/** The app's name of each of the site's pages. */
const TWINS = {
  home: 'app-wallet',
  enrol: 'app-enrol',
  me: 'app-face',
  recognise: 'app-recognise',
  login: 'app-login',
  register: 'app-register',
} as const

export type Shared = keyof typeof TWINS

/** The page called `name`, on the site or in the app. */
export function useWays(): (name: Shared) => Exclude<RouteLocationRaw, string> {
  const route = useRoute()
  const inApp = computed(() => route.meta.app === true)
  return (name) => ({ name: inApp.value ? TWINS[name] : name })
}
