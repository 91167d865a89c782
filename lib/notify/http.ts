import { withDeadline } from '../base/deadline.ts'
import { OperationalError } from '../base/errors.ts'
import { excerpt } from '../base/excerpt.ts'
import { addressOf, HttpClient, type HttpResponse } from '../base/http.ts'
import type { Secret } from '../base/secret.ts'
import type { HttpHookOptions } from '../bundle.ts'
import type { Notice } from '../notice.ts'
import { readHeaders } from './headers.ts'
import { HookError, type Hook } from './hook.ts'
import type { HookHost } from './host.ts'

/** How much of a refusal is kept, in characters: the application's own words. */
const REFUSAL_CHARACTERS_MAX = 1_000
/** How much of any other answer is shown. */
const ANSWER_CHARACTERS_MAX = 200
/** 409 Conflict and 422 Unprocessable Content: the application understood, and does not want this generation. */
const REFUSALS: readonly number[] = [409, 422]
const WITHOUT_BODY: readonly string[] = ['GET', 'HEAD']

/** Tells by an HTTP request whose JSON body is the notice: `{bundle, generation, digest, changed, directory, restores?}`;
 *  GET and HEAD have no body. An expected status means told; 409 and 422, unless expected, that the application refuses the
 *  generation. Each try has a connection of its own, because a kept one may lead to a process that is on its way out. */
export function httpHook(options: HttpHookOptions, host: HookHost): Hook {
  const { id, url, method, timeoutMs } = options
  const withBody = !WITHOUT_BODY.includes(method.toUpperCase())
  const client = new HttpClient({ keepAlive: false })
  const reading = { timeoutMs, timeoutError: () => new HookError('failed', 'its headers cannot be read in time') }
  return {
    id,
    async tell(notice, signal) {
      const own = await withDeadline(reading, () => readHeaders(options.headers, host.redactor), host.clock, signal)
      const headers = withBody ? headersWithType(own) : own
      const body = withBody ? { body: bodyOf(notice) } : {}
      const request = { url, method, headers, timeoutMs, onExcess: 'cut', ...body } as const
      let response: HttpResponse
      try {
        response = await client.request(request, host.clock, signal)
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error
        const hint = error.hint === undefined ? {} : { hint: error.hint }
        throw new HookError('failed', host.redactor.redact(error.message), { ...hint, cause: error })
      }
      judge(response, options, host)
    },
  }
}

function judge(response: HttpResponse, { url, expect }: HttpHookOptions, { redactor }: HookHost): void {
  const { status } = response
  if (expect === undefined ? status >= 200 && status <= 299 : expect.includes(status)) return
  const refused = REFUSALS.includes(status)
  const charactersMax = refused ? REFUSAL_CHARACTERS_MAX : ANSWER_CHARACTERS_MAX
  const words = excerpt(redactor.redact(response.body.toString('utf8')), charactersMax)
  const answer = `${addressOf(new URL(url))} answered ${status}${words === '' ? '' : `: ${words}`}`
  if (refused) throw new HookError('refused', answer)
  throw new HookError('failed', answer, status >= 300 && status <= 399 ? { hint: REDIRECT_HINT } : {})
}

const REDIRECT_HINT = 'redirects are not followed: give the address that it leads to'

function bodyOf({ bundle, generation, digest, changed, directory, restores }: Notice): string {
  return JSON.stringify({ bundle, generation, digest, changed, directory, restores })
}

function headersWithType(headers: ReadonlyMap<string, Secret>): ReadonlyMap<string, Secret | string> {
  const names = [...headers.keys()].map(name => name.toLowerCase())
  if (names.includes('content-type')) return headers
  return new Map<string, Secret | string>([['content-type', 'application/json'], ...headers])
}
