/** Never more nodes of a policy are out through Drover than its limits allow. */
import type { Millis } from '../../../src/lib/clock.ts';
import { finalizers } from '../../../src/api/names.ts';
import { resolveLimit, parseLimit } from '../../../src/api/int-or-percent.ts';
import * as kinds from '../../../src/sim/apiserver/kinds.ts';
import type { Node } from '../../../src/sim/kubernetes.ts';
import type { Maintenance, Policy, Stage } from '../stage.ts';
import { isClosedByDrover, isEmpty, journalOf, maintenanceOf } from './marks-of-drover.ts';
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
const LASTS = Number.POSITIVE_INFINITY;

/** A stretch of true time in which the status of a maintenance says something. What it says of the time is by a clock that may be wrong. */
interface Spell {
  readonly since: Millis;
  until: Millis;
}

function spellsOf(stage: Stage, says: (maintenance: Maintenance) => boolean) {
  const spells = new Map<string, Spell[]>();
  stage.watch(stage.maintenances, ({ object }) => {
    const { metadata } = object;
    const known = spells.get(metadata.uid) ?? [];
    const last = known.at(-1);
    const lasts = last?.until === LASTS;
    if (!says(object)) {
      if (last && lasts) last.until = stage.clock.now();
    } else if (!lasts) spells.set(metadata.uid, [...known, { since: stage.clock.now(), until: LASTS }]);
  });
  return (uid: string | undefined): readonly Spell[] => spells.get(uid ?? '') ?? [];
}

interface Closed {
  readonly node: Node;
  /** When it was let go: a moment before the cordon, where that was refused at first. */
  readonly since: Millis;
  /** The maintenance that has it in hand; unknown while only the cordon is there, which may come before the creation. */
  holder: Maintenance | undefined;
}

/** As it was when another node was closed. */
interface Out extends Closed {
  readonly isEmpty: boolean;
  /** undefined: a person has asked for it, outside every policy. */
  readonly policy: Policy | undefined;
}

export const keepsLimits: KeepWatch = (stage) => {
  const { api, clock } = stage;
  // One that is rebooted is out until it is back; one that stays out of service when that is done was drained.
  const drained = spellsOf(stage, ({ spec, status }) =>
    spec.action === 'Drain' ? status?.drainedAt !== undefined : status?.phase === 'Drained',
  );
  const begun = spellsOf(stage, ({ status }) => status?.phase === 'Draining' || status?.phase === 'Settling');
  const closed = new Map<string, Closed>();

  function wasDrained({ holder, isEmpty }: Out, when: Millis): boolean {
    const spells = drained(holder?.metadata.uid);
    if (spells.some(({ since, until }) => since <= when && when <= until)) return true;
    // A crash takes the status with it that says so; the next process finds the node empty, and writes it later or waits its turn.
    return stage.troubledAt() >= when - WRITTEN_MS && (isEmpty || spells.some(({ until }) => until >= when));
  }

  /** What speaks against letting this node go while the others are out; undefined when nothing does. */
  function objection({ node, policy }: Out, others: readonly Out[], all: readonly Node[]): string | undefined {
    if (!policy) return undefined;
    const selected = all.filter((each) => isSelected(policy, each));
    const out = others.map((each) => each.node).filter((each) => isSelected(policy, each));
    const check = (what: string, members: readonly Node[], away: readonly Node[], limit: string | number) =>
      away.length < resolveLimit(parseLimit(limit), members.length)
        ? undefined
        : `policy ${policy.metadata.name} allows ${limit} ${what}; ${node.metadata.name} was let go with ${away.map((each) => each.metadata.name).join(', ')} out`;
    const { maxNodes, perGroup } = policy.spec.disruption;
    let found = check('of all', selected, out, maxNodes);
    for (const { label, maxNodes: limit } of perGroup) {
      const value = node.metadata.labels?.[label];
      const inGroup = (each: Node) => each.metadata.labels?.[label] === value;
      found ??= check(`of ${label} ${value}`, selected.filter(inGroup), out.filter(inGroup), limit);
    }
    return found;
  }

  /** Of nodes that were let go at one instant nobody sees which one was first: one order must be within every limit. */
  function inSomeOrder(letGo: readonly Out[], out: readonly Out[], all: readonly Node[]): string | undefined {
    let first: string | undefined;
    for (const each of letGo) {
      const rest = letGo.filter((other) => other !== each);
      const next = wasDrained(each, each.since) ? out : [...out, each];
      const how = objection(each, out, all) ?? (rest.length > 0 ? inSomeOrder(rest, next, all) : undefined);
      if (how === undefined) return undefined;
      first ??= how;
    }
    return first;
  }

  /** A person who asks for a node outside every policy is obeyed, and before all others, unless Drover hears of it only at this very instant. */
  function isBefore({ since, policy, holder }: Out, when: Millis): boolean {
    return since < when || (since === when && !policy && (knownSince.get(holder?.metadata.uid ?? '') ?? when) < when);
  }

  function judge(when: Millis, closed: readonly Out[], all: readonly Node[]): void {
    const letGo = closed.filter(({ since, policy }) => since === when && policy !== undefined);
    const out = closed.filter((each) => isBefore(each, when) && !wasDrained(each, when));
    const how = letGo.length === 0 ? undefined : inSomeOrder(letGo, out, all);
    if (how !== undefined) stage.broken(PROMISE, `${how}, ${clock.now() - when} ms ago`);
  }

  stage.watch(kinds.nodes, ({ type, object, previous }, by) => {
    const { uid } = object.metadata;
    if (type === 'DELETED' || !isClosedByDrover(object)) return void closed.delete(uid);
    if (isClosedByDrover(previous)) return;
    const holder = maintenanceOf(stage, object.metadata.name);
    const since = begun(holder?.metadata.uid).find(({ until }) => until === LASTS)?.since ?? clock.now();
    const own: Closed = { node: object, since, holder };
    closed.set(uid, own);
    // A person who opens a node and closes it again while Drover has it in hand.
    if (!by) return;
    const all = api.list(kinds.nodes);
    const now = [...closed.values()].map((each) => ({ closed: each, isEmpty: isEmpty(stage, each.node.metadata.name) }));
    // The one that was let go last is one too many. That is not always the one that is closed last: a cordon may be refused at first.
    const instants = new Set(now.map((each) => each.closed.since).filter((each) => each >= since));
    // The maintenance itself, and that the one before is drained, are written a moment after the cordon.
    clock.after(WRITTEN_MS, () => {
      const known = now.map(({ closed: each, isEmpty: empty }): Out => {
        const policy = api.get(stage.policies, '', each.holder?.spec.policy ?? '');
        return { ...each, isEmpty: empty, policy };
      });
      for (const when of instants) judge(when, known, all);
    });
  });

  const knownSince = new Map<string, Millis>();
  stage.watch(stage.maintenances, ({ type, object }) => {
    const { name, uid, finalizers: held = [] } = object.metadata;
    if (held.includes(finalizers.undo) && !knownSince.has(uid)) knownSince.set(uid, clock.now());
    if (type === 'ADDED') for (const each of closed.values()) if (journalOf(each.node)?.by === name) each.holder ??= object;
  });
  return {};
};
