/** What the site says about itself: name, team, key holder, limits. Asked once. */
import { shallowReactive } from 'vue'
import { api, ApiError, type Site } from '@/api'
import { adoptLanguage } from '@/i18n'

interface State {
  site: Site | null
  trouble: ApiError | null
}

export const siteState = shallowReactive<State>({ site: null, trouble: null })

/** Fills `siteState`; never raises. */
export async function loadSite(): Promise<void> {
  if (siteState.site !== null) return
  try {
    siteState.site = await api.site()
    siteState.trouble = null
    adoptLanguage(siteState.site.default_language)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    siteState.trouble = error
  }
}
