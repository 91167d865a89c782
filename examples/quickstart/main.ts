// The quick start: npm run quickstart
//
// It plays the whole way once, on this machine and without any server: values change, in a repository and in a directory; they
// are rendered, checked, published as one generation; the application is told. Each step is looked at from outside, and the exit
// code is 0 only when all of it was seen to happen.
import { diff, styleText } from 'node:util'
import { Stage } from './stage.ts'

/** For the whole. */
const PATIENCE_MS = 55_000

const stage = new Stage()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void leave(130))
setTimeout(() => void fail(new Error(`not done within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS).unref()

try {
  await play()
  await leave(0)
} catch (error) {
  await fail(error)
}

async function play(): Promise<void> {
  const startedMs = performance.now()
  say(strong('Outrigger keeps the configuration of an application current. Here it does so in a scratch directory.'))

  heading('What there is')
  await stage.set({ name: 'world' }, { 'site.yaml': 'greeting: Hello\nworkers: 4\n' })
  line('repository', 'site.yaml   greeting: Hello, workers: 4')
  line('directory', 'name        world')
  line('template', 'app.json    made of both')
  line('check', 'workers is a whole number from 1 to 64')
  line('hook', 'POST /-/reload to the application')

  heading('Outrigger starts, and then the application')
  const startMs = performance.now()
  stage.startOutrigger()
  await shown(1, startMs)
  await stage.until('/startupz answers 200', async () => (await stage.askOutrigger('/startupz')).status === 200)
  stage.startApplication()
  await told(1)
  await serves('Hello, world! (4 workers)')

  heading('Somebody commits: eight workers')
  await change(2, () => stage.commit({ 'site.yaml': 'greeting: Hello\nworkers: 8\n' }, 'eight workers'))
  await serves('Hello, world! (8 workers)')

  heading('Somebody changes a file in the directory')
  await change(3, () => stage.setValue('name', 'Outrigger'))
  await serves('Hello, Outrigger! (8 workers)')

  heading('Somebody commits a mistake: "lots" of workers')
  line('commit', await stage.commit({ 'site.yaml': 'greeting: Hello\nworkers: lots\n' }, 'lots of workers'))
  const why = await stage.until('the mistake is refused', async () => {
    const { body } = await stage.askOutrigger('/readyz')
    return /not newer because: (.*want a whole number.*)/.exec(body)?.[1]
  })
  line('refused', bad(why))
  ensure(stage.visible() === 3 && stage.noticeOf(4) === undefined, 'generation 3 stays visible, and nobody is told')
  ensure((await stage.askOutrigger('/readyz')).status === 200, '/readyz answers 200, because what is visible is good')
  line('visible', 'generation 3, as before; nobody was told of anything')
  await serves('Hello, Outrigger! (8 workers)')

  heading('Somebody mends it: six workers')
  await change(4, () => stage.commit({ 'site.yaml': 'greeting: Hello\nworkers: 6\n' }, 'six workers'))
  await serves('Hello, Outrigger! (6 workers)')

  heading('Outrigger leaves')
  ensure((await stage.stopOutrigger()) === 0, 'Outrigger exits with 0')
  ensure(stage.visible() === 4, 'generation 4 stays visible')
  line('visible', 'generation 4: what is published stays published')
  await serves('Hello, Outrigger! (6 workers)')

  say()
  say(good(`All of it happened, in ${seconds(startedMs)}. Nothing is left behind.`))
  say('Next: examples/README.md; and npm run build, then dist/outrigger.js --help.')
}

/** Makes a change, and follows it: generation, difference, hook. */
async function change(generation: number, make: () => Promise<string> | void): Promise<void> {
  const commit = await make()
  const madeMs = performance.now()
  if (commit !== undefined) line('commit', commit)
  await shown(generation, madeMs)
  for (const [kind, text] of diff(stage.linesOf(generation - 1), stage.linesOf(generation))) {
    if (kind !== 0) line('', kind > 0 ? bad(`- ${text}`) : good(`+ ${text}`))
  }
  await told(generation)
}

async function shown(generation: number, sinceMs: number): Promise<void> {
  await stage.until(`generation ${generation} is visible`, () => stage.visible() === generation)
  line('visible', `generation ${generation}, ${seconds(sinceMs)} later`)
}

async function told(generation: number): Promise<void> {
  const { changed } = await stage.until(`the hook tells of generation ${generation}`, () => stage.noticeOf(generation))
  ensure(changed.join() === 'app.json', 'the hook names what changed')
  line('hook', `the application was told: generation ${generation}, changed: ${changed.join(', ')}`)
}

async function serves(text: string): Promise<void> {
  const served = await stage.askApplication()
  ensure(served === text, `the application serves "${text}", not "${served}"`)
  line('application', `serves: ${strong(served)}`)
}

function ensure(holds: boolean, what: string): void {
  if (!holds) throw new Error(`it is not so that ${what}`)
}

async function fail(error: unknown): Promise<void> {
  // What fails because everything is being cleared away is no failure.
  if (stage.isCleared) return
  process.stderr.write(`\nquickstart: ${error instanceof Error ? error.message : String(error)}\n`)
  await leave(1)
}

async function leave(code: number): Promise<void> {
  await stage.clear()
  process.exit(code)
}

function heading(text: string): void {
  say(`\n${strong(text)}`)
}

function line(label: string, text: string): void {
  say(`  ${styleText('dim', label.padEnd(12))} ${text}`)
}

function say(text = ''): void {
  process.stdout.write(`${text}\n`)
}

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(2)} s`
}

// On a terminal only: `styleText` looks at the stream, and at NO_COLOR.
function strong(text: string): string {
  return styleText('bold', text)
}

function good(text: string): string {
  return styleText('green', text)
}

function bad(text: string): string {
  return styleText('red', text)
}
