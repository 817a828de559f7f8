import { createI18n } from 'vue-i18n'
import { storedChoice, storeChoice } from '@/stores/remember'

export const LANGUAGES = ['zh', 'en'] as const
export type Language = (typeof LANGUAGES)[number]

/** What `<html lang>` says, so that fonts, hyphenation and screen readers follow. */
const HTML_LANG: Record<Language, string> = { zh: 'zh-Hans', en: 'en' }

type Sentences = Record<string, unknown>

/** `./locales/zh/home.json` becomes `{ zh: { home: {…} } }`: a key starts with the name of its file. */
export function gather(files: Record<string, Sentences>): Record<Language, Sentences> {
  const all: Record<Language, Sentences> = { zh: {}, en: {} }
  for (const [path, sentences] of Object.entries(files)) {
    const [, language, area] = /\/(zh|en)\/([\w-]+)\.json$/.exec(path) ?? []
    if (language === undefined || area === undefined) throw new Error(`not a locale file: ${path}`)
    all[language as Language][area] = sentences
  }
  return all
}

const files = import.meta.glob<Sentences>('./locales/*/*.json', { eager: true, import: 'default' })

export const messages = gather(files)

export const i18n = createI18n({
  legacy: false,
  locale: storedChoice('language', LANGUAGES) ?? 'zh',
  fallbackLocale: 'zh',
  messages: messages as Record<Language, Record<string, never>>,
  missingWarn: import.meta.env.DEV,
  fallbackWarn: false,
})

/** The part of vue-i18n used outside components; its own types are too deep for the compiler to follow. */
const composer = i18n.global as unknown as {
  t: (key: string, named: Record<string, unknown>) => string
  locale: { value: Language }
}

/** For sentences made outside a component. */
export function translate(key: string, named: Record<string, unknown> = {}): string {
  return composer.t(key, named)
}

export function currentLanguage(): Language {
  return composer.locale.value
}

/** The site's own language, for a visitor who has not chosen one. */
export function adoptLanguage(language: Language): void {
  if (storedChoice('language', LANGUAGES) === undefined) show(language)
}

export function setLanguage(language: Language): void {
  show(language)
  storeChoice('language', language)
}

function show(language: Language): void {
  composer.locale.value = language
  document.documentElement.lang = HTML_LANG[language]
}
