import type { Node } from '../api/objects.ts';
import type { ReasonMatch, RuleOf } from './reason.ts';

/** A taint that someone has put on the node. An absent value or effect means any. */
export function taintReason({ taint: wanted }: RuleOf<'Taint'>, node: Node): ReasonMatch {
  const found = node.taints.find(
    (taint) =>
      taint.key === wanted.key &&
      (wanted.value === undefined || taint.value === wanted.value) &&
      (wanted.effect === undefined || taint.effect === wanted.effect),
  );
  if (!found)
    return { pass: false, because: `it has no taint ${wanted.key}${wanted.value === undefined ? '' : `=${wanted.value}`}` };
  return { pass: true, message: `taint ${found.key}${found.value ? `=${found.value}` : ''}:${found.effect}` };
}
