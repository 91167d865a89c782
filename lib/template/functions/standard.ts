import type { FunctionTable, TemplateFunction } from '../function.ts'
import { collectionFunctions } from './collections.ts'
import { encodingFunctions } from './encoding.ts'
import { environmentFunctions, type Environment as Variables } from './environment.ts'
import { mathFunctions } from './math.ts'
import { pairFunctions } from './pairs.ts'
import { refusedFunctions } from './refused.ts'
import { regexpFunctions } from './regexp.ts'
import { scratchFunctions } from './scratch.ts'
import { sockaddrFunctions, type Network } from './sockaddr/sockaddr.ts'
import { spewFunctions } from './spew.ts'
import { sprigFunctions } from './sprig/sprig.ts'
import { templateFunctions } from './templates.ts'
import { textFunctions } from './text.ts'
import { timeFunctions, type Time } from './time.ts'

/** What functions need of the world. */
export interface Environment extends Variables, Time, Network {}

/** The functions beside Go's builtins that need no provider, with the names and argument orders of consul-template. */
export function standardFunctions<Context extends Environment>(): FunctionTable<Context> {
  const all: readonly TemplateFunction<Context>[] = [
    ...sprigFunctions(),
    ...textFunctions,
    ...mathFunctions,
    ...collectionFunctions,
    ...pairFunctions,
    ...scratchFunctions,
    ...templateFunctions,
    ...encodingFunctions,
    ...regexpFunctions,
    ...timeFunctions,
    ...environmentFunctions,
    ...spewFunctions,
    ...sockaddrFunctions,
    ...refusedFunctions,
  ]
  return new Map(all.map(each => [each.name, each]))
}
