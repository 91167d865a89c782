/** The home of `yaml`. What it throws and warns quotes the text it read, so its messages are not for people here. */
export { isAlias, isMap, isNode, isPair, isScalar, isSeq, parseAllDocuments, parseDocument } from 'yaml'
export type { Alias, Document, Node, Pair, Scalar, YAMLParseError } from 'yaml'
