/** What a new account must look like; the server checks the same and has the last word. */

export const TERMS_VERSION = '2026-11'
export const PASSWORD_CHARACTERS = 10
export const DISPLAY_NAME_CHARACTERS = 40

const USERNAME = /^[a-z0-9][a-z0-9._-]{2,31}$/i

export interface NewAccountForm {
  username: string
  displayName: string
  password: string
  consent: boolean
}

export type Field = keyof NewAccountForm

/** Characters as people count them. */
function length(text: string): number {
  return Array.from(text).length
}

/** The key of what is wrong with each field; fields that are well are absent. */
export function check(form: NewAccountForm): Partial<Record<Field, string>> {
  const wrong: Partial<Record<Field, string>> = {}
  const name = length(form.displayName.trim())
  if (!USERNAME.test(form.username.trim())) wrong.username = 'account.wrong.username'
  if (name < 1 || name > DISPLAY_NAME_CHARACTERS) wrong.displayName = 'account.wrong.displayName'
  if (length(form.password) < PASSWORD_CHARACTERS) wrong.password = 'account.wrong.password'
  else if (form.password.toLowerCase() === form.username.trim().toLowerCase()) wrong.password = 'account.wrong.passwordIsName'
  if (!form.consent) wrong.consent = 'account.wrong.consent'
  return wrong
}

const FIELD_OF_CODE: Record<string, Field> = {
  'server.username_taken': 'username',
  'server.username_unusable': 'username',
  'server.display_name_unusable': 'displayName',
  'server.password_too_short': 'password',
  'server.password_too_common': 'password',
  'server.terms_changed': 'consent',
}

/** The field a refusal is about, or undefined when it is about the whole. */
export function fieldOf(code: string): Field | undefined {
  return FIELD_OF_CODE[code]
}
