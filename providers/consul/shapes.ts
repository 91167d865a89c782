/** consul-template's structs, as tables: the name of each field, and how it is made of Consul's JSON. */
import { Struct, Uint, type Value } from '../../lib/base/value.ts'

export type Json = Readonly<Record<string, unknown>>
type Make = (value: unknown) => Value
/** Each field by its name, from the JSON's field of that name, or of the one that is said. */
type Shape = Readonly<Record<string, Make | readonly [from: string, make: Make]>>

function structOf(type: string, shape: Shape): (value: unknown) => Struct {
  return value => {
    const json = jsonOf(value)
    const fields = Object.entries(shape).map(([name, how]): [string, Value] => {
      const [from, make] = typeof how === 'function' ? [name, how] : how
      return [name, make(json[from])]
    })
    return new Struct(type, new Map(fields))
  }
}

export function jsonOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : []
}

export const text: Make = value => (typeof value === 'string' ? value.toWellFormed() : '')
/** What Go points to: a text or nil. */
const textOrNil: Make = value => (typeof value === 'string' ? value.toWellFormed() : null)
const flag: Make = value => value === true
const int: Make = value => (Number.isSafeInteger(value) ? (value as number) : 0)
const uint: Make = value => new Uint(BigInt(int(value) as number))
const texts: Make = value => itemsOf(value).map(text)
/** As consul-template sorts tags. */
export const sortedTexts: Make = value => (texts(value) as string[]).toSorted(compare)
const textMap: Make = mapOf(text)

function mapOf(make: Make): Make {
  return value =>
    new Map(
      Object.entries(jsonOf(value))
        .toSorted(([a], [b]) => compare(a, b))
        .map(([key, item]) => [key.toWellFormed(), make(item)]),
    )
}

function listOf(make: Make): Make {
  return value => itemsOf(value).map(make)
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

const serviceAddress = structOf('api.ServiceAddress', { Address: text, Port: int })
const weights = structOf('api.AgentWeights', { Passing: int, Warning: int })
const checkDefinition = structOf('api.HealthCheckDefinition', {
  HTTP: text,
  Header: mapOf(texts),
  Method: text,
  Body: text,
  TLSServerName: text,
  TLSSkipVerify: flag,
  TCP: text,
  TCPUseTLS: flag,
  UDP: text,
  GRPC: text,
  OSService: text,
  GRPCUseTLS: flag,
  Interval: text,
  Timeout: text,
  DeregisterCriticalServiceAfter: text,
})
const check = structOf('*api.HealthCheck', {
  Node: text,
  CheckID: text,
  Name: text,
  Status: text,
  Notes: text,
  Output: text,
  ServiceID: text,
  ServiceName: text,
  ServiceTags: texts,
  Type: text,
  Namespace: text,
  Partition: text,
  ExposedPort: int,
  PeerName: text,
  Definition: checkDefinition,
  CreateIndex: uint,
  ModifyIndex: uint,
})

/** Of an entry of `/v1/health/service`, after `flatEntry`. */
export const healthService = structOf('*dependency.HealthService', {
  Node: text,
  NodeID: text,
  NodeAddress: text,
  NodeTaggedAddresses: textMap,
  NodeMeta: textMap,
  ServiceMeta: textMap,
  Address: text,
  ServiceTaggedAddresses: mapOf(serviceAddress),
  ID: text,
  Name: text,
  Tags: sortedTexts,
  Checks: listOf(check),
  Status: text,
  Port: int,
  Weights: weights,
})

/** An entry of `/v1/health/service` with the fields that consul-template gives it. A service without an address has its node's. */
export function flatEntry(entry: unknown): Json {
  const { Node, Service, Checks } = jsonOf(entry)
  const [node, service] = [jsonOf(Node), jsonOf(Service)]
  return {
    Node: node.Node,
    NodeID: node.ID,
    NodeAddress: node.Address,
    NodeTaggedAddresses: node.TaggedAddresses,
    NodeMeta: node.Meta,
    ServiceMeta: service.Meta,
    Address: text(service.Address) === '' ? node.Address : service.Address,
    ServiceTaggedAddresses: service.TaggedAddresses,
    ID: service.ID,
    Name: service.Service,
    Tags: service.Tags,
    Checks,
    Status: aggregatedStatus(itemsOf(Checks).map(jsonOf)),
    Port: service.Port,
    Weights: service.Weights,
  }
}

const NODE_MAINTENANCE = '_node_maintenance'
const SERVICE_MAINTENANCE = '_service_maintenance:'
/** The worst first. */
const SEVERITY: readonly string[] = ['maintenance', 'critical', 'warning', 'passing']

/** The worst of all checks. One whose state is none of the known is none. */
function aggregatedStatus(checks: readonly Json[]): string {
  const states = checks.map(({ CheckID, Status }) => {
    const id = text(CheckID) as string
    return id === NODE_MAINTENANCE || id.startsWith(SERVICE_MAINTENANCE) ? 'maintenance' : (text(Status) as string)
  })
  if (!states.every(state => SEVERITY.includes(state))) return ''
  return SEVERITY.find(state => states.includes(state)) ?? 'passing'
}

export const catalogSnippet = structOf('*dependency.CatalogSnippet', { Name: text, Tags: sortedTexts })

export const node = structOf('*dependency.Node', {
  ID: text,
  Node: text,
  Address: text,
  Datacenter: text,
  TaggedAddresses: textMap,
  Meta: textMap,
})

export const nodeService = structOf('*dependency.CatalogNodeService', {
  ID: text,
  Service: text,
  Tags: sortedTexts,
  Meta: textMap,
  Port: int,
  Address: text,
  EnableTagOverride: flag,
})

export const partition = structOf('*dependency.Partition', { Name: text, Description: text })

const streamStatus = structOf('dependency.PeeringStreamStatus', {
  ImportedServices: texts,
  ExportedServices: texts,
  LastHeartbeat: textOrNil,
  LastReceive: textOrNil,
  LastSend: textOrNil,
})

export const peering = structOf('*dependency.Peering', {
  ID: text,
  Name: text,
  Partition: text,
  Meta: textMap,
  PeeringState: ['State', text],
  PeerID: text,
  PeerServerName: text,
  PeerServerAddresses: texts,
  StreamStatus: streamStatus,
  Remote: structOf('dependency.PeeringRemoteInfo', { Partition: text, Datacenter: text }),
})

export const caRoot = structOf('*api.CARoot', {
  ID: text,
  Name: text,
  RootCertPEM: ['RootCert', text],
  Active: flag,
  CreateIndex: uint,
  ModifyIndex: uint,
})

export const leafCertificate = structOf('*api.LeafCert', {
  SerialNumber: text,
  CertPEM: text,
  PrivateKeyPEM: text,
  Service: text,
  ServiceURI: text,
  ValidAfter: text,
  ValidBefore: text,
  CreateIndex: uint,
  ModifyIndex: uint,
})

export const exportedService = structOf('dependency.ExportedService', {
  Service: text,
  Partition: text,
  Namespace: text,
  Consumers: structOf('dependency.ResolvedConsumers', { Peers: texts, Partitions: texts }),
})

export const importedService = structOf('dependency.ImportedService', {
  Service: text,
  Namespace: text,
  SourcePartition: text,
})
