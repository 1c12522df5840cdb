/** Never more nodes of a policy are out through Drover than its limits allow. */
import type { Millis } from '../../../src/lib/clock.ts';
import { resolveLimit, parseLimit } from '../../../src/api/int-or-percent.ts';
import * as kinds from '../../../src/sim/apiserver/kinds.ts';
import type { Node } from '../../../src/sim/kubernetes.ts';
import type { Policy } from '../stage.ts';
import { isClosedByDrover, journalOf, maintenanceOf } from './marks-of-drover.ts';
import type { KeepWatch } from './promise.ts';

const PROMISE = 'never more nodes are out through Drover than a limit allows';

function isSelected({ spec }: Policy, { metadata: { labels = {} } }: Node): boolean {
  // As it is stored: without what a reader would fill in.
  const { matchLabels = {}, matchExpressions = [] } = spec.nodeSelector as Partial<Policy['spec']['nodeSelector']>;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key }) => labels[key] !== undefined)
  );
}

/** So late at most is it written that a node is drained: a restart, and a delayed request. */
const WRITTEN_MS: Millis = 10_000;

export const keepsLimits: KeepWatch = (stage) => {
  const { api, clock } = stage;

  /** Was it drained, or handed back, when another one was closed? */
  function wasDrained(name: string, when: Millis): boolean {
    const node = api.get(kinds.nodes, '', name);
    if (!node || !isClosedByDrover(node)) return true;
    const drainedAt = maintenanceOf(stage, name)?.status?.drainedAt;
    // A crash takes the status with it that says so; the next process finds the node empty, and writes it with its own time.
    return drainedAt !== undefined && (Date.parse(drainedAt) <= when || stage.troubledAt() >= when - WRITTEN_MS);
  }

  function judge(node: Node, by: string, closed: readonly Node[], all: readonly Node[], when: Millis): void {
    // A person who asks for a node outside every policy is obeyed.
    const policy = api.get(stage.policies, '', api.get(stage.maintenances, '', by)?.spec.policy ?? '');
    if (!policy) return;
    const selected = all.filter((each) => isSelected(policy, each));
    const out = closed.filter((each) => isSelected(policy, each) && !wasDrained(each.metadata.name, when));
    const check = (what: string, members: readonly Node[], others: readonly Node[], limit: string | number) => {
      if (others.length < resolveLimit(parseLimit(limit), members.length)) return;
      const names = others.map((each) => each.metadata.name).join(', ');
      const how = `policy ${policy.metadata.name} allows ${limit} ${what}; ${node.metadata.name} was closed ${clock.now() - when} ms ago, with ${names} out`;
      stage.broken(PROMISE, how);
    };
    const { maxNodes, perGroup } = policy.spec.disruption;
    check('of all', selected, out, maxNodes);
    for (const { label, maxNodes: limit } of perGroup) {
      const value = node.metadata.labels?.[label];
      const inGroup = (each: Node) => each.metadata.labels?.[label] === value;
      check(`of ${label} ${value}`, selected.filter(inGroup), out.filter(inGroup), limit);
    }
  }

  stage.watch(kinds.nodes, ({ object, previous }, by) => {
    if (!by || !isClosedByDrover(object) || isClosedByDrover(previous)) return;
    const all = api.list(kinds.nodes);
    const closed = all.filter((node) => isClosedByDrover(node) && node.metadata.uid !== object.metadata.uid);
    const when = clock.now();
    // The maintenance itself, and that the one before is drained, are written a moment after the cordon.
    clock.after(WRITTEN_MS, () => judge(object, journalOf(object)?.by ?? '', closed, all, when));
  });
  return {};
};
