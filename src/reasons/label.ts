import type { Node, StringMap } from '../api/objects.ts';
import type { ReasonMatch, RuleOf } from './reason.ts';

/** A label of the node. An absent value means any. */
export function labelReason({ label }: RuleOf<'Label'>, node: Node): ReasonMatch {
  return matchKey('label', label, node.labels);
}

/** An annotation of the node. An absent value means any. */
export function annotationReason({ annotation }: RuleOf<'Annotation'>, node: Node): ReasonMatch {
  return matchKey('annotation', annotation, node.annotations);
}

function matchKey(what: string, wanted: { readonly key: string; readonly value?: string }, map: StringMap): ReasonMatch {
  const value = map[wanted.key];
  if (value === undefined) return { pass: false, because: `it has no ${what} ${wanted.key}` };
  if (wanted.value !== undefined && wanted.value !== value)
    return { pass: false, because: `its ${what} ${wanted.key} is not ${wanted.value}` };
  return { pass: true, message: `${what} ${wanted.key}${value ? `=${value}` : ''}` };
}
