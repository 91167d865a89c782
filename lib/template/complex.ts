/** A complex constant of a template, `1+2i`. Only a template's text can make one, and only Go's builtins take it: it is no
 *  `Value`, and is here so that such a template does what it does in Go. */
export class Complex {
  readonly real: number
  readonly imaginary: number
  constructor(real: number, imaginary: number) {
    this.real = real
    this.imaginary = imaginary
  }
}
