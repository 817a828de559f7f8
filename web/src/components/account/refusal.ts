import { ApiError } from '@/api'
import { translate } from '@/i18n'

/** What to say where somebody who is logged in was asked for the password once more: the name was never in question. */
export function refusal(error: unknown): string {
  if (!(error instanceof ApiError)) return translate('errors.unknown')
  return error.code === 'server.wrong_credentials' ? translate('account.wrong.current') : error.message
}
