import { setTimeout } from 'node:timers/promises'
import type { Clock } from '../../../lib/base/clock.ts'
import { HttpApi, type Api } from '../../../providers/vault/api.ts'
import type { Settings } from '../../../providers/vault/settings.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'

/** What one step of time waits for answers at most: those that do not come are to be met by the clock's own deadlines. */
const ANSWER_MS_MAX = 2_000
const LOOK_MS = 2

/** Time that passes for us alone, in steps, each of which lets the real server answer what was asked in it. */
export class SteppedTime {
  readonly clock = new FakeClock()
  /** Whether the server answers nothing at all, so that there is no use in waiting for it. */
  isDead = false
  #pending = 0

  /** Connects a provider with requests that are counted. */
  readonly connect = (settings: Settings, clock: Clock): Api => {
    const api = new HttpApi(settings, clock)
    return {
      send: async (request, signal) => {
        this.#pending++
        try {
          return await api.send(request, signal)
        } finally {
          this.#pending--
        }
      },
      close: () => api.close(),
    }
  }

  async pass(durationMs: number, stepMs = 1_000): Promise<void> {
    for (let left = durationMs; left > 0; left -= stepMs) {
      await this.clock.advance(Math.min(left, stepMs))
      const giveUpAt = performance.now() + (this.isDead ? 0 : ANSWER_MS_MAX)
      while (this.#pending > 0 && performance.now() < giveUpAt) {
        await setTimeout(LOOK_MS)
        await this.clock.advance(0)
      }
    }
  }

  /** Lets time pass until something holds. What is under way when the time is up may come to its end: it is a busy machine that is late
   *  then. Gives how long it took. */
  async until(holds: () => boolean | Promise<boolean>, withinMs: number): Promise<number> {
    const startMs = this.clock.monotonicMs()
    while (!(await holds())) {
      const tookMs = this.clock.monotonicMs() - startMs
      if (tookMs < withinMs) await this.pass(500, 500)
      else await this.#ends(holds, tookMs)
    }
    return this.clock.monotonicMs() - startMs
  }

  async #ends(holds: () => boolean | Promise<boolean>, tookMs: number): Promise<void> {
    await eventually(async () => {
      await this.clock.advance(0)
      if (!(await holds())) throw new Error(`it does not hold after ${tookMs} ms`)
    })
  }
}
