/** What the journal records. */
export type Entry = Intended | Delivered | Confirmed | Condemned

/** A generation is complete and checked, and is about to be made visible. */
export interface Intended {
  readonly kind: 'intended'
  readonly generation: number
  readonly digest: string
  /** The ids of the hooks that must be told of it. */
  readonly hooks: readonly string[]
  /** What the notice says: the paths that differ from what was visible before, sorted. While a hook has not been told of that
   *  one either, the writer adds what it would have heard then, so that no hook misses a path. */
  readonly changed: readonly string[]
  /** Set on a rollback: the number of the generation whose contents are shown again. */
  readonly restores?: number
}

/** A hook has been told of a generation. */
export interface Delivered {
  readonly kind: 'delivered'
  readonly generation: number
  readonly hook: string
}

/** A generation's probation ended well. */
export interface Confirmed {
  readonly kind: 'confirmed'
  readonly generation: number
}

/** A generation's probation ended badly. */
export interface Condemned {
  readonly kind: 'condemned'
  readonly generation: number
  readonly digest: string
  /** For people; no value of a dependency. */
  readonly why: string
}

/** How many condemned digests are remembered; the oldest goes first. */
export const CONDEMNED_MAX = 100

/** What a crash left to do, and what the visible generation is. */
export interface Recovery {
  /** Intended and not visible: finish it (files) or drop it (volume), with `Publisher.resume`. */
  readonly unfinished: number | undefined
  /** Whether the journal knows the visible generation. It does not when the state directory was lost: then nobody knows who
   *  was told, so every hook is owed. False also when nothing is visible. */
  readonly known: boolean
  /** The visible generation's own record: */
  readonly digest: string | undefined
  readonly changed: readonly string[]
  readonly restores: number | undefined
  /** The hooks that may not have been told of it, in the order of its intent. */
  readonly owed: readonly string[]
  /** The hooks that were told of it. */
  readonly told: readonly string[]
  /** The last word on it: one that was condemned and had to stay may be confirmed by a later probation. */
  readonly confirmed: boolean
  /** Why it was condemned, when that is the last word: then it must be rolled back first. */
  readonly condemned: string | undefined
  /** The newest generation that is fit to go back to: confirmed, and its contents not condemned since. */
  readonly lastConfirmed: number | undefined
  readonly lastConfirmedDigest: string | undefined
  /** Contents that are not to be tried again: by digest, why; the newest `CONDEMNED_MAX`. Those that were condemned before the
   *  last confirmation of something new are forgotten: an input has changed since. */
  readonly condemnedDigests: ReadonlyMap<string, string>
  /** Greater than the number of any generation in the journal and of any that lies there. */
  readonly nextNumber: number
}

/** Says what a crash left to do. Pure: from the journal, from what is visible, and from which generations lie there
 *  (`Publisher.generations`). What does not lie there can be neither finished nor gone back to. */
export function recover(
  entries: readonly Entry[],
  visible: number | undefined,
  generations: readonly number[],
): Recovery {
  const there = new Set(generations)
  const last = entries.findLast(entry => entry.kind === 'intended')?.generation
  const unfinished = last !== undefined && last > (visible ?? 0) && there.has(last) ? last : undefined
  const condemned = newestCondemned(entries)
  const good = lastConfirmed(entries, there, condemned)
  return {
    unfinished,
    ...recordOf(entries, visible),
    lastConfirmed: good?.generation,
    lastConfirmedDigest: good?.digest,
    condemnedDigests: new Map([...condemned].map(([digest, { why }]) => [digest, why])),
    nextNumber: highestOf(entries, generations, visible) + 1,
  }
}

function highestOf(entries: readonly Entry[], generations: readonly number[] = [], least = 0): number {
  let highest = least
  for (const { generation } of entries) if (generation > highest) highest = generation
  for (const generation of generations) if (generation > highest) highest = generation
  return highest
}

type VisibleRecord = Pick<
  Recovery,
  'known' | 'digest' | 'changed' | 'restores' | 'owed' | 'told' | 'confirmed' | 'condemned'
>

/** The record of the visible generation. */
function recordOf(entries: readonly Entry[], visible: number | undefined): VisibleRecord {
  let intent: Intended | undefined
  let confirmed = false
  let condemned: string | undefined
  const owed = new Set<string>()
  const told = new Set<string>()
  for (const entry of entries) {
    if (entry.generation !== visible) continue
    switch (entry.kind) {
      case 'intended':
        intent = entry
        for (const hook of entry.hooks) owed.add(hook)
        break
      case 'delivered':
        owed.delete(entry.hook)
        told.add(entry.hook)
        break
      case 'confirmed':
        confirmed = true
        condemned = undefined
        break
      case 'condemned':
        confirmed = false
        condemned = entry.why
        break
    }
  }
  return {
    known: intent !== undefined,
    digest: intent?.digest,
    changed: intent?.changed ?? [],
    restores: intent?.restores,
    owed: [...owed],
    told: [...told],
    confirmed,
    condemned,
  }
}

interface Condemnation {
  readonly why: string
  /** Where in the journal. */
  readonly at: number
}

/** The newest condemnation of each digest, unless something new has been confirmed since. */
function newestCondemned(entries: readonly Entry[]): ReadonlyMap<string, Condemnation> {
  const newest = new Map<string, Condemnation>()
  const forgottenTo = lastNew(entries)?.at ?? -1
  for (let at = entries.length - 1; at > forgottenTo && newest.size < CONDEMNED_MAX; at--) {
    const entry = entries[at] as Entry
    if (entry.kind === 'condemned' && !newest.has(entry.digest)) newest.set(entry.digest, { why: entry.why, at })
  }
  return newest
}

/** The last confirmation of a generation that was no rollback. */
function lastNew(entries: readonly Entry[]): { readonly generation: number; readonly at: number } | undefined {
  for (let at = entries.length - 1; at >= 0; at--) {
    const { kind, generation } = entries[at] as Entry
    if (kind !== 'confirmed') continue
    const intent = intentBefore(entries, at, generation)
    if (intent !== undefined && intent.restores === undefined) return { generation, at }
  }
  return undefined
}

/** The last intent of a generation before a place in the journal; most often it stands a few entries before. */
function intentBefore(entries: readonly Entry[], before: number, generation: number): Intended | undefined {
  for (let at = before - 1; at >= 0; at--) {
    const entry = entries[at] as Entry
    if (entry.kind === 'intended' && entry.generation === generation) return entry
  }
  return undefined
}

function lastConfirmed(
  entries: readonly Entry[],
  generations: ReadonlySet<number>,
  condemned: ReadonlyMap<string, Condemnation>,
): Intended | undefined {
  let newest: Intended | undefined
  for (let at = entries.length - 1; at >= 0; at--) {
    const { kind, generation } = entries[at] as Entry
    if (kind !== 'confirmed' || generation < (newest?.generation ?? 0) || !generations.has(generation)) continue
    const intent = intentBefore(entries, at, generation)
    if (intent !== undefined && at >= (condemned.get(intent.digest)?.at ?? 0)) newest = intent
  }
  return newest
}

/** The entries that `recover` needs, whichever of the generations that lie there is visible, and the newest `recentMin` for
 *  people: for all of these, now and after any further entries, it says the same of them as of all entries. */
export function compact<T extends { readonly entry: Entry }>(
  records: readonly T[],
  generations: readonly number[],
  recentMin: number,
): readonly T[] {
  const entries = records.map(record => record.entry)
  // The last intent may be unfinished; the highest number must not be given again.
  const last = entries.findLast(entry => entry.kind === 'intended')?.generation
  const highest = highestOf(entries)
  const needed = new Set([...generations, last, highest, lastNew(entries)?.generation])
  const condemned = new Set(newestCondemned(entries).keys())
  const recent = records.length - recentMin
  return records
    .toReversed()
    .filter(({ entry }, i) => {
      // A digest is deleted from the set when its newest record is met, coming from the end.
      if (entry.kind === 'condemned' && condemned.delete(entry.digest)) return true
      return needed.has(entry.generation) || records.length - 1 - i >= recent
    })
    .toReversed()
}
