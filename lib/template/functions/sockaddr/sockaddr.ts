import { messageOf } from '../../../base/errors.ts'
import type { Value } from '../../../base/value.ts'
import { TemplateError } from '../../error.ts'
import type { Executing, FunctionTable, ParameterKind, TemplateFunction } from '../../function.ts'
import { typeName } from '../../operand.ts'
import { parseTemplate } from '../../template.ts'
import { NOT_FORWARDABLE } from './blocks.ts'
import { compute } from './compute.ts'
import { InterfaceAddress } from './interface-address.ts'
import { parseIpAddress } from './ip-address.ts'
import { byDefault, bySize, byType, sortBy, sorted } from './order.ts'
import { byFlag, byName, byRfc, select, type Selection } from './select.ts'

/** What `sockaddr` needs of the world. */
export interface Network {
  /** The addresses of all interfaces, in the order of the interfaces. */
  readonly networkAddresses: () => readonly NetworkAddress[]
}

/** One address of an interface. */
export interface NetworkAddress {
  readonly interfaceName: string
  /** With the length of the network's prefix: `10.1.2.3/16`, `fd00::1/64`. */
  readonly address: string
  /** As Go spells them: `up|broadcast|multicast`. */
  readonly flags: string
  /** Whether the interface is the one of the default route. */
  readonly isDefault: boolean
}

/** What one call may do; it counts as so much of the steps of the template that calls. */
const BOUNDS = { outputBytesMax: 1_048_576, stepsMax: 10_000 }
const WEIGHT = 64_000

/** The template language of go-sockaddr 1.0.7, on the addresses of this machine: a text between `{{` and `}}`. */
export const sockaddrFunctions: readonly TemplateFunction<Network>[] = [
  {
    name: 'sockaddr',
    signature: 'sockaddr TEXT…',
    parameters: [],
    variadic: 'string',
    call(context, args, execution) {
      execution.weigh(WEIGHT)
      return evaluate(`{{ ${(args as readonly string[]).join(' ')} }}`, context.networkAddresses(), execution)
    },
  },
]

function evaluate(text: string, addresses: readonly NetworkAddress[], execution: Executing): string {
  const all = addresses.flatMap(({ interfaceName, address, flags, isDefault }) => {
    const ip = parseIpAddress(address)
    return ip === undefined ? [] : [new InterfaceAddress(interfaceName, ip, flags, isDefault)]
  })
  const { showsValues } = execution
  let doing = 'parse template'
  try {
    const template = parseTemplate({ name: 'sockaddr.Parse', text, functions, showValues: showsValues })
    doing = 'execute sockaddr input'
    return template.execute(all, all, BOUNDS)
  } catch (error) {
    if (error instanceof TemplateError) {
      if (error.code === 'bound') throw error
      if (!showsValues) throw withoutText(`unable to ${doing}`, error)
    }
    throw new Error(`unable to ${doing} ${execution.quoted(text, 'q')}: ${messageOf(error)}`, { cause: error })
  }
}

/** The error's message quotes the text, which may come from a provider; what a function in it said does not. */
function withoutText(problem: string, { line, column, cause }: TemplateError): Error {
  const words = cause === undefined ? '' : `: ${messageOf(cause)}`
  return new Error(`${problem}, at line ${line}, column ${column} of it${words}`)
}

type Addresses = readonly InterfaceAddress[]
type Call = (all: Addresses, args: readonly Value[], execution: Executing) => Value

function own(name: string, parameters: readonly ParameterKind[], call: Call): [string, TemplateFunction<Addresses>] {
  return [name, { name, signature: name, parameters, call }]
}

const functions: FunctionTable<Addresses> = new Map([
  own('GetAllInterfaces', [], all => all),
  own('GetDefaultInterfaces', [], all => {
    const ofDefault = all.filter(({ isDefault }) => isDefault)
    if (ofDefault.length === 0) throw new Error('No default interface found')
    return ofDefault
  }),
  own('GetPrivateInterfaces', [], (all, _, execution) => ofRfc6890(usable(all, execution)).matched),
  own('GetPublicInterfaces', [], (all, _, execution) => ofRfc6890(usable(all, execution)).others),
  own('GetPrivateIP', [], (all, _, execution) => firstOf(ofRfc6890(usable(all, execution)).matched)),
  own('GetPublicIP', [], (all, _, execution) => firstOf(ofRfc6890(usable(all, execution)).others)),
  own('GetPrivateIPs', [], all => {
    const { matched } = ofRfc6890(sorted(all, [byType, bySize]))
    return textsOf((byRfc(NOT_FORWARDABLE, matched) as Selection).others)
  }),
  own('GetPublicIPs', [], all => textsOf(ofRfc6890(sorted(all, [byType, bySize])).others)),
  own('GetInterfaceIP', ['string'], (all, [name], execution) => {
    const named = byName(name as string, all, execution).matched
    return firstOf(sorted(byFlag('forwardable', named, execution).matched, [byType, bySize]))
  }),
  own('GetInterfaceIPs', ['string'], (all, [name], execution) =>
    textsOf(sorted(byName(name as string, all, execution).matched, [byType, bySize])),
  ),
  own('include', ['string', 'string', 'list'], (_, args, execution) => selected('include', args, execution).matched),
  own('exclude', ['string', 'string', 'list'], (_, args, execution) => selected('exclude', args, execution).others),
  own('sort', ['string', 'list'], (_, [clauses, list], execution) =>
    sortBy(clauses as string, addressesIn(list), execution),
  ),
  own('unique', ['string', 'list'], (_, [attribute, list], execution) =>
    unique(attribute as string, addressesIn(list), execution),
  ),
  own('limit', ['int', 'list'], (_, [count, list]) => addressesIn(list).slice(0, Number(count))),
  own('offset', ['int', 'list'], (_, [count, list]) => offset(Number(count), addressesIn(list))),
  own('math', ['string', 'string', 'list'], (_, [operation, amount, list], execution) =>
    addressesIn(list).map(address => moved(operation as string, amount as string, address, execution)),
  ),
  own('join', ['string', 'string', 'list'], (_, [attribute, separator, list]) =>
    addressesIn(list)
      .map(address => address.attribute(attribute as string))
      .join(separator as string),
  ),
  own('attr', ['string', 'any'], (_, [attribute, of = null], execution) => attr(attribute as string, of, execution)),
])

/** Forwardable addresses of interfaces that are up, those of the default route first. */
function usable(all: Addresses, execution: Executing): Addresses {
  const up = byFlag('up', byFlag('forwardable', all, execution).matched, execution).matched
  return sorted(up, [byDefault, byType, bySize])
}

/** Whether they are private, in the widest sense. */
function ofRfc6890(addresses: Addresses): Selection {
  return byRfc(6890, addresses) as Selection
}

function firstOf([first]: Addresses): string {
  return first?.attribute('address') ?? ''
}

function textsOf(addresses: Addresses): string {
  return addresses.map(address => address.attribute('address')).join(' ')
}

function addressesIn(list: Value = null): Addresses {
  return (list as readonly Value[]).map(item => {
    if (item instanceof InterfaceAddress) return item
    throw new Error(`expected sockaddr.IfAddr; got ${item === null ? 'nil' : typeName(item)}`)
  })
}

function selected(verb: string, [selector, wanted, list]: readonly Value[], execution: Executing): Selection {
  const selection = select(selector as string, wanted as string, addressesIn(list), execution)
  if (selection === undefined) throw new Error(`invalid ${verb} selector ${execution.quoted(selector as string, 'q')}`)
  return selection
}

/** Without those that are as the one before them. */
function unique(attribute: string, addresses: Addresses, execution: Executing): Addresses {
  const name = attribute.toLowerCase()
  if (addresses.length > 0 && name !== 'address' && name !== 'name') {
    throw new Error(`unsupported unique constraint ${execution.quoted(attribute, 'q')}`)
  }
  const texts = addresses.map(address => address.attribute(name === 'address' ? 'string' : 'name'))
  return addresses.filter((_, i) => i === 0 || texts[i] !== texts[i - 1])
}

/** From there on; a negative one counts from the end. */
function offset(count: number, addresses: Addresses): Addresses {
  const size = Math.abs(count)
  if (size <= addresses.length) return addresses.slice(count < 0 ? addresses.length - size : size)
  throw new Error(
    `unable to seek past the end of the interface array: offset (${size}) exceeds the number of interfaces (${addresses.length})`,
  )
}

function moved(operation: string, amount: string, address: InterfaceAddress, execution: Executing): InterfaceAddress {
  try {
    return address.with(compute(operation, amount, address, execution))
  } catch (error) {
    const place = `${address.ip} ${address.interfaceName}`
    throw new Error(`unable to perform an IPMath operation on ${place}: ${messageOf(error)}`, { cause: error })
  }
}

function attr(attribute: string, of: Value, execution: Executing): string {
  if (of instanceof InterfaceAddress) return of.attribute(attribute)
  if (Array.isArray(of)) return addressesIn(of)[0]?.attribute(attribute) ?? ''
  const type = of === null ? '<nil>' : typeName(of)
  const name = execution.quoted(attribute)
  throw new Error(`unable to obtain attribute ${name} from type ${type} (${execution.quoted(of)})`)
}
