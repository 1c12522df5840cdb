/** Nobody else's cordon, taint, label or annotation is touched, and a node that is handed back is what it would have been without Drover. */
import { annotations, finalizers, labels, taints } from '../../../src/api/names.ts';
import * as kinds from '../../../src/sim/apiserver/kinds.ts';
import type { ApiRequest } from '../../../src/sim/apiserver/door.ts';
import type { Labels, Node, Pod, Taint } from '../../../src/sim/kubernetes.ts';
import { handoverOf, journalOf, keyOf } from './marks-of-drover.ts';
import type { KeepWatch } from './promise.ts';

const PROMISE = 'only what is Drover’s own is touched';
const BACK = 'a node that is handed back is as before';

/** What Kubernetes derives from the cordon itself. */
const DERIVED = 'node.kubernetes.io/unschedulable';

/** A node as it would be without Drover: every change of everybody else, and none of Drover's. */
interface Shadow {
  unschedulable: boolean;
  labels: Map<string, string>;
  annotations: Map<string, string>;
  taints: Map<string, string>;
}

const entriesOf = (map: Labels = {}) => new Map(Object.entries(map));
const taintsOf = ({ spec }: Node) =>
  new Map((spec.taints ?? []).filter(({ key }) => key !== DERIVED).map((each) => [`${each.key}:${each.effect}`, shown(each)]));

function shown({ value = '', timeAdded = 'no time' }: Taint): string {
  return `"${value}" since ${timeAdded}`;
}

function seen(node: Node): Shadow {
  return {
    unschedulable: node.spec.unschedulable ?? false,
    labels: entriesOf(node.metadata.labels),
    annotations: entriesOf(node.metadata.annotations),
    taints: taintsOf(node),
  };
}

function follow(shadow: Map<string, string>, before: Map<string, string>, after: Map<string, string>): void {
  for (const key of before.keys()) if (!after.has(key)) shadow.delete(key);
  for (const [key, value] of after) if (before.get(key) !== value) shadow.set(key, value);
}

function differences(wanted: Map<string, string>, found: Map<string, string>, what: string): string[] {
  const keys = new Set([...wanted.keys(), ...found.keys()]);
  return [...keys].flatMap((key) =>
    wanted.get(key) === found.get(key)
      ? []
      : [`${what} ${key} is ${found.get(key) ?? 'absent'}, not ${wanted.get(key) ?? 'absent'}`],
  );
}

const OWN_PATHS = [
  /^POST \/api\/v1\/namespaces\/[^/]+\/pods\/[^/]+\/eviction$/,
  /^(PATCH|DELETE) \/api\/v1\/namespaces\/[^/]+\/pods\/[^/]+$/,
  /^POST \/api\/v1\/namespaces\/default\/pods$/,
  /^PATCH \/api\/v1\/nodes\/[^/]+(\/status)?$/,
  /^POST \/apis\/drover\.dev\/v1alpha1\/nodemaintenances$/,
  /^(PATCH|PUT|DELETE) \/apis\/drover\.dev\/v1alpha1\/nodemaintenances\/[^/]+(\/status)?$/,
  /^(PATCH|PUT) \/apis\/drover\.dev\/v1alpha1\/maintenancepolicies\/[^/]+\/status$/,
  /^(POST|PUT|PATCH) \/apis\/coordination\.k8s\.io\/v1\/namespaces\/default\/leases(\/drover-controller)?$/,
];

function changedKeys(before: Labels = {}, after: Labels = {}): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => before[key] !== after[key]);
}

export const touchesOnlyItsOwn: KeepWatch = (stage) => {
  const { api } = stage;
  const shadows = new Map<string, Shadow>();
  for (const node of api.list(kinds.nodes)) shadows.set(node.metadata.uid, seen(node));

  stage.onRequest((request: ApiRequest, { code }) => {
    const line = `${request.method} ${request.path}`;
    if (request.method !== 'GET' && code < 300 && !OWN_PATHS.some((own) => own.test(line))) stage.broken(PROMISE, line);
  });

  function followForeign(shadow: Shadow, before: Node, after: Node): void {
    follow(shadow.labels, entriesOf(before.metadata.labels), entriesOf(after.metadata.labels));
    follow(shadow.annotations, entriesOf(before.metadata.annotations), entriesOf(after.metadata.annotations));
    follow(shadow.taints, taintsOf(before), taintsOf(after));
    const closes = after.spec.unschedulable ?? false;
    if (closes === (before.spec.unschedulable ?? false)) return;
    // Opened and closed again before Drover has seen it: nothing on the node tells that cordon from Drover's own.
    if (!closes || journalOf(before)?.stage !== 'Cordoned') shadow.unschedulable = closes;
  }

  function judge(before: Node, after: Node): void {
    const name = keyOf(after);
    const broken = (how: string) => stage.broken(PROMISE, `node ${name}: ${how}`);
    for (const key of changedKeys(before.metadata.annotations, after.metadata.annotations))
      if (key !== annotations.maintenance && key !== annotations.scaleDownDisabled) broken(`annotation ${key}`);
    for (const key of changedKeys(before.metadata.labels, after.metadata.labels))
      if (key !== labels.excludeFromLoadBalancers) broken(`label ${key}`);
    const own = `${taints.maintenance.key}:${taints.maintenance.effect}`;
    const [old, now] = [taintsOf(before), taintsOf(after)];
    for (const map of [old, now]) map.delete(own);
    for (const how of differences(old, now, 'taint')) broken(how);
    const { unschedulable: wasClosed, taints: _, ...spec } = before.spec;
    const { unschedulable: isClosed, taints: __, ...next } = after.spec;
    if (JSON.stringify(spec) !== JSON.stringify(next)) broken(`spec ${JSON.stringify(next)}`);
    if (wasClosed && !isClosed && shadows.get(after.metadata.uid)?.unschedulable) broken('somebody else’s cordon is taken away');
  }

  stage.watch(kinds.nodes, ({ type, object, previous }, by) => {
    const { uid } = object.metadata;
    if (type === 'DELETED') return void shadows.delete(uid);
    if (!previous) return void shadows.set(uid, seen(object));
    const shadow = shadows.get(uid);
    if (by) judge(previous, object);
    else if (shadow) followForeign(shadow, previous, object);
    if (by && shadow && journalOf(previous) && !journalOf(object)) compare(object, shadow);
  });

  function compare(node: Node, shadow: Shadow): void {
    const found = seen(node);
    const how = [
      ...(shadow.unschedulable === found.unschedulable ? [] : [`unschedulable is ${found.unschedulable}`]),
      ...differences(shadow.labels, found.labels, 'label'),
      ...differences(shadow.annotations, found.annotations, 'annotation'),
      ...differences(shadow.taints, found.taints, 'taint'),
    ];
    if (how.length > 0) stage.broken(BACK, `node ${keyOf(node)}: ${how.join('; ')}`);
  }

  stage.watch(kinds.pods, ({ type, object, previous }, by) => {
    if (by && type === 'MODIFIED' && previous) judgePod(previous, object);
  });

  function judgePod(before: Pod, after: Pod): void {
    const broken = (how: string) => stage.broken(PROMISE, `pod ${keyOf(after)}: ${how}`);
    for (const key of changedKeys(before.metadata.annotations, after.metadata.annotations))
      if (key !== annotations.handover && key !== annotations.handoverRefused) broken(`annotation ${key}`);
    const taken = (pod: Pod) => {
      const handover = handoverOf(pod) as { labels?: Labels; unlisted?: Labels } | undefined;
      return { ...handover?.labels, ...handover?.unlisted };
    };
    for (const key of changedKeys(before.metadata.labels, after.metadata.labels)) {
      if (key === labels.handedOver) continue;
      const [was, is] = [before.metadata.labels?.[key], after.metadata.labels?.[key]];
      const takes = is === undefined && taken(after)[key] === was;
      const gives = was === undefined && taken(before)[key] === is;
      if (!takes && !gives) broken(`label ${key} from ${was} to ${is}`);
    }
    if (JSON.stringify(before.spec) !== JSON.stringify(after.spec)) broken('spec');
  }

  return {
    whenAllIsOver() {
      for (const node of api.list(kinds.nodes)) {
        const shadow = shadows.get(node.metadata.uid);
        // With handBack Never a node keeps the cordon until somebody takes it; here everything was cancelled.
        if (shadow) compare(node, shadow);
      }
      for (const { metadata, status } of api.list(stage.maintenances))
        if (metadata.finalizers?.includes(finalizers.undo) && metadata.deletionTimestamp !== undefined)
          stage.broken(BACK, `NodeMaintenance ${metadata.name} (${status?.phase}) is deleted and keeps its finalizer`);
    },
  };
};
