/** The JSON Schema of the configuration, for editors. Nothing of the program imports this file: what it needs is a development
 *  dependency. */
import { toJsonSchema, type ConversionConfig, type JsonSchema } from '@valibot/to-json-schema'
import type { ProviderPlugin } from '../provider.ts'
import { shrinkGuardSchema } from './shrink-guard.ts'
import { topSchema } from './schema.ts'
import { shapeOf, wantOf, type Shape } from './shape.ts'
import type { v } from '../base/schema.ts'

export type { JsonSchema } from '@valibot/to-json-schema'

/** Describes what `loadConfig` takes, as far as JSON Schema can (draft 7). It is never stricter than `loadConfig`: relations between
 *  parts of a configuration are left to it. */
export function configSchema(plugins: ReadonlyMap<string, ProviderPlugin>): JsonSchema {
  const { $schema, ...top } = toJsonSchema(topSchema, CONVERSION)
  const { providers, state, ...properties } = top.properties as Readonly<Record<string, JsonSchema>>
  return {
    ...($schema === undefined ? {} : { $schema }),
    title: 'Outrigger configuration',
    ...top,
    properties: {
      providers: { ...providers, additionalProperties: providerSchema(plugins) },
      // It is expanded, so it may look like anything before.
      state: without(state, 'pattern'),
      ...properties,
    },
  }
}

/** One of the types, each with its own options. `if` rather than `oneOf`, so that editors say what is wrong with the type that
 *  was chosen, instead of that none fits. */
function providerSchema(plugins: ReadonlyMap<string, ProviderPlugin>): JsonSchema {
  const all = [...plugins.values()].toSorted((a, b) => (a.type < b.type ? -1 : 1))
  const own = {
    type: { description: 'The type of the provider.', enum: all.map(({ type }) => type) },
    default: { description: 'Whether the template functions of this type ask this provider.', type: 'boolean' },
    seal: {
      description:
        'What is kept of its readings, sealed in the state directory, for a restart without it: everything, what has a lease, or nothing.',
      enum: ['all', 'leases', 'none'],
    },
    revokeOnShutdown: {
      description: 'Whether its leases are revoked when outrigger run ends, rather than taken up by the next start.',
      type: 'boolean',
    },
    shrinkGuard: {
      description:
        'What becomes empty, or loses more than a share of its entries at once, is held back for a while; or "off".',
      ...without(toJsonSchema(shrinkGuardSchema, CONVERSION), '$schema'),
    },
  } satisfies Record<string, JsonSchema>
  return {
    type: 'object',
    properties: own,
    required: ['type'],
    allOf: all.map(({ type, options }) => {
      const { $schema: _schema, ...schema } = toJsonSchema(options, EXPANDED)
      return {
        if: { properties: { type: { const: type } }, required: ['type'] },
        // oxlint-disable-next-line unicorn/no-thenable -- A keyword of JSON Schema.
        then: { ...schema, properties: { ...own, ...schema.properties } },
      }
    }),
  }
}

const CONVERSION: ConversionConfig = {
  target: 'draft-07',
  // Checks and transformations in code have no form in JSON Schema.
  errorMode: 'ignore',
  overrideSchema({ valibotSchema, jsonSchema }) {
    const shape: Shape = valibotSchema
    const words = ownWords(shape)
    return words === undefined || jsonSchema.description !== undefined
      ? undefined
      : { ...jsonSchema, description: words }
  },
}

/** For places where `${NAME}` is expanded: what a text must look like after that says nothing about it before. */
const EXPANDED: ConversionConfig = {
  ...CONVERSION,
  ignoreActions: [
    'regex',
    'length',
    'min_length',
    'max_length',
    'non_empty',
    'url',
    'starts_with',
    'ends_with',
    'includes',
  ],
}

function without(schema: JsonSchema | undefined, keyword: string): JsonSchema {
  return Object.fromEntries(Object.entries(schema ?? {}).filter(([name]) => name !== keyword))
}

/** What a schema wants in its own words, as a sentence. */
function ownWords(shape: Shape): string | undefined {
  if (typeof shape.message !== 'string') return undefined
  const want = wantOf(shapeOf(shape as unknown as v.GenericSchema))
  return `${want.slice(0, 1).toUpperCase()}${want.slice(1)}.`
}
