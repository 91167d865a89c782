import { Float, Struct, Uint } from '../base/value.ts'
import { Complex } from './complex.ts'
import { checkExtent } from './extent.ts'
import { formatFloat } from './float.ts'
import { Instance } from './instance.ts'
import { isMap, sortedKeys, type Operand } from './operand.ts'

/** What an action prints. */
export function showPrinted(operand: Operand): string {
  if (operand === undefined) return '<no value>'
  return typeof operand === 'symbol' ? '' : show(operand)
}

/** As Go's `%v`, which is what `print` uses. */
export function show(operand: Operand): string {
  checkExtent(operand)
  return shown(operand)
}

function shown(operand: Operand): string {
  switch (typeof operand) {
    case 'string':
      return operand
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(operand)
    case 'undefined':
      return '<nil>'
    case 'symbol':
      return ''
    default:
  }
  if (operand === null) return '<nil>'
  if (isMap(operand)) {
    return `map[${sortedKeys(operand)
      .map(key => `${key}:${shown(operand.get(key))}`)
      .join(' ')}]`
  }
  if (operand instanceof Float) return showFloat(operand.value)
  if (operand instanceof Uint) return String(operand.value)
  if (operand instanceof Instance && operand.text !== undefined) return operand.text()
  if (operand instanceof Struct) return `{${[...operand.fields.values()].map(shown).join(' ')}}`
  if (operand instanceof Complex) return showComplex(operand)
  return `[${operand.map(shown).join(' ')}]`
}

function showFloat(value: number): string {
  const size = Math.abs(value)
  // In this range JavaScript writes it as Go does.
  return size >= 1e-4 && size < 1e6 ? String(value) : formatFloat(value, 'g', -1)
}

function showComplex({ real, imaginary }: Complex): string {
  const sign = imaginary < 0 || Object.is(imaginary, -0) || imaginary === Infinity ? '' : '+'
  return `(${showFloat(real)}${sign}${showFloat(imaginary)}i)`
}
