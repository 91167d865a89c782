import { formatFloat } from '../../float.ts'

/** How many digits after the point a division gives that does not come out even. */
const DIVISION_DIGITS = 16

/** How many digits the steps of one sum may need: the sum of the largest and the smallest float has 633. */
const DIGITS_MAX = 100_000

/** A decimal number, exactly: `value` × 10^`exponent`. Sprig calculates so with floats, that 0.1 and 0.2 be 0.3. */
export class Decimal {
  readonly value: bigint
  readonly exponent: number

  private constructor(value: bigint, exponent: number) {
    if (Math.abs(exponent) > DIGITS_MAX) throw new Error(`more than ${DIGITS_MAX} decimal digits`)
    this.value = value
    this.exponent = exponent
  }

  /** The shortest decimal that is nearest to `float`. Throws an Error when there is none. */
  static from(float: number): Decimal {
    if (!Number.isFinite(float)) throw new Error(`Cannot create a Decimal from ${formatFloat(float, 'g', -1)}`)
    const [digits = '', power = '0'] = formatFloat(float, 'e', -1).split('e')
    const [whole = '', fraction = ''] = digits.split('.')
    return new Decimal(BigInt(whole + fraction), Number(power) - fraction.length)
  }

  plus(other: Decimal): Decimal {
    const exponent = Math.min(this.exponent, other.exponent)
    return new Decimal(this.#scaledTo(exponent) + other.#scaledTo(exponent), exponent)
  }

  minus(other: Decimal): Decimal {
    return this.plus(new Decimal(-other.value, other.exponent))
  }

  times(other: Decimal): Decimal {
    return new Decimal(this.value * other.value, this.exponent + other.exponent)
  }

  /** Rounded half away from zero. */
  over(other: Decimal): Decimal {
    if (other.value === 0n) throw new Error('decimal division by 0')
    const shift = this.exponent - other.exponent + DIVISION_DIGITS
    const dividend = this.value * powerOfTen(Math.max(shift, 0))
    const divisor = other.value * powerOfTen(Math.max(-shift, 0))
    const quotient = dividend / divisor
    const rest = dividend % divisor
    const isFar = 2n * magnitude(rest) >= magnitude(divisor)
    const away = dividend < 0n === divisor < 0n ? 1n : -1n
    return new Decimal(isFar ? quotient + away : quotient, -DIVISION_DIGITS)
  }

  /** The nearest float. */
  toFloat(): number {
    return Number(`${this.value}e${this.exponent}`)
  }

  #scaledTo(exponent: number): bigint {
    return this.value * powerOfTen(this.exponent - exponent)
  }
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value
}

function powerOfTen(exponent: number): bigint {
  return 10n ** BigInt(exponent)
}
