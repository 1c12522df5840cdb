import type { Node } from '../api/objects.ts';
import type { ReasonContext, ReasonMatch, RuleOf } from './reason.ts';

/** A node that is older than it should get. Its share of the jitter follows from its uid, so that it stays the same. */
export function ageReason({ age }: RuleOf<'Age'>, node: Node, { now }: ReasonContext): ReasonMatch {
  // Without a creation time it was never seen by an API server; it would count as born in 1970.
  if (node.createdAt <= 0) return { pass: false, because: 'its creation time is not known' };
  const at = node.createdAt + age.maxAgeMs + Math.floor(shareOf(node.uid) * age.jitterMs);
  const days = (ms: number) => (ms / 86_400_000).toFixed(1);
  if (now < at) return { pass: false, at, because: `it is only ${days(now - node.createdAt)} days old` };
  return { pass: true, message: `it is ${days(now - node.createdAt)} days old` };
}

/** From 0 to just below 1: FNV-1a, mixed once more, or uids that differ only at their end would come out close together. */
function shareOf(uid: string): number {
  let hash = 2_166_136_261;
  for (const char of uid) hash = Math.imul(hash ^ char.charCodeAt(0), 16_777_619);
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_507);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}
