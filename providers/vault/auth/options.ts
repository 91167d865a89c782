import { v } from '../../../lib/base/schema.ts'
import type { AuthMethod } from './method.ts'
import { TokenMethod, tokenOptions } from './token.ts'

/** `auth: { method: …, … }`, as the method that it sets up. A method is one file, and a line in both of these. */
export const authOptions = v.pipe(
  v.variant('method', [tokenOptions], 'a method: token'),
  v.transform((options): AuthMethod => {
    switch (options.method) {
      case 'token':
        return new TokenMethod(options)
    }
  }),
)
