// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { currentLanguage, setLanguage, translate } from '@/i18n'
import { storeChoice, storedChoice } from '@/stores/remember'
import { setTheme, theme } from '@/stores/theme'

beforeEach(() => {
  localStorage.clear()
})

afterEach(() => {
  vi.restoreAllMocks()
})

describe('a remembered choice', () => {
  it('comes back if it is one of those allowed', () => {
    storeChoice('theme', 'dark')
    expect(storedChoice('theme', ['light', 'dark'])).toBe('dark')
    expect(storedChoice('theme', ['light'])).toBeUndefined()
    storeChoice('theme', undefined)
    expect(storedChoice('theme', ['light', 'dark'])).toBeUndefined()
  })

  it('does without storage', () => {
    vi.stubGlobal('localStorage', undefined)
    expect(() => {
      storeChoice('theme', 'dark')
    }).not.toThrow()
    expect(storedChoice('theme', ['dark'])).toBeUndefined()
    vi.unstubAllGlobals()
  })
})

describe('the language', () => {
  it('is Chinese unless chosen, is remembered, and is told to the document', () => {
    expect(currentLanguage()).toBe('zh')
    expect(translate('nav.login')).toBe('登录')
    setLanguage('en')
    expect(translate('nav.login')).toBe('Log in')
    expect(document.documentElement.lang).toBe('en')
    expect(localStorage.getItem('veilface.language')).toBe('en')
    setLanguage('zh')
    expect(document.documentElement.lang).toBe('zh-Hans')
  })
})

describe('the theme', () => {
  it('is that of the device until chosen', () => {
    expect(theme.value).toBe('auto')
    setTheme('dark')
    expect(document.documentElement.dataset.theme).toBe('dark')
    expect(localStorage.getItem('veilface.theme')).toBe('dark')
    setTheme('auto')
    expect(document.documentElement.dataset.theme).toBeUndefined()
    expect(localStorage.getItem('veilface.theme')).toBeNull()
  })
})
