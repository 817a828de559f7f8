// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest'
import { adoptLanguage, currentLanguage, gather, messages, setLanguage } from '@/i18n'

/** Every key with a dot path, so that a difference names itself. */
function keys(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([key, inner]) => keys(inner, path ? `${path}.${key}` : key))
}

function sentences(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(sentences) : []
}

function placeholders(language: 'zh' | 'en'): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'string') found[path] = [...new Set(value.match(/\{\w+\}/g))].sort()
    else if (typeof value === 'object' && value !== null)
      for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`)
  }
  walk(messages[language], '')
  return found
}

describe('the two languages', () => {
  it('have the same keys', () => {
    expect(keys(messages.zh).sort()).toEqual(keys(messages.en).sort())
  })

  it('fill the same placeholders', () => {
    expect(placeholders('zh')).toEqual(placeholders('en'))
  })

  it('leave no sentence empty', () => {
    expect([...sentences(messages.zh), ...sentences(messages.en)].filter((text) => text.trim() === '')).toEqual([])
  })

  it('are really two: Chinese sentences hold Chinese, English ones none', () => {
    const han = /\p{Script=Han}/u
    const allowed = new Set(['中文', '切换到中文'])
    expect(sentences(messages.en).filter((text) => han.test(text) && !allowed.has(text))).toEqual([])
  })
})

describe('gather', () => {
  it('puts each file under its own name', () => {
    const all = gather({ './locales/zh/home.json': { title: '首页' }, './locales/en/home.json': { title: 'Home' } })
    expect(all).toEqual({ zh: { home: { title: '首页' } }, en: { home: { title: 'Home' } } })
  })

  it('refuses a file it cannot place', () => {
    expect(() => gather({ './locales/fr/home.json': {} })).toThrow('not a locale file')
  })
})

describe('the language of a visitor', () => {
  beforeEach(() => {
    setLanguage('zh')
    localStorage.clear()
  })

  it('is the one the site speaks until there is a choice', () => {
    adoptLanguage('en')
    expect(currentLanguage()).toBe('en')
    expect(document.documentElement.lang).toBe('en')
  })

  it('is the chosen one, whatever the site speaks', () => {
    setLanguage('zh')
    adoptLanguage('en')
    expect(currentLanguage()).toBe('zh')
  })
})
