/** The home of `yaml`. What it throws and warns quotes the text it read, so its messages are not for people here. */
export { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
export type { Document, Node, Pair, Scalar, YAMLMap } from 'yaml'
